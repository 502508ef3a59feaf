/**
 * Ethernet II frames (RFC 894, RFC 2464), with IEEE 802.1Q tags, stacked as in 802.1ad too.
 */

import { readU16, writeU16 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { WireDrop } from './drop.ts';
import { copyMac, MAC_LENGTH } from './mac.ts';

export const EtherType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** 802.1ad service tag, the outer one of "QinQ". */
  SERVICE_VLAN: 0x88a8,
  /** The outer tag before 802.1ad was written. */
  OLD_SERVICE_VLAN: 0x9100,
} as const;

/** The header without tags, in bytes. */
export const ETHERNET_HEADER_LENGTH = 14;

/** Tags we read at most; 802.1ad knows two. */
export const MAX_VLAN_TAGS = 4;

/** Below this the type field is a length, and an LLC header follows (IEEE 802.3). */
const FIRST_TYPE = 0x0600;

/** The header of a frame, read or to be written. Mutable and meant to be reused. */
export class EthernetFrame {
  readonly destination = new Uint8Array(MAC_LENGTH);
  readonly source = new Uint8Array(MAC_LENGTH);
  /** What the payload is; below 0x0600 an 802.3 length. */
  etherType = 0;
  /** Tags, outermost first: their type, and priority (3 bits), drop eligible (1), VLAN (12). */
  vlanCount = 0;
  readonly vlanTypes = new Uint16Array(MAX_VLAN_TAGS);
  readonly vlanTags = new Uint16Array(MAX_VLAN_TAGS);
  payloadOffset = 0;
  /** With the padding to 60 bytes, which only the payload's own length tells apart; without, for 802.3 lengths. */
  payloadLength = 0;

  /** The VLAN (1 … 4094) the innermost tag puts the frame in; 0 for none. */
  get vlan(): number {
    return this.vlanCount === 0 ? 0 : this.vlanTags[this.vlanCount - 1] & 0xfff;
  }
}

/** Reads the frame that fills `length` bytes at `offset`. Total: any bytes give 0 or a {@link WireDrop}. */
export function parseEthernet(bytes: Uint8Array, offset: number, length: number, into: EthernetFrame): WireDrop {
  into.payloadOffset = offset;
  into.payloadLength = 0;
  into.vlanCount = 0;
  if (length < ETHERNET_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) {
    return WireDrop.ETHERNET_TRUNCATED;
  }
  copyMac(bytes, offset, into.destination, 0);
  copyMac(bytes, offset + MAC_LENGTH, into.source, 0);
  const end = offset + length;
  let at = offset + 2 * MAC_LENGTH;
  let type = readU16(bytes, at);
  while (isVlan(type)) {
    if (at + 6 > end) return WireDrop.ETHERNET_TRUNCATED;
    if (into.vlanCount === MAX_VLAN_TAGS) return WireDrop.ETHERNET_TAGS;
    into.vlanTypes[into.vlanCount] = type;
    into.vlanTags[into.vlanCount] = readU16(bytes, at + 2);
    into.vlanCount++;
    at += 4;
    type = readU16(bytes, at);
  }
  into.etherType = type;
  into.payloadOffset = at + 2;
  into.payloadLength = end - into.payloadOffset;
  if (type < FIRST_TYPE && type < into.payloadLength) into.payloadLength = type;
  return WireDrop.NONE;
}

function isVlan(type: number): boolean {
  return type === EtherType.VLAN || type === EtherType.SERVICE_VLAN || type === EtherType.OLD_SERVICE_VLAN;
}

/** Bytes of header {@link emitEthernet} will write. */
export function ethernetHeaderLength(frame: EthernetFrame): number {
  return ETHERNET_HEADER_LENGTH + 4 * frame.vlanCount;
}

/**
 * Writes the header with its tags and returns its length.
 * @throws EstabError EINVAL when there is no room for it.
 */
export function emitEthernet(frame: EthernetFrame, bytes: Uint8Array, offset: number): number {
  const length = ethernetHeaderLength(frame);
  if (offset + length > bytes.length) {
    throw new EstabError('EINVAL', `an Ethernet header of ${length} bytes does not fit in ${bytes.length - offset}`);
  }
  copyMac(frame.destination, 0, bytes, offset);
  copyMac(frame.source, 0, bytes, offset + MAC_LENGTH);
  let at = offset + 2 * MAC_LENGTH;
  for (let i = 0; i < frame.vlanCount; i++) {
    writeU16(bytes, at, frame.vlanTypes[i]);
    writeU16(bytes, at + 2, frame.vlanTags[i]);
    at += 4;
  }
  writeU16(bytes, at, frame.etherType);
  return length;
}
