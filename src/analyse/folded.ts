/**
 * Connections without end, in bounded memory. When many segments have come, all but the newest are analysed as far as
 * they can be, what was found is kept with the records it speaks of, and the rest is cut out, as if it had never been
 * sent: the opening is followed at once by the newest segments, whose numbers are lower by what was cut. So every part is
 * analysed by the same passes as a whole connection. Segments before and after a part are analysed with it, since what
 * happens at its ends depends on them; what is found in them belongs to the parts that they are in.
 */

import { FIN, RST, SYN } from '../wire/tcp.ts';
import type { Skip } from './delivery.ts';
import { Evidence } from './evidence.ts';
import { countHiddenCopies, type Facts, gatherFacts, judgeFacts } from './facts.ts';
import type { Flow } from './flow.ts';
import { join, type Located, sift } from './located.ts';
import type { Counts } from './report.ts';
import { RoundTripTally } from './round-trip-tally.ts';
import type { SegmentLog } from './segment-log.ts';
import { addTotals, newTotals, type Totals } from './side-report.ts';
import { roundTripSamples } from './timing.ts';
import { type Part, type Side, Trace } from './trace.ts';
import { completenessOf, noteFlags } from './wireshark.ts';
import { History, originatorOf, writeHistory } from './zeek.ts';

/** Records of a part, of what is analysed with it on either side, and of the opening: whole blocks of the log. */
export interface FoldSizes {
  part: number;
  margin: number;
  opening: number;
}

export const FOLD_SIZES: FoldSizes = { part: 1 << 15, margin: 1 << 12, opening: 1 << 11 };

/** Of facts there can be one a segment; so many are kept with their records, the others are only counted. */
const MOST_EVIDENCE = 10_000;

/** What is known of a connection's parts that are cut out. */
export class Folded {
  readonly opening: number;
  readonly margin: number;
  /** Octets of each side that are cut out. */
  readonly cut: [number, number] = [0, 0];
  readonly evidence = new Evidence();
  readonly totals: [Totals, Totals] = [newTotals(), newTotals()];
  readonly flags: Record<string, number> = {};
  completeness = 0;
  history: History | null = null;
  private readonly roundTrips = [new RoundTripTally(), new RoundTripTally()] as const;
  private readonly answers: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  /** Indexes are numbers of the evidence. */
  private located: Located | null = null;
  private counts: Counts | null = null;

  constructor(sizes: FoldSizes) {
    this.opening = sizes.opening;
    this.margin = sizes.margin;
  }

  /** The first record whose facts are not yet known. */
  get known(): number {
    return this.located === null ? 0 : this.opening + this.margin;
  }

  /** The facts of a part; everything else of the trace only helps to find them. */
  learn(t: Trace, part: Part): Facts {
    const facts = gatherFacts(t, this.answers);
    const within: Facts = {
      ...facts,
      ...sift(
        facts,
        (i) => i >= part.from && i < part.to,
        (i) => i,
      ),
    };
    judgeFacts(within, part);
    for (const side of [0, 1] as const) {
      this.answers[side] = Math.min(this.answers[side], facts.place.answer[side]);
      this.roundTrips[side].add(roundTripSamples(t, side, part));
    }
    if (!facts.plain) noteFlags(t, this.flags, part);
    this.completeness |= completenessOf(t);
    this.history ??= new History(originatorOf(t));
    writeHistory(this.history, t, facts.delivery, part);
    return within;
  }

  /** Keeps the facts of a part that is to be cut out. */
  keep(within: Facts): void {
    const { trace: t } = within;
    addTotals(t, this.totals, this.cut);
    const known = new Map<number, number>();
    const kept = sift(
      this.shortened(within),
      () => true,
      (i) => this.evidence.keep(t, i, this.cut, known),
    );
    this.shift(kept);
    this.located = this.located === null ? kept : join(this.located, kept);
    this.count(within);
  }

