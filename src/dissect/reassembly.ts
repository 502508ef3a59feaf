/**
 * IP fragments back to datagrams (RFC 791 section 3.2, RFC 8200 section 4.5) for dissection. Bounded in datagrams and
 * octets; the oldest gives way. Fragments that overlap spoil their datagram (RFC 5722): what a receiver made of them
 * cannot be known from here.
 */

import type { Packet } from './packet.ts';

const MAX_DATAGRAMS = 256;
const MAX_LENGTH = 65_535;

interface Datagram {
  data: Uint8Array;
  /** Sorted, disjoint [start, end) pairs. */
  ranges: number[];
  total: number;
  spoilt: boolean;
}

export class Reassembler {
  private readonly waiting = new Map<string, Datagram>();

  /** Adds a fragment (its text at p.data[at]); returns the whole text once nothing is missing, else null. */
  add(
    p: Packet,
    protocol: number,
    id: number,
    at: number,
    offset: number,
    length: number,
    more: boolean,
  ): Uint8Array | null {
    if (length <= 0 || offset + length > MAX_LENGTH) return null;
    const key = `${p.s0},${p.s1},${p.s2},${p.s3},${p.d0},${p.d1},${p.d2},${p.d3},${id},${protocol}`;
    let datagram = this.waiting.get(key);
    if (datagram === undefined) {
      if (this.waiting.size >= MAX_DATAGRAMS) {
        const [oldest] = this.waiting.keys();
        this.waiting.delete(oldest);
      }
      datagram = { data: new Uint8Array(0), ranges: [], total: -1, spoilt: false };
      this.waiting.set(key, datagram);
    }
    if (!more) datagram.total = offset + length;
    if (!insert(datagram.ranges, offset, offset + length)) datagram.spoilt = true;
    if (datagram.data.length < offset + length) {
      const grown = new Uint8Array(Math.min(MAX_LENGTH, Math.max(offset + length, 2 * datagram.data.length)));
      grown.set(datagram.data);
      datagram.data = grown;
    }
    datagram.data.set(p.data.subarray(at, at + length), offset);
    const { ranges, total } = datagram;
    if (total < 0 || datagram.spoilt || ranges.length !== 2 || ranges[0] !== 0 || ranges[1] !== total) return null;
    this.waiting.delete(key);
    return datagram.data.subarray(0, total);
  }
}

/** Adds [start, end) to sorted disjoint ranges; false when it overlaps one of them (a repeated copy is no overlap). */
function insert(ranges: number[], start: number, end: number): boolean {
  let i = 0;
  while (i < ranges.length && ranges[i + 1] < start) i += 2;
  if (i >= ranges.length || end < ranges[i]) {
    ranges.splice(i, 0, start, end);
    return true;
  }
  if (start >= ranges[i] && end <= ranges[i + 1]) return true;
  if (start === ranges[i + 1]) {
    const joins = i + 2 < ranges.length && ranges[i + 2] === end;
    if (i + 2 < ranges.length && ranges[i + 2] < end) return false;
    if (joins) ranges.splice(i, 4, ranges[i], ranges[i + 3]);
    else ranges[i + 1] = end;
    return true;
  }
  if (end === ranges[i]) {
    ranges[i] = start;
    return true;
  }
  return false;
}
