/**
 * IPv4, RFC 791: header, options, fragments. What a host must check on arrival is RFC 1122 section 3.2.1.
 */

import { readI32, readU16, writeU16, writeU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { checksumOk, checksumSet } from './checksum.ts';
import { WireDrop } from './drop.ts';
import type { IpPacket } from './ip-packet.ts';

/** The header without options, in bytes. */
export const IPV4_HEADER_LENGTH = 20;

/** The largest packet, header included. */
export const IP_MAX_LENGTH = 65535;

/** Option types, copy flag included. */
export const Ipv4Option = {
  END: 0,
  NOP: 1,
  RECORD_ROUTE: 7,
  TIMESTAMP: 68,
  SECURITY: 130,
  LOOSE_SOURCE_ROUTE: 131,
  STRICT_SOURCE_ROUTE: 137,
  ROUTER_ALERT: 148,
} as const;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const MAX_OPTIONS_LENGTH = 40;

/**
 * Reads the packet at the start of `length` bytes at `offset`; bytes behind the total length are the link's padding.
 * Total: any bytes give 0 or a {@link WireDrop}, and then `into` holds what could be read. Checks the header checksum.
 */
export function parseIpv4(bytes: Uint8Array, offset: number, length: number, into: IpPacket): WireDrop {
  into.begin(offset);
  if (length < IPV4_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.IP_TRUNCATED;
  if (bytes[offset] >> 4 !== 4) return WireDrop.IP_VERSION;
  const headerLength = readIpv4Fields(bytes, offset, into);
  if (headerLength < IPV4_HEADER_LENGTH || headerLength > length) return WireDrop.IP_HEADER_LENGTH;
  if (!checksumOk(0, bytes, offset, headerLength)) return WireDrop.IP_CHECKSUM;
  const totalLength = readU16(bytes, offset + 2);
  if (totalLength < headerLength || totalLength > length) return WireDrop.IP_TOTAL_LENGTH;
  if (headerLength > IPV4_HEADER_LENGTH) {
    into.sourceRoute = hasSourceRoute(bytes, offset + IPV4_HEADER_LENGTH, offset + headerLength);
  }
  into.payloadOffset = offset + headerLength;
  into.payloadLength = totalLength - headerLength;
  return into.isFragment ? checkFragment(into, headerLength) : WireDrop.NONE;
}

/**
 * Reads the fixed fields of 20 bytes that are there, checks none of them, and returns the header length in bytes. For
 * parse, and for the torn headers inside ICMP errors.
 */
export function readIpv4Fields(bytes: Uint8Array, offset: number, into: IpPacket): number {
  into.family = 4;
  into.setSourceV4(readI32(bytes, offset + 12));
  into.setDestinationV4(readI32(bytes, offset + 16));
  into.protocol = bytes[offset + 9];
  into.trafficClass = bytes[offset + 1];
  into.flowLabel = 0;
  into.hopLimit = bytes[offset + 8];
  into.id = readU16(bytes, offset + 4);
  const fragment = readU16(bytes, offset + 6);
  into.dontFragment = (fragment & DONT_FRAGMENT) !== 0;
  into.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
  into.fragmentOffset = (fragment & OFFSET_MASK) << 3;
  into.isFragment = (fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0;
  into.sourceRoute = false;
  into.nextHeaderOffset = offset + 9;
  into.fragmentHeaderOffset = 0;
  into.fragmentLinkOffset = 0;
  return (bytes[offset] & 15) << 2;
}

/** The whole packet ends by 65535 (the "ping of death" did not); all pieces but the last are multiples of 8, not empty. */
function checkFragment(packet: IpPacket, headerLength: number): WireDrop {
  if (headerLength + packet.fragmentOffset + packet.payloadLength > IP_MAX_LENGTH) return WireDrop.IP_FRAGMENT;
  if (packet.payloadLength === 0) return WireDrop.IP_FRAGMENT;
  return packet.moreFragments && (packet.payloadLength & 7) !== 0 ? WireDrop.IP_FRAGMENT : WireDrop.NONE;
}

/**
 * Whether a source route is among the options in [start, end). Unknown options are skipped by their length; a length
 * that cannot be ends the walk, the packet is still good (RFC 1122 section 3.2.1.8 asks to ignore what we don't use).
 */
function hasSourceRoute(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const type = bytes[at];
    if (type === Ipv4Option.LOOSE_SOURCE_ROUTE || type === Ipv4Option.STRICT_SOURCE_ROUTE) return true;
    if (type === Ipv4Option.END) return false;
    if (type === Ipv4Option.NOP) {
      at++;
      continue;
    }
    if (at + 1 >= end || bytes[at + 1] < 2) return false;
    at += bytes[at + 1];
  }
  return false;
}

/**
 * Writes the header of a packet that carries `packet.payloadLength` bytes, checksum included, and returns its length.
 * @param options copied in and padded with END to a multiple of 4; at most 40 bytes.
 * @throws EstabError EINVAL when the options or the room don't fit, EMSGSIZE when the packet passes 65535 bytes.
 */
export function emitIpv4Header(
  packet: IpPacket,
  bytes: Uint8Array,
  offset: number,
  options: Uint8Array | null = null,
): number {
  const headerLength = IPV4_HEADER_LENGTH + (options === null ? 0 : (options.length + 3) & ~3);
  const totalLength = headerLength + packet.payloadLength;
  if (headerLength > IPV4_HEADER_LENGTH + MAX_OPTIONS_LENGTH || offset + headerLength > bytes.length) {
    throw new EstabError(
      'EINVAL',
      `an IPv4 header of ${headerLength} bytes does not fit: 60 at most, ${bytes.length - offset} given`,
    );
  }
  if (totalLength > IP_MAX_LENGTH) {
    throw new EstabError('EMSGSIZE', `${totalLength} bytes are no IPv4 packet; send 65535 at most`);
  }
  bytes[offset] = 0x40 | (headerLength >> 2);
  bytes[offset + 1] = packet.trafficClass;
  writeU16(bytes, offset + 2, totalLength);
  writeU16(bytes, offset + 4, packet.id);
  const flags = (packet.dontFragment ? DONT_FRAGMENT : 0) | (packet.moreFragments ? MORE_FRAGMENTS : 0);
  writeU16(bytes, offset + 6, flags | (packet.fragmentOffset >> 3));
  bytes[offset + 8] = packet.hopLimit;
  bytes[offset + 9] = packet.protocol;
  writeU32(bytes, offset + 12, packet.s3);
  writeU32(bytes, offset + 16, packet.d3);
  if (options !== null) {
    bytes.set(options, offset + IPV4_HEADER_LENGTH);
    bytes.fill(Ipv4Option.END, offset + IPV4_HEADER_LENGTH + options.length, offset + headerLength);
  }
  checksumSet(0, bytes, offset, headerLength, offset + 10);
  return headerLength;
}
