/**
 * `dgram.Socket` over a UDP socket of ours: node's names, events and errors. Multicast, broadcast and what needs a file
 * descriptor are not there, and say so when they are called.
 */

import { EventEmitter } from 'node:events';
import { argumentType, checkFunction, checkNumber, checkPort, checkSignal, checkString } from '../base/checks.ts';
import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { UdpSocket } from '../stack/udp.ts';
import { IpAddress } from '../wire/address.ts';
import { codedError, typeError, udpError } from './errors.ts';

export type SocketType = 'udp4' | 'udp6';

export interface SocketOptions {
  readonly type: SocketType;
  /** Binds with SO_REUSEADDR on a kernel; here two sockets never share a port. */
  readonly reuseAddr?: boolean;
  readonly ipv6Only?: boolean;
  readonly signal?: AbortSignal;
  /** Turns names into addresses; without it only addresses (and localhost) are taken. */
  readonly lookup?: (
    hostname: string,
    options: { family: 4 | 6 },
    callback: (error: Error | null, address: string) => void,
  ) => void;
}

export interface BindOptions {
  readonly port?: number;
  readonly address?: string;
}

export interface AddressInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

export interface RemoteInfo extends AddressInfo {
  /** Bytes of the datagram. */
  readonly size: number;
}

type Bytes = string | Uint8Array | DataView;
type Sent = (error: Error | null, bytes: number) => void;

export class Socket extends EventEmitter {
  readonly type: SocketType;
  private readonly host: Host;
  private readonly options: SocketOptions;
  private socket: UdpSocket | null = null;
  /** Bytes, as Linux tells its defaults. */
  private readonly buffers = { receive: 212_992, send: 212_992 };
  private state: 'fresh' | 'binding' | 'bound' | 'closed' = 'fresh';
  private peer: { readonly address: string; readonly port: number } | 'connecting' | null = null;

  constructor(host: Host, options: SocketOptions, onMessage?: (message: Buffer, from: RemoteInfo) => void) {
    super();
    if (options?.lookup !== undefined) checkFunction('lookup', options.lookup);
    if (options?.type !== 'udp4' && options?.type !== 'udp6') {
      throw typeError('ERR_SOCKET_BAD_TYPE', 'Bad socket type specified. Valid types are: udp4, udp6');
    }
    if (options.signal !== undefined) checkSignal('options.signal', options.signal);
    this.host = host;
    this.type = options.type;
    this.options = options;
    if (onMessage !== undefined) this.on('message', onMessage);
    const { signal } = options;
    if (signal?.aborted === true) queueMicrotask(() => this.close());
    else signal?.addEventListener('abort', () => this.state !== 'closed' && this.close(), { once: true });
  }

  /** Takes a port (0 or left out: a free one). The outcome is 'listening' or 'error'. */
  bind(port?: number, address?: string, onListening?: () => void): this;
  bind(port: number, onListening: () => void): this;
  bind(onListening: () => void): this;
  bind(options: BindOptions, onListening?: () => void): this;
  bind(...given: unknown[]): this {
    this.mustBeOpen();
    if (this.state !== 'fresh') throw codedError('ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound');
    const listener = given.find((value) => typeof value === 'function') as (() => void) | undefined;
    const [first, second] = given;
    const options: BindOptions =
      typeof first === 'object' && first !== null
        ? (first as BindOptions)
        : {
            ...(typeof first === 'number' ? { port: first } : {}),
            ...(typeof second === 'string' ? { address: second } : {}),
          };
    if (options.port !== undefined) checkPort(options.port);
    if (listener !== undefined) this.once('listening', listener);
    this.state = 'binding';
    const address = options.address ?? (this.type === 'udp4' ? '0.0.0.0' : '::');
    this.lookup(address, (error, found) => {
      if (this.state === 'closed') return;
      const failure = error ?? this.open(found, options.port ?? 0, null, 'bind');
      if (failure !== null) {
        this.state = 'fresh';
        this.emit('error', failure);
      } else this.emit('listening');
    });
    return this;
  }

  /** From now on datagrams go to, and come from, this peer alone. The outcome is 'connect' or 'error'. */
  connect(port: number, address?: string | (() => void), onConnect?: () => void): void {
    checkPort(port, 'Port', 1);
    if (typeof address !== 'function' && address !== undefined) checkString('address', address);
    this.mustBeOpen();
    if (this.peer !== null) throw codedError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    const listener = typeof address === 'function' ? address : onConnect;
    if (listener !== undefined) this.once('connect', listener);
    this.peer = 'connecting';
    this.lookup(typeof address === 'string' ? address : this.ownHost, (error, found) => {
      if (this.state === 'closed') return;
      const failure = error ?? this.reopen({ address: found, port }, 'connect');
      this.peer = failure === null ? { address: found, port } : null;
      if (failure === null) this.emit('connect');
      else this.emit('error', failure);
    });
  }

