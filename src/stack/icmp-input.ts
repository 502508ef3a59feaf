/**
 * ICMP and ICMPv6 as they arrive: echo requests are answered; errors go to whom the packet they quote came from, and
 * are believed only as far as RFC 5927 advises; neighbour discovery goes to its interface.
 */

import type { ErrorCode } from '../base/errors.ts';
import type { Time } from '../base/time.ts';
import { Counter, counterOfDrop } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { believablePmtu, MIN_PMTU_V4 } from '../ip/pmtu.ts';
import { icmpTooBig, icmpUnreachable, TooBig } from '../tcp/index.ts';
import { WireDrop } from '../wire/drop.ts';
import { emitIcmp, ICMP_HEADER_LENGTH, IcmpType, IcmpUnreachable, parseIcmp } from '../wire/icmp.ts';
import { EmbeddedPacket, parseEmbedded } from '../wire/icmp-embedded.ts';
import { Icmpv6Message, Icmpv6Type, Icmpv6Unreachable } from '../wire/icmpv6.ts';
import { type IpPacket, Protocol, transportChecksumOk } from '../wire/ip.ts';
import { ParameterProblem } from '../wire/ipv6-extensions.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { type Core, isMulticast } from './core.ts';
import { EndpointKind } from './endpoint.ts';
import type { EthernetPort } from './ethernet-port.ts';
import { type IpOutput, PAYLOAD_AT } from './ip-output.ts';
import type { UdpSockets } from './udp-sockets.ts';

/** What an error means, RFC 9293 section 3.9.2.2. */
interface Verdict {
  readonly error: ErrorCode;
  /** Ends a connection that is being opened. */
  readonly hard: boolean;
}

const HOST: Verdict = { error: 'EHOSTUNREACH', hard: false };
const NET: Verdict = { error: 'ENETUNREACH', hard: false };
const REFUSED: Verdict = { error: 'ECONNREFUSED', hard: true };
const PROTOCOL: Verdict = { error: 'EPROTO', hard: true };
const PROHIBITED: Verdict = { error: 'EHOSTUNREACH', hard: true };
/** ICMPv6 parameter problems are soft, all of them. */
const SOFT_PROTOCOL: Verdict = { error: 'EPROTO', hard: false };
/** Our own link says so, not somebody out there who could be lying: an open fails at once, as it does in Linux. */
const NO_NEIGHBOUR: Verdict = { error: 'EHOSTUNREACH', hard: true };

export class IcmpInput {
  private readonly core: Core;
  private readonly connections: Connections;
  private readonly udp: UdpSockets;
  private readonly ipOutput: IpOutput;
  private readonly ports: readonly (EthernetPort | null)[];
  private readonly message = new Icmpv6Message();
  private readonly quoted = new EmbeddedPacket();

  constructor(
    core: Core,
    connections: Connections,
    udp: UdpSockets,
    ipOutput: IpOutput,
    ports: readonly (EthernetPort | null)[],
  ) {
    this.core = core;
    this.connections = connections;
    this.udp = udp;
    this.ipOutput = ipOutput;
    this.ports = ports;
  }

  /** @param sourceMac whom the frame came from, where that means anything. */
  input(now: Time, iface: Interface, bytes: Uint8Array, packet: IpPacket, sourceMac: Uint8Array): void {
    const { core, message } = this;
    core.counters.increment(Counter.IcmpInMsgs);
    const drop = parseIcmp(bytes, packet.payloadOffset, packet.payloadLength, message);
    if (drop !== WireDrop.NONE) {
      core.drop(counterOfDrop(drop));
      return;
    }
    if (!transportChecksumOk(bytes, packet.payloadOffset, packet.payloadLength, packet)) {
      core.drop(Counter.IcmpInCsumErrors);
      return;
    }
    if (packet.protocol === Protocol.ICMP) this.icmp(now, iface, bytes, packet);
    else this.icmpv6(now, iface, bytes, packet, sourceMac);
  }

  /** Packets of ours that could not be delivered on the link. */
  undeliverable(now: Time, packets: readonly Uint8Array[]): void {
    for (const bytes of packets) {
      if (parseEmbedded(bytes, 0, bytes.length, this.quoted) === WireDrop.NONE) this.report(now, NO_NEIGHBOUR);
    }
  }

