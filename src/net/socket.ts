/**
 * `net.Socket` over a connection of ours: a Duplex with node's names. Thin: flow control, half-close and errors are the
 * connection's own, said in streams' words.
 */

import { argumentValue, nodeError } from '../base/checks.ts';
import { type ErrorCode, EstabError } from '../base/errors.ts';
import { connectByName } from '../host/connect-by-name.ts';
import { type FailedAttempt, isLocalhost, type Race } from '../host/happy-eyeballs.ts';
import type { Host } from '../host/host.ts';
import { nextTurn } from '../host/turn.ts';
import type { Connection, ConnectionHandler } from '../stack/connection.ts';
import { IpAddress } from '../wire/address.ts';
import { attemptDelay, attemptError, failureOf } from './attempts.ts';
import {
  type ConnectArguments,
  type ConnectOptions,
  checkConnect,
  connectArguments,
  type LookupTold,
  localEnd,
  notFound,
  overheard,
  resolverOf,
} from './connect-options.ts';
import { socketError } from './errors.ts';
import { SocketState } from './socket-state.ts';

export type { ConnectOptions } from './connect-options.ts';
export { type AddressInfo, familyName } from './socket-state.ts';

export interface SocketOptions {
  /** False (the default): the writable side ends by itself when the peer has ended. */
  readonly allowHalfOpen?: boolean;
  /** Bytes that wait unread or unwritten in the stream before it says stop. */
  readonly highWaterMark?: number;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Milliseconds. */
  readonly keepAliveInitialDelay?: number;
  /** Destroys the socket when it is aborted. */
  readonly signal?: AbortSignal;
  /** All that is read goes into this buffer, and to `callback`, which says false to pause. */
  readonly onread?: OnRead;
}

export interface OnRead {
  readonly buffer: Uint8Array | (() => Uint8Array);
  callback(bytes: number, buffer: Uint8Array): boolean | undefined;
}

type WriteCallback = (error?: Error | null) => void;

export class Socket extends SocketState {
  /** The server it was accepted by. */
  server: object | null = null;
  private readonly onread: OnRead | null;
  private hadError = false;
  /** A write whose callback waits for room, or for the connection to open. */
  private waiting: { chunk: Uint8Array | null; done: WriteCallback } | null = null;
  private finalWaiting: WriteCallback | null = null;
  private wantsMore = false;
  /** A piece is being handed to the stream. */
  private pushing = false;
  private onreadPaused = false;
  /** The attempts to connect by name. */
  private race: Race | null = null;
  private ended = false;
  /** Why the open connection broke; a reader hears of it when it has read all that came before. */
  private failure: ErrorCode | null = null;

