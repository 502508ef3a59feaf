/** node:net's shapes over two hosts of ours: the things that applications lean on. */

import { once } from 'node:events';
import { Agent, createServer as createHttpServer, get } from 'node:http';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNet as createHandleNet, type Socket } from '../../src/net/index.ts';
import { createNet as createDuplexNet } from '../../src/net/portable.ts';
import { selfSigned } from '../libraries/certificate.ts';
import { type Hosts, SERVER_ADDRESS, twoHosts } from './hosts.ts';

/** On Node the module stands on Node's own sockets; the Duplex is for everywhere else. Programs see no difference. */
const KINDS = [
  ['over handles', createHandleNet],
  ['as a Duplex', createDuplexNet as unknown as typeof createHandleNet],
] as const;

describe.each(KINDS)('%s', (_kind, createNet) => {
  let hosts: Hosts;
  beforeEach(() => {
    hosts = twoHosts();
  });
  afterEach(() => hosts.close());

  /** A server that does `onConnection`, and a way to connect to it. */
  async function serve(onConnection: (socket: Socket) => void, options = {}) {
    const server = createNet(hosts.server).createServer(options, onConnection);
    server.listen(0);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const connect = (more = {}) => createNet(hosts.client).connect({ host: SERVER_ADDRESS, port, ...more });
    return { server, port, connect };
  }

  async function closed(socket: Socket): Promise<void> {
    if (!socket.closed) await once(socket, 'close');
  }

  async function collect(socket: Socket): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    return Buffer.concat(parts);
  }

  describe('a socket', () => {
    test('connects, echoes 4 MiB through backpressure, and closes both ends', async () => {
      const { connect } = await serve((socket) => socket.pipe(socket), { allowHalfOpen: true });
      const socket = connect({ allowHalfOpen: true });
      await once(socket, 'connect');
      expect(socket.remoteAddress).toBe(SERVER_ADDRESS);
      expect(socket.readyState).toBe('open');
      const sent = Buffer.alloc(4 * 1024 * 1024);
      for (let i = 0; i < sent.length; i++) sent[i] = (i * 7 + (i >> 10)) & 255;
      const echoed = collect(socket);
      socket.end(sent);
      expect(Buffer.compare(await echoed, sent)).toBe(0);
      expect(socket.bytesWritten).toBe(sent.length);
      expect(socket.bytesRead).toBe(sent.length);
      await closed(socket);
    });

    test('queues what is written before the connection is open', async () => {
      const { connect } = await serve((socket) => socket.pipe(socket));
      const socket = connect();
      socket.write('early ');
      socket.end('bird');
      expect((await collect(socket)).toString()).toBe('early bird');
    });

    test('is refused where nobody listens, in words and fields that node uses', async () => {
      const socket = createNet(hosts.client).connect({ host: SERVER_ADDRESS, port: 9 });
      const [error] = await once(socket, 'error');
      expect(error).toMatchObject({
        message: 'connect ECONNREFUSED 10.0.0.2:9',
        code: 'ECONNREFUSED',
        errno: -111,
        syscall: 'connect',
        address: SERVER_ADDRESS,
        port: 9,
      });
      await closed(socket);
    });

    test('ends by itself when the peer has ended, unless it may stay half open', async () => {
      const { connect } = await serve((socket) => {
        socket.end('bye');
        socket.resume();
      });
      const polite = connect();
      expect((await collect(polite)).toString()).toBe('bye');
      await closed(polite);
      const half = connect({ allowHalfOpen: true });
      half.resume();
      await once(half, 'end');
      expect(half.writable).toBe(true);
      half.end('still talking');
      await closed(half);
    });

    test('lets TLS above it say its last word when the peer has ended', async () => {
      const { key, cert } = selfSigned();
      const heard: string[] = [];
      const { connect } = await serve((raw) => {
        const secure = new tls.TLSSocket(raw, { isServer: true, key, cert });
        secure.on('end', () => heard.push('server: end'));
        secure.on('error', (error) => heard.push(`server: ${error.message}`));
        secure.on('close', () => heard.push('server: close'));
        // The end of the connection without one of TLS, as MariaDB has it.
        secure.resume().write('all', () => raw.end());
      });
      const raw = connect();
      raw.on('error', (error) => heard.push(`client: ${error.message}`));
      const secure = tls.connect({ socket: raw, rejectUnauthorized: false });
      expect((await collect(secure as never)).toString()).toBe('all');
      await closed(raw);
      await expect.poll(() => heard).toEqual(['server: end', 'server: close']);
    });

    test('hears ECONNRESET when the peer resets', async () => {
      const { connect } = await serve((socket) => socket.on('data', () => socket.resetAndDestroy()));
      const socket = connect();
      socket.write('x');
      const [error] = await once(socket, 'error');
      expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read', errno: -104 });
    });

    test('reads what was sent and the end, though a RST came after the FIN; writing on is EPIPE', async () => {
      const { connect } = await serve((socket) => {
        socket.end('goodbye');
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
      const socket = connect({ allowHalfOpen: true });
      const errors: Error[] = [];
      socket.on('error', (error) => errors.push(error));
      await once(socket, 'connect');
      socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 100));
      let text = '';
      socket.on('data', (part) => {
        text += part;
      });
      await once(socket.resume(), 'end');
      expect(text).toBe('goodbye');
      expect(errors).toEqual([]);
      socket.write('anybody there?');
      await new Promise((resolve) => socket.once('close', resolve));
      expect(errors).toEqual([expect.objectContaining({ code: 'EPIPE', syscall: 'write' })]);
    });

    test('reads what came before a RST, then hears of it', async () => {
      const size = 50_000;
      const { connect } = await serve((socket) => {
        socket.write(Buffer.alloc(size, 'x'), () => setTimeout(() => socket.resetAndDestroy(), 50));
      });
      const socket = connect({ highWaterMark: 4096 });
      await once(socket, 'connect');
      socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(socket.destroyed).toBe(false);
      let length = 0;
      socket.on('data', (part) => {
        length += part.length;
      });
      const [error] = await once(socket.resume(), 'error');
      expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
      expect(length).toBe(size);
    });

    test('tells of a piece when it has told of the one before, whoever reads on meanwhile', async () => {
      const sent = Buffer.alloc(300_000, 'a piece of text ');
      const { connect } = await serve((socket) => socket.end(sent));
      const socket = connect();
      const parts: Buffer[] = [];
      let within = 0;
      let deepest = 0;
      socket.on('data', (part) => {
        deepest = Math.max(deepest, ++within);
        parts.push(part);
        socket.read();
        within--;
      });
      await once(socket, 'end');
      expect(deepest).toBe(1);
      expect(Buffer.concat(parts).equals(sent)).toBe(true);
    });

    test('reads the end of a peer that resets after it', async () => {
      const { connect } = await serve((socket) => socket.end('bye', () => socket.destroy()));
      const socket = connect();
      const heard: string[] = [];
      // What reaches a socket that is closed already is answered with a reset.
      socket.on('data', (part) => {
        heard.push(String(part));
        socket.write('more');
      });
      socket.on('end', () => heard.push('end'));
      socket.on('error', (error) => heard.push(error.message));
      await new Promise((resolve) => socket.once('close', resolve));
      expect(heard).toEqual(['bye', 'end']);
    });

    test('a server closes when its last connection has', async () => {
      const { server, connect } = await serve((socket) => socket.resume());
      const socket = connect();
      await once(socket, 'connect');
      let done = false;
      server.close(() => {
        done = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(done).toBe(false);
      socket.end();
      await once(server, 'close');
      expect(done).toBe(true);
    });

    test('a second server on the port is told EADDRINUSE', async () => {
      const { port } = await serve(() => {});
      const second = createNet(hosts.server).createServer();
      second.listen(port);
      const [error] = await once(second, 'error');
      expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', port });
    });

    test('times out when idle', async () => {
      const { connect } = await serve((socket) => socket.resume());
      const socket = connect();
      await once(socket, 'connect');
      socket.setTimeout(30);
      await once(socket, 'timeout');
      socket.destroy();
    });
  });

  describe('many', () => {
    test('300 connections, all at once, each with an answer of its own (others hang at the 257th)', async () => {
      const { connect } = await serve((socket) => socket.pipe(socket));
      const answers = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const socket = connect();
          socket.end(`number ${i}`);
          return (await collect(socket)).toString();
        }),
      );
      expect(answers).toEqual(Array.from({ length: 300 }, (_, i) => `number ${i}`));
    });
  });

  describe("node's own HTTP over it", () => {
    test('serves and asks, over IPv6 too', async () => {
      const http = createHttpServer((request, response) => response.end(`you asked for ${request.url}`));
      const { port } = await serve((socket) => http.emit('connection', socket));
      for (const host of [SERVER_ADDRESS, 'fd00::2']) {
        const agent = new Agent();
        agent.createConnection = () => createNet(hosts.client).connect({ host, port }) as never;
        const body = await new Promise<string>((resolve, reject) => {
          get({ agent, path: '/page', host: 'example' }, (response) => {
            response.setEncoding('utf8');
            let text = '';
            response.on('data', (part: string) => {
              text += part;
            });
            response.on('end', () => resolve(text));
          }).on('error', reject);
        });
        expect(body).toBe('you asked for /page');
      }
    });
  });
});
