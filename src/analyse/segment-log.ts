/**
 * The segments of all connections that are still open to question, in typed arrays: one record a segment, the
 * records of a connection in chained blocks, freed ones used again. Memory follows what is open, not how long the
 * capture is.
 */

import { readI32 } from '../base/bytes.ts';
import { type Packet, Sum } from '../dissect/packet.ts';
import { Option } from '../dissect/packet-options.ts';

/** Bits of {@link SegmentLog.bits}. */
export const Bit = {
  /** From the second endpoint (side 1) of the connection. */
  REVERSE: 1,
  TIMESTAMPS: 2,
  /** Two bits: the ECN field of the IP header. */
  ECN: 4,
  WRONG_SUM: 16,
  GOOD_SUM: 32,
  /** Fewer octets of its text were captured than it carried. */
  CUT: 64,
} as const;

/** Both bits of the IP header's ECN field: the mark "congestion experienced". */
export const CONGESTION = 3 * Bit.ECN;

export const NONE = -1;

/** Records of a block: enough for the memory to be read in rows, few enough for a flood of single SYNs. */
const SHIFT = 2;
const BLOCK = 1 << SHIFT;
/** Words, and so on, of a record: one cache line. */
const WORDS = 16;
const DOUBLES = 8;
const HALVES = 32;
const BYTES = 64;

/** Blocks for a small capture, and for a large one. */
const FEW = 1 << 10;
const MANY = 1 << 17;

export class SegmentLog {
  /** Eight words a record with SACK: the edges of up to four blocks, from {@link sackAt}. */
  sack = new Int32Array(0);
  private sackHigh = 0;
  private readonly sackFree: number[] = [];
  /** Views of one buffer. Words: frame, sequence, time (two), ack, length, stamps, IP length, sackAt, hash. */
  private words = new Int32Array(0);
  private doubles = new Float64Array(0);
  /** From the 24th: flags, bits, window, urgent pointer, IP identification. */
  private halves = new Uint16Array(0);
  /** The 58th and 59th: hop count, number of SACK blocks. */
  private bytes = new Uint8Array(0);
  /** The block that follows each, in its connection or among the free ones. */
  private following = new Int32Array(0);
  /** Room in use, in records: whole blocks. */
  used = 0;
  /** The first free block, and the first never used. */
  private free = NONE;
  private high = 0;

  frame(r: number): number {
    return this.words[r * WORDS];
  }
  seq(r: number): number {
    return this.words[r * WORDS + 1];
  }
  /** Seconds since the capture's first packet. */
  time(r: number): number {
    return this.doubles[r * DOUBLES + 1];
  }
  ack(r: number): number {
    return this.words[r * WORDS + 4];
  }
  /** Octets of text by the IP header. */
  length(r: number): number {
    return this.words[r * WORDS + 5];
  }
  tsVal(r: number): number {
    return this.words[r * WORDS + 6];
  }
  tsEcr(r: number): number {
    return this.words[r * WORDS + 7];
  }
  ipLength(r: number): number {
    return this.words[r * WORDS + 8];
  }
  /** Where in {@link sack} a record's edges stand, for records with blocks. */
  sackAt(r: number): number {
    return this.words[r * WORDS + 9];
  }
  /** A fingerprint of the captured text. */
  hash(r: number): number {
    return this.words[r * WORDS + 10];
  }
  /** The connection's next record; for the last one, anything. */
  next(r: number): number {
    if (((r + 1) & (BLOCK - 1)) !== 0) return r + 1;
    const block = this.following[r >> SHIFT];
    return block === NONE ? NONE : block * BLOCK;
  }
  flags(r: number): number {
    return this.halves[r * HALVES + 24];
  }
  bits(r: number): number {
    return this.halves[r * HALVES + 25];
  }
  window(r: number): number {
    return this.halves[r * HALVES + 26];
  }
  urgent(r: number): number {
    return this.halves[r * HALVES + 27];
  }
  ipId(r: number): number {
    return this.halves[r * HALVES + 28];
  }
  ttl(r: number): number {
    return this.bytes[r * BYTES + 58];
  }
  sackCount(r: number): number {
    return this.bytes[r * BYTES + 59];
  }

