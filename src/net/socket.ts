/**
 * `net.Socket` over a connection of ours: a Duplex with node's names. Thin: flow control, half-close and errors are the
 * connection's own, said in streams' words.
 */

import { Duplex } from 'node:stream';
import { type ErrorCode, EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Connection, ConnectionHandler } from '../stack/connection.ts';
import { IpAddress } from '../wire/address.ts';
import { socketError } from './errors.ts';

export interface SocketOptions {
  /** False (the default): the writable side ends by itself when the peer has ended. */
  readonly allowHalfOpen?: boolean;
}

export interface ConnectOptions {
  readonly port: number;
  /** An IP address. Names are not looked up. */
  readonly host?: string;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
}

export interface AddressInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

type WriteCallback = (error?: Error | null) => void;

export class Socket extends Duplex {
  connecting = false;
  bytesRead = 0;
  /** Idle milliseconds after which 'timeout' is emitted; 0 for never. */
  timeout = 0;
  private readonly host: Host;
  private connection: Connection | null = null;
  /** A write whose callback waits for room, or for the connection to open. */
  private waiting: { chunk: Uint8Array | null; done: WriteCallback } | null = null;
  private finalWaiting: WriteCallback | null = null;
  private written = 0;
  private wantsMore = false;
  private ended = false;
  private idleTimer: ReturnType<typeof setTimeout> | null = null;
  private noDelay = false;
  private keepAlive: { on: boolean; delay: number } | null = null;