  /** All facts of the connection, of its parts that are cut out and of `last`. */
  complete(last: Facts): Facts {
    const { trace: t } = last;
    addTotals(t, this.totals, this.cut);
    t.restore(this.opening, this.cut);
    this.evidence.layOut(t);
    this.count(last);
    const earlier = sift(
      this.located as Located,
      () => true,
      (e) => t.n + e,
    );
    const own = { ...last };
    this.shift(own);
    const all: Facts = { ...last, ...join(earlier, own), plain: false, counts: this.counts as Counts };
    countHiddenCopies(all);
    return all;
  }

  roundTripsOf(side: Side): RoundTripTally {
    return this.roundTrips[side];
  }

  /** Back to the numbers of the whole connection. */
  private shift(f: Located): void {
    for (const side of [0, 1] as const) {
      const octets = this.cut[side];
      const d = f.delivery[side];
      f.delivery[side] = {
        ...d,
        maxEnd: d.maxEnd + octets,
        acknowledged: d.acknowledged + octets,
        gaps: d.gaps.map((gap) => ({ ...gap, start: gap.start + octets, end: gap.end + octets })),
      };
    }
  }

  private shortened(f: Located): Located {
    const before = this.located;
    const room = (list: readonly number[], earlier: readonly number[] | undefined): number[] =>
      list.slice(0, Math.max(0, MOST_EVIDENCE - (earlier?.length ?? 0)));
    const { copies, probes, ecn } = f;
    const [first, second] = f.delivery;
    return {
      ...f,
      delivery: [
        { ...first, skips: sumOf(first.skips) },
        { ...second, skips: sumOf(second.skips) },
      ],
      copies: { ...copies, capturedTwice: room(copies.capturedTwice, before?.copies.capturedTwice) },
      probes: { ...probes, windowFull: room(probes.windowFull, before?.probes.windowFull) },
      ecn: {
        ...ecn,
        marked: [room(ecn.marked[0], before?.ecn.marked[0]), room(ecn.marked[1], before?.ecn.marked[1])],
      },
    };
  }

  private count(f: Facts): void {
    const counts: Counts = { ...f.counts };
    if (this.counts !== null) {
      for (const kind of Object.keys(counts) as (keyof Counts)[]) counts[kind] += this.counts[kind];
    }
    this.counts = counts;
  }
}

/** Of what identifications skip, only how much it is matters. */
function sumOf(skips: readonly Skip[]): Skip[] {
  const sum: Skip = { index: -1, packets: 0, copies: 0 };
  for (const { packets, copies } of skips) {
    sum.packets += packets;
    sum.copies += copies;
  }
  return skips.length === 0 ? [] : [sum];
}

/**
 * Cuts out all but the opening and the newest records. Where a connection begins to close it is left as it is: what
 * follows such a segment depends on it to the end.
 */
export function fold(flow: Flow, log: SegmentLog, sizes: FoldSizes): void {
  const folded = flow.folded ?? new Folded(sizes);
  const t = new Trace(flow, log);
  const to = (t.n - sizes.margin) & ~3;
  const from = to - sizes.margin;
  flow.foldAt = Number.POSITIVE_INFINITY;
  for (let i = sizes.opening; i < from; i++) if ((t.flags(i) & (SYN | FIN | RST)) !== 0) return;
  folded.keep(folded.learn(t, { from: folded.known, to }));
  const ends = [0, 0];
  const kept = [0, 0];
  let sacked = false;
  for (let i = 0; i < from; i++) {
    const side = t.side[i];
    ends[side] = Math.max(ends[side], t.end[i]);
    if (i < sizes.opening) kept[side] = ends[side];
    else if (t.sackCount(i) > 0) sacked = true;
  }
  for (const side of [0, 1] as const) folded.cut[side] += ends[side] - kept[side];
  log.cut(t.record[sizes.opening - 1], t.record[sizes.opening], t.record[from - 1], from - sizes.opening, sacked);
  flow.folded = folded;
  flow.count -= from - sizes.opening;
  flow.pendingSyn = -1;
  flow.foldAt = flow.count + sizes.part;
}

/** The facts of a connection of which parts have been cut out. */
export function factsOfFolded(flow: Flow, folded: Folded, log: SegmentLog): Facts {
  const t = new Trace(flow, log);
  return folded.complete(folded.learn(t, { from: folded.known, to: t.n }));
}
