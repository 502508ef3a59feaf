/**
 * TCP options: RFC 9293 section 3.2 (EOL, NOP, MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 7413
 * (fast open), RFC 5482 (user timeout).
 *
 * Reading forgives: a length of 0, 1 or past the header's end stops the walk and keeps what was valid; a known option
 * of a wrong length is ignored; an unknown one (MD5 and AO among them) is skipped; of duplicates the first wins (Linux
 * lets the last win). Options that only mean something on a SYN are not read from other segments, as in Linux.
 *
 * Writing lays options out as Linux does, so that they are aligned and that receivers' fast paths know them.
 */

import { readI32, readU16, writeU16, writeU32 } from '../base/bytes.ts';
import type { Segment } from './tcp.ts';

/** IANA's kinds, those that anything here knows by name. */
export const TcpOption = {
  END: 0,
  NOP: 1,
  MSS: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  TIMESTAMPS: 8,
  MD5: 19,
  USER_TIMEOUT: 28,
  AUTHENTICATION: 29,
  FAST_OPEN: 34,
} as const;

/** What a data offset of 15 leaves for options, in bytes. */
export const MAX_OPTIONS_LENGTH = 40;

const TIMESTAMPS_LENGTH = 12; // two NOPs (or SACK-permitted) before the ten bytes
const TIMESTAMPS_ALONE = 0x0101_080a; // NOP NOP 8 10
const MIN_COOKIE = 4;
const MAX_COOKIE = 16;

/** Reads the options in [at, end) into `into`, whose option fields stand at their defaults. At most 40 steps. */
export function parseTcpOptions(bytes: Uint8Array, at: number, end: number, into: Segment, syn: boolean): void {
  // Nearly every segment of a connection with timestamps carries exactly this, and nothing else.
  if (end - at === TIMESTAMPS_LENGTH && readI32(bytes, at) === TIMESTAMPS_ALONE) {
    setTimestamps(bytes, at + 4, into);
    return;
  }
  walk(bytes, at, end, into, syn);
}

function walk(bytes: Uint8Array, start: number, end: number, into: Segment, syn: boolean): void {
  let seenMss = false;
  let at = start;
  while (at < end) {
    const kind = bytes[at];
    if (kind === TcpOption.END) return;
    if (kind === TcpOption.NOP) {
      at++;
      continue;
    }
    if (at + 1 >= end) return;
    const length = bytes[at + 1];
    if (length < 2 || at + length > end) return;
    const value = at + 2;
    switch (kind) {
      case TcpOption.MSS:
        // A flag of its own, since an MSS of 0 looks like none and would let a second option in.
        if (syn && length === 4 && !seenMss) {
          seenMss = true;
          into.mss = readU16(bytes, value);
        }
        break;
      case TcpOption.WINDOW_SCALE:
        if (syn && length === 3 && into.windowScale < 0) into.windowScale = bytes[value];
        break;
      case TcpOption.SACK_PERMITTED:
        if (syn && length === 2) into.sackPermitted = true;
        break;
      case TcpOption.SACK:
        if (into.sackCount === 0 && (length & 7) === 2) setSack(bytes, value, (length - 2) >> 3, into);
        break;
      case TcpOption.TIMESTAMPS:
        if (length === 10 && !into.timestamps) setTimestamps(bytes, value, into);
        break;
      case TcpOption.FAST_OPEN:
        if (syn && !into.fastOpen) setFastOpen(bytes, value, length - 2, into);
        break;
      case TcpOption.USER_TIMEOUT:
        if (length === 4 && into.userTimeout < 0) into.userTimeout = readU16(bytes, value);
        break;
    }
    at += length;
  }
}

function setTimestamps(bytes: Uint8Array, at: number, into: Segment): void {
  into.timestamps = true;
  into.tsVal = readI32(bytes, at);
  into.tsEcr = readI32(bytes, at + 4);
}

/** 40 bytes of options hold at most four blocks, so `count` needs no further bound. */
function setSack(bytes: Uint8Array, at: number, count: number, into: Segment): void {
  into.sackCount = count;
  for (let i = 0; i < 2 * count; i++) into.sackEdges[i] = readI32(bytes, at + 4 * i);
}

