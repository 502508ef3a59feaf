/** The shapes of Direct Sockets, Deno and tcpip.js over our hosts: each echoes, ends and fails as its users expect. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStack, denoNet, directSockets } from '../../src/web/index.ts';
import { type Hosts, SERVER_ADDRESS, twoHosts } from '../net/hosts.ts';

let hosts: Hosts;
beforeEach(() => {
  hosts = twoHosts();
});
afterEach(() => hosts.close());

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

async function collect(readable: ReadableStream<Uint8Array>): Promise<string> {
  let all = '';
  for await (const part of readable as unknown as AsyncIterable<Uint8Array>) all += text(part);
  return all;
}

test('Direct Sockets: a server socket streams sockets, both ends know their addresses', async () => {
  const { TCPServerSocket } = directSockets(hosts.server);
  const server = new TCPServerSocket(SERVER_ADDRESS, { localPort: 7 });
  const { readable, localPort } = await server.opened;
  expect(localPort).toBe(7);
  const serving = (async () => {
    for await (const socket of readable as unknown as AsyncIterable<InstanceType<typeof TCPSocket>>) {
      const streams = await socket.opened;
      await streams.readable.pipeTo(streams.writable);
    }
  })();
  const { TCPSocket } = directSockets(hosts.client);
  const socket = new TCPSocket(SERVER_ADDRESS, 7, { noDelay: true, keepAliveDelay: 5000 });
  const opened = await socket.opened;
  expect(opened).toMatchObject({ remoteAddress: SERVER_ADDRESS, remotePort: 7, localAddress: '10.0.0.1' });
  const writer = opened.writable.getWriter();
  await writer.write(bytes('direct'));
  await writer.close();
  expect(await collect(opened.readable)).toBe('direct');
  await socket.closed;
  await server.close();
  await serving;
  await server.closed;
  await expect(new TCPSocket(SERVER_ADDRESS, 8).opened).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('Direct Sockets: datagrams between a bound socket and a connected one, and nobody at the port', async () => {
  const { UDPSocket: ServerSocket } = directSockets(hosts.server);
  const server = new ServerSocket({ localAddress: SERVER_ADDRESS, localPort: 53 });
  const bound = await server.opened;
  expect(bound).toMatchObject({ localAddress: SERVER_ADDRESS, localPort: 53 });
  expect(bound).not.toHaveProperty('remoteAddress');
  const { UDPSocket } = directSockets(hosts.client);
  const client = new UDPSocket({ remoteAddress: SERVER_ADDRESS, remotePort: 53 });
  const { readable, writable, remotePort, localPort } = await client.opened;
  expect(remotePort).toBe(53);

  const asking = writable.getWriter();
  await asking.write({ data: bytes('who?') });
  const { value: question } = await bound.readable.getReader().read();
  expect(question).toMatchObject({ remoteAddress: '10.0.0.1', remotePort: localPort });
  expect(text(question?.data as Uint8Array)).toBe('who?');
  const answering = bound.writable.getWriter();
  await answering.write({ data: bytes('me').buffer as ArrayBuffer, remoteAddress: '10.0.0.1', remotePort: localPort });
  const reader = readable.getReader();
  expect((await reader.read()).value).toEqual({ data: bytes('me') });

  await expect(answering.write({ data: bytes('to whom?') })).rejects.toThrow(/has no peer/);
  await client.close();
  expect((await reader.read()).done).toBe(true);
  const lost = new UDPSocket({ remoteAddress: SERVER_ADDRESS, remotePort: 54 });
  await (await lost.opened).writable.getWriter().write({ data: bytes('anybody?') });
  await expect(lost.closed).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(() => new UDPSocket({})).toThrow(TypeError);
  expect(() => new UDPSocket({ remoteAddress: SERVER_ADDRESS })).toThrow(/go together/);
  await server.close();
});

test('Deno: read fills what it is given, null is the end, a closed listener stops its loop', async () => {
  const listener = denoNet(hosts.server).listen({ port: 7 });
  expect(listener.addr).toEqual({ transport: 'tcp', hostname: '0.0.0.0', port: 7 });
  const serving = (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(4);
      for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer))
        await conn.write(buffer.slice(0, n));
      await conn.closeWrite();
    }
  })();
  const conn = await denoNet(hosts.client).connect({ hostname: SERVER_ADDRESS, port: 7 });
  conn.setNoDelay();
  conn.setKeepAlive();
  expect(conn.remoteAddr).toEqual({ transport: 'tcp', hostname: SERVER_ADDRESS, port: 7 });
  expect(await conn.write(bytes('ten octets'))).toBe(10);
  await conn.closeWrite();
  let answer = '';
  const buffer = new Uint8Array(3);
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) answer += text(buffer.slice(0, n));
  expect(answer).toBe('ten octets');
  listener.close();
  await serving;
  await expect(denoNet(hosts.client).connect({ hostname: SERVER_ADDRESS, port: 8 })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
  await expect(listener.accept()).rejects.toMatchObject({ code: 'EINVAL' });
});

test('tcpip.js: two stacks joined by piping their frames, over Ethernet and over bare IP', async () => {
  for (const kind of ['createTapInterface', 'createTunInterface'] as const) {
    const [client, server] = await Promise.all([createStack(), createStack()]);
    const a = await client[kind]({ ip: '192.168.1.1/24', mac: '02:00:00:00:00:0a' });
    const b = await server[kind]({ ip: '192.168.1.2/24' });
    a.readable.pipeTo(b.writable).catch(() => {});
    b.readable.pipeTo(a.writable).catch(() => {});
    const listener = await server.listenTcp({ port: 80 });
    const serving = (async () => {
      for await (const connection of listener) await connection.readable.pipeTo(connection.writable);
    })();
    const connection = await client.connectTcp({ host: '192.168.1.2', port: 80 });
    const writer = connection.writable.getWriter();
    // More than the bytes at which tcpip.js stalls, and more than 256 frames.
    const size = 1_000_000;
    const answer = collect(connection.readable);
    for (let at = 0; at < size; at += 50_000) await writer.write(new Uint8Array(50_000).fill(0x61));
    await writer.close();
    expect((await answer).length).toBe(size);
    await expect(client.connectTcp({ host: '192.168.1.2', port: 81 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    listener.close();
    await serving;
    client.close();
    server.close();
  }
});
