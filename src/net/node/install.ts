/**
 * Puts `node:net` itself on handles of ours, for a whole process: what connects or listens through Node's Socket and
 * Server, however it got hold of them (http, https, http2, tls, fetch, any package), gets a handle of ours where it
 * would have made one of the kernel's. Pipes, descriptors and what is left to the kernel stay as they are.
 */

import net from 'node:net';
import tls from 'node:tls';
import { TcpHandle } from './handle.ts';
import { isStrayKernelHandle, reinitializeHandle, type SocketInternals } from './internals.ts';
import { exchangeHandle, type ListenArguments, listen, ours, prepareConnect, type ServerInternals } from './net.ts';
import type { HandleSource } from './source.ts';

interface TlsInternals extends SocketInternals {
  readonly _tlsOptions: { readonly pipe?: boolean };
  _wrapHandle(wrap: net.Socket | null, handle: object | undefined, ...rest: unknown[]): object;
}

/** Patches net and tls. Once per process. */
export function install(source: HandleSource): void {
  installSockets(source);
  installServers(source);
  installTls(source);
}

function installSockets(source: HandleSource): void {
  const prototype = net.Socket.prototype as net.Socket & SocketInternals;
  const { connect, [reinitializeHandle]: reinitialize } = prototype;
  prototype.connect = function (this: net.Socket, ...args: unknown[]) {
    return connect.call(this, prepareConnect(this, args, source) as never);
  } as typeof connect;
  prototype[reinitializeHandle] = function (this: SocketInternals, handle) {
    exchangeHandle(reinitialize, this, ours(handle, source));
  };
}

function installServers(source: HandleSource): void {
  const prototype = net.Server.prototype as unknown as ServerInternals;
  prototype._listen2 = function (this: net.Server, ...args: ListenArguments) {
    listen(this, args, source);
  } as ServerInternals['_listen2'];
}

/** A TLS socket that connects by itself wraps a handle that it makes, before it knows where to. */
function installTls(source: HandleSource): void {
  const prototype = tls.TLSSocket.prototype as unknown as TlsInternals;
  const { _wrapHandle: wrapHandle } = prototype;
  prototype._wrapHandle = function (this: TlsInternals, wrap, handle, ...rest) {
    const wanting =
      handle === undefined ? this._tlsOptions.pipe !== true : wrap === null && isStrayKernelHandle(handle);
    if (!wanting) return wrapHandle.call(this, wrap, handle, ...rest);
    const own = new TcpHandle(source);
    own.setOwner(this);
    return wrapHandle.call(this, wrap, own, ...rest);
  };
}