  /** @param connection an accepted connection; null for one that will `connect`. */
  constructor(host: Host, options: SocketOptions = {}, connection: Connection | null = null) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false, autoDestroy: true, emitClose: true, decodeStrings: true });
    this.host = host;
    // With allowHalfOpen false the stream ends itself after 'end'; node's net does no other thing.
    if (connection !== null) this.adopt(connection);
  }

  /** Opens a connection. The outcome is 'connect' or 'error'. */
  connect(options: ConnectOptions, onConnect?: () => void): this;
  connect(port: number, host?: string, onConnect?: () => void): this;
  connect(first: ConnectOptions | number, second?: string | (() => void), third?: () => void): this {
    const options =
      typeof first === 'number' ? { port: first, ...(typeof second === 'string' ? { host: second } : {}) } : first;
    const onConnect = typeof second === 'function' ? second : third;
    if (onConnect !== undefined) this.once('connect', onConnect);
    const address = options.host ?? '127.0.0.1';
    const remote = IpAddress.tryParse(address);
    if (remote === null) {
      throw new EstabError('EINVAL', `"${address}" is no IP address; names are not looked up here, resolve it first`);
    }
    this.connecting = true;
    if (options.noDelay === true) this.noDelay = true;
    if (options.keepAlive === true) this.keepAlive = { on: true, delay: options.keepAliveInitialDelay ?? 0 };
    try {
      const connection = this.host.stack.connect(this.host.now(), {
        remote,
        port: options.port,
        ...(options.localAddress === undefined ? {} : { local: IpAddress.parse(options.localAddress) }),
        ...(options.localPort === undefined ? {} : { localPort: options.localPort }),
      });
      this.adopt(connection);
      this.host.wake();
    } catch (error) {
      this.connecting = false;
      if (!(error instanceof EstabError)) throw error;
      this.destroy(socketError(error.code, 'connect', address, options.port));
    }
    return this;
  }

  // -- what node's net.Socket says of itself

  get pending(): boolean {
    return this.connection === null || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes written so far, those still in buffers included. */
  get bytesWritten(): number {
    return this.written + this.writableLength;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  get remoteAddress(): string | undefined {
    return this.connecting ? undefined : this.connection?.remote.toString();
  }

  get remotePort(): number | undefined {
    return this.connecting ? undefined : this.connection?.remotePort;
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.connection === null || this.connecting ? undefined : familyName(this.connection.remote);
  }

  get localAddress(): string | undefined {
    return this.connection?.local.toString();
  }

  get localPort(): number | undefined {
    return this.connection?.localPort;
  }

  get localFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.connection === null ? undefined : familyName(this.connection.local);
  }

  address(): AddressInfo | Record<string, never> {
    const { connection } = this;
    if (connection === null) return {};
    return { address: connection.local.toString(), family: familyName(connection.local), port: connection.localPort };
  }

  setNoDelay(noDelay = true): this {
    this.noDelay = noDelay;
    this.configure();
    return this;
  }

  /** @param initialDelay idle milliseconds before the first probe; 0 leaves it as it is. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.keepAlive = { on: enable, delay: initialDelay };
    this.configure();
    return this;
  }

  setTimeout(timeout: number, onTimeout?: () => void): this {
    this.timeout = timeout;
    if (onTimeout !== undefined) {
      if (timeout === 0) this.off('timeout', onTimeout);
      else this.once('timeout', onTimeout);
    }
    this.restartIdleTimer();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Destroys the socket once everything written has been handed to the connection. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes with a RST. */
  resetAndDestroy(): this {
    this.connection?.abort(this.host.now());
    this.host.wake();
    return this.destroy();
  }

  // -- the stream's side

  override _read(): void {
    this.wantsMore = true;
    this.pull();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: WriteCallback): void {
    const { connection } = this;
    if (connection === null || this.connecting) {
      this.waiting = { chunk, done };
      return;
    }
    this.restartIdleTimer();
    try {
      // The stream may reuse its buffer after `done`, the connection needs the bytes until they are acknowledged.
      const room = connection.write(this.host.now(), Uint8Array.prototype.slice.call(chunk));
      this.written += chunk.length;
      this.host.wake();
      if (room) done();
      else this.waiting = { chunk: null, done };
    } catch (error) {
      done(this.asSocketError(error, 'write'));
    }
  }

  override _final(done: WriteCallback): void {
    const { connection } = this;
    if (connection === null || this.connecting) {
      this.finalWaiting = done;
      return;
    }
    try {
      if (connection.state !== 'CLOSED') connection.shutdown(this.host.now());
      this.host.wake();
      done();
    } catch (error) {
      done(this.asSocketError(error, 'shutdown'));
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.stopIdleTimer();
    this.connecting = false;
    const { connection } = this;
    if (connection !== null) {
      connection.handler = {};
      connection.close(this.host.now());
      this.host.wake();
    }
    this.waiting = null;
    this.finalWaiting = null;
    done(error);
  }

  // -- the connection's side

  private adopt(connection: Connection): void {
    this.connection = connection;
    connection.handler = this.handlerFor();
    this.configure();
    // What arrived before anybody listened.
    if (!this.connecting) queueMicrotask(() => this.pull());
  }

  private handlerFor(): ConnectionHandler {
    return {
      opened: () => this.onOpened(),
      readable: () => this.pull(),
      writable: () => this.onWritable(),
      peerClosed: () => this.pull(),
      closed: (_connection, error) => this.onClosed(error),
    };
  }

  private onOpened(): void {
    if (this.destroyed) return;
    this.connecting = false;
    this.restartIdleTimer();
    this.emit('connect');
    this.emit('ready');
    const { waiting, finalWaiting } = this;
    this.waiting = null;
    this.finalWaiting = null;
    if (waiting?.chunk) this._write(waiting.chunk, 'utf8', waiting.done);
    if (finalWaiting !== null) this._final(finalWaiting);
    this.pull();
  }

  private onWritable(): void {
    const { waiting } = this;
    if (waiting === null || waiting.chunk !== null) return;
    this.waiting = null;
    waiting.done();
  }

  /** Hands text to the stream as long as it wants some; what it does not want keeps the peer's window closed. */
  private pull(): void {
    const { connection } = this;
    if (connection === null || this.connecting || this.destroyed) return;
    while (this.wantsMore) {
      const bytes = connection.read(this.host.now());
      if (bytes === null) break;
      this.bytesRead += bytes.length;
      this.restartIdleTimer();
      this.wantsMore = this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    }
    this.host.wake();
    const over = connection.peerHasClosed || connection.state === 'CLOSED';
    if (over && connection.readable === 0 && !this.ended && connection.tcb.error === null) {
      this.ended = true;
      this.push(null);
      // Nobody may be reading: 'end' still has to come.
      this.read(0);
    }
  }

  private onClosed(error: ErrorCode | null): void {
    if (this.destroyed) return;
    if (error !== null) {
      const { connection } = this;
      const syscall = this.connecting ? 'connect' : 'read';
      const where = this.connecting && connection !== null ? connection : null;
      this.destroy(socketError(error, syscall, where?.remote.toString(), where?.remotePort));
      return;
    }
    this.pull();
    if (this.readableEnded && this.writableFinished) this.destroy();
  }

  // -- helpers

  private configure(): void {
    const { connection, keepAlive } = this;
    if (connection === null || connection.detached) return;
    connection.configure(this.host.now(), {
      noDelay: this.noDelay,
      ...(keepAlive === null ? {} : { keepAlive: keepAlive.on }),
      ...(keepAlive === null || keepAlive.delay <= 0 ? {} : { keepAliveTimeMs: keepAlive.delay }),
    });
  }

  private asSocketError(error: unknown, syscall: string): Error {
    return error instanceof EstabError ? socketError(error.code, syscall) : (error as Error);
  }

  private restartIdleTimer(): void {
    this.stopIdleTimer();
    if (this.timeout <= 0 || this.destroyed) return;
    this.idleTimer = setTimeout(() => this.emit('timeout'), this.timeout);
    this.idleTimer.unref?.();
  }

  private stopIdleTimer(): void {
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    this.idleTimer = null;
  }
}

export function familyName(address: IpAddress): 'IPv4' | 'IPv6' {
  return address.family === 4 ? 'IPv4' : 'IPv6';
}
