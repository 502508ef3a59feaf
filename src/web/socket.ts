/**
 * Sockets on web streams, in the shape of WinterTC's Sockets API: `connect(…)` gives `readable`, `writable`, `opened`
 * and `closed`; `listen` (no standard has one) gives an async iterable of them. Runs in browsers and in Node alike.
 */

import { type ErrorCode, EstabError } from '../base/errors.ts';
import { connectByName, connectError } from '../host/connect-by-name.ts';
import { endText } from '../host/events.ts';
import { type EyeballsDelays, type NameResolver, type Race, tellingFailures } from '../host/happy-eyeballs.ts';
import type { Host } from '../host/host.ts';
import type { Connection } from '../stack/connection.ts';
import { type ConnectionOptions, checkOptions } from '../stack/connection-options.ts';
import type { Listener } from '../stack/listener.ts';
import { checkPort } from '../stack/ports.ts';
import { type SocketOptionName, toConnectionOptions } from '../stack/socket-options.ts';
import { IpAddress } from '../wire/address.ts';

export interface SocketAddress {
  /** An IP address, or a name: then both families are tried (Happy Eyeballs, RFC 8305). */
  readonly hostname: string;
  readonly port: number;
}

export interface ConnectOptions extends EyeballsDelays {
  /** Whom to ask for a name; `host.resolver` if left out. */
  readonly resolver?: NameResolver;
  /** 4 or 6: addresses of that family alone; 0, and if left out, of both. */
  readonly family?: 0 | 4 | 6;
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
  private connection: Connection | null = null;
  /** The attempts to connect by name, until one of them is {@link connection}. */
  private race: Race | null = null;
  /** Told by `configure` before there was a connection. */
  private chosen: ConnectionOptions = {};
  private readonly openedEnd = deferred<SocketInfo>();
  private readonly closedEnd = deferred<void>();
  private reader: ReadableStreamDefaultController<Uint8Array> | null = null;
  private readWaiting: (() => void) | null = null;
  private writeWaiting: { resolve: () => void; reject: (error: Error) => void } | null = null;
  private isOpen = false;
  private isOver = false;
  private readEnded = false;
  private failure: Error | null = null;

  /** Use {@link connect} or {@link listen}. */
  constructor(host: Host) {
    this.host = host;
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
  }

  /**
   * The host's own: the socket's connection.
   * @param open whether it is established already.
   */
  adopt(connection: Connection, open: boolean): this {
    this.connection = connection;
    connection.handler = {
      opened: () => this.onOpened(connection),
      readable: () => this.onReadable(),
      writable: () => this.onWritable(),
      peerClosed: () => this.onReadable(),
      closed: (over, error) => this.onClosed(over, error),
    };
    if (open) this.onOpened(connection);
    return this;
  }

  /** The host's own: connects by name. @throws EstabError EINVAL when there is nobody to ask for it. */
  connectTo({ hostname, port }: SocketAddress, options: ConnectOptions): this {
    const { host } = this;
    this.chosen = options.options ?? {};
    checkOptions(this.chosen);
    checkPort(port, 1);
    const named = { ...options, hostname, family: options.family ?? 0, resolver: options.resolver ?? host.resolver };
    this.race = connectByName(
      host,
      named,
      { port, options: this.chosen },
      {
        opened: (connection) => {
          this.race = null;
          // What was configured since.
          connection.configure(host.now(), this.chosen);
          this.adopt(connection, true);
        },
        failed: (failures) => {
          this.race = null;
          this.fail(connectError(`${hostname}:${port}`, tellingFailures(failures)));
        },
      },
    );
    return this;
  }

  /**
   * Changes options of the connection: Nagle, keep-alive, time-outs.
   * @throws EstabError EINVAL when a value makes no sense.
   */
  configure(options: ConnectionOptions): void {
    checkOptions(options);
    this.chosen = { ...this.chosen, ...options };
    if (this.connection === null) return;
    this.connection.configure(this.host.now(), options);
    this.host.wake();
  }

