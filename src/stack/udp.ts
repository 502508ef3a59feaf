/** A UDP socket, RFC 768 and RFC 1122 section 4.1. */

import type { ErrorCode } from '../base/errors.ts';
import type { Time } from '../base/time.ts';
import type { IpAddress } from '../wire/address.ts';
import { Endpoint, EndpointKind } from './endpoint.ts';
import type { EventSource } from './events.ts';

/** A datagram that arrived. The bytes are the receiver's to keep. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly address: IpAddress;
  readonly port: number;
  /** Where it was sent to: tells on sockets that take several addresses or ports. */
  readonly localAddress: IpAddress;
  readonly localPort: number;
}

/** What a socket tells its application, from `deliverEvents` alone. */
export interface UdpHandler {
  /** Datagrams wait: call `receive` until null. */
  readable?(socket: UdpSocket): void;
  /** On a connected socket: an earlier datagram could not be delivered. */
  error?(socket: UdpSocket, error: ErrorCode): void;
}

export interface UdpOptions {
  /** As for listeners: null or `::` any address, `0.0.0.0` any of IPv4, else one of ours. */
  readonly address?: IpAddress | null;
  /** 0 (if left out) chooses a free one; 'any': whatever no other socket takes. */
  readonly port?: number | 'any';
  /** Connected: datagrams go to, and come from, this peer alone. */
  readonly remote?: IpAddress;
  readonly remotePort?: number;
  readonly v6Only?: boolean;
  readonly handler?: UdpHandler | null;
}

/** Where a datagram goes, and on sockets that take any, from where. */
export interface UdpTarget {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress?: IpAddress;
  readonly localPort?: number;
}

/** What the host does for its sockets. */
export interface UdpHost {
  send(now: Time, socket: UdpSocket, bytes: Uint8Array, target: UdpTarget | null): boolean;
  closeSocket(socket: UdpSocket): void;
}

/** Bytes that wait in one socket, Linux's rmem_default, and what a datagram costs beside its bytes. */
const RECEIVE_BUFFER = 212_992;
const DATAGRAM_COST = 256;

export class UdpSocket extends Endpoint implements EventSource {
  handler: UdpHandler | null;
  readonly connected: boolean;
  closed = false;
  inEventQueue = false;
  eventNext: EventSource | null = null;
  /** Bytes that may wait to be received, with what each datagram costs. */
  receiveBuffer = RECEIVE_BUFFER;
  /** TTL or hop limit of what it sends; 0 for the host's default. */
  hopLimit = 0;
  /** An error to tell, the host's own. */
  pendingError: ErrorCode | null = null;
  private readonly host: UdpHost;
  private readonly only: boolean;
  private queue: Datagram[] = [];
  private head = 0;
  private queuedBytes = 0;

  constructor(host: UdpHost, options: UdpOptions, local: IpAddress, localPort: number) {
    super(EndpointKind.UDP, local, localPort, options.remotePort ?? 0);
    const { remote, remotePort = 0 } = options;
    if (remote !== undefined) this.setRemote(remote, remotePort);
    this.connected = remote !== undefined;
    this.host = host;
    this.only = options.v6Only ?? false;
    this.handler = options.handler ?? null;
  }

  override get v6Only(): boolean {
    return this.only;
  }

  /**
   * Sends a datagram; on a connected socket without a target.
   * @returns false when it was lost on our side: no route, or too much waits to be sent.
   * @throws EstabError ENOTCONN without a target, EINVAL for one that cannot be, EMSGSIZE above 65507 bytes (IPv6: 65527).
   */
  send(now: Time, bytes: Uint8Array, target: UdpTarget | null = null): boolean {
    return this.host.send(now, this, bytes, target);
  }

  /** The datagram that has waited longest; null when there is none. */
  receive(): Datagram | null {
    if (this.head === this.queue.length) return null;
    const datagram = this.queue[this.head++];
    this.queuedBytes -= datagram.bytes.length + DATAGRAM_COST;
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head > 64 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return datagram;
  }

  close(): void {
    this.host.closeSocket(this);
  }

  /** The host's own: queues a datagram; false when the queue is full. */
  arrives(datagram: Datagram): boolean {
    const cost = datagram.bytes.length + DATAGRAM_COST;
    if (this.queuedBytes + cost > this.receiveBuffer) return false;
    this.queuedBytes += cost;
    this.queue.push(datagram);
    return true;
  }

  /** The host's own: tells the handler what has happened. */
  deliver(): void {
    const error = this.pendingError;
    this.pendingError = null;
    if (this.closed || this.handler === null) return;
    if (error !== null) this.handler.error?.(this, error);
    if (this.head < this.queue.length) this.handler.readable?.(this);
  }
}
