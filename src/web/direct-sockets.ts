/** WICG Direct Sockets (TCPSocket, TCPServerSocket, UDPSocket) over a host of ours: the shape isolated web apps know. */

import type { Host } from '../host/host.ts';
import { endpoint } from './address.ts';
import { connect } from './connect.ts';
import { DirectUdpSocket, type UDPSocketOptions } from './direct-udp.ts';
import { listen, type WebListener } from './listen.ts';
import type { Socket } from './socket.ts';

export interface TCPSocketOpenInfo {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface TCPSocketOptions {
  readonly noDelay?: boolean;
  /** Idle milliseconds before the first keep-alive probe; 1000 at least. */
  readonly keepAliveDelay?: number;
}

export interface TCPServerSocketOpenInfo {
  readonly readable: ReadableStream<TCPSocketShape>;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface TCPServerSocketOptions {
  /** Left out or 0: a free one. */
  readonly localPort?: number;
  readonly backlog?: number;
}

interface TCPSocketShape {
  readonly opened: Promise<TCPSocketOpenInfo>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface DirectSockets {
  readonly TCPSocket: new (remoteAddress: string, remotePort: number, options?: TCPSocketOptions) => TCPSocketShape;
  readonly TCPServerSocket: new (
    localAddress: string,
    options?: TCPServerSocketOptions,
  ) => {
    readonly opened: Promise<TCPServerSocketOpenInfo>;
    readonly closed: Promise<void>;
    close(): Promise<void>;
  };
  readonly UDPSocket: new (options: UDPSocketOptions) => DirectUdpSocket;
}

/** The constructors, bound to a host. */
export function directSockets(host: Host): DirectSockets {
  class TCPSocket extends Opened {
    constructor(remoteAddress: string, remotePort: number, options: TCPSocketOptions = {}) {
      const socket = connect(host, { hostname: remoteAddress, port: remotePort }, { allowHalfOpen: true });
      super(socket);
      if (options.noDelay !== undefined) socket.configure({ noDelay: options.noDelay });
      if (options.keepAliveDelay !== undefined) {
        socket.configure({ keepAlive: true, keepAliveTimeMs: options.keepAliveDelay });
      }
    }
  }

  class TCPServerSocket {
    readonly opened: Promise<TCPServerSocketOpenInfo>;
    readonly closed: Promise<void>;
    private readonly listener: WebListener;
    private done: () => void = () => {};

    constructor(localAddress: string, { localPort = 0, backlog }: TCPServerSocketOptions = {}) {
      const more = backlog === undefined ? {} : { backlog };
      this.listener = listen(host, { hostname: localAddress, port: localPort, allowHalfOpen: true, ...more });
      this.closed = new Promise((resolve) => {
        this.done = resolve;
      });
      const accepted = this.listener[Symbol.asyncIterator]();
      const readable = new ReadableStream<TCPSocketShape>(
        {
          async pull(controller) {
            const next = await accepted.next();
            if (next.done === true) controller.close();
            else controller.enqueue(new Opened(next.value));
          },
          cancel: () => this.close(),
        },
        { highWaterMark: 0 },
      );
      this.opened = Promise.resolve({ readable, localAddress, localPort: this.listener.port });
    }

    async close(): Promise<void> {
      this.listener.close();
      this.done();
    }
  }

  class UDPSocket extends DirectUdpSocket {
    constructor(options: UDPSocketOptions) {
      super(host, options);
    }
  }

  return { TCPSocket, TCPServerSocket, UDPSocket };
}

/** A socket whose streams come with the news that it is open. */
class Opened implements TCPSocketShape {
  readonly opened: Promise<TCPSocketOpenInfo>;
  readonly closed: Promise<void>;
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = socket.closed;
    this.opened = socket.opened.then((info) => {
      const remote = endpoint(info.remoteAddress);
      const local = endpoint(info.localAddress);
      return {
        readable: socket.readable,
        writable: socket.writable,
        remoteAddress: remote.address,
        remotePort: remote.port,
        localAddress: local.address,
        localPort: local.port,
      };
    });
    this.opened.catch(() => {});
  }

  close(): Promise<void> {
    return this.socket.close();
  }
}
