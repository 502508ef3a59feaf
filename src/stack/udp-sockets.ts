/** All UDP sockets of a host: who gets what arrives, and how what they send leaves. */

import { type ErrorCode, EstabError } from '../base/errors.ts';
import type { Time } from '../base/time.ts';
import { Counter, counterOfDrop } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { IPV6_ANY, type IpAddress } from '../wire/address.ts';
import { WireDrop } from '../wire/drop.ts';
import { type IpPacket, Protocol, transportChecksumOk } from '../wire/ip.ts';
import { emitUdp, parseUdp, UDP_HEADER_LENGTH, UdpDatagram } from '../wire/udp.ts';
import type { Core } from './core.ts';
import { Demux } from './demux.ts';
import { ANY_PORT } from './endpoint.ts';
import type { EventQueue } from './events.ts';
import type { IcmpOutput } from './icmp-output.ts';
import { type IpOutput, PAYLOAD_AT } from './ip-output.ts';
import { checkPort, Ports } from './ports.ts';
import { type UdpHost, type UdpOptions, UdpSocket, type UdpTarget } from './udp.ts';

const MAX_TEXT = { 4: 65_507, 6: 65_527 } as const;

export class UdpSockets implements UdpHost {
  private readonly core: Core;
  private readonly ipOutput: IpOutput;
  private readonly icmp: IcmpOutput;
  private readonly events: EventQueue;
  private readonly demux: Demux;
  private readonly ports: Ports;
  private readonly header = new UdpDatagram();

  constructor(core: Core, ipOutput: IpOutput, icmp: IcmpOutput, events: EventQueue) {
    this.core = core;
    this.ipOutput = ipOutput;
    this.icmp = icmp;
    this.events = events;
    this.demux = new Demux(core.keyed);
    this.ports = new Ports(core);
  }

  /** @throws EstabError EINVAL, EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH. */
  open(options: UdpOptions): UdpSocket {
    const { remote, remotePort = 0 } = options;
    if (remote !== undefined) checkPort(remotePort, 1);
    const local = this.localAddress(options);
    const port = this.localPort(options, local);
    const socket = new UdpSocket(this, options, local, port);
    if (this.lookup(local, port, remote ?? IPV6_ANY, remotePort) !== null) {
      throw new EstabError(
        'EADDRINUSE',
        `UDP port ${port} of ${local} is in use; choose another one, or 0 for any free one`,
      );
    }
    this.demux.add(socket);
    return socket;
  }

  input(now: Time, iface: Interface, bytes: Uint8Array, packet: IpPacket): void {
    const { core, header } = this;
    const drop = parseUdp(bytes, packet.payloadOffset, packet.payloadLength, header);
    if (drop !== WireDrop.NONE) {
      core.drop(counterOfDrop(drop));
      return;
    }
    const length = UDP_HEADER_LENGTH + header.payloadLength;
    if (!iface.checksumRx && !transportChecksumOk(bytes, packet.payloadOffset, length, packet)) {
      core.drop(Counter.UdpInCsumErrors);
      return;
    }
    const found =
      this.demux.findConnected(packet, header.sourcePort, header.destinationPort) ??
      this.demux.findBound(packet.d0, packet.d1, packet.d2, packet.d3, header.destinationPort);
    if (found === null) {
      core.drop(Counter.UdpNoPorts);
      this.icmp.portUnreachable(now, bytes, packet);
      return;
    }
    const socket = found as UdpSocket;
    const text = bytes.subarray(header.payloadOffset, header.payloadOffset + header.payloadLength);
    const datagram = {
      bytes: core.arrivedOwned ? text : text.slice(),
      address: packet.source,
      port: header.sourcePort,
      localAddress: packet.destination,
      localPort: header.destinationPort,
    };
    if (!socket.arrives(datagram)) {
      core.drop(Counter.UdpRcvbufErrors);
      return;
    }
    core.counters.increment(Counter.UdpInDatagrams);
    this.events.push(socket);
  }