  /**
   * @param connection an accepted connection; null for one that will `connect`.
   * @param mapped it came by an IPv6 listener.
   */
  constructor(host: Host, options: SocketOptions = {}, connection: Connection | null = null, mapped = false) {
    checkSocketOptions(options);
    const stream = {
      allowHalfOpen: options.allowHalfOpen ?? false,
      autoDestroy: true,
      // 'close' says whether there was an error, as no other stream's does: it is told in _destroy.
      emitClose: false,
      decodeStrings: true,
      ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
    super(host, mapped, stream);
    this.onread = options.onread ?? null;
    this.noDelay = options.noDelay ?? false;
    if (options.keepAlive === true) this.keepAlive = { on: true, delay: options.keepAliveInitialDelay ?? 0 };
    if (!this.allowHalfOpen) this.once('end', () => this.endSoon());
    if (connection !== null) this.adopt(connection);
  }

  /**
   * Opens a connection; the outcome is 'connect' or 'error'.
   * @throws what node:net throws for arguments that make no sense.
   */
  connect(...args: ConnectArguments): this {
    const { options, onConnect } = connectArguments(args);
    if (onConnect !== null) this.once('connect', onConnect);
    const port = checkConnect(options);
    this.connecting = true;
    if (options.noDelay === true) this.noDelay = true;
    if (options.keepAlive === true) this.keepAlive = { on: true, delay: options.keepAliveInitialDelay ?? 0 };
    const host = options.host ?? 'localhost';
    const remote = IpAddress.tryParse(host);
    if (remote !== null) this.open(remote, port, options);
    else this.openByName(host, port, options);
    return this;
  }

  /** Tries the addresses of a name, both families side by side (Happy Eyeballs), or its first one alone. */
  private openByName(hostname: string, port: number, options: ConnectOptions): void {
    const { lookup, family = 0, autoSelectFamily = true } = options;
    const told: LookupTold = (error, address, of) => this.emit('lookup', error, address, of, hostname);
    const ours = this.host.resolver;
    const resolver = lookup ? resolverOf(lookup, options, told) : ours === null ? null : overheard(ours, told);
    if (resolver === null && !isLocalhost(hostname)) {
      nextTurn(() => this.destroy(notFound(hostname)));
      return;
    }
    const failed = (failures: readonly FailedAttempt[]): void => {
      this.race = null;
      this.destroy(failureOf(failures, port));
    };
    this.race = connectByName(
      this.host,
      {
        hostname,
        family: family === 4 || family === 6 ? family : 0,
        resolver,
        asksLocalhost: lookup !== undefined,
        attemptDelayMs: attemptDelay(options.autoSelectFamilyAttemptTimeout),
      },
      { port, ...localEnd(options), options: this.chosen },
      {
        trying: (address) => this.emit('connectionAttempt', String(address), port, address.family),
        tried: (address, error) => {
          this.emit(
            'connectionAttemptFailed',
            String(address),
            port,
            address.family,
            attemptError(address, error, port),
          );
          if (autoSelectFamily || this.race === null) return;
          this.race.cancel();
          failed([{ address, error }]);
        },
        opened: (connection) => {
          this.race = null;
          this.adopt(connection);
          this.onOpened();
        },
        failed,
      },
    );
  }

  private open(remote: IpAddress, port: number, options: ConnectOptions): void {
    try {
      const connection = this.host.stack.connect(this.host.now(), {
        remote,
        port,
        ...localEnd(options),
        options: this.chosen,
      });
      this.adopt(connection);
      this.host.wake();
    } catch (error) {
      if (!(error instanceof EstabError)) throw error;
      this.destroy(socketError(error.code, 'connect', remote.toString(), port));
    }
  }

  /** Destroys the socket once everything written has been handed to the connection. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes with a RST; while it connects, as soon as it is open. */
  resetAndDestroy(): this {
    const { connection } = this;
    if (connection === null && !this.connecting) {
      return this.destroy(nodeError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
    }
    if (this.connecting) return this.once('connect', () => this.resetAndDestroy());
    connection?.abort(this.host.now());
    this.host.wake();
    return this.destroy();
  }

  /** The peer has ended, and so does this side by itself: in a turn of its own, for TLS above has a last word to say. */
  private endSoon(): void {
    // Else the stream would do it in the next tick.
    this.allowHalfOpen = true;
    nextTurn(() => {
      this.allowHalfOpen = false;
      if (!this.writableEnded && !this.destroyed) this.end();
    });
  }

  /** After both ends have ended, the peer's end is why nothing more can be written. */
  override write(chunk: unknown, ...rest: unknown[]): boolean {
    const given = [chunk, ...rest] as [never];
    if (this.allowHalfOpen || !this.readableEnded || !this.writableEnded || this.destroyed)
      return super.write(...given);
    const error = nodeError(Error, 'EPIPE', 'This socket has been ended by the other party');
    const callback = rest.find((value) => typeof value === 'function') as ((error: Error) => void) | undefined;
    if (callback !== undefined) nextTurn(() => callback(error));
    this.destroy(error);
    return false;
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
    if (this.failure !== null) {
      done(socketError(this.failure, 'write'));
      return;
    }
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
    this.race?.cancel();
    this.race = null;
    this.connecting = false;
    this.hadError = error !== null;
    nextTurn(() => this.emit('close', this.hadError));
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
    // As node's net: what arrives is taken in up to the mark, whether somebody reads already or not.
    if (!this.isPaused()) this.read(0);
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
    if (this.onread === null) this.pullIntoStream(connection);
    else this.pullIntoBuffer(connection, this.onread);
    this.host.wake();
    if (connection.readable > 0 || this.ended || this.destroyed) return;
    if (connection.peerHasClosed || (connection.state === 'CLOSED' && this.failure === null)) {
      this.ended = true;
      this.push(null);
      // Nobody may be reading: 'end' still has to come.
      this.read(0);
    } else if (this.failure !== null && this.isReading) {
      this.destroy(socketError(this.failure, 'read'));
    }
  }

  /** Who does not read hears of nothing, not even that the connection broke. */
  private get isReading(): boolean {
    return this.onread === null ? this.wantsMore : !this.onreadPaused;
  }

  private pullIntoStream(connection: Connection): void {
    // Who reads on while he is told of a piece hears of the next one after it, as from a socket of the kernel's.
    if (this.pushing) return;
    while (this.wantsMore && !this.destroyed) {
      const bytes = connection.read(this.host.now());
      if (bytes === null) return;
      this.bytesRead += bytes.length;
      this.restartIdleTimer();
      this.wantsMore = false;
      this.pushing = true;
      try {
        if (this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) this.wantsMore = true;
      } finally {
        this.pushing = false;
      }
    }
  }

  private pullIntoBuffer(connection: Connection, { buffer, callback }: OnRead): void {
    while (!this.onreadPaused && !this.destroyed) {
      const into = typeof buffer === 'function' ? buffer() : buffer;
      const bytes = connection.read(this.host.now(), into.length);
      if (bytes === null) return;
      into.set(bytes);
      this.bytesRead += bytes.length;
      this.restartIdleTimer();
      if (callback.call(this, bytes.length, into) === false) this.onreadPaused = true;
    }
  }

  override pause(): this {
    this.onreadPaused = true;
    return super.pause();
  }

  override resume(): this {
    this.onreadPaused = false;
    if (this.onread !== null) nextTurn(() => this.pull());
    return super.resume();
  }

  private onClosed(error: ErrorCode | null): void {
    if (this.destroyed) return;
    const { connection, waiting } = this;
    if (error !== null && this.connecting) {
      this.destroy(socketError(error, 'connect', connection?.remote.toString(), connection?.remotePort));
      return;
    }
    // As in Linux: a RST after the peer's FIN takes nothing from a reader, and who goes on writing hears EPIPE.
    if (error !== null) this.failure = connection?.peerHasClosed === true ? 'EPIPE' : error;
    if (this.failure !== null && waiting !== null) {
      this.waiting = null;
      waiting.done(socketError(this.failure, 'write'));
      return;
    }
    this.pull();
    if (this.readableEnded && this.writableFinished) this.destroy();
  }

  // -- helpers

  private asSocketError(error: unknown, syscall: string): Error {
    return error instanceof EstabError ? socketError(error.code, syscall) : (error as Error);
  }
}

/** Objects are nothing that could be sent. */
function checkSocketOptions(options: SocketOptions): void {
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode']) {
    const value = (options as Record<string, unknown>)[name];
    if (value) throw argumentValue(`options.${name}`, value, 'is not supported');
  }
}