  private icmp(now: Time, iface: Interface, bytes: Uint8Array, packet: IpPacket): void {
    const { message } = this;
    switch (message.type) {
      case IcmpType.ECHO:
        this.echo(now, iface, bytes, packet, IcmpType.ECHO_REPLY, Protocol.ICMP);
        return;
      case IcmpType.DESTINATION_UNREACHABLE:
        if (message.code === IcmpUnreachable.FRAGMENTATION_NEEDED) this.tooBig(now, bytes, message.rest & 0xffff);
        else this.error(now, bytes, unreachable4(message.code));
        return;
      case IcmpType.TIME_EXCEEDED:
      case IcmpType.PARAMETER_PROBLEM:
        this.error(now, bytes, HOST);
        return;
      case IcmpType.SOURCE_QUENCH:
        // MUST-55, RFC 6633
        this.core.drop(Counter.SourceQuenchIgnored);
        return;
      default:
        this.core.counters.increment(Counter.IcmpInIgnored);
    }
  }

  private icmpv6(now: Time, iface: Interface, bytes: Uint8Array, packet: IpPacket, sourceMac: Uint8Array): void {
    const { message } = this;
    switch (message.type) {
      case Icmpv6Type.ECHO_REQUEST:
        this.echo(now, iface, bytes, packet, Icmpv6Type.ECHO_REPLY, Protocol.ICMPV6);
        return;
      case Icmpv6Type.DESTINATION_UNREACHABLE:
        this.error(now, bytes, unreachable6(message.code));
        return;
      case Icmpv6Type.PACKET_TOO_BIG:
        this.tooBig(now, bytes, message.mtu);
        return;
      case Icmpv6Type.TIME_EXCEEDED:
        this.error(now, bytes, HOST);
        return;
      case Icmpv6Type.PARAMETER_PROBLEM:
        this.error(now, bytes, message.code === ParameterProblem.UNRECOGNIZED_NEXT_HEADER ? SOFT_PROTOCOL : HOST);
        return;
      case Icmpv6Type.ROUTER_SOLICITATION:
      case Icmpv6Type.ROUTER_ADVERTISEMENT:
      case Icmpv6Type.NEIGHBOUR_SOLICITATION:
      case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
        this.ports[iface.index]?.nd.input(now, bytes, packet, sourceMac);
        return;
      default:
        this.core.counters.increment(Counter.IcmpInIgnored);
    }
  }

  /** RFC 1122 section 3.2.2.6, RFC 4443 section 4.2: the same data back, from the address that was asked. */
  private echo(now: Time, iface: Interface, bytes: Uint8Array, packet: IpPacket, type: number, protocol: number): void {
    const { core, ipOutput, message } = this;
    const { settings, counters } = core;
    counters.increment(Counter.IcmpInEchos);
    const { d0, d1, d2, d3 } = packet;
    // To everybody: Linux answers ff02::1, which a link may want to find its hosts, and no IPv4 broadcast.
    const toMany = packet.family === 4 && (isMulticast(d0, d1, d2, d3) || iface.isBroadcast(d0, d1, d2, d3));
    const ignored = settings.icmp_echo_ignore_all !== 0 || (toMany && settings.icmp_echo_ignore_broadcasts !== 0);
    const own = core.ownAddress(d0, d1, d2, d3);
    const group = toMany || isMulticast(d0, d1, d2, d3);
    const local = own ?? (group ? iface.sourceFor(packet.source) : null);
    if (ignored || local === null) {
      counters.increment(Counter.IcmpInEchoIgnored);
      return;
    }
    const reply = ipOutput.prepare(local, packet.source, protocol, iface);
    reply.trafficClass = packet.trafficClass & 0xfc;
    // A large ping comes in fragments, and its answer has to leave in fragments.
    reply.dontFragment = false;
    const length = ICMP_HEADER_LENGTH + message.bodyLength;
    ipOutput.buffer.set(
      bytes.subarray(message.bodyOffset, message.bodyOffset + message.bodyLength),
      PAYLOAD_AT + ICMP_HEADER_LENGTH,
    );
    message.type = type;
    message.code = 0;
    emitIcmp(message, ipOutput.buffer, PAYLOAD_AT);
    counters.increment(Counter.IcmpOutMsgs);
    counters.increment(Counter.IcmpOutEchoReps);
    ipOutput.send(now, length);
  }

