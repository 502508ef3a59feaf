/**
 * A connection of ours in the place of libuv's TCP handle: the handle under a real `net.Socket`, so that everything
 * above it (streams, timeouts, HTTP's parser, TLS) is Node's own. Here are its opening, closing, names and options; its
 * data is in stream-handle.ts.
 */

import { EstabError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { Connection } from '../../stack/connection.ts';
import type { ConnectionOptions } from '../../stack/connection-options.ts';
import { type SocketOptionName, toConnectionOptions } from '../../stack/socket-options.ts';
import { IpAddress } from '../../wire/address.ts';
import { errnoOf } from '../errors.ts';
import {
  JSStream,
  kernelHandle,
  ownerSymbol,
  type Request,
  reinitializeHandle,
  type SocketInternals,
  TCP,
} from './internals.ts';
import type { HandleSource } from './source.ts';
import { Errno, StreamHandle } from './stream-handle.ts';

/** What getsockname and getpeername fill in. */
export interface AddressOut {
  address?: string;
  family?: string;
  port?: number;
}

export class TcpHandle extends StreamHandle {
  private readonly source: HandleSource;
  /** The kernel shows IPv4 peers of an IPv6 socket as ::ffff:a.b.c.d. */
  private mapped = false;
  private local: IpAddress | null = null;
  private localPort = 0;
  private options: ConnectionOptions = {};

  /** @param host the one of the connection it will take; that of the source if left out. */
  constructor(source: HandleSource, host: Host = source.host()) {
    super(host);
    this.source = source;
  }

  /** The socket above. */
  get owner(): object | null {
    return this.owned;
  }

  /** Takes a connection that a listener has accepted. */
  accept(connection: Connection, mapped: boolean): void {
    this.mapped = mapped;
    this.adopt(connection);
  }

  // -- opening

  bind(address: string, port: number): number {
    const local = IpAddress.tryParse(address);
    if (local === null) return -Errno.EINVAL;
    try {
      // What could not listen there cannot be bound there; the port is free again at once.
      this.host.stack.listen({ address: local, port }).close(this.host.now());
    } catch (error) {
      return status(error);
    }
    this.local = local;
    this.localPort = port;
    return 0;
  }

  bind6(address: string, port: number): number {
    return this.bind(address, port);
  }

  connect(request: Request, address: string, port: number): number {
    const remote = IpAddress.tryParse(address);
    if (remote === null) return -Errno.EINVAL;
    const owner = this.owned as SocketInternals | null;
    const { chooses } = this.source;
    if (chooses !== null && owner !== null && !chooses(address, port, owner._host)) {
      return this.leaveToKernel(owner, request, address, port);
    }
    try {
      const connection = this.host.stack.connect(this.host.now(), {
        remote,
        port,
        ...(this.local === null || this.local.isUnspecified ? {} : { local: this.local }),
        localPort: this.localPort,
        options: this.options,
      });
      this.connecting = request;
      this.adopt(connection);
      this.host.wake();
    } catch (error) {
      return status(error);
    }
    return 0;
  }

  connect6(request: Request, address: string, port: number): number {
    return this.connect(request, address, port);
  }

  /** A destination that is not for the host: the socket gets a handle of the kernel's, and connects with that. */
  private leaveToKernel(owner: SocketInternals, request: Request, address: string, port: number): number {
    const kernel = kernelHandle();
    const isV6 = address.includes(':');
    if (this.local !== null || this.localPort !== 0) {
      const local = this.local?.toString() ?? (isV6 ? '::' : '0.0.0.0');
      const failed = isV6 ? kernel.bind6(local, this.localPort, 0) : kernel.bind(local, this.localPort);
      if (failed !== 0) return failed;
    }
    if (this.options.noDelay !== undefined) kernel.setNoDelay(this.options.noDelay);
    owner[reinitializeHandle](kernel);
    // A TLS socket owns its wrapper and forgets to be named here.
    Object.assign(kernel, { [ownerSymbol]: owner });
    return isV6 ? kernel.connect6(request, address, port) : kernel.connect(request, address, port);
  }

  // -- closing

  isClosing(): boolean {
    return this.closing;
  }

  close(onClosed?: () => void): void {
    this.end((connection) => connection.close(this.host.now()), onClosed);
  }

  /** Closes with a RST. */
  reset(onClosed?: () => void): number {
    if (this.closing) return -Errno.EINVAL;
    this.end((connection) => connection.abort(this.host.now()), onClosed);
    return 0;
  }

  private end(how: (connection: Connection) => void, onClosed?: () => void): void {
    if (this.closing) return;
    this.closing = true;
    const { connection } = this;
    if (connection !== null) {
      connection.handler = {};
      how(connection);
      this.host.wake();
    }
    setImmediate(() => {
      this.finishConnect(-Errno.ECANCELED);
      if (this.outgoing.busy) this.completeWrite(-Errno.ECANCELED);
      this.wantsRead = false;
      this.updateHold();
      onClosed?.call(this);
    });
  }

  // -- what it says of itself

  getsockname(out: AddressOut): number {
    if (this.connection === null && this.local === null) return -Errno.EBADF;
    const address = this.connection?.local ?? this.local;
    fillAddress(out, address as IpAddress, this.connection?.localPort ?? this.localPort, this.mapped);
    return 0;
  }

  getpeername(out: AddressOut): number {
    const { connection } = this;
    if (connection === null || this.connecting !== null) return -Errno.ENOTCONN;
    fillAddress(out, connection.remote, connection.remotePort, this.mapped);
    return 0;
  }

  setNoDelay(enable: boolean): number {
    return this.configure({ noDelay: enable });
  }

  /** @param delaySeconds idle time before the first probe; then libuv's one second between ten probes. */
  setKeepAlive(enable: boolean, delaySeconds: number): number {
    const times = enable && delaySeconds > 0 ? { keepAliveTimeMs: delaySeconds * 1000 } : {};
    return this.configure({ keepAlive: enable, keepAliveIntervalMs: 1000, keepAliveProbes: 10, ...times });
  }

  /** @throws EstabError EINVAL that names what there is. */
  setOption(name: SocketOptionName, value: number | boolean | string): void {
    const failed = this.configure(toConnectionOptions(name, value));
    if (failed !== 0) throw new EstabError('EINVAL', `${name} ${value} is not allowed`);
  }

  /** @throws EstabError ENOTCONN, EINVAL */
  getOption(name: SocketOptionName): number | string {
    if (this.connection === null) throw new EstabError('ENOTCONN', 'there is no connection yet; ask once it connects');
    return this.connection.getOption(name);
  }

  /** Node 24 and newer. The two ECN bits are TCP's own. */
  setTypeOfService(octet: number): number {
    return this.configure({ trafficClass: octet & 0xfc });
  }

  getTypeOfService(): number {
    return this.options.trafficClass ?? 0;
  }

  private configure(options: ConnectionOptions): number {
    this.options = { ...this.options, ...options };
    const { connection } = this;
    if (connection === null || connection.detached) return 0;
    try {
      connection.configure(this.host.now(), options);
    } catch (error) {
      return status(error);
    }
    this.host.wake();
    return 0;
  }

  open(): number {
    return -Errno.ENOTSUP;
  }

  listen(): number {
    return -Errno.ENOTSUP;
  }

  ref(): void {
    this.holding.ref(true);
  }

  unref(): void {
    this.holding.ref(false);
  }

  hasRef(): boolean {
    return this.holding.isReferenced;
  }

  /** net tells a handle its socket. */
  setOwner(owner: object | null): void {
    this.owned = owner;
  }
}

/**
 * net asks `handle instanceof TCP` before it resets. So the native methods are copied down, and the class is hung
 * under TCP: a method of TCP that is not here fails on the receiver, it cannot reach the kernel.
 */
function hangUnderTcp(): void {
  const { prototype } = TcpHandle;
  for (let from: object = StreamHandle.prototype; from !== Object.prototype; from = Object.getPrototypeOf(from)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      if (name !== 'onread' && !Object.hasOwn(prototype, name)) Object.defineProperty(prototype, name, property);
    }
  }
  // On Node 20 it looks like a plain value and is a native accessor, on 22 it is one that cannot be redefined: only through
  // its own holder it reaches the native field.
  Object.defineProperty(prototype, 'onread', {
    get: function (this: TcpHandle) {
      return Reflect.get(JSStream.prototype, 'onread', this);
    },
    set: function (this: TcpHandle, reader: unknown) {
      Reflect.set(JSStream.prototype, 'onread', reader, this);
    },
  });
  Object.defineProperty(prototype, ownerSymbol, {
    get(this: TcpHandle) {
      return this.owner;
    },
    set(this: TcpHandle, owner: object | null) {
      this.setOwner(owner);
    },
  });
  Object.setPrototypeOf(prototype, TCP.prototype);
}
hangUnderTcp();

/** Minus the errno of what the stack threw; other errors are ours and go on. */
export function status(error: unknown): number {
  if (error instanceof EstabError) return -errnoOf(error.code);
  throw error;
}

export function fillAddress(out: AddressOut, address: IpAddress, port: number, mapped: boolean): void {
  const asV6 = mapped && address.family === 4;
  out.address = asV6 ? `::ffff:${address}` : address.toString();
  out.family = asV6 || address.family === 6 ? 'IPv6' : 'IPv4';
  out.port = port;
}
