/**
 * A tab that is a host: its cable is a WebSocket to a switch, its TCP/IP is estab's, in this page. Tab #1 is the chat's
 * server, a TCP listener in a browser; all others connect to it.
 */
import { connect, Host, listen } from 'estab';
import { connectWebSocket } from 'estab/link/websocket';

const number = Number(location.hash.slice(1)) || 1;
const host = new Host();
host.attach(await connectWebSocket(`ws://${location.host}/`), { name: 'ws', addresses: [`10.4.0.${number}/24`] });
// Nobody else will tell the other tabs that this one has gone.
addEventListener('pagehide', () => host.reset());

const write = (text) => new TextEncoder().encode(`${text}\n`);
const show = (text) => document.querySelector('#lines').appendChild(document.createElement('li')).append(text);
const state = (text) => document.querySelector('#state').replaceChildren(text);

/** The lines of a connection until it ends. */
async function* linesOf(socket) {
  let rest = '';
  for await (const part of socket.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split('\n');
    rest = lines.pop();
    yield* lines;
  }
}

/** The others in the room: each connection's writer. */
const others = new Set();
function tell(line, except) {
  show(line);
  for (const writer of others) if (writer !== except) writer.write(write(line));
}

async function hear(socket) {
  const writer = socket.writable.getWriter();
  others.add(writer);
  try {
    for await (const line of linesOf(socket)) tell(line, writer);
  } catch {
    // The other tab was closed: its host has reset the connection.
  }
  others.delete(writer);
}

document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = document.querySelector('#text');
  tell(`${number}: ${input.value}`);
  input.value = '';
});

if (number === 1) {
  state('10.4.0.1 listens on port 5222; open /#2 and /#3 in other tabs');
  for await (const socket of listen(host, { port: 5222 })) hear(socket);
} else {
  const socket = connect(host, { hostname: '10.4.0.1', port: 5222 });
  const { localAddress, remoteAddress } = await socket.opened;
  state(`${localAddress} is connected to ${remoteAddress}`);
  await hear(socket);
  state('tab 1 has gone');
}
