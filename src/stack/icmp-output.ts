/**
 * ICMP errors about what arrived: RFC 792, RFC 4443, and whom not to tell, RFC 1122 section 3.2.2 and RFC 4443 section
 * 2.4 (e): nobody about an error, a later fragment, a packet to many or from nobody in particular.
 */

import type { Time } from '../base/time.ts';
import { Counter } from '../ip/counters.ts';
import { IcmpLimiter } from '../ip/icmp-limit.ts';
import {
  emitIcmp,
  ICMP_HEADER_LENGTH,
  IcmpMessage,
  IcmpTimeExceeded,
  IcmpType,
  IcmpUnreachable,
  isIcmpError,
} from '../wire/icmp.ts';
import { Icmpv6Type, Icmpv6Unreachable, isIcmpv6Error } from '../wire/icmpv6.ts';
import { type IpPacket, Protocol } from '../wire/ip.ts';
import { ParameterProblem } from '../wire/ipv6-extensions.ts';
import { type Core, isLoopbackV4, isMulticast, isUnspecified } from './core.ts';
import { type IpOutput, PAYLOAD_AT } from './ip-output.ts';

/** The most of a message: RFC 1812 section 4.3.2.3 for IPv4, the least MTU for IPv6. */
const MAX_LENGTH = { 4: 576, 6: 1280 } as const;
const IP_HEADER_LENGTH = { 4: 20, 6: 40 } as const;
/** Link-layer control messages of the precedence that RFC 1812 section 4.3.2.5 asks for. */
const INTERNETWORK_CONTROL = 0xc0;

export class IcmpOutput {
  private readonly core: Core;
  private readonly ipOutput: IpOutput;
  private readonly limiter: IcmpLimiter;
  private readonly message = new IcmpMessage();

  constructor(core: Core, ipOutput: IpOutput) {
    this.core = core;
    this.ipOutput = ipOutput;
    this.limiter = new IcmpLimiter(core.settings, core.random, core.keyed);
  }

  /** No socket for this datagram. */
  portUnreachable(now: Time, bytes: Uint8Array, packet: IpPacket): void {
    if (packet.family === 4) this.send(now, bytes, packet, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PORT, 0);
    else this.send(now, bytes, packet, Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.PORT, 0);
  }

  /** Nobody here speaks this protocol. */
  protocolUnreachable(now: Time, bytes: Uint8Array, packet: IpPacket): void {
    if (packet.family === 4) {
      this.send(now, bytes, packet, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PROTOCOL, 0);
    } else {
      this.problem(now, bytes, packet, ParameterProblem.UNRECOGNIZED_NEXT_HEADER, packet.nextHeaderOffset);
    }
  }

  /** The time for the rest of a datagram is up; `packet` describes its first fragment. */
  reassemblyTimeExceeded(now: Time, bytes: Uint8Array, packet: IpPacket): void {
    const type = packet.family === 4 ? IcmpType.TIME_EXCEEDED : Icmpv6Type.TIME_EXCEEDED;
    this.send(now, bytes, packet, type, IcmpTimeExceeded.REASSEMBLY, 0);
  }

  /** ICMPv6 parameter problem; `offset` is where in `bytes` the offending byte lies. */
  problem(now: Time, bytes: Uint8Array, packet: IpPacket, code: number, offset: number): void {
    this.send(now, bytes, packet, Icmpv6Type.PARAMETER_PROBLEM, code, offset - packet.headerOffset);
  }

  private send(now: Time, bytes: Uint8Array, about: IpPacket, type: number, code: number, rest: number): void {
    const { core, ipOutput, message } = this;
    if (!this.mayTell(bytes, about)) {
      core.counters.increment(Counter.IcmpOutNotAllowed);
      return;
    }
    const limited = about.family === 4 ? type : -1;
    const refusal = core.arriving.loopback
      ? 0
      : this.limiter.refuses(now, limited, about.s0, about.s1, about.s2, about.s3);
    if (refusal !== 0) {
      core.counters.increment(refusal);
      return;
    }
    const remote = about.source;
    const local = core.ownAddress(about.d0, about.d1, about.d2, about.d3) ?? core.arriving.sourceFor(remote);
    if (local === null) return;
    const { family } = about;
    const packet = ipOutput.prepare(local, remote, family === 4 ? Protocol.ICMP : Protocol.ICMPV6, core.arriving);
    if (family === 4) packet.trafficClass = INTERNETWORK_CONTROL;
    message.type = type;
    message.code = code;
    message.rest = rest;
    emitIcmp(message, ipOutput.buffer, PAYLOAD_AT);
    const room = MAX_LENGTH[family] - IP_HEADER_LENGTH[family] - ICMP_HEADER_LENGTH;
    const end = about.payloadOffset + about.payloadLength;
    const quoted = Math.min(end - about.headerOffset, room);
    ipOutput.buffer.set(
      bytes.subarray(about.headerOffset, about.headerOffset + quoted),
      PAYLOAD_AT + ICMP_HEADER_LENGTH,
    );
    core.counters.increment(Counter.IcmpOutMsgs);
    core.counters.increment(Counter.IcmpOutErrors);
    ipOutput.send(now, ICMP_HEADER_LENGTH + quoted);
  }

  private mayTell(bytes: Uint8Array, about: IpPacket): boolean {
    // IPv4's rule; RFC 4443 has none such, and RFC 8200 wants some errors about fragments.
    if (about.family === 4 && about.fragmentOffset > 0) return false;
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = about;
    if (isUnspecified(s0, s1, s2, s3) || isMulticast(s0, s1, s2, s3)) return false;
    if (isMulticast(d0, d1, d2, d3) || this.core.arriving.isBroadcast(d0, d1, d2, d3)) return false;
    if (!this.core.arriving.loopback && isLoopbackV4(s0, s1, s2, s3)) return false;
    if (this.core.arrivedByGroup) return false;
    const type = about.payloadLength > 0 ? bytes[about.payloadOffset] : 0;
    if (about.protocol === Protocol.ICMP) return !isIcmpError(type);
    return about.protocol !== Protocol.ICMPV6 || !isIcmpv6Error(type);
  }
}
