/**
 * Sorted sets of sequence numbers: what has arrived out of order (RFC 9293 section 3.10.7.4), what the peer has
 * selectively acknowledged (RFC 2018), what has been retransmitted.
 *
 * Ranges are half-open, [left, right), disjoint and never touching, and stand as pairs in one Int32Array: no object a
 * range, so that a peer who sends every second octet of a window costs eight bytes a hole. The pairs lie in the middle
 * of the array with room on both sides, because they come and go at both ends: an insertion moves whichever side is
 * shorter, and taking acknowledged ranges off the front moves nothing.
 *
 * All numbers in one set lie within 2^31 of one another, which a TCP window (at most 2^30) guarantees.
 */

import { type Seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin } from './seq.ts';

/** Shared by every empty set: most connections never lose a segment and shall not pay for the possibility. */
const NO_EDGES = new Int32Array(0);

const FIRST_CAPACITY = 4;

/** A set that falls empty gives back storage for more ranges than this. */
const KEPT_CAPACITY = 32;

/** Below this many edges a loop beats the call into the engine's copyWithin. */
const SMALL_MOVE = 32;

/** A set of sequence numbers as sorted, disjoint, non-touching half-open ranges. */
export class SeqRanges {
  /** left, right, left, right, … from edge 2 * `start` on. */
  private edges: Int32Array = NO_EDGES;
  private start = 0;
  private size = 0;
  private covered = 0;

  /** How many ranges there are. */
  get count(): number {
    return this.size;
  }

  /** First number of range `index` (0 … count - 1). */
  left(index: number): Seq {
    return this.edges[(this.start + index) << 1] as Seq;
  }

  /** First number after range `index` (0 … count - 1). */
  right(index: number): Seq {
    return this.edges[((this.start + index) << 1) + 1] as Seq;
  }

  /** How many sequence numbers are in the set. */
  total(): number {
    return this.covered;
  }

  /** Makes the set empty. */
  clear(): void {
    this.size = 0;
    this.covered = 0;
    if (this.edges.length > 2 * KEPT_CAPACITY) this.edges = NO_EDGES;
    this.start = this.edges.length >> 2;
  }

  /**
   * Adds [left, right), merging it with the ranges it overlaps or touches. An empty or backward range adds nothing.
   * @returns how many sequence numbers were not in the set before.
   */
  insert(left: Seq, right: Seq): number {
    if (seqGe(left, right)) return 0;
    const first = this.firstEndingAfter(seqAdd(left, -1));
    if (first === this.size || seqGt(this.left(first), right)) {
      this.openAt(first);
      this.set(first, left, right);
      const added = seqDiff(right, left);
      this.covered += added;
      return added;
    }
    const mergedLeft = seqMin(left, this.left(first));
    let last = first;
    let already = seqDiff(this.right(first), this.left(first));
    while (last + 1 < this.size && seqLe(this.left(last + 1), right)) {
      last++;
      already += seqDiff(this.right(last), this.left(last));
    }
    const mergedRight = seqMax(right, this.right(last));
    this.set(first, mergedLeft, mergedRight);
    if (last > first) this.closeAt(first + 1, last - first);
    const added = seqDiff(mergedRight, mergedLeft) - already;
    this.covered += added;
    return added;
  }

  /** Takes out everything below `seq`; a range that holds `seq` is cut there. */
  removeBefore(seq: Seq): void {
    let gone = 0;
    while (gone < this.size && seqLe(this.right(gone), seq)) {
      this.covered -= seqDiff(this.right(gone), this.left(gone));
      gone++;
    }
    this.start += gone;
    this.size -= gone;
    if (this.size === 0) {
      this.clear();
    } else if (seqLt(this.left(0), seq)) {
      this.covered -= seqDiff(seq, this.left(0));
      this.set(0, seq, this.right(0));
    }
  }

  /** Takes out `seq` and everything above it; a range that holds `seq` is cut there. */
  removeFrom(seq: Seq): void {
    while (this.size > 0 && seqGe(this.left(this.size - 1), seq)) {
      this.size--;
      this.covered -= seqDiff(this.right(this.size), this.left(this.size));
    }
    const last = this.size - 1;
    if (last < 0) {
      this.clear();
    } else if (seqGt(this.right(last), seq)) {
      this.covered -= seqDiff(this.right(last), seq);
      this.set(last, this.left(last), seq);
    }
  }

