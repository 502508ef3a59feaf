/**
 * What one side has sent, as the pieces it was first cut into, in order; each knows its last copy and what the other
 * side's acknowledgments said of it.
 */

export class Pieces {
  readonly start: number[] = [];
  readonly end: number[] = [];
  /** Index of the first and the latest record that carried it. */
  readonly first: number[] = [];
  readonly last: number[] = [];
  /** Reported by a SACK block; stood below one when it was not. */
  readonly sacked: boolean[] = [];
  readonly gapped: boolean[] = [];

  get count(): number {
    return this.start.length;
  }

  /** Index of the first piece that ends after `at`. */
  after(at: number): number {
    let low = 0;
    let high = this.start.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.end[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes a piece end (and another begin) at `at`, so that a part sent again is told from the rest. */
  split(at: number): void {
    const k = this.after(at);
    if (k >= this.count || this.start[k] >= at) return;
    for (const list of [this.first, this.last]) list.splice(k, 0, list[k]);
    for (const list of [this.sacked, this.gapped]) list.splice(k, 0, list[k]);
    this.start.splice(k + 1, 0, at);
    this.end.splice(k, 0, at);
  }

  /** Adds [start, end), which overlaps no piece. */
  add(start: number, end: number, index: number): void {
    const at =
      this.start.length === 0 || this.end[this.start.length - 1] <= start ? this.start.length : this.after(start);
    if (at === this.start.length) {
      this.start.push(start);
      this.end.push(end);
      this.first.push(index);
      this.last.push(index);
      this.sacked.push(false);
      this.gapped.push(false);
      return;
    }
    this.start.splice(at, 0, start);
    this.end.splice(at, 0, end);
    this.first.splice(at, 0, index);
    this.last.splice(at, 0, index);
    this.sacked.splice(at, 0, false);
    this.gapped.splice(at, 0, false);
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