  /**
   * Sets an option under its Linux name: `setOption('TCP_KEEPIDLE', 60)`.
   * @throws EstabError EINVAL that names what there is.
   */
  setOption(name: SocketOptionName, value: number | boolean | string): void {
    this.configure(toConnectionOptions(name, value));
  }

  /** What is in force of an option. @throws EstabError ENOTCONN while a name is being connected to, EINVAL */
  getOption(name: SocketOptionName): number | string {
    if (this.connection === null) throw new EstabError('ENOTCONN', 'there is no connection yet; ask once it is open');
    return this.connection.getOption(name);
  }

  /** Ends both directions: what was written still goes out. */
  async close(): Promise<void> {
    if (!this.writable.locked && !this.isOver) await this.writable.close();
    else this.letGo();
    return this.closed;
  }

  private onOpened({ local, localPort, remote, remotePort }: Connection): void {
    this.isOpen = true;
    this.openedEnd.resolve({
      remoteAddress: endText(remote, remotePort),
      localAddress: endText(local, localPort),
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
    const bytes = this.isOpen && connection !== null ? connection.read(this.host.now()) : null;
    if (bytes !== null) {
      this.host.wake();
      reader.enqueue(bytes);
      return true;
    }
    const peerHasClosed = connection?.peerHasClosed === true;
    if (!this.isOver && !peerHasClosed) return false;
    this.readEnded = true;
    // A RST that comes after the peer's FIN takes nothing from a reader.
    if (this.failure === null || peerHasClosed) reader.close();
    else reader.error(this.failure);
    return true;
  }

  private async write(chunk: Uint8Array): Promise<void> {
    if (!this.isOpen) await this.opened;
    if (this.failure !== null) throw this.failure;
    // The caller has its buffer back when this resolves; the connection needs the bytes until they are acknowledged.
    const room = this.connection?.write(this.host.now(), chunk.slice());
    this.host.wake();
    if (room === false)
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
    this.connection?.shutdown(this.host.now());
    this.host.wake();
  }

  private letGo(): void {
    this.readEnded = true;
    this.connection?.close(this.host.now());
    this.giveUp();
    this.host.wake();
  }

  private abort(): void {
    this.connection?.abort(this.host.now());
    this.giveUp();
    this.host.wake();
  }

  /** The application has changed its mind while a name was being connected to. */
  private giveUp(): void {
    const { race } = this;
    if (race === null) return;
    this.race = null;
    race.cancel();
    this.fail(new EstabError('ECONNABORTED', 'the socket was closed before the connection was open'));
  }

  private onClosed({ remote, remotePort }: Connection, code: ErrorCode | null): void {
    if (code !== null) {
      const what = this.isOpen ? 'the connection to' : 'no connection to';
      this.fail(new EstabError(code, `${what} ${endText(remote, remotePort)}: ${code}`));
      return;
    }
    this.isOver = true;
    this.closedEnd.resolve();
    this.onReadable();
  }

  private fail(failure: Error): void {
    this.isOver = true;
    this.failure = failure;
    this.openedEnd.reject(failure);
    this.closedEnd.reject(failure);
    this.writeWaiting?.reject(failure);
    this.writeWaiting = null;
    this.onReadable();
  }
}

/**
 * Opens a connection to an address, or by name to the first of its addresses that answers.
 * @throws EstabError EINVAL when the address or an option makes no sense, or there is nobody to ask for the name; what
 *   the network and name servers say comes through `opened`.
 */
export function connect(host: Host, { hostname, port }: SocketAddress, options: ConnectOptions = {}): Socket {
  const socket = new Socket(host);
  const remote = IpAddress.tryParse(hostname);
  if (remote === null) return socket.connectTo({ hostname, port }, options);
  const connection = host.stack.connect(host.now(), { remote, port, options: options.options ?? {} });
  host.wake();
  return socket.adopt(connection, false);
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
      accepted.push(new Socket(host).adopt(next, true));
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
