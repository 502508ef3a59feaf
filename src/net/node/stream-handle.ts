/**
 * A connection of ours as a native stream of Node's: how what is read goes up, and what is written goes down. Outcomes
 * come in a turn of the event loop of their own, as libuv's do: never inside the call that caused them.
 */

import type { ErrorCode } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { Connection } from '../../stack/connection.ts';
import { errnoOf } from '../errors.ts';
import { Hold } from './hold.ts';
import { JSStream, type Request, setReadError, setWriteOutcome, type WriteRequest } from './internals.ts';
import { Outgoing } from './outgoing.ts';
import { wakeTogether } from './wake.ts';

/** Linux's numbers; statuses are minus these. */
export const Errno = {
  EBADF: 9,
  EINVAL: 22,
  EPIPE: 32,
  ENOTSUP: 95,
  ENETUNREACH: 101,
  ENOTCONN: 107,
  ECANCELED: 125,
} as const;

/** libuv's buffer: one read hands up no more. */
const READ_BYTES = 65_536;

/** Chunks of text with no more bytes than this, all together, are put into one piece: a head and a small body. */
const TOGETHER = 16_384;

/** What a write method returns: 0, minus an errno, or the request of a write that completes later. */
type Dispatched = number | WriteRequest;

export class StreamHandle extends JSStream {
  /** Set by net. */
  reading = false;
  protected readonly host: Host;
  protected readonly holding = new Hold();
  protected connection: Connection | null = null;
  /** The request that waits for the connection to open. */
  protected connecting: Request | null = null;
  /** The socket above. */
  protected owned: object | null = null;
  protected readonly outgoing = new Outgoing();
  protected closing = false;
  protected wantsRead = false;
  private readPlanned = false;
  private readBytes = READ_BYTES;
  /** The end, or the error, has been read. */
  private ended = false;
  private shutDown = false;
  private over = false;
  /** Why the connection broke, not yet told to a reader or writer: minus an errno, 0 for nothing. */
  private failure = 0;

  constructor(host: Host) {
    super();
    this.host = host;
  }

  protected adopt(connection: Connection): void {
    this.connection = connection;
    connection.handler = {
      // Two turns: within one process the accepting side hears of a connection first, as it does over the kernel.
      opened: () => setImmediate(() => setImmediate(() => this.finishConnect(0))),
      readable: () => this.planRead(),
      writable: () => this.planWrite(),
      peerClosed: () => this.planRead(),
      closed: (_connection, error) => this.onClosed(error),
    };
    this.updateHold();
  }

  protected finishConnect(result: number): void {
    const request = this.connecting;
    if (request === null) return;
    this.connecting = null;
    this.updateHold();
    // net takes the callback away from an attempt that it has given up.
    request.oncomplete?.(result, this, request, true, true);
  }

  private onClosed(error: ErrorCode | null): void {
    this.over = true;
    if (error !== null) {
      // As in Linux: a RST after the peer's FIN takes nothing from a reader, and who goes on writing hears EPIPE.
      this.failure = this.connection?.peerHasClosed === true ? -Errno.EPIPE : -errnoOf(error);
      if (this.connecting !== null) setImmediate(() => this.finishConnect(-errnoOf(error)));
    }
    this.planRead();
    this.planWrite();
  }

  protected updateHold(): void {
    const working = this.connecting !== null || this.outgoing.busy;
    this.holding.set(working || (this.wantsRead && !this.closing) || (this.closing && working));
  }

  // -- reading

  /** Called by the native stream, as are the other `on…`. */
  onreadstart(): number {
    this.wantsRead = !this.ended;
    this.updateHold();
    this.planRead();
    return 0;
  }

  onreadstop(): number {
    this.wantsRead = false;
    this.updateHold();
    return 0;
  }

  /** Everything read goes into `buffer` (the `onread` option): no more at a time than it holds, or a pause comes late. */
  override useUserBuffer(buffer: Uint8Array): void {
    this.readBytes = Math.min(READ_BYTES, buffer.length);
    super.useUserBuffer(buffer);
  }

  private planRead(): void {
    if (this.readPlanned || !this.wantsRead || this.closing || this.connection === null) return;
    if (!this.hasNews(this.connection)) return;
    this.readPlanned = true;
    setImmediate(() => {
      this.readPlanned = false;
      this.readOnce();
    });
  }

  private hasNews(connection: Connection): boolean {
    return connection.readable > 0 || connection.peerHasClosed || this.over;
  }

  /** One piece, the end, or the error: what a reader hears at one time. */
  private readOnce(): void {
    const { connection } = this;
    if (connection === null || !this.wantsRead || this.closing) return;
    const bytes = connection.read(this.host.now(), this.readBytes);
    if (bytes !== null) {
      wakeTogether(this.host);
      this.readBuffer(bytes);
      this.planRead();
    } else if (this.failure !== 0 && !connection.peerHasClosed) {
      const { failure } = this;
      this.failure = 0;
      this.stopReading();
      this.tellReadError(failure);
    } else if (this.hasNews(connection)) {
      this.stopReading();
      this.emitEOF();
    }
  }

  private stopReading(): void {
    this.ended = true;
    this.wantsRead = false;
    this.updateHold();
  }

