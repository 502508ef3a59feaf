/**
 * IPv6 extension headers, RFC 8200 section 4: hop-by-hop and destination options, routing, fragment; the authentication
 * header (RFC 4302) is stepped over unverified; ESP and "no next header" end the walk.
 */

import { readI32, readU16 } from '../base/bytes.ts';
import { WireDrop } from './drop.ts';
import { type IpPacket, Protocol } from './ip-packet.ts';

/** ICMPv6 parameter problem codes, RFC 4443 section 3.4. */
export const ParameterProblem = {
  ERRONEOUS_FIELD: 0,
  UNRECOGNIZED_NEXT_HEADER: 1,
  UNRECOGNIZED_OPTION: 2,
} as const;

/** Nobody sends more; a longer chain is made to keep us busy (RFC 8504 section 5.3 lets a host set such a limit). */
const MAX_HEADERS = 8;

const PAD1 = 0;
const IP_MAX_PAYLOAD = 65535;
const MULTICAST = 0xff;

/**
 * Walks from `packet.protocol` at `packet.payloadOffset`, both freshly read from the fixed header, and moves
 * `protocol`, `nextHeaderOffset`, `payloadOffset` and `payloadLength` along, header by header.
 */
export function walkExtensions(bytes: Uint8Array, packet: IpPacket): WireDrop {
  for (let count = 0; ; count++) {
    const protocol = packet.protocol;
    if (!isExtension(protocol)) return WireDrop.NONE;
    // A fragment's piece begins with some header, but only the whole packet's is worth walking on.
    if (packet.isFragment) return WireDrop.NONE;
    if (count === MAX_HEADERS) return WireDrop.IP_EXTENSION_LIMIT;
    // Only right behind the fixed header, RFC 8200 section 4.1: elsewhere it is no known next header.
    if (protocol === Protocol.HOP_BY_HOP && count > 0) {
      return problem(packet, WireDrop.IP_EXTENSION, ParameterProblem.UNRECOGNIZED_NEXT_HEADER, packet.nextHeaderOffset);
    }
    const drop = stepOver(bytes, packet, protocol);
    if (drop !== WireDrop.NONE) return drop;
  }
}

function isExtension(protocol: number): boolean {
  return (
    protocol === Protocol.HOP_BY_HOP ||
    protocol === Protocol.ROUTING ||
    protocol === Protocol.FRAGMENT ||
    protocol === Protocol.AUTHENTICATION ||
    protocol === Protocol.DESTINATION_OPTIONS
  );
}

/** Looks into the header at `payloadOffset`, then moves the packet's view behind it. */
function stepOver(bytes: Uint8Array, packet: IpPacket, protocol: number): WireDrop {
  const at = packet.payloadOffset;
  if (packet.payloadLength < 8) return WireDrop.IP_EXTENSION;
  const length = extensionLength(protocol, bytes[at + 1]);
  if (length > packet.payloadLength) return WireDrop.IP_EXTENSION;
  let drop: WireDrop = WireDrop.NONE;
  if (protocol === Protocol.FRAGMENT) drop = readFragment(bytes, packet, at);
  else if (protocol === Protocol.ROUTING) drop = checkRouting(bytes, packet, at);
  else if (protocol !== Protocol.AUTHENTICATION) drop = checkOptions(bytes, packet, at + 2, at + length);
  if (drop !== WireDrop.NONE) return drop;
  packet.protocol = bytes[at];
  packet.nextHeaderOffset = at;
  packet.payloadOffset = at + length;
  packet.payloadLength -= length;
  return WireDrop.NONE;
}

/** The authentication header counts in fours and less two, the fragment header has no length, the others count in eights. */
function extensionLength(protocol: number, field: number): number {
  if (protocol === Protocol.FRAGMENT) return 8;
  return protocol === Protocol.AUTHENTICATION ? (field + 2) << 2 : (field + 1) << 3;
}

/** RFC 8200 section 4.5. */
function readFragment(bytes: Uint8Array, packet: IpPacket, at: number): WireDrop {
  const field = readU16(bytes, at + 2);
  packet.id = readI32(bytes, at + 4);
  packet.fragmentOffset = field & 0xfff8;
  packet.moreFragments = (field & 1) !== 0;
  packet.fragmentLinkOffset = packet.nextHeaderOffset;
  packet.fragmentHeaderOffset = at;
  // An atomic fragment is a whole packet, and goes on being read as one: RFC 8200 section 4.5, RFC 6946.
  if (packet.fragmentOffset === 0 && !packet.moreFragments) return WireDrop.NONE;
  packet.isFragment = true;
  const piece = packet.payloadLength - 8;
  if (packet.moreFragments && (piece & 7) !== 0) {
    return problem(packet, WireDrop.IP_FRAGMENT, ParameterProblem.ERRONEOUS_FIELD, packet.headerOffset + 4);
  }
  // The whole packet's payload length: what stands before the fragment header, and everything up to this piece's end.
  const before = at - (packet.headerOffset + 40);
  if (before + packet.fragmentOffset + piece > IP_MAX_PAYLOAD) {
    return problem(packet, WireDrop.IP_FRAGMENT, ParameterProblem.ERRONEOUS_FIELD, at + 2);
  }
  return piece === 0 ? WireDrop.IP_FRAGMENT : WireDrop.NONE;
}

/**
 * We know no routing type, so RFC 8200 section 4.4: skip one with no segments left, refuse the others. Type 0 is
 * treated just so, by RFC 5095.
 */
function checkRouting(bytes: Uint8Array, packet: IpPacket, at: number): WireDrop {
  if (bytes[at + 3] === 0) return WireDrop.NONE;
  packet.sourceRoute = true;
  return problem(packet, WireDrop.IP_ROUTING, ParameterProblem.ERRONEOUS_FIELD, at + 2);
}

/**
 * The options of a hop-by-hop or destination options header, RFC 8200 section 4.2. Only padding is known; the two upper
 * bits of other types say what to do: 00 skip, 01 discard, 10 discard and tell, 11 tell unless sent to a multicast group.
 * At most as many steps as bytes.
 */
function checkOptions(bytes: Uint8Array, packet: IpPacket, start: number, end: number): WireDrop {
  let at = start;
  while (at < end) {
    const type = bytes[at];
    if (type === PAD1) {
      at++;
      continue;
    }
    if (at + 1 >= end || at + 2 + bytes[at + 1] > end) return WireDrop.IP_EXTENSION;
    const action = type >> 6;
    if (action === 1) return WireDrop.IP_OPTION_UNKNOWN;
    if (action === 2 || (action === 3 && packet.d0 >>> 24 !== MULTICAST)) {
      return problem(packet, WireDrop.IP_OPTION_UNKNOWN, ParameterProblem.UNRECOGNIZED_OPTION, at);
    }
    if (action === 3) return WireDrop.IP_OPTION_UNKNOWN;
    at += 2 + bytes[at + 1];
  }
  return WireDrop.NONE;
}

function problem(packet: IpPacket, drop: WireDrop, code: number, offset: number): WireDrop {
  packet.problemCode = code;
  packet.problemOffset = offset;
  return drop;
}
