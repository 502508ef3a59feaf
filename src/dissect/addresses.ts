/**
 * Addresses as text, the way tcpdump writes them: dotted quads, and IPv6 by RFC 5952 with a dotted tail for mapped and
 * compatible addresses. A capture repeats the same few addresses in every packet, so the texts are kept in small tables
 * of fixed size.
 */

import { readI32, readU16 } from '../base/bytes.ts';

const SLOTS = 4096;

const v4Bits = new Int32Array(SLOTS);
const v4Texts: string[] = new Array<string>(SLOTS).fill('0.0.0.0');

/** `192.0.2.1` from its 32 bits. */
export function ipv4Text(bits: number): string {
  const slot = (Math.imul(bits, 0x9e3779b1) >>> 20) & (SLOTS - 1);
  if (v4Bits[slot] === bits) return v4Texts[slot];
  const text = `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  v4Bits[slot] = bits;
  v4Texts[slot] = text;
  return text;
}

const v6Words = new Int32Array(SLOTS * 4);
const v6Texts: string[] = new Array<string>(SLOTS).fill('::');

/** The IPv6 address at data[at … at + 15]. */
export function ipv6Text(data: Uint8Array, at: number): string {
  const w0 = readI32(data, at);
  const w1 = readI32(data, at + 4);
  const w2 = readI32(data, at + 8);
  const w3 = readI32(data, at + 12);
  const mixed = Math.imul(w0 ^ Math.imul(w1, 31) ^ Math.imul(w2, 131), 0x85ebca6b) ^ Math.imul(w3, 0x9e3779b1);
  const slot = (mixed >>> 20) & (SLOTS - 1);
  const base = slot * 4;
  if (v6Words[base] === w0 && v6Words[base + 1] === w1 && v6Words[base + 2] === w2 && v6Words[base + 3] === w3) {
    return v6Texts[slot];
  }
  const text = formatV6(data, at, w2, w3);
  v6Words[base] = w0;
  v6Words[base + 1] = w1;
  v6Words[base + 2] = w2;
  v6Words[base + 3] = w3;
  v6Texts[slot] = text;
  return text;
}

function formatV6(data: Uint8Array, at: number, w2: number, w3: number): string {
  let start = -1;
  let run = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && readU16(data, at + 2 * (i + n)) === 0) n++;
    if (n > run) {
      start = i;
      run = n;
    }
    if (n > 0) i += n;
  }
  const dotted = start === 0 && (run === 6 || (run === 5 && w2 === 0xffff));
  let text = '';
  const groups = dotted ? 6 : 8;
  for (let i = 0; i < groups; i++) {
    if (i === start) {
      text += '::';
      i += run - 1;
      continue;
    }
    if (i > 0 && !text.endsWith(':')) text += ':';
    text += readU16(data, at + 2 * i).toString(16);
  }
  if (!dotted) return text;
  const tail = `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`;
  return text.endsWith(':') ? text + tail : `${text}:${tail}`;
}

/** `02:00:5e:10:00:01`, for hardware addresses of any length. */
export function linkAddressText(data: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += (i > 0 ? ':' : '') + hex2(data[at + i]);
  return text;
}

const HEX2: string[] = [];
for (let i = 0; i < 256; i++) HEX2.push(i.toString(16).padStart(2, '0'));

/** Two hex digits of an octet. */
export function hex2(octet: number): string {
  return HEX2[octet & 255];
}

/** Four hex digits of a 16-bit number. */
export function hex4(value: number): string {
  return HEX2[(value >>> 8) & 255] + HEX2[value & 255];
}