  /** Adds a segment behind the connection's last record `tail`, NONE for its first. */
  append(p: Packet, frame: number, time: number, reverse: boolean, tail: number): number {
    const r = this.behind(tail);
    const { words, halves } = this;
    const w = r * WORDS;
    const h = r * HALVES;
    words[w] = frame;
    words[w + 1] = p.seq;
    this.doubles[r * DOUBLES + 1] = time;
    words[w + 4] = p.ack;
    words[w + 5] = p.payloadLength;
    let bits = (reverse ? Bit.REVERSE : 0) | (p.ecn * Bit.ECN);
    if ((p.options & Option.TIMESTAMPS) !== 0) {
      bits |= Bit.TIMESTAMPS;
      words[w + 6] = p.tsVal;
      words[w + 7] = p.tsEcr;
    }
    if (p.checksum === Sum.WRONG) bits |= Bit.WRONG_SUM;
    else if (p.checksum === Sum.RIGHT) bits |= Bit.GOOD_SUM;
    if (p.payloadCaptured < p.payloadLength) bits |= Bit.CUT;
    words[w + 8] = p.ipLength;
    words[w + 10] = p.payloadCaptured > 0 ? fingerprint(p) : 0;
    halves[h + 24] = p.flags;
    halves[h + 25] = bits;
    halves[h + 26] = p.window;
    halves[h + 27] = p.urgentPointer;
    halves[h + 28] = p.ipId;
    this.bytes[r * BYTES + 58] = p.ttl;
    this.bytes[r * BYTES + 59] = p.sackCount;
    if (p.sackCount > 0) {
      const at = this.sackSlot();
      words[w + 9] = at;
      for (let i = 0; i < 2 * p.sackCount; i++) this.sack[at + i] = p.sack[i];
    }
    return r;
  }

  /** A second record with the same content, behind `tail` in another chain, or the first of one. */
  copy(from: number, tail = NONE): number {
    const r = this.behind(tail);
    this.words.copyWithin(r * WORDS, from * WORDS, (from + 1) * WORDS);
    if (this.sackCount(from) > 0) {
      const at = this.sackSlot();
      this.words[r * WORDS + 9] = at;
      const old = this.sackAt(from);
      this.sack.copyWithin(at, old, old + 8);
    }
    return r;
  }

  /** Makes a record one of side 0. */
  turn(r: number): void {
    this.halves[r * HALVES + 25] &= ~Bit.REVERSE;
  }

  /** Gives back a whole chain of `count` records; `sacked`: SACK blocks are among them. */
  release(head: number, tail: number, count: number, sacked: boolean): void {
    if (head === NONE) return;
    if (sacked) {
      for (let r = head, n = 0; n < count; r = this.next(r), n++)
        if (this.sackCount(r) > 0) this.sackFree.push(this.sackAt(r));
    }
    this.following[tail >> SHIFT] = this.free;
    this.free = head >> SHIFT;
    this.used -= Math.ceil(count / BLOCK) * BLOCK;
  }

  /**
   * Gives back the `count` records from `first` to `last`, which are whole blocks, out of a chain; `before` comes before
   * them.
   */
  cut(before: number, first: number, last: number, count: number, sacked: boolean): void {
    this.following[before >> SHIFT] = this.following[last >> SHIFT];
    this.release(first, last, count, sacked);
  }

  private behind(tail: number): number {
    return tail === NONE || ((tail + 1) & (BLOCK - 1)) === 0 ? this.open(tail) : tail + 1;
  }

  /** The first record of a new block behind the one that ends with `tail`. */
  private open(tail: number): number {
    let block = this.free;
    if (block !== NONE) this.free = this.following[block];
    else {
      if (this.high === this.following.length) this.grow();
      block = this.high++;
    }
    this.following[block] = NONE;
    if (tail !== NONE) this.following[tail >> SHIFT] = block;
    this.used += BLOCK;
    return block * BLOCK;
  }

  /** From little at once to much: what is not written yet takes no memory, and what is has to be copied. */
  private grow(): void {
    const old = this.following.length;
    const blocks = old === 0 ? FEW : old < MANY ? MANY : old * 2;
    const following = new Int32Array(blocks);
    following.set(this.following);
    this.following = following;
    const buffer = new ArrayBuffer(blocks * BLOCK * BYTES);
    const bytes = new Uint8Array(buffer);
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.halves = new Uint16Array(buffer);
  }

  private sackSlot(): number {
    const free = this.sackFree.pop();
    if (free !== undefined) return free;
    if (this.sackHigh === this.sack.length) {
      const grown = new Int32Array(Math.max(1 << 13, this.sack.length * 2));
      grown.set(this.sack);
      this.sack = grown;
    }
    this.sackHigh += 8;
    return this.sackHigh - 8;
  }
}

/**
 * FNV-1a over up to 32 octets, eight words of a longer text from its first to its last: enough to tell "the same bytes
 * again" from "other bytes".
 */
function fingerprint(p: Packet): number {
  const { data, payloadOffset, payloadCaptured } = p;
  let hash = 0x811c9dc5 | 0;
  if (payloadCaptured <= 32) {
    for (let i = 0; i < payloadCaptured; i++) hash = Math.imul(hash ^ data[payloadOffset + i], 0x01000193);
    return hash;
  }
  const last = payloadOffset + payloadCaptured - 4;
  const step = ((payloadCaptured - 4) / 7) | 0;
  for (let n = 0; n < 7; n++) hash = Math.imul(hash ^ readI32(data, payloadOffset + n * step), 0x01000193);
  return Math.imul(hash ^ readI32(data, last), 0x01000193);
}