  disconnect(): void {
    if (this.peer === null || this.peer === 'connecting') throw notConnected();
    this.peer = null;
    const failure = this.reopen(null, 'disconnect');
    if (failure !== null) throw failure;
  }

  /** `send(msg[, offset, length][, port][, address][, callback])`, as node has it; without port on connected sockets. */
  send(message: Bytes | readonly Bytes[], ...rest: (number | string | Sent | undefined | null)[]): void {
    const connected = this.peer !== null && this.peer !== 'connecting';
    const { bytes, port, address, callback } = sendArguments(message, rest, connected);
    if (connected && (port || address)) throw codedError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    if (!connected) checkPort(port, 'Port', 1);
    if (address !== undefined && address !== null) checkString('address', address);
    this.mustBeOpen();
    if (this.state === 'fresh') this.bind();
    const go = (): void => {
      if (this.state === 'closed') return;
      if (connected) this.transmit(bytes, null, callback);
      else {
        this.lookup((address as string | undefined) || this.ownHost, (error, found) => {
          if (error !== null) this.failed(error, callback);
          else if (this.state !== 'closed') this.transmit(bytes, { address: found, port: Number(port) }, callback);
        });
      }
    };
    if (this.state === 'binding') this.once('listening', go);
    else go();
  }

  /** Gives the port back; 'close' follows. */
  close(onClose?: () => void): this {
    this.mustBeOpen();
    if (onClose !== undefined) this.once('close', onClose);
    this.state = 'closed';
    this.socket?.close();
    this.socket = null;
    queueMicrotask(() => this.emit('close'));
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.state === 'closed') return Promise.resolve();
    return new Promise((resolve) => this.close(resolve));
  }

  address(): AddressInfo {
    this.mustBeOpen();
    const { socket } = this;
    if (socket === null) throw udpError('EBADF', 'getsockname');
    return { address: socket.local.toString(), family: this.familyName, port: socket.localPort };
  }

  remoteAddress(): AddressInfo {
    this.mustBeOpen();
    const { peer } = this;
    if (peer === null || peer === 'connecting') throw notConnected();
    return { address: peer.address, family: this.familyName, port: peer.port };
  }

  getRecvBufferSize(): number {
    return this.bufferSize('receive', 0);
  }

  getSendBufferSize(): number {
    return this.bufferSize('send', 0);
  }

  setRecvBufferSize(size: number): void {
    this.bufferSize('receive', size);
  }

  setSendBufferSize(size: number): void {
    this.bufferSize('send', size);
  }

  getSendQueueSize(): number {
    return 0;
  }

  getSendQueueCount(): number {
    return 0;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** The stack sends to broadcast addresses without being asked twice. */
  setBroadcast(_on: boolean): void {
    if (this.socket === null) throw udpError('EBADF', 'setBroadcast');
  }

  setTTL(hops: number): number {
    checkNumber('ttl', hops);
    if (this.socket === null) throw udpError('EBADF', 'setTTL');
    if (!(hops >= 1 && hops <= 255)) throw udpError('EINVAL', 'setTTL');
    this.socket.hopLimit = hops;
    return hops;
  }

  /** Groups are not there: ENOTSUP. */
  addMembership(group: string): never {
    return noGroups(this.state, 'addMembership', group);
  }

  dropMembership(group: string): never {
    return noGroups(this.state, 'dropMembership', group);
  }

  // -- inside

  private bufferSize(which: 'receive' | 'send', size: number): number {
    if (size >>> 0 !== size) {
      throw typeError('ERR_SOCKET_BAD_BUFFER_SIZE', 'Buffer size must be a positive integer');
    }
    // Doubled, as Linux does it.
    if (size > 0) this.buffers[which] = size * 2;
    if (this.socket !== null) this.socket.receiveBuffer = this.buffers.receive;
    return this.buffers[which];
  }

  private get familyName(): 'IPv4' | 'IPv6' {
    return this.type === 'udp4' ? 'IPv4' : 'IPv6';
  }

  private get ownHost(): string {
    return this.type === 'udp4' ? '127.0.0.1' : '::1';
  }

  private open(
    address: string,
    port: number,
    peer: { readonly address: string; readonly port: number } | null,
    syscall: string,
  ): Error | null {
    try {
      this.socket = this.host.stack.udp({
        address: IpAddress.parse(address),
        port,
        ...(peer === null ? {} : { remote: IpAddress.parse(peer.address), remotePort: peer.port }),
        ...(this.options.ipv6Only === undefined ? {} : { v6Only: this.options.ipv6Only }),
        handler: {
          readable: (socket) => this.receive(socket),
          error: (_socket, error) => this.emit('error', udpError(error, 'recvmsg')),
        },
      });
      this.socket.receiveBuffer = this.buffers.receive;
      this.state = 'bound';
      return null;
    } catch (error) {
      if (!(error instanceof EstabError)) throw error;
      return udpError(error.code, syscall, peer?.address ?? address, peer?.port ?? port);
    }
  }

  /** A socket of the stack has one peer or none for life: another takes its place and its port. */
  private reopen(peer: { readonly address: string; readonly port: number } | null, syscall: string): Error | null {
    const { socket } = this;
    const any = this.type === 'udp4' ? '0.0.0.0' : '::';
    const port = socket?.localPort ?? 0;
    const fresh = this.state !== 'bound';
    socket?.close();
    const failure = this.open(any, port, peer, syscall);
    if (failure === null && fresh) this.emit('listening');
    return failure;
  }

  private receive(socket: UdpSocket): void {
    for (let datagram = socket.receive(); datagram !== null; datagram = socket.receive()) {
      const { bytes, address, port } = datagram;
      const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const from: RemoteInfo = { address: address.toString(), family: this.familyName, port, size: bytes.length };
      this.emit('message', message, from);
      if (this.state === 'closed') return;
    }
  }

  private transmit(
    bytes: Uint8Array,
    target: { readonly address: string; readonly port: number } | null,
    callback: Sent | undefined,
  ): void {
    try {
      const to = target === null ? null : { address: IpAddress.parse(target.address), port: target.port };
      // False is a datagram lost on our side: UDP promises no more, and node does not tell either.
      this.socket?.send(this.host.now(), bytes, to);
      this.host.wake();
      if (callback !== undefined) queueMicrotask(() => callback(null, bytes.length));
    } catch (error) {
      if (!(error instanceof EstabError)) throw error;
      this.failed(udpError(error.code, 'send', target?.address, target?.port), callback);
    }
  }

  private failed(error: Error, callback: Sent | undefined): void {
    queueMicrotask(() => {
      if (callback !== undefined) callback(error, 0);
      else this.emit('error', error);
    });
  }

  private lookup(hostname: string, callback: (error: Error | null, address: string) => void): void {
    const family = this.type === 'udp4' ? 4 : 6;
    const literal = IpAddress.tryParse(hostname);
    if (literal !== null || hostname === 'localhost') {
      const address = literal === null ? this.ownHost : literal.toString();
      const fits = literal === null || literal.family === family;
      queueMicrotask(() => callback(fits ? null : udpError('EINVAL', 'send', address), address));
    } else if (this.options.lookup !== undefined) this.options.lookup(hostname, { family }, callback);
    else queueMicrotask(() => callback(udpError('ENOTFOUND', 'getaddrinfo', hostname), ''));
  }

  private mustBeOpen(): void {
    if (this.state === 'closed') throw codedError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
  }
}

