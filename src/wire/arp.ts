/**
 * ARP for Ethernet and IPv4, RFC 826.
 */

import { readI32, readU16, writeU16, writeU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { WireDrop } from './drop.ts';
import { EtherType } from './ethernet.ts';
import { copyMac, MAC_LENGTH } from './mac.ts';

export const ArpOperation = { REQUEST: 1, REPLY: 2 } as const;

/** An ARP packet, in bytes. */
export const ARP_LENGTH = 28;

const HARDWARE_ETHERNET = 1;
const IPV4_LENGTH = 4;

/** An ARP packet, read or to be written. Mutable and meant to be reused. */
export class ArpPacket {
  /** {@link ArpOperation}, or another 16-bit number, which the receiver ignores. */
  operation = 0;
  readonly senderMac = new Uint8Array(MAC_LENGTH);
  /** IPv4 addresses as int32. */
  senderAddress = 0;
  readonly targetMac = new Uint8Array(MAC_LENGTH);
  targetAddress = 0;
}

/** Reads the packet at the start of `length` bytes at `offset`; Ethernet's padding may follow. Total on any bytes. */
export function parseArp(bytes: Uint8Array, offset: number, length: number, into: ArpPacket): WireDrop {
  if (length < ARP_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.ARP_TRUNCATED;
  if (
    readU16(bytes, offset) !== HARDWARE_ETHERNET ||
    readU16(bytes, offset + 2) !== EtherType.IPV4 ||
    bytes[offset + 4] !== MAC_LENGTH ||
    bytes[offset + 5] !== IPV4_LENGTH
  ) {
    return WireDrop.ARP_FORMAT;
  }
  into.operation = readU16(bytes, offset + 6);
  copyMac(bytes, offset + 8, into.senderMac, 0);
  into.senderAddress = readI32(bytes, offset + 14);
  copyMac(bytes, offset + 18, into.targetMac, 0);
  into.targetAddress = readI32(bytes, offset + 24);
  return WireDrop.NONE;
}

/**
 * Writes the packet and returns its length, {@link ARP_LENGTH}.
 * @throws EstabError EINVAL when there is no room for it.
 */
export function emitArp(packet: ArpPacket, bytes: Uint8Array, offset: number): number {
  if (offset + ARP_LENGTH > bytes.length) {
    throw new EstabError(
      'EINVAL',
      `an ARP packet does not fit in ${bytes.length - offset} bytes; give it ${ARP_LENGTH}`,
    );
  }
  writeU16(bytes, offset, HARDWARE_ETHERNET);
  writeU16(bytes, offset + 2, EtherType.IPV4);
  bytes[offset + 4] = MAC_LENGTH;
  bytes[offset + 5] = IPV4_LENGTH;
  writeU16(bytes, offset + 6, packet.operation);
  copyMac(packet.senderMac, 0, bytes, offset + 8);
  writeU32(bytes, offset + 14, packet.senderAddress);
  copyMac(packet.targetMac, 0, bytes, offset + 18);
  writeU32(bytes, offset + 24, packet.targetAddress);
  return ARP_LENGTH;
}