  /** An ICMP error about a datagram that `ip` and the ports describe: connected sockets hear of it. */
  error(ip: IpPacket, sourcePort: number, destinationPort: number, error: ErrorCode): void {
    const found = this.demux.findQuoted(ip, sourcePort, destinationPort);
    if (found === null) return;
    const socket = found as UdpSocket;
    socket.pendingError = error;
    this.events.push(socket);
  }

  /** Whether a datagram from there could have been one of ours. */
  isOurs(ip: IpPacket, sourcePort: number, destinationPort: number): boolean {
    if (this.demux.findQuoted(ip, sourcePort, destinationPort) !== null) return true;
    return this.demux.findBound(ip.s0, ip.s1, ip.s2, ip.s3, sourcePort) !== null;
  }

  send(now: Time, socket: UdpSocket, bytes: Uint8Array, target: UdpTarget | null): boolean {
    const { core, ipOutput, header } = this;
    const remote = target?.address ?? (socket.connected ? socket.remote : null);
    if (socket.closed || remote === null) {
      throw new EstabError('ENOTCONN', 'the socket is closed or has no peer; say where the datagram shall go');
    }
    const port = target?.port ?? socket.remotePort;
    checkPort(port, 1);
    if (bytes.length > MAX_TEXT[remote.family]) {
      throw new EstabError('EMSGSIZE', `${bytes.length} bytes do not fit in a datagram; ${MAX_TEXT[remote.family]} do`);
    }
    const local = this.sourceOf(socket, target, remote);
    if (local === null) {
      core.counters.increment(Counter.IpOutNoRoutes);
      return false;
    }
    const packet = ipOutput.prepare(local, remote, Protocol.UDP);
    if (socket.hopLimit > 0) packet.hopLimit = socket.hopLimit;
    header.sourcePort = socket.localPort === ANY_PORT ? (target?.localPort ?? 0) : socket.localPort;
    checkPort(header.sourcePort, 1);
    header.destinationPort = port;
    header.payloadLength = bytes.length;
    emitUdp(header, ipOutput.buffer, PAYLOAD_AT);
    ipOutput.buffer.set(bytes, PAYLOAD_AT + UDP_HEADER_LENGTH);
    if (ipOutput.send(now, UDP_HEADER_LENGTH + bytes.length) !== 0) {
      core.counters.increment(Counter.UdpSndbufErrors);
      return false;
    }
    core.counters.increment(Counter.UdpOutDatagrams);
    return true;
  }

  closeSocket(socket: UdpSocket): void {
    if (socket.closed) return;
    socket.closed = true;
    this.demux.delete(socket);
  }

  private localAddress(options: UdpOptions): IpAddress {
    const { address = null, remote } = options;
    if (address !== null && !address.isUnspecified && !this.core.isOwn(address)) {
      throw new EstabError('EADDRNOTAVAIL', `${address} is no address of this host`);
    }
    if (remote === undefined || (address !== null && !address.isUnspecified)) return address ?? IPV6_ANY;
    const route = this.core.route(remote);
    const source = route === null ? null : this.core.sourceFor(route, remote);
    if (source === null) throw new EstabError('ENETUNREACH', `there is no route to ${remote}`);
    return source;
  }

  private localPort(options: UdpOptions, local: IpAddress): number {
    const { port = 0, remote = IPV6_ANY, remotePort = 0 } = options;
    if (port === 'any') return ANY_PORT;
    checkPort(port, 0);
    if (port !== 0) return port;
    return this.ports.choose(local, remote, remotePort, (p) => this.lookup(local, p, remote, remotePort) === null);
  }

  private lookup(local: IpAddress, port: number, remote: IpAddress, remotePort: number): unknown {
    const ports = (port << 16) | remotePort;
    const { w0, w1, w2, w3 } = remote;
    return this.demux.find(local.w0, local.w1, local.w2, local.w3, w0, w1, w2, w3, ports);
  }

  /** Where a datagram comes from: the socket's address, what the target asks for, or what the route suggests. */
  private sourceOf(socket: UdpSocket, target: UdpTarget | null, remote: IpAddress): IpAddress | null {
    if (!socket.local.isUnspecified) return socket.local;
    if (target?.localAddress !== undefined) return target.localAddress;
    const route = this.core.route(remote);
    return route === null ? null : this.core.sourceFor(route, remote);
  }
}
