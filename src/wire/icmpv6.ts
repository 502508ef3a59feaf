/**
 * ICMPv6, RFC 4443: echo and errors, read and written by icmp.ts's parseIcmp and emitIcmp. Neighbour discovery has its
 * own messages, see neighbour-discovery.ts.
 */

import { IcmpMessage } from './icmp.ts';

export const Icmpv6Type = {
  DESTINATION_UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOUR_SOLICITATION: 135,
  NEIGHBOUR_ADVERTISEMENT: 136,
  REDIRECT: 137,
} as const;

/** Codes of destination unreachable, RFC 4443 section 3.1. Those of parameter problem: ParameterProblem. */
export const Icmpv6Unreachable = {
  NO_ROUTE: 0,
  PROHIBITED: 1,
  BEYOND_SCOPE: 2,
  ADDRESS: 3,
  PORT: 4,
  SOURCE_POLICY: 5,
  REJECT_ROUTE: 6,
} as const;

/** An ICMPv6 message: ICMP's layout, with other widths in the second four bytes. */
export class Icmpv6Message extends IcmpMessage {
  /** Packet too big: the MTU of the next hop, 0 … 4294967295. */
  override get mtu(): number {
    return this.rest >>> 0;
  }

  override set mtu(bytes: number) {
    this.rest = bytes | 0;
  }

  /** Parameter problem: which byte of the packet. */
  override get pointer(): number {
    return this.rest >>> 0;
  }

  override set pointer(offset: number) {
    this.rest = offset | 0;
  }
}

/** Whether messages of this type report errors, and so must never be answered by one (RFC 4443 section 2.4 (e)). */
export function isIcmpv6Error(type: number): boolean {
  return type < Icmpv6Type.ECHO_REQUEST;
}
