/** Two hosts of ours for a library's two ends, each by both kinds of socket, and bodies whose bytes are known. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createNet as createHandleNet, type Net } from '../../src/net/index.ts';
import { createNet as createDuplexNet } from '../../src/net/portable.ts';
import { SERVER_ADDRESS, twoHosts } from '../net/hosts.ts';
import { selfSigned } from './certificate.ts';

/** Over Node's own sockets with our handles, and over plain Duplex streams as in a browser. */
export const ROUTES = [
  ['handles', createHandleNet],
  ['Duplex', createDuplexNet as unknown as typeof createHandleNet],
] as const;

export class Wire {
  /** Valid for the server's address. */
  readonly identity = selfSigned(['estab.test'], [[10, 0, 0, 2]]);
  readonly address = SERVER_ADDRESS;
  readonly client: Net;
  readonly server: Net;
  private readonly hosts = twoHosts();
  private readonly servers: Server[] = [];

  constructor(createNet: typeof createHandleNet) {
    this.client = createNet(this.hosts.client);
    this.server = createNet(this.hosts.server);
  }

  /** Listens on the server's host and hands each connection on. @returns the port. */
  async listen(onConnection: (socket: Socket) => void, options = {}): Promise<number> {
    const server = this.server.createServer({ noDelay: true, ...options }, onConnection);
    this.servers.push(server);
    server.listen(0);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Gives a server of Node's (http, https, http2) its connections from our stack. */
  serve(server: Pick<HttpServer, 'emit'>, options = {}): Promise<number> {
    return this.listen((socket) => void server.emit('connection', socket), options);
  }

  connect(port: number): Socket {
    return this.client.connect({ host: this.address, port, noDelay: true });
  }

  close(): void {
    for (const server of this.servers) server.close();
    this.hosts.close();
  }
}

/** Bytes that differ at every place and for every seed. */
export function body(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 131 + (i >> 8) * 7 + seed * 59) & 255;
  return bytes;
}

export function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
