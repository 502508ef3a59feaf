/**
 * A UDP socket of ours in the place of libuv's UDP handle, under a real `dgram.Socket`: names, events, arguments and
 * errors are Node's own. What is sent to a destination that is not for our host goes by a handle of the kernel's.
 */

import { AsyncResource } from 'node:async_hooks';
import type { Host } from '../../host/host.ts';
import { errnoOf } from '../../net/errors.ts';
import { fillAddress, status } from '../../net/node/handle.ts';
import { Hold } from '../../net/node/hold.ts';
import { Errno } from '../../net/node/stream-handle.ts';
import type { Datagram, UdpSocket } from '../../stack/udp.ts';
import { IpAddress } from '../../wire/address.ts';
import { type AddressOut, type KernelUdp, type OnMessage, UDP } from './internals.ts';

/** Where the sockets of a program get their handles from. */
export interface UdpSource {
  host(): Host;
  /** Whether a datagram goes over the host; null: all do. */
  readonly chooses: ((address: string, port: number, name: string | null) => boolean) | null;
  /** Whether a port that is asked for is the host's; null: all are. */
  readonly listensOn: ((port: number) => boolean) | null;
}

/** UV_UDP_IPV6ONLY */
const IPV6_ONLY = 1;
/** Linux's rmem_default, as it tells it. */
const BUFFER_BYTES = 212_992;

interface Peer {
  readonly address: IpAddress;
  readonly port: number;
}

export class UdpHandle {
  /** Set by dgram. */
  onmessage: OnMessage | null = null;
  lookup: unknown;
  private readonly source: UdpSource;
  private readonly host: Host;
  private readonly isV6: boolean;
  private readonly implicit: boolean;
  private readonly holding = new Hold();
  private readonly resource = new AsyncResource('ESTABUDP', { requireManualDestroy: true });
  private socket: UdpSocket | null = null;
  private local: IpAddress | null = null;
  private v6Only = false;
  private peer: Peer | null = null;
  private receiving = false;
  private closed = false;
  /** For what is not chosen; made when it is first needed. */
  private kernel: KernelUdp | null = null;
  /** The whole socket belongs to the kernel: its port does, or the peer it is connected to. */
  private kernelOnly = false;
  private readonly buffers = { receive: BUFFER_BYTES, send: BUFFER_BYTES };

  /** @param implicit nobody asked for a port: it binds because it sends. */
  constructor(source: UdpSource, isV6: boolean, implicit: boolean) {
    this.source = source;
    this.implicit = implicit;
    this.host = source.host();
    this.isV6 = isV6;
  }

  // -- names

  bind(address: string, given: unknown, flags: number): number {
    // `bind(callback)` hands the callback on for a port; the native handle reads what is no number as 0.
    const port = Number(given) >>> 0;
    const local = IpAddress.tryParse(address);
    if (local === null) return -Errno.EINVAL;
    if (!this.implicit && this.source.listensOn?.(port) === false) {
      this.kernelOnly = true;
      return this.bindKernel(address, port, flags);
    }
    this.local = local;
    this.v6Only = (flags & IPV6_ONLY) !== 0;
    return this.open(port);
  }

  bind6(address: string, port: unknown, flags: number): number {
    return this.bind(address, port, flags);
  }

  connect(address: string, port: number): number {
    const remote = IpAddress.tryParse(address);
    if (remote === null) return -Errno.EINVAL;
    if (this.kernelOnly || this.source.chooses?.(address, port, null) === false) {
      const failed = this.kernelOnly ? 0 : this.bindKernel(this.isV6 ? '::' : '0.0.0.0', 0, 0);
      if (failed !== 0) return failed;
      this.kernelOnly = true;
      const kernel = this.kernel as KernelUdp;
      return this.isV6 ? kernel.connect6(address, port) : kernel.connect(address, port);
    }
    return this.reopen({ address: remote, port });
  }

  connect6(address: string, port: number): number {
    return this.connect(address, port);
  }

  disconnect(): number {
    if (this.kernelOnly) return (this.kernel as KernelUdp).disconnect();
    if (this.peer === null) return -Errno.ENOTCONN;
    return this.reopen(null);
  }

  getsockname(out: AddressOut): number {
    if (this.kernelOnly) return (this.kernel as KernelUdp).getsockname(out);
    if (this.socket === null) return -Errno.EBADF;
    // Connected, the stack's socket has chosen an address, as the kernel's would have.
    fillAddress(out, this.socket.local, this.socket.localPort, this.isV6);
    return 0;
  }

  getpeername(out: AddressOut): number {
    if (this.kernelOnly) return (this.kernel as KernelUdp).getpeername(out);
    if (this.peer === null) return -Errno.ENOTCONN;
    fillAddress(out, this.peer.address, this.peer.port, this.isV6);
    return 0;
  }

  // -- datagrams

  /** `(request, list, count, port, address, hasCallback)`, or without port and address where it is connected. */
  send(request: object, list: ArrayBufferView[], count: number, ...rest: unknown[]): number {
    const connected = rest.length < 3;
    const [port, address] = connected ? [0, ''] : (rest as [number, string]);
    if (this.kernelOnly || (!connected && this.source.chooses?.(address, port, null) === false)) {
      return this.sendByKernel(request, list, count, rest);
    }
    const target = connected ? null : IpAddress.tryParse(address);
    if (!connected && target === null) return -Errno.EINVAL;
    const remote = target ?? this.peer?.address ?? null;
    if (remote === null || this.socket === null) return -Errno.ENOTCONN;
    if (this.host.stack.sourceFor(remote) === null) return -Errno.ENETUNREACH;
    const parts = list.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    try {
      // False is a datagram lost on our side: UDP promises no more, and the kernel does not tell either.
      this.socket.send(this.host.now(), bytes, target === null ? null : { address: target, port });
      this.host.wake();
    } catch (error) {
      return status(error);
    }
    // dgram reads this as "done": the length, plus one.
    return bytes.length + 1;
  }

