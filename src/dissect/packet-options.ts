/** The TCP options the analysis looks at (RFC 9293 section 3.1; RFC 7323, 2018, 7413, 2385, 8684), read without allocating. */

import { readI32, readU16 } from '../base/bytes.ts';
import type { Packet } from './packet.ts';

/** Options present on a segment, as bits of {@link Packet.options}. */
export const Option = {
  MSS: 1,
  SCALE: 2,
  SACK_PERMITTED: 4,
  TIMESTAMPS: 8,
  FAST_OPEN: 16,
  MULTIPATH: 32,
  MD5: 64,
} as const;

/** RFC 9293 section 3.2; a length that cannot be ends the list, what came before it holds. */
export function readOptions(p: Packet, from: number, end: number): void {
  const { data } = p;
  let at = from;
  while (at < end) {
    const kind = data[at];
    if (kind === 0) return;
    if (kind === 1) {
      at++;
      continue;
    }
    const size = at + 1 < end ? data[at + 1] : 0;
    if (size < 2 || at + size > end) return;
    switch (kind) {
      case 2:
        if (size === 4) {
          p.options |= Option.MSS;
          p.mss = readU16(data, at + 2);
        }
        break;
      case 3:
        if (size === 3) {
          p.options |= Option.SCALE;
          p.scale = data[at + 2];
        }
        break;
      case 4:
        if (size === 2) p.options |= Option.SACK_PERMITTED;
        break;
      case 5:
        readSack(p, at + 2, size - 2);
        break;
      case 8:
        if (size === 10) {
          p.options |= Option.TIMESTAMPS;
          p.tsVal = readI32(data, at + 2);
          p.tsEcr = readI32(data, at + 6);
        }
        break;
      case 19:
        p.options |= Option.MD5;
        break;
      case 30:
        p.options |= Option.MULTIPATH;
        break;
      case 34:
        p.options |= Option.FAST_OPEN;
        p.cookieLength = size - 2;
        break;
      case 254:
        // RFC 6994: the experimental form of fast open.
        if (size >= 4 && readU16(data, at + 2) === 0xf989) {
          p.options |= Option.FAST_OPEN;
          p.cookieLength = size - 4;
        }
        break;
    }
    at += size;
  }
}

function readSack(p: Packet, at: number, length: number): void {
  if (length % 8 !== 0) return;
  const blocks = Math.min(4, length / 8);
  for (let i = 0; i < blocks; i++) {
    p.sack[2 * i] = readI32(p.data, at + 8 * i);
    p.sack[2 * i + 1] = readI32(p.data, at + 8 * i + 4);
  }
  p.sackCount = blocks;
}
