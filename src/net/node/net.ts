/** `node:net` with handles of ours: Node's own Socket and Server, whose connections go over a host of ours. */

import net from 'node:net';
import { EstabError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { SocketOptionName } from '../../stack/socket-options.ts';
import { TcpHandle } from './handle.ts';
import { isStrayKernelHandle, reinitializeHandle, type SocketInternals } from './internals.ts';
import { ListenHandle } from './listen-handle.ts';
import { lookupLocalhost } from './localhost.ts';
import type { HandleSource } from './source.ts';

/** What connections of ours can be told beside: options under their Linux names. */
export interface SocketOptionCalls {
  setOption(name: SocketOptionName, value: number | boolean | string): this;
  getOption(name: SocketOptionName): number | string;
}

/** A socket of ours: Node's, with options under their Linux names beside. */
export type OwnSocket = net.Socket & SocketOptionCalls;

interface OwnCalls {
  readonly Socket: new (options?: net.SocketConstructorOpts) => OwnSocket;
  connect(options: net.NetConnectOpts, connectionListener?: () => void): OwnSocket;
  connect(port: number, host?: string, connectionListener?: () => void): OwnSocket;
  createConnection(options: net.NetConnectOpts, connectionListener?: () => void): OwnSocket;
  createConnection(port: number, host?: string, connectionListener?: () => void): OwnSocket;
  createServer(options?: net.ServerOpts, connectionListener?: (socket: OwnSocket) => void): net.Server;
  createServer(connectionListener?: (socket: OwnSocket) => void): net.Server;
}

/** A module like `node:net`; the names are Node's, and so are their types. */
export type Net = OwnCalls & Omit<typeof net, 'Socket'>;

type Normalized = [options: net.NetConnectOpts, callback: (() => void) | null];
interface NetInternals {
  _normalizeArgs(args: unknown[]): Normalized;
}
const { _normalizeArgs: normalizeArgs } = net as unknown as NetInternals;

/** net's `_listen2`: address null for any, addressType 4 or 6, or -1 for a pipe. */
export type ListenArguments = [
  address: string | null,
  port: number,
  addressType: number | null,
  backlog: number,
  fd: number | undefined,
  flags: number | undefined,
];
export interface ServerInternals {
  _handle: object | null;
  _listen2(...args: ListenArguments): void;
}
/** As net has it, before anybody patches it. */
const listen2 = (net.Server.prototype as unknown as ServerInternals)._listen2;

/**
 * Before net connects a socket: gives it a handle of ours where it would make one of the kernel's.
 * @param args what `connect` was called with.
 * @returns what to connect with: the same, normalized.
 */
export function prepareConnect(socket: net.Socket, args: unknown[], source: HandleSource): Normalized {
  const first = args[0];
  const normalized = Array.isArray(first) ? (first as unknown as Normalized) : normalizeArgs(args);
  const options = normalized[0] as net.TcpNetConnectOpts & { path?: string };
  const inner = socket as unknown as SocketInternals;
  // A pipe, or arguments that net will refuse.
  if (options.path || options.port === undefined) return normalized;
  if (inner._parent?.connecting === true) return normalized;
  if (socket.destroyed) {
    inner._handle = null;
    inner._peername = null;
  }
  if (inner._handle === null) inner[reinitializeHandle](new TcpHandle(source));
  if (options.lookup !== undefined || (options.host ?? 'localhost') !== 'localhost') return normalized;
  const named = Object.assign(normalizeArgs([]), normalized);
  named[0] = { ...options, lookup: lookupLocalhost };
  return named;
}

/** In place of a handle that net has made for another attempt (Happy Eyeballs): one of ours. */
export function ours(handle: object, source: HandleSource): object {
  return isStrayKernelHandle(handle) ? new TcpHandle(source) : handle;
}

/**
 * net's own exchange of a handle, but an `end()` that waits for the connection is not forgotten over it, as it is when
 * net resets the stream's state for a second attempt.
 */
export function exchangeHandle(exchange: (handle: object) => void, socket: SocketInternals, handle: object): void {
  const state = socket._writableState;
  const waiting = socket.connecting && socket._handle !== null;
  const { ending, ended, finalCalled } = state;
  exchange.call(socket, handle);
  if (waiting) Object.assign(state, { ending, ended, finalCalled });
}

/** In place of `_listen2`: net listens on a handle of ours where it would make one of the kernel's. */
export function listen(server: net.Server, args: ListenArguments, source: HandleSource): void {
  const [address, port, addressType, backlog, fd, flags] = args;
  const inner = server as unknown as ServerInternals;
  const forUs = source.listensOn?.(port) ?? true;
  const isOurs = forUs && inner._handle === null && addressType !== -1 && typeof fd !== 'number';
  if (!isOurs) {
    listen2.apply(inner, args);
    return;
  }
  const handle = new ListenHandle(source);
  handle.bind6(address ?? '::', port, flags ?? 0);
  inner._handle = handle;
  listen2.call(inner, address ?? '::', port, address === null ? 6 : addressType, backlog, fd, flags);
}

/**
 * A module like `node:net` whose connections and listeners live on a host of ours.
 * @param host or a function that gives one when it is first needed.
 */
export function createNet(host: Host | (() => Host)): Net {
  const source = {
    host: typeof host === 'function' ? host : () => host,
    chooses: null,
    listensOn: null,
  };

  class Socket extends net.Socket {
    override connect(...args: unknown[]): this {
      return super.connect(prepareConnect(this, args, source) as never);
    }

    /** An option of the connection under its Linux name; before it connects, for its opening. */
    setOption(name: SocketOptionName, value: number | boolean | string): this {
      const inner = this as unknown as SocketInternals;
      if (inner._handle === null) inner[reinitializeHandle](new TcpHandle(source));
      ownHandle(inner).setOption(name, value);
      return this;
    }

    /** What is in force of it. */
    getOption(name: SocketOptionName): number | string {
      return ownHandle(this as unknown as SocketInternals).getOption(name);
    }

    [reinitializeHandle](handle: object): void {
      const inherited = net.Socket.prototype as unknown as SocketInternals;
      exchangeHandle(inherited[reinitializeHandle], this as unknown as SocketInternals, ours(handle, source));
    }
  }
  /**
   * What makes a plain socket one of ours. Another prototype would do as well, but V8 then gives every socket a hidden
   * class of its own, and each access to any property of theirs, in all of net and http, takes several times as long.
   */
  const ownMethods = Object.fromEntries(
    Reflect.ownKeys(Socket.prototype)
      .filter((key) => key !== 'constructor')
      .map((key) => [key, { value: Reflect.get(Socket.prototype, key), writable: true, configurable: true }]),
  );

  class Server extends net.Server {
    /** net has made the socket of an accepted connection, a plain one; before anybody sees it, it becomes one of ours. */
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const [socket] = args;
      if (event === 'connection' && isPlainSocket(socket)) Object.defineProperties(socket, ownMethods);
      return super.emit(event as string, ...args);
    }

    _listen2(...args: ListenArguments): void {
      listen(this, args, source);
    }
  }

  const CallableSocket = callable(Socket);
  const CallableServer = callable(Server);
  // Accepted sockets are instances too, though net has made them; of classes derived from ours they are not.
  Object.defineProperty(Socket, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
      const here = this === Socket || this === CallableSocket;
      return here && isPlainSocket(value) && value.connect === Socket.prototype.connect;
    },
  });
  const connect = (...args: unknown[]): net.Socket => {
    const normalized = normalizeArgs(args);
    const [options] = normalized;
    const socket = new CallableSocket(options as net.SocketConstructorOpts);
    if (options.timeout) socket.setTimeout(options.timeout);
    return socket.connect(normalized as never);
  };
  return {
    ...net,
    // Accessors of net's: read here, they are plain values.
    BlockList: net.BlockList,
    SocketAddress: net.SocketAddress,
    Socket: CallableSocket,
    Stream: CallableSocket,
    Server: CallableServer,
    connect,
    createConnection: connect,
    createServer: (...args: never[]) => new CallableServer(...args),
    _createServerHandle: (address: string | null, port: number, _type: number, _fd: unknown, flags?: number) => {
      const handle = new ListenHandle(source);
      return handle.bind6(address ?? '::', port, flags ?? 0) || handle;
    },
  } as unknown as Net;
}

/** @throws EstabError ENOTCONN when there is none of ours: before it connects, and after it has closed. */
function ownHandle({ _handle: handle }: SocketInternals): TcpHandle {
  if (handle instanceof TcpHandle) return handle;
  throw new EstabError('ENOTCONN', 'the socket has no connection of ours; it is not connected, or closed');
}

function isPlainSocket(value: unknown): value is net.Socket {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === net.Socket.prototype;
}

/** Node's constructors may be called without `new`, and by `Socket.call(this)`; classes may not. */
function callable<Class extends new (...args: never[]) => object>(target: Class): Class {
  const base = Object.getPrototypeOf(target) as (...args: unknown[]) => unknown;
  return new Proxy(target, {
    apply(_target, self, args) {
      if (self instanceof target) return base.apply(self, args);
      return new target(...(args as never[]));
    },
  });
}
