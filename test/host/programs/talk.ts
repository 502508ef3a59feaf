/** Two hosts of one process say hello and goodbye, for what that prints. */

import { connect, Host, listen, memoryPair } from '../../../src/index.ts';

async function talk(): Promise<void> {
  const { a, b } = memoryPair();
  const client = new Host({ name: 'client' });
  client.attach(a, { name: 'link', addresses: ['10.0.0.1/24'] });
  const server = new Host({ name: 'server' });
  server.attach(b, { name: 'link', addresses: ['10.0.0.2/24'] });
  const listener = listen(server, { port: 80 });
  const echo = (async () => {
    for await (const socket of listener) await socket.readable.pipeTo(socket.writable);
  })();
  const socket = connect(client, { hostname: '10.0.0.2', port: 80 });
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode('hello'));
  await writer.close();
  const reader = socket.readable.getReader();
  while (!(await reader.read()).done);
  await socket.closed;
  listener.close();
  await echo;
  client.close();
  server.close();
}

void talk();
