/**
 * Text that has arrived and was not taken yet, in order or not. Every octet goes straight to its place in a list of
 * pages, allocated as text reaches them; which octets are there is kept as intervals. So a flood of one-octet segments
 * with holes between them (CVE-2018-5390) costs pages within the window and a few integers, never an object a segment;
 * and a page is handed to the application as it is, without a second copy.
 *
 * The first copy of an octet wins: what a later overlapping segment says about it is not looked at.
 */

import { SeqRanges } from '../base/ranges.ts';
import { type Seq, seqAdd, seqDiff, seqGe, seqLe, seqLt } from '../base/seq.ts';

const PAGE_MIN = 2048;
const PAGE_MAX = 65_536;
const COMPACT_AT = 32;

class Page {
  readonly start: Seq;
  readonly size: number;
  bytes: Uint8Array | null = null;

  constructor(start: Seq, size: number) {
    this.start = start;
    this.size = size;
  }
}

export class ReceiveBuffer {
  /** The next sequence number the application will take. */
  readNext: Seq;
  /** The next sequence number missing: RCV.NXT without a FIN. */
  textNext: Seq;
  /** Intervals beyond textNext that have arrived. */
  readonly outOfOrder = new SeqRanges();
  /** Bytes of page memory held. */
  memory = 0;
  private pages: Page[] = [];
  private head = 0;
  private pageSize = PAGE_MIN;

  constructor(start: Seq) {
    this.readNext = start;
    this.textNext = start;
  }

  /** Starts over at `start`, empty. */
  reset(start: Seq): void {
    this.readNext = start;
    this.textNext = start;
    this.release();
  }

  /** Gives all memory back; what was buffered is gone. */
  release(): void {
    this.outOfOrder.clear();
    this.pages = [];
    this.head = 0;
    this.memory = 0;
    this.pageSize = PAGE_MIN;
    this.readNext = this.textNext;
  }

  /** Octets ready to be taken. */
  get readable(): number {
    return seqDiff(this.textNext, this.readNext);
  }

  /**
   * Stores text that lies wholly within the receive window: `length` octets from `source[offset]`, the first of which
   * is octet `at` of the stream. Octets that are there already keep their value.
   * @returns how many octets became readable.
   */
  insert(at: Seq, source: Uint8Array, offset: number, length: number): number {
    const end = seqAdd(at, length);
    if (seqLe(end, this.textNext)) return 0;
    const before = this.textNext;
    if (this.outOfOrder.count === 0 && seqLe(at, before)) {
      const skip = seqDiff(before, at);
      this.write(before, source, offset + skip, length - skip);
      this.textNext = end;
      return length - skip;
    }
    this.writeMissing(seqLt(at, before) ? before : at, end, source, offset - seqDiff(at, before), before);
    if (this.outOfOrder.left(0) === before) {
      this.textNext = this.outOfOrder.right(0);
      this.outOfOrder.removeBefore(this.textNext);
    }
    return seqDiff(this.textNext, before);
  }

  /**
   * Takes the next run of readable octets that lie together in memory, at most `max`; null when there is none.
   * The array is the caller's: nothing here writes to those octets again.
   */
  take(max: number): Uint8Array | null {
    const readable = this.readable;
    if (readable === 0 || max <= 0) return null;
    const page = this.pages[this.head];
    const from = seqDiff(this.readNext, page.start);
    const length = Math.min(readable, page.size - from, max);
    const view = (page.bytes as Uint8Array).subarray(from, from + length);
    this.readNext = seqAdd(this.readNext, length);
    if (from + length === page.size) this.dropFirstPage();
    return view;
  }

  /** Drops what arrived out of order (it was never acknowledged): the peer sends it again (RFC 2018 section 8). */
  prune(): void {
    this.outOfOrder.clear();
    const last = this.pageIndex(this.textNext);
    const keep = last < 0 ? this.pages.length : last + 1;
    for (let i = keep; i < this.pages.length; i++) this.memory -= this.pages[i].bytes?.length ?? 0;
    this.pages.length = keep;
  }

  /** Called when the connection falls idle: an empty buffer gives its half-used page back. */
  trim(): void {
    if (this.readable !== 0 || this.outOfOrder.count !== 0) return;
    this.pages = [];
    this.head = 0;
    this.memory = 0;
    this.pageSize = PAGE_MIN;
  }

  /** Writes those of [from, end) that are missing. `base` is where `source[baseOffset]` stands in the stream. */
  private writeMissing(from: Seq, end: Seq, source: Uint8Array, baseOffset: number, base: Seq): void {
    let at = this.outOfOrder.nextUncovered(from, end);
    while (seqLt(at, end)) {
      const stop = this.outOfOrder.nextCovered(at, end);
      this.write(at, source, baseOffset + seqDiff(at, base), seqDiff(stop, at));
      at = this.outOfOrder.nextUncovered(stop, end);
    }
    this.outOfOrder.insert(from, end);
  }

  private write(at: Seq, source: Uint8Array, offset: number, length: number): void {
    this.cover(at, seqAdd(at, length));
    let index = this.pageIndex(at);
    let to = at;
    let from = offset;
    let left = length;
    while (left > 0) {
      const page = this.pages[index];
      const inPage = seqDiff(to, page.start);
      const take = Math.min(left, page.size - inPage);
      if (page.bytes === null) {
        page.bytes = new Uint8Array(page.size);
        this.memory += page.size;
      }
      copy(source, from, take, page.bytes, inPage);
      to = seqAdd(to, take);
      from += take;
      left -= take;
      index++;
    }
  }

  /** Makes sure that pages (without memory yet) exist up to `end`; they grow while text keeps filling them. */
  private cover(at: Seq, end: Seq): void {
    let last = this.pages.length - 1;
    let covered = last < this.head ? this.textNext : seqAdd(this.pages[last].start, this.pages[last].size);
    while (seqLt(covered, end)) {
      const wanted = Math.max(this.pageSize, Math.min(seqDiff(end, at), PAGE_MAX));
      this.pages.push(new Page(covered, wanted));
      covered = seqAdd(covered, wanted);
      this.pageSize = Math.min(wanted * 2, PAGE_MAX);
      last++;
    }
  }

  /** Index of the page that holds `at`, -1 if none does. In-order text is nearly always in the last one. */
  private pageIndex(at: Seq): number {
    let high = this.pages.length - 1;
    let low = this.head;
    if (high < low || seqGe(at, seqAdd(this.pages[high].start, this.pages[high].size))) return -1;
    if (seqGe(at, this.pages[high].start)) return high;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (seqLe(this.pages[middle].start, at)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private dropFirstPage(): void {
    this.memory -= this.pages[this.head].size;
    this.head++;
    if (this.head === this.pages.length) {
      this.pages.length = 0;
      this.head = 0;
    } else if (this.head > COMPACT_AT) {
      this.pages.splice(0, this.head);
      this.head = 0;
    }
  }
}

/** A loop beats `set` with its `subarray` for the smallest segments, and allocates nothing. */
function copy(source: Uint8Array, from: number, length: number, dest: Uint8Array, at: number): void {
  if (length < 64) {
    for (let i = 0; i < length; i++) dest[at + i] = source[from + i];
  } else {
    dest.set(source.subarray(from, from + length), at);
  }
}
