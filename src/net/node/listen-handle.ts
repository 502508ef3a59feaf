/** A listener of ours in the place of libuv's listening TCP handle, under a real `net.Server`. */

import { AsyncResource } from 'node:async_hooks';
import type { Host } from '../../host/host.ts';
import type { Listener } from '../../stack/listener.ts';
import { IpAddress } from '../../wire/address.ts';
import { type AddressOut, fillAddress, status, TcpHandle } from './handle.ts';
import { Hold } from './hold.ts';
import { TCP } from './internals.ts';
import type { HandleSource } from './source.ts';
import { Errno } from './stream-handle.ts';

/** UV_TCP_IPV6ONLY */
const IPV6_ONLY = 1;

export class ListenHandle {
  /** Set by net: hears of each connection. */
  onconnection: ((error: number, handle?: TcpHandle) => void) | null = null;
  private readonly source: HandleSource;
  private host: Host;
  private readonly holding = new Hold();
  private address: IpAddress | null = null;
  private port = 0;
  private v6Only = false;
  private listener: Listener | null = null;
  /** Turns in which one is going to be accepted. */
  private planned = 0;
  private readonly resource = new AsyncResource('ESTABLISTENER', { requireManualDestroy: true });

  constructor(source: HandleSource) {
    this.source = source;
    this.host = source.host();
  }

  bind(address: string, port: number): number {
    return this.bind6(address, port, 0);
  }

  bind6(address: string, port: number, flags: number): number {
    this.address = IpAddress.tryParse(address);
    if (this.address === null) return -Errno.EINVAL;
    this.port = port;
    this.host = this.source.hostOfPort?.(port) ?? this.host;
    this.v6Only = (flags & IPV6_ONLY) !== 0;
    return 0;
  }

  listen(backlog: number): number {
    if (this.address === null) return -Errno.EINVAL;
    if (this.listener !== null) return 0;
    try {
      this.listener = this.host.stack.listen({
        address: this.address,
        port: this.port,
        backlog,
        v6Only: this.v6Only,
        handler: { acceptable: () => this.planAccept() },
      });
    } catch (error) {
      return status(error);
    }
    this.holding.set(true);
    return 0;
  }

  /** All that wait in one turn, as libuv does it, each in a callback of its own, with its ticks and promises behind it. */
  private planAccept(): void {
    const waiting = this.listener?.waiting ?? 0;
    for (; this.planned < waiting; this.planned++) {
      setImmediate(() => {
        this.planned--;
        this.acceptOne();
      });
    }
  }

  private acceptOne(): void {
    const { listener } = this;
    const connection = listener?.accept(this.host.now()) ?? null;
    if (listener === null || connection === null) return;
    this.host.wake();
    const handle = new TcpHandle(this.source, this.host);
    handle.accept(connection, listener.local.family === 6);
    this.onconnection?.(0, handle);
  }

  close(onClosed?: () => void): void {
    this.listener?.close(this.host.now());
    this.listener = null;
    this.host.wake();
    this.holding.set(false);
    if (onClosed !== undefined) setImmediate(() => onClosed.call(this));
  }

  getsockname(out: AddressOut): number {
    const address = this.listener?.local ?? this.address;
    if (address === null) return -Errno.EBADF;
    fillAddress(out, address, this.listener?.localPort ?? this.port, false);
    return 0;
  }

  setSimultaneousAccepts(): number {
    return 0;
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

  getAsyncId(): number {
    return this.resource.asyncId();
  }
}

// net takes only a TCP for a handle to listen on.
Object.setPrototypeOf(ListenHandle.prototype, TCP.prototype);
