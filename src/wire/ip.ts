/**
 * IP of either family: what the stack calls for each packet, and the checksums of what IP carries.
 */

import { readU16, writeU16 } from '../base/bytes.ts';
import { checksumOk, checksumSet, pseudoHeaderSum } from './checksum.ts';
import { WireDrop } from './drop.ts';
import { type IpPacket, Protocol } from './ip-packet.ts';
import { emitIpv4Header, parseIpv4 } from './ipv4.ts';
import { emitIpv6Header, parseIpv6 } from './ipv6.ts';

export { IpPacket, Protocol } from './ip-packet.ts';
export { emitIpv4Header } from './ipv4.ts';
export { emitIpv6Header } from './ipv6.ts';

/**
 * Reads the packet at the start of `length` bytes at `offset`, whichever family its first byte says; trims the link's
 * padding; checks IPv4's header checksum. Total: any bytes give 0 or a {@link WireDrop}.
 */
export function parseIp(bytes: Uint8Array, offset: number, length: number, into: IpPacket): WireDrop {
  into.begin(offset);
  if (length <= 0) return WireDrop.IP_TRUNCATED;
  switch (bytes[offset] >> 4) {
    case 4:
      return parseIpv4(bytes, offset, length, into);
    case 6:
      return parseIpv6(bytes, offset, length, into);
    default:
      return WireDrop.IP_VERSION;
  }
}

/** Writes the header of the packet's family, see {@link emitIpv4Header} and {@link emitIpv6Header}; returns its length. */
export function emitIpHeader(packet: IpPacket, bytes: Uint8Array, offset: number): number {
  return packet.family === 4 ? emitIpv4Header(packet, bytes, offset) : emitIpv6Header(packet, bytes, offset);
}

/** The pseudo header's sum for an upper-layer packet of `length` bytes between the packet's addresses. */
export function pseudoSum(packet: IpPacket, protocol: number, length: number): number {
  return pseudoHeaderSum(
    packet.family,
    packet.s0,
    packet.s1,
    packet.s2,
    packet.s3,
    packet.d0,
    packet.d1,
    packet.d2,
    packet.d3,
    protocol,
    length,
  );
}

/** What is summed beside the bytes: nothing for ICMP of IPv4, the pseudo header for TCP, UDP and ICMPv6. */
function outerSum(packet: IpPacket, length: number): number {
  return packet.protocol === Protocol.ICMP ? 0 : pseudoSum(packet, packet.protocol, length);
}

/**
 * Whether the TCP, UDP, ICMP or ICMPv6 checksum of `length` bytes at `offset`, carried by `packet`, is right. For UDP
 * `length` is its own length field's, and a field of 0 means "none": allowed by IPv4 (RFC 768), not by IPv6 (RFC 8200
 * section 8.1). For TCP 0 is a value like any other.
 */
export function transportChecksumOk(bytes: Uint8Array, offset: number, length: number, packet: IpPacket): boolean {
  if (packet.protocol === Protocol.UDP && readU16(bytes, offset + 6) === 0) return packet.family === 4;
  return checksumOk(outerSum(packet, length), bytes, offset, length);
}

/** Makes that checksum and writes it into its field; `length` covers header and text. */
export function setTransportChecksum(bytes: Uint8Array, offset: number, length: number, packet: IpPacket): void {
  const field = offset + checksumField(packet.protocol);
  checksumSet(outerSum(packet, length), bytes, offset, length, field);
  // 0 would say "no checksum": RFC 768 sends its other spelling.
  if (packet.protocol === Protocol.UDP && readU16(bytes, field) === 0) writeU16(bytes, field, 0xffff);
}

function checksumField(protocol: number): number {
  if (protocol === Protocol.TCP) return 16;
  return protocol === Protocol.UDP ? 6 : 2;
}
