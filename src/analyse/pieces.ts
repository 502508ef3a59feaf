/**
 * What one side has sent, as the pieces it was first cut into, in order; each knows its last copy and what the other
 * side's acknowledgments said of it.
 */

export class Pieces {
  start = new Float64Array(64);
  end = new Float64Array(64);
  /** Index of the first and the latest record that carried it. */
  first = new Int32Array(64);
  last = new Int32Array(64);
  /** 1 where reported by a SACK block; where it stood below one when it was not. */
  sacked = new Uint8Array(64);
  gapped = new Uint8Array(64);
  count = 0;

  /** Empties it; the room stays, since connections are analysed one after the other. */
  clear(): void {
    this.count = 0;
  }

  /** Index of the first piece that ends after `at`. */
  after(at: number): number {
    const { end, count } = this;
    // Mostly asked about the end of what was sent.
    if (count === 0 || end[count - 1] <= at) return count;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (end[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a piece from the k-th on was reported by SACK. */
  sackedFrom(k: number): boolean {
    const at = this.sacked.indexOf(1, k);
    return at >= 0 && at < this.count;
  }

  /** Makes a piece end (and another begin) at `at`, so that a part sent again is told from the rest. */
  split(at: number): void {
    const k = this.after(at);
    if (k >= this.count || this.start[k] >= at) return;
    this.open(k + 1);
    this.start[k + 1] = at;
    this.end[k + 1] = this.end[k];
    this.end[k] = at;
    this.first[k + 1] = this.first[k];
    this.last[k + 1] = this.last[k];
    this.sacked[k + 1] = this.sacked[k];
    this.gapped[k + 1] = this.gapped[k];
  }

  /** Adds [start, end), which overlaps no piece. */
  add(start: number, end: number, index: number): void {
    const at = this.after(start);
    this.open(at);
    this.start[at] = start;
    this.end[at] = end;
    this.first[at] = index;
    this.last[at] = index;
    this.sacked[at] = 0;
    this.gapped[at] = 0;
  }

  /** Makes room for one more at `k`. */
  private open(k: number): void {
    const { count } = this;
    if (count === this.start.length) this.grow();
    if (k < count) {
      for (const list of [this.start, this.end, this.first, this.last, this.sacked, this.gapped])
        list.copyWithin(k + 1, k, count);
    }
    this.count++;
  }

  private grow(): void {
    const size = 2 * this.start.length;
    const larger = <T extends Float64Array | Int32Array | Uint8Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.start = larger(this.start, new Float64Array(size));
    this.end = larger(this.end, new Float64Array(size));
    this.first = larger(this.first, new Int32Array(size));
    this.last = larger(this.last, new Int32Array(size));
    this.sacked = larger(this.sacked, new Uint8Array(size));
    this.gapped = larger(this.gapped, new Uint8Array(size));
  }
}

/** A stretch of sequence numbers that was passed over; `opened` is the record that passed it. */
export interface Hole {
  start: number;
  end: number;
  opened: number;
}

/** Takes [start, end) out of the holes; returns the hole it met first, or null. */
export function fillHoles(holes: Hole[], start: number, end: number): Hole | null {
  let met: Hole | null = null;
  for (let k = 0; k < holes.length; k++) {
    const hole = holes[k];
    if (hole.end <= start || hole.start >= end) continue;
    met ??= { ...hole };
    if (hole.start < start && hole.end > end) {
      holes.splice(k, 1, { ...hole, end: start }, { ...hole, start: end });
      return met;
    }
    if (hole.start < start) hole.end = start;
    else if (hole.end > end) hole.start = end;
    else holes.splice(k--, 1);
  }
  return met;
}