  send6(request: object, list: ArrayBufferView[], count: number, ...rest: unknown[]): number {
    return this.send(request, list, count, ...rest);
  }

  recvStart(): number {
    this.receiving = true;
    this.holding.set(true);
    this.kernel?.recvStart();
    this.drain();
    return 0;
  }

  recvStop(): number {
    this.receiving = false;
    this.holding.set(false);
    this.kernel?.recvStop();
    return 0;
  }

  close(onClosed?: () => void): void {
    if (this.closed) return;
    this.closed = true;
    this.recvStop();
    this.socket?.close();
    this.kernel?.close();
    if (onClosed !== undefined) setImmediate(() => onClosed.call(this));
  }

  // -- what else dgram asks of a handle

  bufferSize(size: number, receive: boolean): number {
    const which = receive ? 'receive' : 'send';
    // Doubled, as Linux does it.
    if (size > 0) this.buffers[which] = size * 2;
    if (this.socket !== null) this.socket.receiveBuffer = this.buffers.receive;
    return this.buffers[which];
  }

  getSendQueueSize(): number {
    return 0;
  }

  getSendQueueCount(): number {
    return 0;
  }

  setTTL(hops: number): number {
    if (hops < 1 || hops > 255) return -Errno.EINVAL;
    if (this.socket === null) return -Errno.EBADF;
    this.socket.hopLimit = hops;
    return 0;
  }

  /** The stack sends to broadcast addresses without being asked twice. */
  setBroadcast(): number {
    return 0;
  }

  addMembership(): number {
    return -Errno.ENOTSUP;
  }

  dropMembership(): number {
    return -Errno.ENOTSUP;
  }

  addSourceSpecificMembership(): number {
    return -Errno.ENOTSUP;
  }

  dropSourceSpecificMembership(): number {
    return -Errno.ENOTSUP;
  }

  setMulticastInterface(): number {
    return -Errno.ENOTSUP;
  }

  setMulticastTTL(): number {
    return -Errno.ENOTSUP;
  }

  setMulticastLoopback(): number {
    return -Errno.ENOTSUP;
  }

  ref(): void {
    this.holding.ref(true);
    this.kernel?.ref();
  }

  unref(): void {
    this.holding.ref(false);
    this.kernel?.unref();
  }

  hasRef(): boolean {
    return this.holding.isReferenced;
  }

  getAsyncId(): number {
    return this.resource.asyncId();
  }

  // -- inside

  private open(port: number): number {
    const { peer } = this;
    try {
      this.socket = this.host.stack.udp({
        address: this.local,
        port,
        v6Only: this.v6Only,
        ...(peer === null ? {} : { remote: peer.address, remotePort: peer.port }),
        handler: {
          readable: () => this.drain(),
          error: (_socket, code) => this.tell(() => this.onmessage?.(-errnoOf(code), this)),
        },
      });
      this.socket.receiveBuffer = this.buffers.receive;
      return 0;
    } catch (error) {
      return status(error);
    }
  }

  /** A socket of the stack has one peer or none for life: another takes its place and its port. */
  private reopen(peer: Peer | null): number {
    const { socket } = this;
    if (socket === null) return -Errno.EBADF;
    const { hopLimit } = socket;
    socket.close();
    const before = this.peer;
    this.peer = peer;
    let failed = this.open(socket.localPort);
    if (failed !== 0) {
      this.peer = before;
      failed = this.open(socket.localPort) || failed;
    }
    (this.socket as UdpSocket).hopLimit = hopLimit;
    return failed;
  }

  /** Each datagram in a callback of its own, with its ticks and promises behind it. */
  private drain(): void {
    if (!this.receiving || this.socket === null) return;
    for (let datagram = this.socket.receive(); datagram !== null; datagram = this.socket.receive()) {
      const { bytes, ...from } = datagram as Datagram;
      this.tell(() => {
        const out: AddressOut = {};
        fillAddress(out, from.address, from.port, this.isV6);
        this.onmessage?.(bytes.length, this, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), out);
      });
    }
  }

  private tell(what: () => void): void {
    setImmediate(() => {
      if (!this.closed) this.resource.runInAsyncScope(what);
    });
  }

  private bindKernel(address: string, port: number, flags: number): number {
    if (this.kernel !== null) return 0;
    const kernel = new UDP();
    const failed = this.isV6 ? kernel.bind6(address, port, flags) : kernel.bind(address, port, flags);
    if (failed !== 0) {
      kernel.close();
      return failed;
    }
    this.kernel = kernel;
    kernel.onmessage = (count, _handle, bytes, from) => this.onmessage?.(count, this, bytes, from);
    if (this.receiving) kernel.recvStart();
    if (!this.holding.isReferenced) kernel.unref();
    return 0;
  }

  private sendByKernel(request: object, list: ArrayBufferView[], count: number, rest: unknown[]): number {
    const failed = this.bindKernel(this.isV6 ? '::' : '0.0.0.0', 0, 0);
    if (failed !== 0) return failed;
    const kernel = this.kernel as KernelUdp;
    return this.isV6 ? kernel.send6(request, list, count, ...rest) : kernel.send(request, list, count, ...rest);
  }
}