  private error(now: Time, bytes: Uint8Array, verdict: Verdict): void {
    if (this.readQuoted(bytes)) this.report(now, verdict);
  }

  /** Reads the packet an error is about; it must be one of ours. */
  private readQuoted(bytes: Uint8Array): boolean {
    const { core, message, quoted } = this;
    const drop = parseEmbedded(bytes, message.bodyOffset, message.bodyLength, quoted);
    const { s0, s1, s2, s3 } = quoted.ip;
    const ours = core.arriving.acceptAny || core.ownAddress(s0, s1, s2, s3) !== null;
    if (drop === WireDrop.NONE && ours) return true;
    core.drop(Counter.IcmpInErrors);
    return false;
  }

  private report(now: Time, verdict: Verdict): void {
    const { ip, sourcePort, destinationPort, seq, hasSeq } = this.quoted;
    if (sourcePort < 0) return;
    if (ip.protocol === Protocol.UDP) {
      this.udp.error(ip, sourcePort, destinationPort, verdict.error);
      return;
    }
    const connection = hasSeq ? this.quotedConnection() : null;
    if (connection === null) return;
    if (icmpUnreachable(connection.tcb, seq, verdict.error, verdict.hard)) this.connections.touch(now, connection);
    else this.core.counters.increment(Counter.OutOfWindowIcmps);
  }

  /**
   * Fragmentation needed, packet too big: RFC 1191, RFC 8201. A path MTU is taken from who can show that it saw a packet
   * of ours: for TCP by the sequence number (RFC 5927 section 4), for UDP by a socket's ports unless ip_no_pmtu_disc is 3.
   */
  private tooBig(now: Time, bytes: Uint8Array, told: number): void {
    const { core, quoted } = this;
    if (!this.readQuoted(bytes)) return;
    const mode = core.settings.ip_no_pmtu_disc;
    const { ip, claimedLength } = quoted;
    if (quoted.sourcePort < 0 || mode === 2) {
      core.counters.increment(Counter.IcmpInIgnored);
      return;
    }
    const destination = ip.destination;
    const route = core.route(destination);
    if (route === null) return;
    const mtu = mode === 1 && ip.family === 4 ? MIN_PMTU_V4 : believablePmtu(ip.family, told, claimedLength);
    if (ip.protocol === Protocol.TCP) {
      const connection = this.quotedConnection();
      if (connection === null) return;
      const verdict = icmpTooBig(connection.tcb, quoted.seq, mtu);
      if (verdict === TooBig.IGNORED) core.counters.increment(Counter.OutOfWindowIcmps);
      if (verdict === TooBig.HONOURED) this.connections.lowerPathMtu(now, connection, mtu);
    } else if (
      ip.protocol === Protocol.UDP &&
      mode !== 3 &&
      this.udp.isOurs(ip, quoted.sourcePort, quoted.destinationPort)
    ) {
      core.pmtu.lower(now, destination, mtu, route.device.mtu);
    }
  }

  private quotedConnection(): Connection | null {
    const { ip, sourcePort, destinationPort } = this.quoted;
    const endpoint = this.connections.demux.findQuoted(ip, sourcePort, destinationPort);
    return endpoint !== null && endpoint.kind === EndpointKind.CONNECTION ? (endpoint as Connection) : null;
  }
}

function unreachable4(code: number): Verdict {
  switch (code) {
    case IcmpUnreachable.PROTOCOL:
      return PROTOCOL;
    case IcmpUnreachable.PORT:
      return REFUSED;
    case IcmpUnreachable.NET:
    case IcmpUnreachable.NET_UNKNOWN:
    case IcmpUnreachable.NET_PROHIBITED:
    case IcmpUnreachable.NET_TYPE_OF_SERVICE:
      return NET;
    case IcmpUnreachable.HOST_PROHIBITED:
    case IcmpUnreachable.COMMUNICATION_PROHIBITED:
      return PROHIBITED;
    default:
      return HOST;
  }
}

function unreachable6(code: number): Verdict {
  switch (code) {
    case Icmpv6Unreachable.PORT:
      return REFUSED;
    case Icmpv6Unreachable.NO_ROUTE:
      return NET;
    case Icmpv6Unreachable.PROHIBITED:
    case Icmpv6Unreachable.SOURCE_POLICY:
    case Icmpv6Unreachable.REJECT_ROUTE:
      return PROHIBITED;
    default:
      return HOST;
  }
}
