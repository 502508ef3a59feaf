/**
 * Sockets on web streams, in the shape of WinterTC's Sockets API: `connect(…)` gives `readable`, `writable`, `opened`
 * and `closed`; `listen` (no standard has one) gives an async iterable of them. Runs in browsers and in Node alike.
 */

import { type ErrorCode, EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Connection } from '../stack/connection.ts';
import type { ConnectionOptions } from '../stack/connection-options.ts';
import type { Listener } from '../stack/listener.ts';
import type { SocketOptionName } from '../stack/socket-options.ts';
import { IpAddress } from '../wire/address.ts';

export interface SocketAddress {
  /** An IP address. */
  readonly hostname: string;
  readonly port: number;
}

export interface ConnectOptions {
  /** Of the connection, from its SYN on. */
  readonly options?: ConnectionOptions;
}

export interface ListenOptions {
  /** 0 chooses one. */
  readonly port: number;
  readonly hostname?: string;
  readonly backlog?: number;
  /** For all its connections. */
  readonly options?: ConnectionOptions;
}

export interface SocketInfo {
  readonly remoteAddress: string;
  readonly localAddress: string;
}

export class Socket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection is open; rejects with an EstabError (ECONNREFUSED, ETIMEDOUT, …) when it will not. */
  readonly opened: Promise<SocketInfo>;
  /** Resolves when both directions have ended; rejects when the connection broke. */
  readonly closed: Promise<void>;
  private readonly host: Host;
  private readonly connection: Connection;
  private readonly openedEnd = deferred<SocketInfo>();
  private readonly closedEnd = deferred<void>();
  private reader: ReadableStreamDefaultController<Uint8Array> | null = null;
  private readWaiting: (() => void) | null = null;
  private writeWaiting: { resolve: () => void; reject: (error: Error) => void } | null = null;
  private isOpen: boolean;
  private isOver = false;
  private readEnded = false;
  private failure: EstabError | null = null;

  /** @param open whether the connection is established already (it was accepted). */
  constructor(host: Host, connection: Connection, open: boolean) {
    this.host = host;
    this.connection = connection;
    this.isOpen = open;
    this.opened = this.openedEnd.promise;
    this.closed = this.closedEnd.promise;
    // Who looks at one of the two promises need not look at the other.
    this.opened.catch(() => {});
    this.closed.catch(() => {});
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.reader = controller;
        },
        pull: () => this.pull(),
        cancel: () => this.letGo(),
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<Uint8Array>({
      write: (chunk) => this.write(chunk),
      close: () => this.end(),
      abort: () => this.abort(),
    });
    connection.handler = {
      opened: () => this.onOpened(),
      readable: () => this.onReadable(),
      writable: () => this.onWritable(),
      peerClosed: () => this.onReadable(),
      closed: (_connection, error) => this.onClosed(error),
    };
    if (open) this.onOpened();
  }

  /**
   * Changes options of the connection: Nagle, keep-alive, time-outs.
   * @throws EstabError EINVAL when a value makes no sense.
   */
  configure(options: ConnectionOptions): void {
    this.connection.configure(this.host.now(), options);
    this.host.wake();
  }

  /**
   * Sets an option under its Linux name: `setOption('TCP_KEEPIDLE', 60)`.
   * @throws EstabError EINVAL that names what there is.
   */
  setOption(name: SocketOptionName, value: number | boolean | string): void {
    this.connection.setOption(this.host.now(), name, value);
    this.host.wake();
  }

  /** What is in force of an option. */
  getOption(name: SocketOptionName): number | string {
    return this.connection.getOption(name);
  }

  /** Ends both directions: what was written still goes out. */
  async close(): Promise<void> {
    if (!this.writable.locked && !this.isOver) await this.writable.close();
    else this.letGo();
    return this.closed;
  }

  private onOpened(): void {
    this.isOpen = true;
    const { local, localPort, remote, remotePort } = this.connection;
    this.openedEnd.resolve({
      remoteAddress: endpointText(remote, remotePort),
      localAddress: endpointText(local, localPort),
    });
    this.writeWaiting?.resolve();
    this.writeWaiting = null;
  }

  /** One chunk for one pull; without one, the pull waits for the next event. */
  private pull(): Promise<void> | undefined {
    if (this.deliver()) return undefined;
    return new Promise((resolve) => {
      this.readWaiting = resolve;
    });
  }

  private onReadable(): void {
    if (this.readWaiting === null || !this.deliver()) return;
    const resolve = this.readWaiting;
    this.readWaiting = null;
    resolve();
  }

  /** Hands one chunk, the end or the error to the reader. Returns whether there was any of those. */
  private deliver(): boolean {
    const { connection, reader } = this;
    if (this.readEnded || reader === null) return true;
    const bytes = this.isOpen ? connection.read(this.host.now()) : null;
    if (bytes !== null) {
      this.host.wake();
      reader.enqueue(bytes);
      return true;
    }
    if (this.failure !== null) {
      this.readEnded = true;
      reader.error(this.failure);
      return true;
    }
    if (!this.isOver && !connection.peerHasClosed) return false;
    this.readEnded = true;
    reader.close();
    return true;
  }

  private async write(chunk: Uint8Array): Promise<void> {
    if (!this.isOpen) await this.opened;
    if (this.failure !== null) throw this.failure;
    // The caller has its buffer back when this resolves; the connection needs the bytes until they are acknowledged.
    const room = this.connection.write(this.host.now(), chunk.slice());
    this.host.wake();
    if (!room)
      await new Promise<void>((resolve, reject) => {
        this.writeWaiting = { resolve, reject };
      });
  }

  private onWritable(): void {
    this.writeWaiting?.resolve();
    this.writeWaiting = null;
  }

  private async end(): Promise<void> {
    if (!this.isOpen) await this.opened;
    if (this.isOver) return;
    this.connection.shutdown(this.host.now());
    this.host.wake();
  }

  private letGo(): void {
    this.readEnded = true;
    this.connection.close(this.host.now());
    this.host.wake();
  }

  private abort(): void {
    this.connection.abort(this.host.now());
    this.host.wake();
  }

  private onClosed(error: ErrorCode | null): void {
    this.isOver = true;
    if (error !== null) {
      const { remote, remotePort } = this.connection;
      const what = this.isOpen ? 'the connection to' : 'no connection to';
      this.failure = new EstabError(error, `${what} ${endpointText(remote, remotePort)}: ${error}`);
      this.openedEnd.reject(this.failure);
      this.closedEnd.reject(this.failure);
      this.writeWaiting?.reject(this.failure);
      this.writeWaiting = null;
    } else {
      this.closedEnd.resolve();
    }
    this.onReadable();
  }
}