/** RFC 7413 section 4.1.1: a request has no cookie, a cookie has 4 to 16 bytes, an even number. Others are ignored. */
function setFastOpen(bytes: Uint8Array, at: number, length: number, into: Segment): void {
  if (length !== 0 && (length < MIN_COOKIE || length > MAX_COOKIE || (length & 1) !== 0)) return;
  into.fastOpen = true;
  if (length === 0) return;
  // A copy, since cookies outlive the frame; only SYNs come here. Not slice(): on a Node Buffer that is a view.
  const cookie = new Uint8Array(length);
  for (let i = 0; i < length; i++) cookie[i] = bytes[at + i];
  into.fastOpenCookie = cookie;
}

/** Bytes of options {@link emitTcpOptions} will write, a multiple of 4. */
export function tcpOptionsLength(segment: Segment): number {
  let length = fixedLength(segment);
  const fastOpen = fastOpenLength(segment);
  if (length + fastOpen <= MAX_OPTIONS_LENGTH) length += fastOpen;
  if (segment.userTimeout >= 0 && length + 4 <= MAX_OPTIONS_LENGTH) length += 4;
  const blocks = sackBlocksThatFit(segment, length);
  return blocks === 0 ? length : length + 4 + 8 * blocks;
}

/** MSS, timestamps, SACK-permitted and window scale: 20 bytes at most, so they always fit. */
function fixedLength(segment: Segment): number {
  let length = segment.mss > 0 ? 4 : 0;
  if (segment.timestamps) length += TIMESTAMPS_LENGTH;
  else if (segment.sackPermitted) length += 4;
  if (segment.windowScale >= 0) length += 4;
  return length;
}

function fastOpenLength(segment: Segment): number {
  if (!segment.fastOpen) return 0;
  const cookie = segment.fastOpenCookie;
  return (2 + (cookie === null ? 0 : cookie.length) + 3) & ~3;
}

function sackBlocksThatFit(segment: Segment, used: number): number {
  const room = (MAX_OPTIONS_LENGTH - 4 - used) >> 3;
  return Math.max(0, Math.min(segment.sackCount, room));
}

/**
 * Writes the options and returns their length. Where not all fit in 40 bytes, the later of these gives way: MSS,
 * timestamps, SACK-permitted and window scale; fast open; user timeout; SACK blocks (the last blocks first).
 */
export function emitTcpOptions(segment: Segment, bytes: Uint8Array, start: number): number {
  let at = start;
  if (segment.mss > 0) {
    writeU32(bytes, at, (TcpOption.MSS << 24) | (4 << 16) | segment.mss);
    at += 4;
  }
  if (segment.timestamps) {
    // SACK-permitted takes the place of the two NOPs.
    writeU32(bytes, at, segment.sackPermitted ? 0x0402_080a : TIMESTAMPS_ALONE);
    writeU32(bytes, at + 4, segment.tsVal);
    writeU32(bytes, at + 8, segment.tsEcr);
    at += TIMESTAMPS_LENGTH;
  } else if (segment.sackPermitted) {
    writeU32(bytes, at, 0x0101_0402);
    at += 4;
  }
  if (segment.windowScale >= 0) {
    writeU32(bytes, at, 0x0103_0300 | (segment.windowScale & 255));
    at += 4;
  }
  at = emitFastOpen(segment, bytes, start, at);
  if (segment.userTimeout >= 0 && at + 4 - start <= MAX_OPTIONS_LENGTH) {
    writeU32(bytes, at, (TcpOption.USER_TIMEOUT << 24) | (4 << 16) | (segment.userTimeout & 0xffff));
    at += 4;
  }
  return emitSack(segment, bytes, at, sackBlocksThatFit(segment, at - start)) - start;
}

function emitFastOpen(segment: Segment, bytes: Uint8Array, start: number, at: number): number {
  const total = fastOpenLength(segment);
  if (total === 0 || at + total - start > MAX_OPTIONS_LENGTH) return at;
  const cookie = segment.fastOpenCookie;
  const length = cookie === null ? 0 : cookie.length;
  bytes[at] = TcpOption.FAST_OPEN;
  bytes[at + 1] = 2 + length;
  if (cookie !== null) bytes.set(cookie, at + 2);
  bytes.fill(TcpOption.NOP, at + 2 + length, at + total);
  return at + total;
}

function emitSack(segment: Segment, bytes: Uint8Array, at: number, blocks: number): number {
  if (blocks === 0) return at;
  writeU16(bytes, at, 0x0101);
  bytes[at + 2] = TcpOption.SACK;
  bytes[at + 3] = 2 + 8 * blocks;
  for (let i = 0; i < 2 * blocks; i++) writeU32(bytes, at + 4 + 4 * i, segment.sackEdges[i]);
  return at + 4 + 8 * blocks;
}
