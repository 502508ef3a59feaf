/**
 * IP addresses as four 32-bit words, IPv4 as the IPv4-mapped ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2): one
 * representation for both families, so that tables are keyed by integers and never by strings.
 */

import { EstabError } from '../base/errors.ts';

const MAPPED = 0xffff;

/** An immutable IP address. Words are int32 in network order. */
export class IpAddress {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;

  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
  }

  /** An IPv4 address from its 32 bits, 0x7f000001 for 127.0.0.1. */
  static v4(bits: number): IpAddress {
    return new IpAddress(0, 0, MAPPED, bits);
  }

  /**
   * Reads `192.0.2.1` or `2001:db8::1` (also with an embedded IPv4 tail).
   * @throws EstabError EINVAL when the text is no address.
   */
  static parse(text: string): IpAddress {
    const address = IpAddress.tryParse(text);
    if (address === null)
      throw new EstabError('EINVAL', `"${text}" is not an IP address; write 192.0.2.1 or 2001:db8::1`);
    return address;
  }

  /** Like {@link parse}, but null instead of an error. */
  static tryParse(text: string): IpAddress | null {
    if (!text.includes(':')) {
      const bits = parseV4(text);
      return bits === null ? null : IpAddress.v4(bits);
    }
    return parseV6(text);
  }

  get family(): 4 | 6 {
    return (this.w0 | this.w1) === 0 && this.w2 === MAPPED ? 4 : 6;
  }

  equals(other: IpAddress): boolean {
    return this.w3 === other.w3 && this.w2 === other.w2 && this.w1 === other.w1 && this.w0 === other.w0;
  }

  /** 0.0.0.0 or :: */
  get isUnspecified(): boolean {
    return this.w3 === 0 && (this.w0 | this.w1) === 0 && (this.w2 === 0 || this.w2 === MAPPED);
  }

  /** 127.0.0.0/8 or ::1 */
  get isLoopback(): boolean {
    if (this.family === 4) return this.w3 >>> 24 === 127;
    return (this.w0 | this.w1 | this.w2) === 0 && this.w3 === 1;
  }

  /** 224.0.0.0/4 or ff00::/8 */
  get isMulticast(): boolean {
    return this.family === 4 ? this.w3 >>> 28 === 0xe : this.w0 >>> 24 === 0xff;
  }

  /** 169.254.0.0/16 or fe80::/10 */
  get isLinkLocal(): boolean {
    return this.family === 4 ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0x3fa;
  }

  /** 255.255.255.255; subnet broadcasts need the interface's prefix to be known. */
  get isLimitedBroadcast(): boolean {
    return this.family === 4 && this.w3 === -1;
  }

  /** Whether the first `length` bits equal those of `other`; `length` counts in the address's own family (24 of 192.0.2.0/24). */
  inPrefix(other: IpAddress, length: number): boolean {
    const bits = this.family === 4 && other.family === 4 ? length + 96 : length;
    return (
      wordInPrefix(this.w0, other.w0, bits) &&
      wordInPrefix(this.w1, other.w1, bits - 32) &&
      wordInPrefix(this.w2, other.w2, bits - 64) &&
      wordInPrefix(this.w3, other.w3, bits - 96)
    );
  }

  /** Dotted quad, or RFC 5952's canonical IPv6 text. */
  toString(): string {
    if (this.family === 4) {
      return `${this.w3 >>> 24}.${(this.w3 >>> 16) & 255}.${(this.w3 >>> 8) & 255}.${this.w3 & 255}`;
    }
    return formatV6([this.w0, this.w1, this.w2, this.w3]);
  }
}

export const IPV4_ANY = IpAddress.v4(0);
export const IPV6_ANY = new IpAddress(0, 0, 0, 0);

function wordInPrefix(a: number, b: number, bits: number): boolean {
  if (bits <= 0) return true;
  if (bits >= 32) return a === b;
  return (a ^ b) >>> (32 - bits) === 0;
}

function parseV4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let bits = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return null;
    const octet = Number(part);
    if (octet > 255) return null;
    bits = (bits << 8) | octet;
  }
  return bits;
}

function parseV6(text: string): IpAddress | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  // A dotted tail is only one at the very end: not before the `::`.
  const head = groupsOf(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1], true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const g = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return new IpAddress((g[0] << 16) | g[1], (g[2] << 16) | g[3], (g[4] << 16) | g[5], (g[6] << 16) | g[7]);
}

function groupsOf(text: string, dottedTail: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (dottedTail && i === parts.length - 1 && part.includes('.')) {
      const bits = parseV4(part);
      if (bits === null) return null;
      groups.push(bits >>> 16, bits & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. */
function formatV6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}
