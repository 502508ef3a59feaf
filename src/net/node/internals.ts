/**
 * What of Node's insides a user-land handle needs, in one place and typed: a native stream whose other end is
 * JavaScript (JSStream), the class net tests handles against, and how status numbers travel beside a callback.
 * `process.binding` is the only door to them (DEP0111, silent unless asked for); Node 20, 22, 24 and 26 have it.
 */

import net from 'node:net';

/** A request as net makes it for connect, write and shutdown. */
export interface Request {
  oncomplete?(...args: unknown[]): void;
}

export interface WriteRequest extends Request {
  error?: unknown;
  /** Node 26: a status told before net had attached `oncomplete`; ours always comes later. */
  writeStatus?: null;
}

/** Native stream: data is pushed in with `readBuffer`, what is written comes out at `onwrite`. */
export interface NativeStream {
  /** net's (or the HTTP parser's, or TLS's) function for what is read. */
  onread: ((buffer?: ArrayBuffer) => void) | undefined;
  useUserBuffer(buffer: Uint8Array): void;
  readBuffer(bytes: Uint8Array): void;
  emitEOF(): void;
  finishWrite(request: Request, status: number): void;
  finishShutdown(request: Request, status: number): void;
}

/** libuv's own TCP handle. */
export interface KernelHandle {
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
  setNoDelay(enable: boolean): number;
}

interface Bindings {
  js_stream: { JSStream: { new (): NativeStream; prototype: NativeStream } };
  tcp_wrap: { TCP: { new (kind: number): KernelHandle; prototype: object } };
  stream_wrap: {
    streamBaseState: Int32Array;
    kReadBytesOrError: number;
    kBytesWritten: number;
    kLastWriteWasAsync: number;
    /** Node 26 and newer. */
    kLastWriteErr?: number;
  };
}

function binding<Name extends keyof Bindings>(name: Name): Bindings[Name] {
  const { binding } = process as unknown as { binding(name: Name): Bindings[Name] };
  return binding.call(process, name);
}

export const { JSStream } = binding('js_stream');
export const { TCP } = binding('tcp_wrap');
const { streamBaseState, kReadBytesOrError, kBytesWritten, kLastWriteWasAsync, kLastWriteErr } = binding('stream_wrap');

const wantedKernelHandles = new WeakSet<object>();

/** A handle of the kernel's that is meant to be one: no attempt to connect turns it into one of ours. */
export function kernelHandle(): KernelHandle {
  const handle = new TCP(0);
  wantedKernelHandles.add(handle);
  return handle;
}

/** Whether net has made this handle for want of one of ours. */
export function isStrayKernelHandle(handle: object): boolean {
  // Ours hang under TCP as well; they have a prototype of their own between.
  return Object.getPrototypeOf(handle) === TCP.prototype && !wantedKernelHandles.has(handle);
}

/** Before `onread` is called without data: the error it is to find. */
export function setReadError(errno: number): void {
  streamBaseState[kReadBytesOrError] = errno;
}

/** After a write method: how much it took, and whether it will complete later. */
export function setWriteOutcome(bytes: number, later: boolean): void {
  streamBaseState[kBytesWritten] = bytes;
  streamBaseState[kLastWriteWasAsync] = later ? 1 : 0;
  if (kLastWriteErr !== undefined) streamBaseState[kLastWriteErr] = 0;
}

function symbolOf(holder: object, description: string): symbol {
  const found = Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description);
  if (found === undefined) throw new Error(`node:net of ${process.version} has no ${description}; estab/net needs it`);
  return found;
}

/** The method by which net gives a socket another handle; TLS sockets have their own. */
export const reinitializeHandle: unique symbol = symbolOf(net.Socket.prototype, 'kReinitializeHandle') as never;

/** Under which a handle knows its socket. */
export const ownerSymbol = ownerOf();

function ownerOf(): symbol {
  const handle = { readStart: () => 0, readStop: () => 0, close: () => {} };
  new net.Socket({ handle, manualStart: true } as net.SocketConstructorOpts);
  return symbolOf(handle, 'owner_symbol');
}

/** What net does with sockets behind its declarations. */
export interface SocketInternals {
  readonly connecting: boolean;
  readonly _writableState: { ending: boolean; ended: boolean; finalCalled: boolean };
  _handle: NativeStream | null;
  _peername: unknown;
  _parent: { connecting?: boolean } | null;
  /** The name it connects to, null for an address. */
  _host: string | null;
  [reinitializeHandle](handle: object): void;
}
