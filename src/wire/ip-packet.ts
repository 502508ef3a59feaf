/**
 * What the stack knows of an IP packet of either family: one class for what arrives and what leaves.
 */

import { IpAddress } from './address.ts';

/** IANA's protocol numbers, which IPv6 shares with its extension headers. */
export const Protocol = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  ESP: 50,
  AUTHENTICATION: 51,
  ICMPV6: 58,
  NO_NEXT_HEADER: 59,
  DESTINATION_OPTIONS: 60,
} as const;

/** The second word below 96 bits of an IPv4-mapped address. */
const MAPPED = 0xffff;

/**
 * The header of an IP packet, read or to be written. Mutable and meant to be reused; all fields are integers for life,
 * but for the flags. Offsets count from the start of the buffer that was parsed.
 */
export class IpPacket {
  family: 4 | 6 = 4;
  /** Source and destination, four int32 words each; IPv4 as ::ffff:a.b.c.d. */
  s0 = 0;
  s1 = 0;
  s2 = MAPPED;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = MAPPED;
  d3 = 0;
  /** What the payload is: behind all extension headers, for IPv6. */
  protocol = 0;
  /** TOS or traffic class, 0 … 255: DSCP in the upper six bits, ECN in the lower two. */
  trafficClass = 0;
  /** IPv6 only, 0 … 0xfffff. */
  flowLabel = 0;
  /** TTL or hop limit, 0 … 255. */
  hopLimit = 0;
  /** Identification: 16 bits for IPv4; for IPv6 32 bits (int32), of the fragment header, 0 without one. */
  id = 0;
  /** IPv4's DF bit; false for IPv6, where no router fragments. */
  dontFragment = false;
  moreFragments = false;
  /** In bytes. */
  fragmentOffset = 0;
  /** Whether this is a piece of a packet; an IPv6 "atomic" fragment is none (RFC 6946). */
  isFragment = false;
  /** LSRR or SSRR, or an IPv6 routing header with segments left: the packet would steer its own way. */
  sourceRoute = false;

  /** Where the IP header begins. */
  headerOffset = 0;
  /** Where it ends (all extension headers, for IPv6) and the upper-layer packet, or the fragment's piece, begins. */
  payloadOffset = 0;
  /** Without the link's padding. */
  payloadLength = 0;
  /** Where the field lies that names `protocol`: for ICMPv6 "unrecognized next header", which points there. */
  nextHeaderOffset = 0;
  /**
   * IPv6 fragments: where the fragment header lies, and the field that names it (a reassembled packet is what stands
   * before the first, with the second set to the fragment header's next header, and then the pieces). 0 if there is none.
   */
  fragmentHeaderOffset = 0;
  fragmentLinkOffset = 0;
  /**
   * After a drop that RFC 8200 answers with an ICMPv6 parameter problem: its code, and where the offending byte lies.
   * The code is -1 when nothing is to be sent.
   */
  problemCode = -1;
  problemOffset = 0;

  /** A new object each time: for set-up and tables, not for the way of every segment. */
  get source(): IpAddress {
    return new IpAddress(this.s0, this.s1, this.s2, this.s3);
  }

  get destination(): IpAddress {
    return new IpAddress(this.d0, this.d1, this.d2, this.d3);
  }

  setSource(address: IpAddress): void {
    this.s0 = address.w0;
    this.s1 = address.w1;
    this.s2 = address.w2;
    this.s3 = address.w3;
  }

  setDestination(address: IpAddress): void {
    this.d0 = address.w0;
    this.d1 = address.w1;
    this.d2 = address.w2;
    this.d3 = address.w3;
  }

  /** All fields back to their defaults. */
  reset(): void {
    this.family = 4;
    this.setSourceV4(0);
    this.setDestinationV4(0);
    this.protocol = 0;
    this.trafficClass = 0;
    this.flowLabel = 0;
    this.hopLimit = 0;
    this.clearFragment();
    this.sourceRoute = false;
    this.nextHeaderOffset = 0;
    this.begin(0);
  }

  /** The source from the 32 bits of an IPv4 address. */
  setSourceV4(bits: number): void {
    this.s0 = 0;
    this.s1 = 0;
    this.s2 = MAPPED;
    this.s3 = bits;
  }

  setDestinationV4(bits: number): void {
    this.d0 = 0;
    this.d1 = 0;
    this.d2 = MAPPED;
    this.d3 = bits;
  }

  /** Before a parse at `offset`: nothing found yet, no problem to tell of. */
  begin(offset: number): void {
    this.headerOffset = offset;
    this.payloadOffset = offset;
    this.payloadLength = 0;
    this.problemCode = -1;
    this.problemOffset = 0;
  }

  /** Not a fragment, identification 0. */
  clearFragment(): void {
    this.id = 0;
    this.dontFragment = false;
    this.moreFragments = false;
    this.fragmentOffset = 0;
    this.isFragment = false;
    this.fragmentHeaderOffset = 0;
    this.fragmentLinkOffset = 0;
  }
}