  private tellReadError(errno: number): void {
    // A TLS socket that made its own handle reads through the wrapper it put around this one.
    const above = (this.owned as { _handle?: StreamHandle } | null)?._handle ?? this;
    const reader = this.onread === undefined ? above : this;
    setReadError(errno);
    reader.onread?.call(reader);
  }

  // -- writing

  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): Dispatched {
    return this.write(request, [bytes], false);
  }

  writev(request: WriteRequest | null, chunks: unknown[], allBuffers: boolean): Dispatched {
    if (allBuffers) return this.write(request, chunks as Uint8Array[], false);
    let bytes = 0;
    for (let i = 0; i < chunks.length; i += 2) bytes += lengthOf(chunks[i], chunks[i + 1] as BufferEncoding);
    if (bytes <= TOGETHER) return this.write(request, [together(chunks, bytes)], true);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < chunks.length; i += 2) {
      const chunk = chunks[i];
      parts.push(
        typeof chunk === 'string' ? Buffer.from(chunk, chunks[i + 1] as BufferEncoding) : (chunk as Uint8Array),
      );
    }
    return this.write(request, parts, false);
  }

  writeUtf8String(request: WriteRequest | null, text: string): Dispatched {
    return this.write(request, [Buffer.from(text, 'utf8')], true);
  }

  writeAsciiString(request: WriteRequest | null, text: string): Dispatched {
    return this.write(request, [Buffer.from(text, 'latin1')], true);
  }

  writeLatin1String(request: WriteRequest | null, text: string): Dispatched {
    return this.write(request, [Buffer.from(text, 'latin1')], true);
  }

  writeUcs2String(request: WriteRequest | null, text: string): Dispatched {
    return this.write(request, [Buffer.from(text, 'utf16le')], true);
  }

  /** Native writes: TLS records, HTTP/2 frames. The parts are copies already. */
  onwrite(request: WriteRequest, parts: Uint8Array[]): number {
    const failed = this.writeFailure();
    if (failed !== 0) return failed;
    this.outgoing.start(parts, true, (result) => this.finishWrite(request, result));
    this.moveOut();
    // The native side has not finished its own call yet: the outcome comes later in any case.
    this.planWrite();
    this.updateHold();
    return 0;
  }

  /** Up to Node 24 net brings the request; from 26 on it is given one, if the write is not over when the call is. */
  private write(given: WriteRequest | null, parts: Uint8Array[], fresh: boolean): Dispatched {
    const failed = this.writeFailure();
    if (failed !== 0) return failed;
    const request = given ?? { writeStatus: null };
    const bytes = this.outgoing.start(parts, fresh, (result) => request.oncomplete?.(result, this, undefined));
    const done = this.moveOut();
    if (done) this.outgoing.finish();
    setWriteOutcome(bytes, !done);
    this.updateHold();
    return done || given !== null ? 0 : request;
  }

  private writeFailure(): number {
    if (this.connection === null || this.closing) return -Errno.EBADF;
    if (!this.over) return this.shutDown ? -Errno.EPIPE : 0;
    const failure = this.failure === 0 ? -Errno.EPIPE : this.failure;
    this.failure = 0;
    return failure;
  }

  /** Hands text to the connection as long as there is room; whether all of it has been taken. */
  private moveOut(): boolean {
    const { connection } = this;
    // One that has just broken will say so in its own turn.
    if (connection === null || connection.detached) return false;
    const now = this.host.now();
    const done = this.outgoing.move((bytes) => connection.write(now, bytes));
    wakeTogether(this.host);
    return done;
  }

  private planWrite(): void {
    if (!this.outgoing.busy || this.closing) return;
    setImmediate(() => this.writeOn());
  }

  private writeOn(): void {
    if (!this.outgoing.busy || this.closing) return;
    if (this.over) {
      // A reader hears of it first, and its socket is destroyed then.
      if (!this.wantsRead) this.completeWrite(this.writeFailure());
    } else if (this.moveOut()) {
      this.completeWrite(0);
    }
  }

  protected completeWrite(result: number): void {
    const complete = this.outgoing.finish();
    this.updateHold();
    complete?.(result);
  }

  get bytesWritten(): number {
    return this.outgoing.total;
  }

  /** Bytes written and still here, by which net sees that a slow write goes on. */
  get writeQueueSize(): number {
    return this.outgoing.left + (this.connection?.unacknowledged ?? 0);
  }

  onshutdown(request: Request): number {
    const { connection } = this;
    if (connection === null || this.over) return -Errno.ENOTCONN;
    this.shutDown = true;
    if (!connection.detached) connection.shutdown(this.host.now());
    wakeTogether(this.host);
    setImmediate(() => this.finishShutdown(request, 0));
    return 0;
  }
}

function lengthOf(chunk: unknown, encoding: BufferEncoding): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : (chunk as Uint8Array).length;
}

/** Chunks and their encodings, in turn, as one piece of so many bytes. */
function together(chunks: readonly unknown[], bytes: number): Uint8Array {
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (let i = 0; i < chunks.length; i += 2) {
    const chunk = chunks[i];
    if (typeof chunk === 'string') at += whole.write(chunk, at, chunks[i + 1] as BufferEncoding);
    else {
      whole.set(chunk as Uint8Array, at);
      at += (chunk as Uint8Array).length;
    }
  }
  return whole;
}
