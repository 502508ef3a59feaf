/**
 * A DNS message looked over before it is decoded: RFC 1035 section 4, RFC 9267 (what went wrong in other stacks). One
 * pass over the bytes, each step forward or strictly backward, so that a message that lies about its counts, lengths or
 * pointers is refused in bounded time, and what comes after it need not be afraid of the bytes.
 */

import { readU16 } from '../base/bytes.ts';

export const HEADER_LENGTH = 12;
const MOST_NAME = 255;
const POINTER = 0xc0;
const DOT = 0x2e;

/** Record types whose data begins with so many octets and then has names, or has a fixed length. */
const FIXED_LENGTH: Readonly<Record<number, number>> = { 1: 4, 28: 16 };
/** NS, CNAME, PTR, MX, SRV: octets before the one name that ends the data. */
const NAME_AFTER: Readonly<Record<number, number>> = { 2: 0, 5: 0, 12: 0, 15: 2, 33: 6 };
const SOA = 6;
const TXT = 16;

/** Why this cannot be a DNS message, in words; null when it can. Never throws, whatever the bytes. */
export function messageProblem(bytes: Uint8Array): string | null {
  if (bytes.length < HEADER_LENGTH) return 'it is shorter than a header';
  try {
    let at = HEADER_LENGTH;
    for (let i = readU16(bytes, 4); i > 0; i--) at = skipFixed(bytes, skipName(bytes, at), 4);
    const records = readU16(bytes, 6) + readU16(bytes, 8) + readU16(bytes, 10);
    for (let i = records; i > 0; i--) at = skipRecord(bytes, at);
    return null;
  } catch (problem) {
    if (problem instanceof Lie) return problem.message;
    throw problem;
  }
}

class Lie extends Error {}

function skipFixed(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) throw new Lie('it ends before what its counts promise');
  return at + length;
}

/** The offset after a name. Labels reach at most 63 octets (the two high bits say so), the whole at most 255. */
function skipName(bytes: Uint8Array, start: number): number {
  let at = start;
  let after = -1;
  let lowest = start;
  let length = 1;
  for (;;) {
    if (at >= bytes.length) throw new Lie('a name runs past its end');
    const octet = bytes[at];
    if (octet === 0) return after < 0 ? at + 1 : after;
    if ((octet & POINTER) === POINTER) {
      if (at + 1 >= bytes.length) throw new Lie('a name runs past its end');
      const target = readU16(bytes, at) & 0x3fff;
      // A prior occurrence (RFC 1035 section 4.1.4): strictly before all that was read, so no loop is possible.
      if (target >= lowest || target < HEADER_LENGTH) throw new Lie('a compression pointer does not point back');
      if (after < 0) after = at + 2;
      lowest = target;
      at = target;
      continue;
    }
    if ((octet & POINTER) !== 0) throw new Lie('a label is longer than 63 octets');
    length += octet + 1;
    if (length > MOST_NAME) throw new Lie('a name is longer than 255 octets');
    if (at + 1 + octet > bytes.length) throw new Lie('a name runs past its end');
    // A dot inside a label would make two names look alike once they are text.
    if (bytes.subarray(at + 1, at + 1 + octet).includes(DOT)) throw new Lie('a label has a dot in it');
    at += octet + 1;
  }
}

function skipRecord(bytes: Uint8Array, start: number): number {
  const fixed = skipName(bytes, start);
  const data = skipFixed(bytes, fixed, 10);
  const end = skipFixed(bytes, data, readU16(bytes, fixed + 8));
  checkData(bytes, readU16(bytes, fixed), data, end);
  return end;
}

function checkData(bytes: Uint8Array, type: number, data: number, end: number): void {
  const wrong = (): never => {
    throw new Lie('the data of a record does not have the length its type asks for');
  };
  const fixed = FIXED_LENGTH[type];
  if (fixed !== undefined && end - data !== fixed) wrong();
  const before = NAME_AFTER[type];
  if (before !== undefined && (data + before >= end || skipName(bytes, data + before) !== end)) wrong();
  if (type === SOA && skipName(bytes, skipName(bytes, data)) + 20 !== end) wrong();
  if (type === TXT) {
    let at = data;
    while (at < end) at += 1 + bytes[at];
    if (at !== end) wrong();
  }
}
