/** Deno's `connect` and `listen` over a host of ours. */

import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { endpoint } from './address.ts';
import { connect } from './connect.ts';
import { listen, type WebListener } from './listen.ts';
import type { Socket } from './socket.ts';

export interface NetAddr {
  readonly transport: 'tcp';
  readonly hostname: string;
  readonly port: number;
}

export interface TcpConn {
  readonly localAddr: NetAddr;
  readonly remoteAddr: NetAddr;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Fills as much of `into` as there is; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  setNoDelay(noDelay?: boolean): void;
  setKeepAlive(keepAlive?: boolean): void;
}

export interface TcpListener extends AsyncIterable<TcpConn> {
  readonly addr: NetAddr;
  accept(): Promise<TcpConn>;
  close(): void;
}

export interface DenoNet {
  connect(options: { hostname?: string; port: number }): Promise<TcpConn>;
  listen(options: { hostname?: string; port: number }): TcpListener;
}

/** `connect` and `listen`, bound to a host. `hostname` is an IP address, 127.0.0.1 (or any, to listen) if left out. */
export function denoNet(host: Host): DenoNet {
  return {
    async connect({ hostname = '127.0.0.1', port }) {
      const socket = connect(host, { hostname, port }, { allowHalfOpen: true });
      await socket.opened;
      return conn(socket);
    },
    listen({ hostname = '0.0.0.0', port }) {
      return listenerOf(listen(host, { hostname, port, allowHalfOpen: true }), hostname);
    },
  };
}

async function conn(socket: Socket): Promise<TcpConn> {
  const info = await socket.opened;
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let writer: WritableStreamDefaultWriter<Uint8Array> | null = null;
  let rest = new Uint8Array(0);
  // The streams are locked only by who uses read and write: the two ways are alternatives, as in Deno.
  const writing = (): WritableStreamDefaultWriter<Uint8Array> => {
    writer ??= socket.writable.getWriter();
    return writer;
  };
  return {
    localAddr: netAddr(info.localAddress),
    remoteAddr: netAddr(info.remoteAddress),
    readable: socket.readable,
    writable: socket.writable,
    async read(into) {
      if (into.length === 0) return 0;
      if (rest.length === 0) {
        reader ??= socket.readable.getReader();
        const { done, value } = await reader.read();
        if (done) return null;
        rest = value as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    async write(bytes) {
      await writing().write(bytes);
      return bytes.length;
    },
    closeWrite: () => writing().close(),
    close() {
      // Deno's close is at once and tells nothing; how it ended is on the streams.
      (writer === null ? socket.close() : writer.close()).catch(() => {});
      reader?.cancel().catch(() => {});
    },
    setNoDelay: (noDelay = true) => socket.configure({ noDelay }),
    setKeepAlive: (keepAlive = true) => socket.configure({ keepAlive }),
  };
}

function listenerOf(listener: WebListener, hostname: string): TcpListener {
  const accepted = listener[Symbol.asyncIterator]();
  return {
    addr: { transport: 'tcp', hostname, port: listener.port },
    async accept() {
      const next = await accepted.next();
      if (next.done === true) throw new EstabError('EINVAL', 'the listener is closed');
      return conn(next.value);
    },
    close: () => listener.close(),
    async *[Symbol.asyncIterator]() {
      for (let next = await accepted.next(); next.done !== true; next = await accepted.next()) yield conn(next.value);
    },
  };
}

function netAddr(text: string): NetAddr {
  const { address, port } = endpoint(text);
  return { transport: 'tcp', hostname: address, port };
}
