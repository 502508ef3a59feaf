/** `estab/dgram` between two hosts of an embedded network, held against what node:dgram does. */

import nodeDgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createDgram, type RemoteInfo, type Socket } from '../../src/dgram/index.ts';
import { createDgram as createPortable } from '../../src/dgram/portable.ts';
import { EmbeddedNetwork } from '../../src/embedded/index.ts';

let network: EmbeddedNetwork | null = null;
afterEach(() => network?.close());

/** Node's own sockets on handles of ours, and the shape for where there is no Node. */
const SHAPES = { 'on handles': createDgram, portable: createPortable as unknown as typeof createDgram };

function hosts(createDgram = SHAPES['on handles']) {
  const made = new EmbeddedNetwork({
    hosts: { a: { address: ['10.0.0.1', 'fd00::1'] }, b: { address: ['10.0.0.2', 'fd00::2'], delayMs: 1 } },
  });
  network = made;
  return { a: createDgram(made.host('a')), b: createDgram(made.host('b')) };
}

async function bound(socket: Socket, port = 0): Promise<Socket> {
  socket.bind(port);
  await once(socket, 'listening');
  return socket;
}

describe.each(Object.entries(SHAPES))('dgram, %s', (_shape, shape) => {
  it('carries datagrams there and back, with who sent them', async () => {
    const { a, b } = hosts(shape);
    const server = await bound(b.createSocket('udp4'), 7000);
    server.on('message', (message, from) => server.send(`${message} back`, from.port, from.address));
    const client = a.createSocket('udp4');
    const sent = new Promise((resolve) =>
      client.send(['he', Buffer.from('llo')], 7000, '10.0.0.2', (error, n) => resolve([error, n])),
    );
    const [message, from] = (await once(client, 'message')) as [Buffer, RemoteInfo];
    expect(await sent).toEqual([null, 5]);
    expect(message.toString()).toBe('hello back');
    expect(from).toEqual({ address: '10.0.0.2', family: 'IPv4', port: 7000, size: 10 });
    expect(client.address()).toMatchObject({ family: 'IPv4', port: expect.any(Number) });
  });

  it('sends parts of a buffer, and over IPv6', async () => {
    const { a, b } = hosts(shape);
    const server = await bound(b.createSocket('udp6'), 7000);
    a.createSocket('udp6').send(Buffer.from('0123456789'), 2, 3, 7000, 'fd00::2');
    const [message, from] = (await once(server, 'message')) as [Buffer, RemoteInfo];
    expect(message.toString()).toBe('234');
    expect(from).toMatchObject({ address: 'fd00::1', family: 'IPv6' });
  });

  it('connects to one peer, hears that nobody is there, and disconnects', async () => {
    const { a } = hosts(shape);
    const client = a.createSocket('udp4');
    client.connect(9, '10.0.0.2');
    await once(client, 'connect');
    expect(client.remoteAddress()).toEqual({ address: '10.0.0.2', family: 'IPv4', port: 9 });
    client.send('anyone?');
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'recvmsg', errno: -111 });
    client.disconnect();
    expect(() => client.remoteAddress()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' }));
  });

  it('binds with a callback alone, sends what any view holds, and takes a TTL', async () => {
    const { a, b } = hosts(shape);
    const server = b.createSocket('udp4');
    await new Promise<void>((resolve) => server.bind(resolve));
    const client = a.createSocket('udp4');
    client.send(new BigInt64Array([5n]), server.address().port, '10.0.0.2');
    const [message] = (await once(server, 'message')) as [Buffer];
    expect(message.readBigInt64LE()).toBe(5n);
    expect(client.setTTL(7)).toBe(7);
    expect(() => client.setTTL(300)).toThrow('setTTL EINVAL');
  });

  it('tells a port in use, and what was closed', async () => {
    const { a } = hosts(shape);
    const first = await bound(a.createSocket('udp4'), 7000);
    const second = a.createSocket({ type: 'udp4' });
    second.bind(7000);
    const [error] = await once(second, 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', address: '0.0.0.0', port: 7000 });
    const closed = once(first, 'close');
    first.close();
    await closed;
    expect(() => first.close()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
    await bound(second, 7000);
  });

  it('closes when its signal says so', async () => {
    const { a } = hosts(shape);
    const stop = new AbortController();
    const socket = a.createSocket({ type: 'udp4', signal: stop.signal });
    const closed = once(socket, 'close');
    stop.abort();
    await closed;
  });

  it.each([
    ['a bad type', (make: Make) => make('tcp4' as 'udp4')],
    ['no type', (make: Make) => make(undefined as never)],
    ['a lookup that is none', (make: Make) => make({ type: 'udp4', lookup: 5 } as never)],
    ['a signal that is none', (make: Make) => make({ type: 'udp4', signal: 5 } as never)],
    ['a bad port to connect to', (make: Make) => make('udp4').connect(70_000)],
    ['a port that is no number', (make: Make) => make('udp4').connect('port' as never)],
    ['an address that is no text', (make: Make) => make('udp4').connect(5, 5 as never)],
    ['a second connect', (make: Make) => twice(make('udp4'), (socket) => socket.connect(5, '127.0.0.1'))],
    ['a second bind', (make: Make) => twice(make('udp4'), (socket) => socket.bind(0, '127.0.0.1'))],
    ['a bad port to send to', (make: Make) => make('udp4').send('x', 0, '127.0.0.1')],
    ['no port at all', (make: Make) => make('udp4').send('x')],
    ['a message that is none', (make: Make) => make('udp4').send(5 as unknown as string, 7, '127.0.0.1')],
    ['a list with something else in it', (make: Make) => make('udp4').send(['a', 5] as never, 7, '127.0.0.1')],
    ['a part outside of the buffer', (make: Make) => make('udp4').send(Buffer.from('abc'), 1, 9, 7, '127.0.0.1')],
    ['a part that begins outside', (make: Make) => make('udp4').send(Buffer.from('abc'), 4, 1, 7, '127.0.0.1')],
    ['an address to send to that is no text', (make: Make) => make('udp4').send('x', 7, 5 as never)],
    ['an address before there is one', (make: Make) => make('udp4').address()],
    ['a peer before there is one', (make: Make) => make('udp4').remoteAddress()],
    ['a disconnect without a peer', (make: Make) => make('udp4').disconnect()],
    ['a TTL before it is bound', (make: Make) => make('udp4').setTTL(5)],
    ['a TTL that is no number', (make: Make) => make('udp4').setTTL('5' as never)],
    ['no group to join', (make: Make) => make('udp4').addMembership('')],
    ['a buffer size that is none', (make: Make) => make('udp4').setRecvBufferSize(-1)],
    ['a send after the end', (make: Make) => make('udp4').close().send('x', 7, '127.0.0.1')],
    ['an address after the end', (make: Make) => make('udp4').close().address()],
  ])('throws what node throws for %s', (_name, misuse) => {
    const { a } = hosts(shape);
    const sockets: nodeDgram.Socket[] = [];
    const thrownBy = (make: Make): unknown => {
      try {
        misuse((type) => {
          const socket = make(type);
          sockets.push(socket.on('error', () => {}));
          return socket;
        });
      } catch (error) {
        const { name, code, message } = error as Error & { code: string };
        return { name, code, message };
      }
      return null;
    };
    const expected = thrownBy(nodeDgram.createSocket as Make);
    expect(expected).not.toBeNull();
    expect(thrownBy(a.createSocket as Make)).toEqual(expected);
    for (const socket of sockets) closeOnce(socket);
  });
});

function twice(socket: Socket, what: (socket: Socket) => void): void {
  what(socket);
  what(socket);
}

function closeOnce(socket: Socket): void {
  try {
    socket.close();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
  }
}

type Make = (type: 'udp4' | 'udp6' | nodeDgram.SocketOptions) => Socket;
