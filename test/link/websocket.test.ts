/** Hosts on one switch: two behind WebSockets, one beside it; and what becomes of them when the WebSocket goes. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { Host } from '../../src/host/host.ts';
import { memoryPair } from '../../src/link/memory.ts';
import { Switch } from '../../src/link/switch.ts';
import { connectWebSocket, webSocketLink } from '../../src/link/websocket.ts';
import { connect, listen, type Socket } from '../../src/web/index.ts';

let relay: WebSocketServer;
let network: Switch;
let hosts: Host[];

beforeEach(async () => {
  network = new Switch();
  hosts = [];
  relay = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  relay.on('connection', (socket) => network.plug(webSocketLink(socket as never)));
  await once(relay, 'listening');
});

afterEach(() => {
  for (const host of hosts) host.close();
  for (const client of relay.clients) client.terminate();
  relay.close();
});

const url = (): string => `ws://127.0.0.1:${(relay.address() as AddressInfo).port}`;

async function hostBehindWebSocket(address: string): Promise<Host> {
  const host = new Host();
  host.attach(await connectWebSocket(url()), { name: 'ws', addresses: [address] });
  hosts.push(host);
  return host;
}

function hostBeside(address: string): Host {
  const { a, b } = memoryPair({ layer: 'ethernet' });
  network.plug(a);
  const host = new Host();
  host.attach(b, { name: 'eth0', addresses: [address] });
  hosts.push(host);
  return host;
}

async function readAll(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of socket.readable as unknown as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

async function echoOn(host: Host): Promise<void> {
  for await (const socket of listen(host, { port: 7 })) socket.readable.pipeTo(socket.writable).catch(() => {});
}

async function echoed(from: Host, to: string, size: number): Promise<void> {
  const socket = connect(from, { hostname: to, port: 7 });
  const sent = new Uint8Array(size).map((_, i) => (i * 31) & 255);
  const answer = readAll(socket);
  const writer = socket.writable.getWriter();
  for (let at = 0; at < size; at += 50_000) await writer.write(sent.subarray(at, at + 50_000));
  await writer.close();
  expect(Buffer.compare(await answer, sent)).toBe(0);
  await socket.closed;
}

test('a page, a virtual machine and a server: everybody reaches everybody, 2 MB each way', async () => {
  const first = await hostBehindWebSocket('10.3.0.1/24');
  const second = await hostBehindWebSocket('10.3.0.2/24');
  const beside = hostBeside('10.3.0.3/24');
  expect(network.size).toBe(3);
  void echoOn(second);
  void echoOn(beside);
  await echoed(first, '10.3.0.2', 2_000_000);
  await echoed(first, '10.3.0.3', 2_000_000);
  await echoed(beside, '10.3.0.2', 2_000_000);
});

test('a switch sends what it knows the way to nowhere else', async () => {
  const first = await hostBehindWebSocket('10.3.0.1/24');
  const second = await hostBehindWebSocket('10.3.0.2/24');
  let seen = 0;
  const { a, b } = memoryPair({ layer: 'ethernet' });
  network.plug(a);
  b.start({ frame: () => seen++, burstEnd() {}, writable() {}, closed() {} });
  void echoOn(second);
  await echoed(first, '10.3.0.2', 500_000);
  // The question who has 10.3.0.2 goes to everybody; the 700 frames after it do not.
  expect(seen).toBeGreaterThan(0);
  expect(seen).toBeLessThan(10);
});

test('when the WebSocket goes, the host is told and its connections end by their timers', async () => {
  const host = await hostBehindWebSocket('10.3.0.1/24');
  const gone = new Promise<Error | null>((resolve) => {
    host.onLinkClosed = (_iface, error) => resolve(error);
  });
  for (const client of relay.clients) client.close(1001);
  expect((await gone)?.message).toMatch(/closed \(code 1001\)/);
  while (network.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('text and oversized messages are dropped', async () => {
  const host = await hostBehindWebSocket('10.3.0.1/24');
  const other = hostBeside('10.3.0.9/24');
  for (const client of relay.clients) {
    client.send('hello');
    client.send(new Uint8Array(70_000));
    client.send(new Uint8Array(3));
  }
  void echoOn(host);
  await echoed(other, '10.3.0.1', 1000);
});

test('a relay that is not there', async () => {
  await expect(connectWebSocket('ws://127.0.0.1:9')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('bare IP links are no business of a switch', () => {
  expect(() => network.plug(memoryPair().a)).toThrow(/Ethernet/);
});
