/**
 * Writing neighbour discovery messages, RFC 4861 section 4.
 */

import { writeU16, writeU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { Icmpv6Type } from './icmpv6.ts';
import { copyMac } from './mac.ts';
import { NdOption, type NeighbourDiscovery, ndFixedLength, type PrefixInformation } from './neighbour-discovery.ts';

/** Bytes {@link emitNeighbourDiscovery} will write. */
export function neighbourDiscoveryLength(message: NeighbourDiscovery): number {
  const links = (message.hasSourceLink ? 8 : 0) + (message.hasTargetLink ? 8 : 0);
  return ndFixedLength(message.type) + links + (message.mtu === 0 ? 0 : 8) + 32 * message.prefixCount;
}

/**
 * Writes the message, ICMPv6 header and options, the checksum field 0 (then setTransportChecksum), and returns its
 * length. The IP header must have hop limit 255.
 * @throws EstabError EINVAL when `type` is none of the four, or there is no room for it.
 */
export function emitNeighbourDiscovery(message: NeighbourDiscovery, bytes: Uint8Array, offset: number): number {
  const fixed = ndFixedLength(message.type);
  if (fixed === 0) {
    throw new EstabError('EINVAL', `ICMPv6 type ${message.type} is no neighbour discovery; set one of 133 to 136`);
  }
  const length = neighbourDiscoveryLength(message);
  if (offset + length > bytes.length) {
    throw new EstabError('EINVAL', `a message of ${length} bytes does not fit in ${bytes.length - offset}`);
  }
  bytes.fill(0, offset, offset + length);
  bytes[offset] = message.type;
  if (message.type === Icmpv6Type.ROUTER_ADVERTISEMENT) writeRouterAdvertisement(message, bytes, offset);
  if (message.type === Icmpv6Type.NEIGHBOUR_ADVERTISEMENT) bytes[offset + 4] = neighbourFlags(message);
  if (message.type >= Icmpv6Type.NEIGHBOUR_SOLICITATION) writeTarget(message, bytes, offset + 8);
  let at = offset + fixed;
  if (message.hasSourceLink) at = writeLink(NdOption.SOURCE_LINK, message.sourceLink, bytes, at);
  if (message.hasTargetLink) at = writeLink(NdOption.TARGET_LINK, message.targetLink, bytes, at);
  if (message.mtu !== 0) at = writeMtu(message.mtu, bytes, at);
  for (let i = 0; i < message.prefixCount; i++) at = writePrefix(message.prefixes[i], bytes, at);
  return length;
}

function neighbourFlags(message: NeighbourDiscovery): number {
  return (message.router ? 0x80 : 0) | (message.solicited ? 0x40 : 0) | (message.override ? 0x20 : 0);
}

function writeRouterAdvertisement(message: NeighbourDiscovery, bytes: Uint8Array, at: number): void {
  bytes[at + 4] = message.hopLimit;
  bytes[at + 5] = (message.managed ? 0x80 : 0) | (message.otherConfiguration ? 0x40 : 0);
  writeU16(bytes, at + 6, message.routerLifetime);
  writeU32(bytes, at + 8, message.reachableTime);
  writeU32(bytes, at + 12, message.retransTimer);
}

function writeTarget(message: NeighbourDiscovery, bytes: Uint8Array, at: number): void {
  writeU32(bytes, at, message.t0);
  writeU32(bytes, at + 4, message.t1);
  writeU32(bytes, at + 8, message.t2);
  writeU32(bytes, at + 12, message.t3);
}

function writeLink(type: number, mac: Uint8Array, bytes: Uint8Array, at: number): number {
  bytes[at] = type;
  bytes[at + 1] = 1;
  copyMac(mac, 0, bytes, at + 2);
  return at + 8;
}

function writeMtu(mtu: number, bytes: Uint8Array, at: number): number {
  bytes[at] = NdOption.MTU;
  bytes[at + 1] = 1;
  writeU32(bytes, at + 4, mtu);
  return at + 8;
}

function writePrefix(prefix: PrefixInformation, bytes: Uint8Array, at: number): number {
  bytes[at] = NdOption.PREFIX;
  bytes[at + 1] = 4;
  bytes[at + 2] = prefix.length;
  bytes[at + 3] = (prefix.onLink ? 0x80 : 0) | (prefix.autonomous ? 0x40 : 0);
  writeU32(bytes, at + 4, prefix.validLifetime);
  writeU32(bytes, at + 8, prefix.preferredLifetime);
  writeU32(bytes, at + 16, prefix.w0);
  writeU32(bytes, at + 20, prefix.w1);
  writeU32(bytes, at + 24, prefix.w2);
  writeU32(bytes, at + 28, prefix.w3);
  return at + 32;
}
