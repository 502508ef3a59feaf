/**
 * Our side where the command has no words for it, through the API. Arguments: TUN LOCAL/N PEER, then one of
 *   half-close PORT           serves; says goodbye and closes its half at once, prints what still comes, then `closed`
 *   abort PORT                serves; resets every connection at its first text
 *   crowd PORT COUNT AT_ONCE  opens connections to an echo server at PEER
 * Prints `ready` when it serves.
 */
import { Host } from '../../../src/host/host.ts';
import { openTun } from '../../../src/link/tun.ts';
import { configureTun } from '../../../src/link/tun-configure.ts';
import { createNet, type Socket } from '../../../src/net/index.ts';
import { crowd } from './crowd.ts';

const [name = '', local = '', peer = '', mode = '', port = '', count = '', atOnce = ''] = process.argv.slice(2);
const link = await openTun({ name });
configureTun(name, [{ local, peer }]);
const host = new Host();
host.attach(link, { name, addresses: [local] });
const net = createNet(host);

function serve(onConnection: (socket: Socket) => void): void {
  const server = net.createServer({ allowHalfOpen: true }, onConnection);
  server.listen({ port: Number(port) }, () => process.stdout.write('ready\n'));
}

function halfClose(socket: Socket): void {
  socket.end('goodbye\n');
  socket.on('data', (chunk) => process.stdout.write(chunk));
  socket.on('close', () => process.stdout.write('closed\n'));
}

function abort(socket: Socket): void {
  socket.on('error', (error) => process.stdout.write(`error ${error.message}\n`));
  socket.once('data', () => socket.resetAndDestroy());
}

if (mode === 'half-close') serve(halfClose);
else if (mode === 'abort') serve(abort);
else {
  await crowd(
    () => net.connect({ host: peer, port: Number(port), allowHalfOpen: true }),
    Number(count),
    Number(atOnce),
  );
  host.close();
}
