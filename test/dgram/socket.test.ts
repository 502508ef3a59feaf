/** `estab/dgram` between two hosts of an embedded network, held against what node:dgram does. */

import nodeDgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createDgram, type RemoteInfo, type Socket } from '../../src/dgram/index.ts';
import { EmbeddedNetwork } from '../../src/embedded/index.ts';

let network: EmbeddedNetwork | null = null;
afterEach(() => network?.close());

function hosts() {
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

describe('dgram', () => {
  it('carries datagrams there and back, with who sent them', async () => {
    const { a, b } = hosts();
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
    const { a, b } = hosts();
    const server = await bound(b.createSocket('udp6'), 7000);
    a.createSocket('udp6').send(Buffer.from('0123456789'), 2, 3, 7000, 'fd00::2');
    const [message, from] = (await once(server, 'message')) as [Buffer, RemoteInfo];
    expect(message.toString()).toBe('234');
    expect(from).toMatchObject({ address: 'fd00::1', family: 'IPv6' });
  });

  it('connects to one peer, hears that nobody is there, and disconnects', async () => {
    const { a } = hosts();
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

  it('tells a port in use, and what was closed', async () => {
    const { a } = hosts();
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
    const { a } = hosts();
    const stop = new AbortController();
    const socket = a.createSocket({ type: 'udp4', signal: stop.signal });
    const closed = once(socket, 'close');
    stop.abort();
    await closed;
  });

  it.each([
    ['a bad type', (make: Make) => make('tcp4' as 'udp4')],
    ['a bad port to connect to', (make: Make) => make('udp4').connect(70_000)],
    ['a bad port to send to', (make: Make) => make('udp4').send('x', 0, '127.0.0.1')],
    ['no port at all', (make: Make) => make('udp4').send('x')],
    ['a message that is none', (make: Make) => make('udp4').send(5 as unknown as string, 7, '127.0.0.1')],
    ['a part outside of the buffer', (make: Make) => make('udp4').send(Buffer.from('abc'), 1, 9, 7, '127.0.0.1')],
    ['an address before there is one', (make: Make) => make('udp4').address()],
    ['a disconnect without a peer', (make: Make) => make('udp4').disconnect()],
  ])('throws what node throws for %s', (_name, misuse) => {
    const { a } = hosts();
    const thrownBy = (make: Make): unknown => {
      try {
        misuse(make);
      } catch (error) {
        const { name, code } = error as Error & { code: string };
        return { name, code };
      }
      return null;
    };
    const expected = thrownBy(((type: 'udp4') => nodeDgram.createSocket(type)) as unknown as Make);
    expect(expected).not.toBeNull();
    expect(thrownBy((type) => a.createSocket(type))).toEqual(expected);
  });
});

type Make = (type: 'udp4' | 'udp6') => Socket;
