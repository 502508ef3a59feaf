/** `UDPSocket` of WICG Direct Sockets over a host of ours: connected to one peer, or bound and open to all. */

import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Datagram, UdpSocket } from '../stack/udp.ts';
import { IpAddress } from '../wire/address.ts';
import { deferred } from './deferred.ts';

/** One datagram. Its addresses are told and given on bound sockets alone. */
export interface UDPMessage {
  readonly data: ArrayBuffer | ArrayBufferView;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

/** Either a remote end, or a local one. */
export interface UDPSocketOptions {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localAddress?: string;
  /** Left out or 0: a free one. */
  readonly localPort?: number;
  /** Bound to `::`: IPv4 is none of its business. */
  readonly ipv6Only?: boolean;
}

export interface UDPSocketOpenInfo {
  readonly readable: ReadableStream<UDPMessage>;
  readonly writable: WritableStream<UDPMessage>;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

export class DirectUdpSocket {
  readonly opened: Promise<UDPSocketOpenInfo>;
  /** Resolves after `close`; rejects when a connected peer's host has said that nobody listens. */
  readonly closed: Promise<void>;
  private readonly host: Host;
  private readonly socket: UdpSocket;
  private readonly closedEnd = deferred<void>();
  private reader: ReadableStreamDefaultController<UDPMessage> | null = null;
  private waiting: (() => void) | null = null;
  private over = false;

  /** @throws TypeError for options that contradict each other, EstabError EINVAL, EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH */
  constructor(host: Host, options: UDPSocketOptions) {
    this.host = host;
    this.socket = open(host, options);
    this.closed = this.closedEnd.promise;
    this.closed.catch(() => {});
    const readable = new ReadableStream<UDPMessage>(
      {
        start: (controller) => {
          this.reader = controller;
        },
        pull: () => this.pull(),
        cancel: () => this.end(),
      },
      { highWaterMark: 0 },
    );
    const writable = new WritableStream<UDPMessage>({ write: (message) => this.send(message) });
    const { local, localPort, remote, remotePort, connected } = this.socket;
    const peer = connected ? { remoteAddress: remote.toString(), remotePort } : {};
    this.opened = Promise.resolve({ readable, writable, localAddress: local.toString(), localPort, ...peer });
    this.socket.handler = {
      readable: () => this.wake(),
      error: (_socket, code) => this.fail(new EstabError(code, `the peer cannot be reached: ${code}`)),
    };
  }

  async close(): Promise<void> {
    if (!this.over) this.reader?.close();
    this.end();
    return this.closed;
  }

  private pull(): Promise<void> | undefined {
    if (this.deliver()) return undefined;
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  private wake(): void {
    if (this.waiting === null || !this.deliver()) return;
    this.waiting();
    this.waiting = null;
  }

  private deliver(): boolean {
    const datagram = this.over ? null : this.socket.receive();
    if (datagram === null) return this.over;
    this.reader?.enqueue(this.messageOf(datagram));
    return true;
  }

  private messageOf({ bytes, address, port }: Datagram): UDPMessage {
    if (this.socket.connected) return { data: bytes };
    return { data: bytes, remoteAddress: address.toString(), remotePort: port };
  }

  private send({ data, remoteAddress, remotePort }: UDPMessage): void {
    const { connected } = this.socket;
    const named = remoteAddress !== undefined || remotePort !== undefined;
    if (connected && named) throw new TypeError('the socket has its peer: leave remoteAddress and remotePort out');
    if (!connected && (remoteAddress === undefined || remotePort === undefined)) {
      throw new TypeError('the socket has no peer: give remoteAddress and remotePort with each message');
    }
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    const target =
      remoteAddress === undefined || remotePort === undefined
        ? null
        : { address: IpAddress.parse(remoteAddress), port: remotePort };
    this.socket.send(this.host.now(), bytes, target);
    this.host.wake();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.socket.close();
    this.closedEnd.resolve();
    this.waiting?.();
  }

  private fail(error: Error): void {
    if (this.over) return;
    this.over = true;
    this.socket.close();
    this.reader?.error(error);
    this.closedEnd.reject(error);
  }
}

function open(host: Host, options: UDPSocketOptions): UdpSocket {
  const { remoteAddress, remotePort, localAddress, localPort = 0, ipv6Only } = options;
  if ((remoteAddress === undefined) !== (remotePort === undefined)) {
    throw new TypeError('remoteAddress and remotePort go together; give both, or neither');
  }
  if (remoteAddress === undefined && localAddress === undefined) {
    throw new TypeError('give remoteAddress and remotePort to talk to one peer, or localAddress to hear everybody');
  }
  return host.stack.udp({
    port: localPort,
    ...(localAddress === undefined ? {} : { address: IpAddress.parse(localAddress) }),
    ...(remoteAddress === undefined
      ? {}
      : { remote: IpAddress.parse(remoteAddress), remotePort: remotePort as number }),
    ...(ipv6Only === undefined ? {} : { v6Only: ipv6Only }),
  });
}
