/**
 * Neighbour discovery, RFC 4861: solicitations and advertisements of routers and neighbours, with the options a host
 * needs. The checks that the RFC puts before anything else are part of the parse. Redirects are not read: a host may
 * ignore them, and a forged one is a way to steal its traffic.
 */

import { readI32, readU16, readU32 } from '../base/bytes.ts';
import { IpAddress } from './address.ts';
import { WireDrop } from './drop.ts';
import { Icmpv6Type } from './icmpv6.ts';
import type { IpPacket } from './ip-packet.ts';
import { copyMac, MAC_LENGTH } from './mac.ts';

/** ff02::1 */
export const ALL_NODES: IpAddress = new IpAddress(0xff02_0000, 0, 0, 1);
/** ff02::2 */
export const ALL_ROUTERS: IpAddress = new IpAddress(0xff02_0000, 0, 0, 2);

/** Where a neighbour solicitation for `address` is sent: ff02::1:ff and its low 24 bits (RFC 4291 section 2.7.1). */
export function solicitedNode(address: IpAddress): IpAddress {
  return new IpAddress(0xff02_0000, 0, 1, 0xff00_0000 | (address.w3 & 0xff_ffff));
}

/** The hop limit of every such message: a router in between would have made it less (RFC 4861 section 3.1). */
export const ND_HOP_LIMIT = 255;

/** Prefixes read from one advertisement; further ones are ignored. */
export const MAX_PREFIXES = 8;

/** Option types. */
export const NdOption = { SOURCE_LINK: 1, TARGET_LINK: 2, PREFIX: 3, MTU: 5 } as const;
const LINK_OPTION_LENGTH = 8;
const PREFIX_OPTION_LENGTH = 32;
const MTU_OPTION_LENGTH = 8;
const NEIGHBOUR_LENGTH = 24;
const ROUTER_SOLICITATION_LENGTH = 8;
const ROUTER_ADVERTISEMENT_LENGTH = 16;
const UNICAST_LINK_LOCAL = 0x3fa; // fe80::/10

/** The prefix information option, RFC 4861 section 4.6.2. Lifetimes in seconds, 0xffffffff for ever. */
export class PrefixInformation {
  length = 0;
  onLink = false;
  autonomous = false;
  validLifetime = 0;
  preferredLifetime = 0;
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;

  get prefix(): IpAddress {
    return new IpAddress(this.w0, this.w1, this.w2, this.w3);
  }
}

/** One of the four messages, read or to be written; `type` says which fields count. Mutable and meant to be reused. */
export class NeighbourDiscovery {
  /** {@link Icmpv6Type} ROUTER_SOLICITATION … NEIGHBOUR_ADVERTISEMENT */
  type = 0;

  /** Neighbour messages: whose link-layer address is wanted or told. */
  t0 = 0;
  t1 = 0;
  t2 = 0;
  t3 = 0;
  /** Neighbour advertisement: flags R, S, O. */
  router = false;
  solicited = false;
  override = false;

  /** Router advertisement: hop limit to use (0: not said), flags M and O, then times: 0 means not said, for the last two. */
  hopLimit = 0;
  managed = false;
  otherConfiguration = false;
  /** Seconds; 0: no default router. */
  routerLifetime = 0;
  /** Milliseconds. */
  reachableTime = 0;
  retransTimer = 0;

  /** Options. MACs count only with their flag; an MTU of 0 is absent. */
  hasSourceLink = false;
  readonly sourceLink = new Uint8Array(MAC_LENGTH);
  hasTargetLink = false;
  readonly targetLink = new Uint8Array(MAC_LENGTH);
  mtu = 0;
  prefixCount = 0;
  readonly prefixes: readonly PrefixInformation[] = Array.from({ length: MAX_PREFIXES }, () => new PrefixInformation());

  get target(): IpAddress {
    return new IpAddress(this.t0, this.t1, this.t2, this.t3);
  }

  setTarget(address: IpAddress): void {
    this.t0 = address.w0;
    this.t1 = address.w1;
    this.t2 = address.w2;
    this.t3 = address.w3;
  }

  /** All fields back to their defaults. */
  reset(): void {
    this.type = 0;
    this.t0 = 0;
    this.t1 = 0;
    this.t2 = 0;
    this.t3 = 0;
    this.router = false;
    this.solicited = false;
    this.override = false;
    this.hopLimit = 0;
    this.managed = false;
    this.otherConfiguration = false;
    this.routerLifetime = 0;
    this.reachableTime = 0;
    this.retransTimer = 0;
    this.hasSourceLink = false;
    this.hasTargetLink = false;
    this.mtu = 0;
    this.prefixCount = 0;
  }
}

/**
 * Reads the message that is the payload of `packet`, and applies RFC 4861 sections 6.1 and 7.1: what they say to
 * discard is ND_INVALID, and so are other ICMPv6 types. Total on any bytes; the checksum is not looked at.
 */