  /** The index of the range that holds `seq`, or -1. */
  indexOf(seq: Seq): number {
    const index = this.firstEndingAfter(seq);
    return index < this.size && seqLe(this.left(index), seq) ? index : -1;
  }

  /** Whether `seq` is in the set. */
  contains(seq: Seq): boolean {
    return this.indexOf(seq) >= 0;
  }

  /** Whether all of [left, right) is in the set; an empty range always is. */
  covers(left: Seq, right: Seq): boolean {
    if (seqGe(left, right)) return true;
    const index = this.firstEndingAfter(left);
    return index < this.size && seqLe(this.left(index), left) && seqLe(right, this.right(index));
  }

  /**
   * The first number at or above `from` that is not in the set, or `to` when [from, to) holds none. With
   * {@link nextCovered} it walks the holes: `hole = nextUncovered(at, to); end = nextCovered(hole, to)`.
   */
  nextUncovered(from: Seq, to: Seq): Seq {
    if (seqGe(from, to)) return to;
    const index = this.indexOf(from);
    return index < 0 ? from : seqMin(this.right(index), to);
  }

  /** The first number at or above `from` that is in the set, or `to` when [from, to) holds none. */
  nextCovered(from: Seq, to: Seq): Seq {
    if (seqGe(from, to)) return to;
    const index = this.firstEndingAfter(from);
    return index === this.size ? to : seqMin(seqMax(from, this.left(index)), to);
  }

  /** The first range whose right edge is above `seq`, or `count`: by bisection, the two ends first. */
  private firstEndingAfter(seq: Seq): number {
    let low = 0;
    let high = this.size;
    if (high === 0 || seqGt(this.right(0), seq)) return 0;
    if (seqLe(this.right(high - 1), seq)) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqGt(this.right(middle), seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private set(index: number, left: Seq, right: Seq): void {
    const at = (this.start + index) << 1;
    this.edges[at] = left;
    this.edges[at + 1] = right;
  }

  /** Makes room for one range at `index`; what lies there and after it moves up by one. */
  private openAt(index: number): void {
    const frontIsShorter = index < this.size - index;
    const noRoom = frontIsShorter ? this.start === 0 : (this.start + this.size) << 1 === this.edges.length;
    if (noRoom) this.recentre();
    if (frontIsShorter) {
      this.start--;
      this.move(1, 0, index);
    } else {
      this.move(index, index + 1, this.size - index);
    }
    this.size++;
  }

  /** Takes out `gone` ranges from `index` on. */
  private closeAt(index: number, gone: number): void {
    const behind = this.size - index - gone;
    if (index < behind) {
      this.move(0, gone, index);
      this.start += gone;
    } else {
      this.move(index + gone, index, behind);
    }
    this.size -= gone;
  }

  /** Puts the ranges back in the middle, in twice the space when they fill half of it or more. */
  private recentre(): void {
    const capacity = this.edges.length >> 1;
    const grown = this.size * 2 < capacity ? capacity : Math.max(FIRST_CAPACITY, capacity * 2);
    const start = (grown - this.size) >> 1;
    const used = this.edges.subarray(this.start << 1, (this.start + this.size) << 1);
    if (grown > capacity) this.edges = new Int32Array(grown * 2);
    this.edges.set(used, start << 1);
    this.start = start;
  }

  /** Moves `count` ranges from index `from` to index `to`; the two stretches may overlap. */
  private move(from: number, to: number, count: number): void {
    const edges = this.edges;
    const source = (this.start + from) << 1;
    const target = (this.start + to) << 1;
    const length = count << 1;
    if (length > SMALL_MOVE) {
      edges.copyWithin(target, source, source + length);
    } else if (target < source) {
      for (let i = 0; i < length; i++) edges[target + i] = edges[source + i];
    } else {
      for (let i = length - 1; i >= 0; i--) edges[target + i] = edges[source + i];
    }
  }
}
