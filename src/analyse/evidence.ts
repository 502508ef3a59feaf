/** The records of a connection's folded parts that facts speak of: all others are gone. */

import { NONE, type SegmentLog } from './segment-log.ts';
import type { Side, Trace } from './trace.ts';

interface Kept {
  side: Side;
  start: number;
  end: number;
  ack: number;
  verdict: number;
  /** Number of the earlier copy among the evidence, -1 for none. */
  copyOf: number;
}

export class Evidence {
  private readonly kept: Kept[] = [];
  private readonly records: number[] = [];
  private sacked = false;

  get count(): number {
    return this.kept.length;
  }

  /**
   * Keeps record i of the trace, and what it is a copy of; returns its number. `known` are those of this trace already
   * kept, `cut` the octets of each side that are missing in its numbers.
   */
  keep(t: Trace, i: number, cut: readonly [number, number], known: Map<number, number>): number {
    const before = known.get(i);
    if (before !== undefined) return before;
    const copyOf = t.copyOf[i] < 0 ? -1 : this.keep(t, t.copyOf[i], cut, known);
    const side = t.side[i] as Side;
    const behind = i >= t.cutAt;
    const octets = behind ? cut[side] : 0;
    const ack = t.ack[i] < 0 ? -1 : t.ack[i] + (behind ? cut[side === 0 ? 1 : 0] : 0);
    const at = this.kept.length;
    this.kept.push({
      side,
      start: t.start[i] + octets,
      end: t.end[i] + octets,
      ack,
      verdict: t.verdict[i],
      copyOf,
    });
    const tail = at === 0 ? NONE : this.records[at - 1];
    this.records.push(t.log.copy(t.record[i], tail));
    if (t.sackCount(i) > 0) this.sacked = true;
    known.set(i, at);
    return at;
  }

  /** Lays it out behind the trace's own records. */
  layOut(t: Trace): void {
    for (const [k, kept] of this.kept.entries()) {
      const copyOf = kept.copyOf < 0 ? -1 : t.n + kept.copyOf;
      t.place(t.n + k, this.records[k], kept.side, kept.start, kept.end, kept.ack, kept.verdict, copyOf);
    }
  }

  release(log: SegmentLog): void {
    const { records } = this;
    if (records.length === 0) return;
    log.release(records[0], records[records.length - 1], records.length, this.sacked);
    records.length = 0;
  }
}