export function parseNeighbourDiscovery(bytes: Uint8Array, packet: IpPacket, into: NeighbourDiscovery): WireDrop {
  into.reset();
  const at = packet.payloadOffset;
  const end = at + packet.payloadLength;
  if (packet.payloadLength < ROUTER_SOLICITATION_LENGTH || at < 0 || end > bytes.length) return WireDrop.ICMP_TRUNCATED;
  into.type = bytes[at];
  if (packet.hopLimit !== ND_HOP_LIMIT || bytes[at + 1] !== 0) return WireDrop.ND_INVALID;
  const fixed = ndFixedLength(into.type);
  if (fixed === 0 || packet.payloadLength < fixed) return WireDrop.ND_INVALID;
  if (!readOptions(bytes, at + fixed, end, into)) return WireDrop.ND_INVALID;
  return readFixed(bytes, at, packet, into) ? WireDrop.NONE : WireDrop.ND_INVALID;
}

/** Bytes before the options, ICMPv6's first four among them; 0 for other types. */
export function ndFixedLength(type: number): number {
  switch (type) {
    case Icmpv6Type.ROUTER_SOLICITATION:
      return ROUTER_SOLICITATION_LENGTH;
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      return ROUTER_ADVERTISEMENT_LENGTH;
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
    case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
      return NEIGHBOUR_LENGTH;
    default:
      return 0;
  }
}

/** Reads what stands before the options; false when the message is to be discarded. */
function readFixed(bytes: Uint8Array, at: number, packet: IpPacket, into: NeighbourDiscovery): boolean {
  const unspecified = (packet.s0 | packet.s1 | packet.s2 | packet.s3) === 0;
  switch (into.type) {
    case Icmpv6Type.ROUTER_SOLICITATION:
      return !(unspecified && into.hasSourceLink);
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      into.hopLimit = bytes[at + 4];
      into.managed = (bytes[at + 5] & 0x80) !== 0;
      into.otherConfiguration = (bytes[at + 5] & 0x40) !== 0;
      into.routerLifetime = readU16(bytes, at + 6);
      into.reachableTime = readU32(bytes, at + 8);
      into.retransTimer = readU32(bytes, at + 12);
      return packet.s0 >>> 22 === UNICAST_LINK_LOCAL;
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
      readTarget(bytes, at + 8, into);
      if (isMulticast(into.t0)) return false;
      return !unspecified || (!into.hasSourceLink && isSolicitedNode(packet));
    default:
      into.router = (bytes[at + 4] & 0x80) !== 0;
      into.solicited = (bytes[at + 4] & 0x40) !== 0;
      into.override = (bytes[at + 4] & 0x20) !== 0;
      readTarget(bytes, at + 8, into);
      return !isMulticast(into.t0) && !(into.solicited && isMulticast(packet.d0));
  }
}

function readTarget(bytes: Uint8Array, at: number, into: NeighbourDiscovery): void {
  into.t0 = readI32(bytes, at);
  into.t1 = readI32(bytes, at + 4);
  into.t2 = readI32(bytes, at + 8);
  into.t3 = readI32(bytes, at + 12);
}

function isMulticast(word0: number): boolean {
  return word0 >>> 24 === 0xff;
}

function isSolicitedNode(packet: IpPacket): boolean {
  return packet.d0 === ALL_NODES.w0 && packet.d1 === 0 && packet.d2 === 1 && packet.d3 >>> 24 === 0xff;
}

/** False when an option is cut or has length 0, for which the whole message is discarded. At most length / 8 steps. */
function readOptions(bytes: Uint8Array, start: number, end: number, into: NeighbourDiscovery): boolean {
  let at = start;
  while (at < end) {
    if (at + 8 > end) return false;
    const length = bytes[at + 1] << 3;
    if (length === 0 || at + length > end) return false;
    readOption(bytes, at, length, into);
    at += length;
  }
  return true;
}

/** Known options of another length than ours, and unknown ones, are ignored. */
function readOption(bytes: Uint8Array, at: number, length: number, into: NeighbourDiscovery): void {
  switch (bytes[at]) {
    case NdOption.SOURCE_LINK:
      if (length !== LINK_OPTION_LENGTH) return;
      into.hasSourceLink = true;
      copyMac(bytes, at + 2, into.sourceLink, 0);
      return;
    case NdOption.TARGET_LINK:
      if (length !== LINK_OPTION_LENGTH) return;
      into.hasTargetLink = true;
      copyMac(bytes, at + 2, into.targetLink, 0);
      return;
    case NdOption.MTU:
      if (length === MTU_OPTION_LENGTH) into.mtu = readU32(bytes, at + 4);
      return;
    case NdOption.PREFIX:
      if (length !== PREFIX_OPTION_LENGTH || into.prefixCount === MAX_PREFIXES) return;
      readPrefix(bytes, at, into.prefixes[into.prefixCount++]);
      return;
  }
}

function readPrefix(bytes: Uint8Array, at: number, into: PrefixInformation): void {
  into.length = bytes[at + 2];
  into.onLink = (bytes[at + 3] & 0x80) !== 0;
  into.autonomous = (bytes[at + 3] & 0x40) !== 0;
  into.validLifetime = readU32(bytes, at + 4);
  into.preferredLifetime = readU32(bytes, at + 8);
  into.w0 = readI32(bytes, at + 16);
  into.w1 = readI32(bytes, at + 20);
  into.w2 = readI32(bytes, at + 24);
  into.w3 = readI32(bytes, at + 28);
}
