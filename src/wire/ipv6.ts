/**
 * IPv6, RFC 8200: the fixed header, and a bounded walk along the extension headers to the upper-layer packet.
 * The walk itself stands in ipv6-extensions.ts.
 */

import { readI32, readU16, writeU16, writeU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { WireDrop } from './drop.ts';
import { type IpPacket, Protocol } from './ip-packet.ts';
import { walkExtensions } from './ipv6-extensions.ts';

/** The fixed header, in bytes. */
export const IPV6_HEADER_LENGTH = 40;
export const IPV6_FRAGMENT_HEADER_LENGTH = 8;

/** The largest payload without the jumbo option, which we don't take (RFC 2675). */
const MAX_PAYLOAD = 65535;

/**
 * Reads the packet at the start of `length` bytes at `offset`; bytes behind the payload length are the link's padding.
 * Total: any bytes give 0 or a {@link WireDrop}, and then `into` holds what could be read.
 */
export function parseIpv6(bytes: Uint8Array, offset: number, length: number, into: IpPacket): WireDrop {
  into.begin(offset);
  if (length < IPV6_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.IP_TRUNCATED;
  if (bytes[offset] >> 4 !== 6) return WireDrop.IP_VERSION;
  readIpv6Fields(bytes, offset, into);
  if (isMapped(into.s0, into.s1, into.s2) || isMapped(into.d0, into.d1, into.d2)) return WireDrop.IP_MAPPED_ADDRESS;
  const payloadLength = readU16(bytes, offset + 4);
  if (payloadLength > length - IPV6_HEADER_LENGTH) return WireDrop.IP_TOTAL_LENGTH;
  into.payloadOffset = offset + IPV6_HEADER_LENGTH;
  into.payloadLength = payloadLength;
  switch (into.protocol) {
    case Protocol.HOP_BY_HOP:
    case Protocol.ROUTING:
    case Protocol.FRAGMENT:
    case Protocol.AUTHENTICATION:
    case Protocol.DESTINATION_OPTIONS:
      return walkExtensions(bytes, into);
    default:
      return WireDrop.NONE;
  }
}

/** In our tables ::ffff:a.b.c.d is the IPv4 address: on the wire it would let an IPv6 packet into an IPv4 connection. */
function isMapped(w0: number, w1: number, w2: number): boolean {
  return w2 === 0xffff && (w0 | w1) === 0;
}

/** Reads the fixed fields of 40 bytes that are there, without a check: for parse, and for the headers in ICMPv6 errors. */
export function readIpv6Fields(bytes: Uint8Array, offset: number, into: IpPacket): void {
  const first = readI32(bytes, offset);
  into.family = 6;
  into.trafficClass = (first >>> 20) & 255;
  into.flowLabel = first & 0xf_ffff;
  into.protocol = bytes[offset + 6];
  into.nextHeaderOffset = offset + 6;
  into.hopLimit = bytes[offset + 7];
  into.s0 = readI32(bytes, offset + 8);
  into.s1 = readI32(bytes, offset + 12);
  into.s2 = readI32(bytes, offset + 16);
  into.s3 = readI32(bytes, offset + 20);
  into.d0 = readI32(bytes, offset + 24);
  into.d1 = readI32(bytes, offset + 28);
  into.d2 = readI32(bytes, offset + 32);
  into.d3 = readI32(bytes, offset + 36);
  into.clearFragment();
  into.sourceRoute = false;
}

/**
 * Writes the header of a packet that carries `packet.payloadLength` bytes, with a fragment header behind it when
 * `packet.isFragment`, and returns the length of both.
 * @throws EstabError EINVAL when there is no room for it, EMSGSIZE when the payload passes 65535 bytes.
 */
export function emitIpv6Header(packet: IpPacket, bytes: Uint8Array, offset: number): number {
  const extra = packet.isFragment ? IPV6_FRAGMENT_HEADER_LENGTH : 0;
  const payloadLength = packet.payloadLength + extra;
  if (offset + IPV6_HEADER_LENGTH + extra > bytes.length) {
    throw new EstabError(
      'EINVAL',
      `an IPv6 header of ${IPV6_HEADER_LENGTH + extra} bytes does not fit in ${bytes.length - offset}`,
    );
  }
  if (payloadLength > MAX_PAYLOAD) {
    throw new EstabError('EMSGSIZE', `${payloadLength} bytes are no IPv6 payload; send 65535 at most`);
  }
  writeU32(bytes, offset, 0x6000_0000 | ((packet.trafficClass & 255) << 20) | (packet.flowLabel & 0xf_ffff));
  writeU16(bytes, offset + 4, payloadLength);
  bytes[offset + 6] = packet.isFragment ? Protocol.FRAGMENT : packet.protocol;
  bytes[offset + 7] = packet.hopLimit;
  writeU32(bytes, offset + 8, packet.s0);
  writeU32(bytes, offset + 12, packet.s1);
  writeU32(bytes, offset + 16, packet.s2);
  writeU32(bytes, offset + 20, packet.s3);
  writeU32(bytes, offset + 24, packet.d0);
  writeU32(bytes, offset + 28, packet.d1);
  writeU32(bytes, offset + 32, packet.d2);
  writeU32(bytes, offset + 36, packet.d3);
  if (packet.isFragment) writeFragmentHeader(packet, bytes, offset + IPV6_HEADER_LENGTH);
  return IPV6_HEADER_LENGTH + extra;
}

function writeFragmentHeader(packet: IpPacket, bytes: Uint8Array, at: number): void {
  bytes[at] = packet.protocol;
  bytes[at + 1] = 0;
  // The offset counts in units of 8 and stands 3 bits up, which is the byte offset itself.
  writeU16(bytes, at + 2, (packet.fragmentOffset & 0xfff8) | (packet.moreFragments ? 1 : 0));
  writeU32(bytes, at + 4, packet.id);
}