/** The forms that node's `send` takes: with an offset and a length, or without. */
function sendArguments(
  message: Bytes | readonly Bytes[],
  rest: readonly unknown[],
  connected: boolean,
): { bytes: Uint8Array; port?: unknown; address?: unknown; callback: Sent | undefined } {
  const [offset, length, port, address] = rest;
  const callback = rest.find((value) => typeof value === 'function') as Sent | undefined;
  const given = (value: unknown): unknown => (typeof value === 'function' ? undefined : value);
  const sliced = connected ? typeof length === 'number' : address || (port && typeof port !== 'function');
  const [first, second] = sliced ? [port, address] : connected ? [undefined, undefined] : [offset, length];
  const whole = bytesOf(message);
  const bytes = sliced ? sliceOf(whole, (offset as number) >>> 0, (length as number) >>> 0) : whole;
  return { bytes, port: given(first), address: given(second), callback };
}

function noGroups(state: string, method: string, group: string): never {
  if (state === 'closed') throw codedError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
  if (!group) throw typeError('ERR_MISSING_ARGS', 'The "multicastAddress" argument must be specified');
  throw udpError('ENOTSUP', method);
}

function notConnected(): Error {
  return codedError('ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
}

const BYTES = 'of type string or an instance of Buffer, TypedArray, or DataView';

function bytesOf(message: Bytes | readonly Bytes[]): Uint8Array {
  if (!Array.isArray(message)) return bytesOfOne(message as Bytes, () => argumentType('buffer', BYTES, message));
  const wrong = (): Error => argumentType('buffer list arguments', BYTES, message);
  return Buffer.concat((message as readonly Bytes[]).map((one) => bytesOfOne(one, wrong)));
}

function bytesOfOne(message: Bytes, wrong: () => Error): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message);
  if (!ArrayBuffer.isView(message)) throw wrong();
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength).slice();
}

function sliceOf(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset >= 0 && length >= 0 && offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
  const name = offset > bytes.length ? 'offset' : 'length';
  throw Object.assign(new RangeError(`"${name}" is outside of buffer bounds`), { code: 'ERR_BUFFER_OUT_OF_BOUNDS' });
}
