/**
 * Sockets on web streams, in the shape of WinterTC's Sockets API: `connect(…)` gives `readable`, `writable`, `opened`
 * and `closed`; `listen` (no standard has one) gives an async iterable of them. Runs in browsers and in Node alike.
 */

import { type ErrorCode, EstabError } from '../base/errors.ts';
import { connectByName, connectError } from '../host/connect-by-name.ts';
import { endText } from '../host/events.ts';
import { type EyeballsDelays, type NameResolver, type Race, tellingFailures } from '../host/happy-eyeballs.ts';
import type { SocketHost } from '../host/host.ts';
import { nextTurn } from '../host/turn.ts';
import type { Connection } from '../stack/connection.ts';
import { type ConnectionOptions, checkOptions } from '../stack/connection-options.ts';
import { checkPort } from '../stack/ports.ts';
import { type SocketOptionName, toConnectionOptions } from '../stack/socket-options.ts';
import { deferred } from './deferred.ts';
import { SecureSocket, type Security, type TlsProvider } from './tls.ts';

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
  /** True: the writable side stays open when the peer has ended; false (the default): it ends too. */
  readonly allowHalfOpen?: boolean;
  /** `on`: TLS from the first octet; `starttls`: in clear until {@link Socket.startTls}; `off`: the default. */
  readonly secureTransport?: SecureTransport;
  /** The TLS for it: `nodeTls()` of estab/web/tls, or another. */
  readonly tls?: TlsProvider;
  /** The server's name for TLS; null, and if left out: the name connected to. */
  readonly sni?: string | null;
  /** Protocols that TLS offers, the best first. */
  readonly alpn?: readonly string[];
  /** Of the connection, from its SYN on. */
  readonly options?: ConnectionOptions;
}

export interface SocketInfo {
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** The protocol that TLS agreed on; null without. */
  readonly alpn: string | null;
}

export type SecureTransport = 'off' | 'on' | 'starttls';

/** What a socket is made with. */
export interface SocketNature {
  readonly allowHalfOpen: boolean;
  readonly secureTransport: SecureTransport;
  readonly security?: Security | null;
}

export class Socket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection is open; rejects with an EstabError (ECONNREFUSED, ETIMEDOUT, …) when it will not. */
  readonly opened: Promise<SocketInfo>;
  /** Resolves when both directions have ended; rejects when the connection broke. */
  readonly closed: Promise<void>;
  readonly secureTransport: SecureTransport;
  private readonly host: SocketHost;
  private readonly allowHalfOpen: boolean;
  private readonly security: Security | null;
  private isUpgraded = false;
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
  /** A chunk is being written. */
  private writing = false;
  /** The writable side ends as soon as nothing is being written. */
  private mayEnd = false;
  private failure: Error | null = null;

  /** Use `connect` or `listen`. */
  constructor(host: SocketHost, { allowHalfOpen, secureTransport, security = null }: SocketNature) {
    this.host = host;
    this.allowHalfOpen = allowHalfOpen;
    this.secureTransport = secureTransport;
    this.security = security;
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

  /** Whether {@link startTls} has been called: the streams are another socket's then. */
  get upgraded(): boolean {
    return this.isUpgraded;
  }

  /**
   * Goes on in TLS, as both sides have agreed in clear; this socket's streams are at an end.
   * @throws TypeError unless it was opened with `secureTransport: 'starttls'`, once, and nobody holds its streams.
   */
  startTls(): SecureSocket {
    if (this.security === null || this.secureTransport !== 'starttls') {
      throw new TypeError('startTls needs a socket that was opened with secureTransport "starttls"');
    }
    if (this.isUpgraded) throw new TypeError('the socket has been upgraded already');
    if (this.readable.locked || this.writable.locked) {
      throw new TypeError('release the reader and the writer of the socket first: TLS needs both streams');
    }
    this.isUpgraded = true;
    return new SecureSocket(this, this.security);
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
      alpn: null,
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
    if (peerHasClosed && !this.allowHalfOpen) this.endToo();
    return true;
  }

  /** The peer has ended, and so do we, after what is being written: whoever holds the writable may still have chunks. */
  private endToo(): void {
    this.mayEnd = true;
    if (!this.writable.locked) void this.writable.close().catch(() => {});
    else this.endWhenIdle();
  }

  /** A stream hands over its next chunk as soon as the last one is taken: when none comes within a turn, there is none. */
  private endWhenIdle(): void {
    if (!this.mayEnd || this.writing || this.isOver) return;
    nextTurn(() => {
      if (!this.writing) void this.end();
    });
  }

  private async write(chunk: Uint8Array): Promise<void> {
    this.writing = true;
    try {
      await this.writeOut(chunk);
    } finally {
      this.writing = false;
      this.endWhenIdle();
    }
  }

  private async writeOut(chunk: Uint8Array): Promise<void> {
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
    const { connection } = this;
    if (this.isOver || connection === null || connection.detached) return;
    connection.shutdown(this.host.now());
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
