/** The web-stream sockets over two hosts of ours. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, listen, type Socket } from '../../src/web/index.ts';
import { type Hosts, SERVER_ADDRESS, twoHosts } from '../net/hosts.ts';

let hosts: Hosts;
beforeEach(() => {
  hosts = twoHosts('ethernet');
});
afterEach(() => hosts.close());

async function readAll(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = socket.readable.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  return Buffer.concat(parts);
}

describe('web-stream sockets', () => {
  test('echo through pipeTo, with backpressure, to the last octet', async () => {
    const listener = listen(hosts.server, { port: 7 });
    const serving = (async () => {
      for await (const socket of listener) await socket.readable.pipeTo(socket.writable);
    })();
    const socket = connect(hosts.client, { hostname: SERVER_ADDRESS, port: 7 });
    const { remoteAddress } = await socket.opened;
    expect(remoteAddress).toBe('10.0.0.2:7');
    const sent = new Uint8Array(1_000_000).map((_, i) => i % 251);
    const echoed = readAll(socket);
    const writer = socket.writable.getWriter();
    for (let at = 0; at < sent.length; at += 10_000) await writer.write(sent.subarray(at, at + 10_000));
    await writer.close();
    expect(Buffer.compare(await echoed, sent)).toBe(0);
    await socket.closed;
    listener.close();
    await serving;
  });

  test('a refused connection rejects `opened`, `closed` and the streams with ECONNREFUSED', async () => {
    const socket = connect(hosts.client, { hostname: SERVER_ADDRESS, port: 8 });
    await expect(socket.opened).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(socket.closed).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(socket.readable.getReader().read()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(socket.writable.getWriter().write(new Uint8Array(1))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('what was sent and the end are read, though a RST came after the FIN', async () => {
    const { server } = hosts;
    const listener = server.stack.listen({ port: 7 });
    const socket = connect(hosts.client, { hostname: SERVER_ADDRESS, port: 7 });
    await socket.opened;
    const accepted = await vi.waitFor(() => listener.accept(server.now()) ?? expect.fail('nobody yet'));
    accepted.write(server.now(), new TextEncoder().encode('goodbye'));
    accepted.shutdown(server.now());
    server.wake();
    await vi.waitFor(() => expect(accepted.state).toBe('FIN-WAIT-2'));
    accepted.abort(server.now());
    server.wake();
    await expect(socket.closed).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(Buffer.from(await readAll(socket)).toString()).toBe('goodbye');
  });

  test('text can be written after the peer has ended (half-close)', async () => {
    const listener = listen(hosts.server, { port: 7 });
    const socket = connect(hosts.client, { hostname: SERVER_ADDRESS, port: 7 }, { allowHalfOpen: true });
    const [accepted] = await take(listener);
    await accepted.writable.close();
    expect((await readAll(socket)).length).toBe(0);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode('still here'));
    await writer.close();
    expect(new TextDecoder().decode(await readAll(accepted))).toBe('still here');
    await Promise.all([socket.closed, accepted.closed]);
    listener.close();
  });

  test.each([false, true])(
    'otherwise the writable side ends with the readable one, held by a writer: %s',
    async (held) => {
      const listener = listen(hosts.server, { port: 7, allowHalfOpen: true });
      const socket = connect(hosts.client, `${SERVER_ADDRESS}:7`);
      const [accepted] = await take(listener);
      const writer = held ? socket.writable.getWriter() : null;
      const queued = [1, 2, 3].map((n) => writer?.write(new Uint8Array(200_000).fill(n)));
      await accepted.writable.close();
      const [received] = await Promise.all([readAll(accepted), readAll(socket), ...queued]);
      // What was queued goes out before.
      expect(received).toHaveLength(held ? 600_000 : 0);
      await Promise.all([socket.closed, accepted.closed]);
      if (writer !== null) await expect(writer.write(new Uint8Array(1))).rejects.toThrow();
      listener.close();
    },
  );

  test('connections that come before anybody iterates are not lost', async () => {
    const listener = listen(hosts.server, { port: 7 });
    const sockets = Array.from({ length: 5 }, () => connect(hosts.client, { hostname: SERVER_ADDRESS, port: 7 }));
    await Promise.all(sockets.map((socket) => socket.opened));
    expect(await take(listener, 5)).toHaveLength(5);
    listener.close();
  });

  test("an address that is none is the caller's mistake", () => {
    expect(() => connect(hosts.client, { hostname: 'example', port: 7 })).toThrow(
      /is a name and nobody is there to ask/,
    );
  });
});

async function take(listener: AsyncIterable<Socket>, count = 1): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for await (const socket of listener) {
    sockets.push(socket);
    if (sockets.length === count) break;
  }
  return sockets;
}
