/** Sockets of accepted connections: made by Node's net, and ours all the same. */
import { once } from 'node:events';
import nodeNet, { type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNet, type Net } from '../../src/net/index.ts';
import { CLIENT_ADDRESS, type Hosts, SERVER_ADDRESS, twoHosts } from './hosts.ts';

let hosts: Hosts;
let client: Net;
let server: Net;
beforeEach(() => {
  hosts = twoHosts();
  client = createNet(hosts.client);
  server = createNet(hosts.server);
});
afterEach(() => hosts.close());

/** Accepted sockets of as many connections. */
async function accepted(count: number): Promise<nodeNet.Socket[]> {
  const sockets: nodeNet.Socket[] = [];
  const listening = server.createServer((socket) => sockets.push(socket)).listen(80);
  for (let i = 0; i < count; i++) {
    const arriving = once(listening, 'connection');
    client.connect({ host: SERVER_ADDRESS, port: 80 });
    await arriving;
  }
  return sockets;
}

test('they are instances of the module that accepted them, and of no class derived from it', async () => {
  const [socket] = await accepted(1);
  class Derived extends server.Socket {}
  expect(socket instanceof server.Socket).toBe(true);
  expect(socket instanceof nodeNet.Socket).toBe(true);
  expect(socket instanceof Derived).toBe(false);
  expect(socket instanceof client.Socket).toBe(false);
  expect(new nodeNet.Socket() instanceof server.Socket).toBe(false);
  expect(new Derived() instanceof server.Socket).toBe(true);
});

test('connected again, they go over the same host', async () => {
  const [socket] = await accepted(1);
  socket.destroy();
  await once(socket, 'close');
  const back = client.createServer((peer) => peer.end(`hello ${peer.remoteAddress}`)).listen(81);
  socket.connect({ host: CLIENT_ADDRESS, port: (back.address() as AddressInfo).port });
  const [text] = await once(socket, 'data');
  expect(String(text)).toBe(`hello ::ffff:${SERVER_ADDRESS}`);
});

test('they have one hidden class together, so that what handles them is as fast for many as for one', async () => {
  setFlagsFromString('--allow-natives-syntax');
  const sameClass = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
  const sockets = await accepted(30);
  for (const socket of sockets) Object.assign(socket, { _httpMessage: null });
  // The first few teach V8 which properties there are.
  const settled = sockets.slice(10);
  expect(settled.filter((socket) => !sameClass(socket, settled[0]))).toHaveLength(0);
});
