/**
 * The packet inside an ICMP or ICMPv6 error: which of our own packets the error is about (RFC 792, RFC 4443 section 2.4
 * (c), RFC 5927). It is torn, may be changed on its way, and may be forged: lengths and checksums are not believed, and
 * what is missing stays unknown.
 */

import { readI32, readU16 } from '../base/bytes.ts';
import { type Seq, seq } from '../base/seq.ts';
import { WireDrop } from './drop.ts';
import { IpPacket, Protocol } from './ip-packet.ts';
import { IPV4_HEADER_LENGTH, readIpv4Fields } from './ipv4.ts';
import { IPV6_HEADER_LENGTH, readIpv6Fields } from './ipv6.ts';
import { walkExtensions } from './ipv6-extensions.ts';

/** What an error tells of the packet that caused it. Mutable and meant to be reused. */
export class EmbeddedPacket {
  /** Its IP header: source is us. `payloadLength` is what the error holds of the payload, not what was sent. */
  readonly ip = new IpPacket();
  /** The total length its header claims, for guessing an MTU that an old router left out (RFC 1191 section 5). */
  claimedLength = 0;
  /** TCP and UDP ports, or the identifier and sequence of an echo; -1 when not there (a later fragment, or torn). */
  sourcePort = -1;
  destinationPort = -1;
  /** TCP's sequence number, when `hasSeq`. */
  hasSeq = false;
  seq: Seq = seq(0);
}

/** Reads the body of an error: `length` bytes at `offset`. Total on any bytes. */
export function parseEmbedded(bytes: Uint8Array, offset: number, length: number, into: EmbeddedPacket): WireDrop {
  into.sourcePort = -1;
  into.destinationPort = -1;
  into.hasSeq = false;
  into.seq = seq(0);
  into.claimedLength = 0;
  const drop = parseEmbeddedIp(bytes, offset, length, into);
  if (drop !== WireDrop.NONE || into.ip.fragmentOffset !== 0) return drop;
  parseEmbeddedPorts(bytes, into);
  return WireDrop.NONE;
}

function parseEmbeddedIp(bytes: Uint8Array, offset: number, length: number, into: EmbeddedPacket): WireDrop {
  const packet = into.ip;
  packet.begin(offset);
  if (length < IPV4_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.ICMP_TRUNCATED;
  const version = bytes[offset] >> 4;
  if (version === 4) {
    const headerLength = readIpv4Fields(bytes, offset, packet);
    if (headerLength < IPV4_HEADER_LENGTH) return WireDrop.IP_HEADER_LENGTH;
    into.claimedLength = readU16(bytes, offset + 2);
    packet.payloadOffset = offset + headerLength;
    packet.payloadLength = length - headerLength;
    return packet.payloadLength < 0 ? WireDrop.ICMP_TRUNCATED : WireDrop.NONE;
  }
  if (version !== 6) return WireDrop.IP_VERSION;
  if (length < IPV6_HEADER_LENGTH) return WireDrop.ICMP_TRUNCATED;
  readIpv6Fields(bytes, offset, packet);
  into.claimedLength = IPV6_HEADER_LENGTH + readU16(bytes, offset + 4);
  packet.payloadOffset = offset + IPV6_HEADER_LENGTH;
  packet.payloadLength = length - IPV6_HEADER_LENGTH;
  return walkExtensions(bytes, packet);
}

/** All of TCP, UDP and echo keep what tells connections apart in the first eight bytes, which every error holds. */
function parseEmbeddedPorts(bytes: Uint8Array, into: EmbeddedPacket): void {
  const at = into.ip.payloadOffset;
  const protocol = into.ip.protocol;
  const echo = protocol === Protocol.ICMP || protocol === Protocol.ICMPV6;
  if (!echo && protocol !== Protocol.TCP && protocol !== Protocol.UDP) return;
  if (into.ip.payloadLength < 8) return;
  into.sourcePort = readU16(bytes, echo ? at + 4 : at);
  into.destinationPort = readU16(bytes, echo ? at + 6 : at + 2);
  if (protocol !== Protocol.TCP) return;
  into.hasSeq = true;
  into.seq = seq(readI32(bytes, at + 4));
}