/**
 * Opens a connection.
 * @throws EstabError EINVAL when the address makes no sense; what the network says comes through `opened`.
 */
export function connect(host: Host, address: SocketAddress, options: ConnectOptions = {}): Socket {
  const connection = host.stack.connect(host.now(), {
    remote: IpAddress.parse(address.hostname),
    port: address.port,
    options: options.options ?? {},
  });
  host.wake();
  return new Socket(host, connection, false);
}

/** What {@link listen} gives: iterate it to accept, close it to stop. */
export interface WebListener extends AsyncIterable<Socket> {
  readonly port: number;
  close(): void;
}

/** Listens on a port of the host; 0 chooses one. */
export function listen(host: Host, options: ListenOptions): WebListener {
  const accepted: Socket[] = [];
  let waiting: (() => void) | null = null;
  let closed = false;
  const take = (listener: Listener): void => {
    for (let next = listener.accept(host.now()); next !== null; next = listener.accept(host.now())) {
      accepted.push(new Socket(host, next, true));
    }
    waiting?.();
    waiting = null;
  };
  const listener = host.stack.listen({
    port: options.port,
    ...(options.hostname === undefined ? {} : { address: IpAddress.parse(options.hostname) }),
    ...(options.backlog === undefined ? {} : { backlog: options.backlog }),
    ...(options.options === undefined ? {} : { options: options.options }),
    handler: { acceptable: take },
  });
  return {
    port: listener.localPort,
    close(): void {
      closed = true;
      listener.close(host.now());
      host.wake();
      waiting?.();
      waiting = null;
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Socket> {
      for (;;) {
        const next = accepted.shift();
        if (next !== undefined) yield next;
        else if (closed) return;
        else
          await new Promise<void>((resolve) => {
            waiting = resolve;
          });
      }
    },
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function endpointText(address: IpAddress, port: number): string {
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
