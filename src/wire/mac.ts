/**
 * 48-bit link-layer addresses (EUI-48), as six bytes somewhere in a Uint8Array.
 */

import { EstabError } from '../base/errors.ts';

export const MAC_LENGTH = 6;

/** ff:ff:ff:ff:ff:ff; not to be written to. */
export const MAC_BROADCAST: Uint8Array = new Uint8Array(MAC_LENGTH).fill(0xff);

/**
 * Reads `02:00:00:00:00:01`, or the same with dashes.
 * @throws EstabError EINVAL when the text is no address.
 */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new EstabError('EINVAL', `"${text}" is not a link-layer address; write 02:00:00:00:00:01`);
  }
  return Uint8Array.from(text.split(/[:-]/), (octet) => Number.parseInt(octet, 16));
}

/** Six octets in lower-case hexadecimal with colons. */
export function formatMac(bytes: Uint8Array, offset = 0): string {
  const octets: string[] = [];
  for (let i = 0; i < MAC_LENGTH; i++) octets.push(bytes[offset + i].toString(16).padStart(2, '0'));
  return octets.join(':');
}

export function macEquals(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  for (let i = 0; i < MAC_LENGTH; i++) if (a[aOffset + i] !== b[bOffset + i]) return false;
  return true;
}

export function copyMac(from: Uint8Array, fromOffset: number, to: Uint8Array, toOffset: number): void {
  for (let i = 0; i < MAC_LENGTH; i++) to[toOffset + i] = from[fromOffset + i];
}

/** The group bit: multicast, or broadcast. */
export function isGroupMac(bytes: Uint8Array, offset = 0): boolean {
  return (bytes[offset] & 1) !== 0;
}

/** Where a multicast IPv4 address goes: 01:00:5e and its low 23 bits (RFC 1112 section 6.4). */
export function multicastMacV4(address: number, to: Uint8Array, offset: number): void {
  to[offset] = 0x01;
  to[offset + 1] = 0x00;
  to[offset + 2] = 0x5e;
  to[offset + 3] = (address >>> 16) & 0x7f;
  to[offset + 4] = address >>> 8;
  to[offset + 5] = address;
}

/** Where a multicast IPv6 address goes: 33:33 and its low 32 bits (RFC 2464 section 7). */
export function multicastMacV6(word3: number, to: Uint8Array, offset: number): void {
  to[offset] = 0x33;
  to[offset + 1] = 0x33;
  to[offset + 2] = word3 >>> 24;
  to[offset + 3] = word3 >>> 16;
  to[offset + 4] = word3 >>> 8;
  to[offset + 5] = word3;
}
