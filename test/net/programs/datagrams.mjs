/** UDP by ESM named imports: an echo and its client, connected and not, over both families. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

for (const [type, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
]) {
  const server = createSocket(type, (message, from) => server.send(`${message} back`, from.port, from.address));
  server.bind(0, address);
  await once(server, 'listening');
  const { port } = server.address();
  const client = createSocket(type);
  client.send('one', port, address);
  const [first, from] = await once(client, 'message');
  console.log(type, String(first), from.address === address, from.port === port);
  client.close();
  const connected = createSocket(type);
  connected.connect(port, address);
  await once(connected, 'connect');
  connected.send(['t', 'wo'], (error, bytes) => console.log(type, error, bytes));
  console.log(type, String((await once(connected, 'message'))[0]), connected.remoteAddress().port === port);
  connected.close();
  server.close();
}
const nobody = createSocket('udp4');
nobody.connect(9, '127.0.0.1', () => nobody.send('anyone?'));
const [error] = await once(nobody, 'error');
console.log(error.message);
nobody.close();
