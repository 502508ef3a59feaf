/** What each side of a connection did, in numbers. */

import { RST, SYN } from '../wire/tcp.ts';
import type { Facts } from './facts.ts';
import type { SideReport } from './report.ts';
import { roundTrips } from './timing.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

/** Gathered from a side's segments. */
export interface Totals {
  ttl: number;
  maxWindow: number;
  /** First octet of text, and the one after the last. */
  low: number;
  high: number;
}

export function sideReports(f: Facts): { client: SideReport; server: SideReport } {
  const { trace: t } = f;
  const { folded } = t.flow;
  const totals: [Totals, Totals] = folded?.totals ?? [newTotals(), newTotals()];
  if (folded === null) addTotals(t, totals, [0, 0]);
  const server: Side = t.client === 0 ? 1 : 0;
  return { client: sideReport(f, t.client, totals[t.client]), server: sideReport(f, server, totals[server]) };
}

/** @param cut octets of each side that are missing in the trace's numbers, behind its opening. */
export function addTotals(t: Trace, totals: [Totals, Totals], cut: readonly [number, number]): void {
  for (let i = 0; i < t.n; i++) {
    if (t.verdict[i] === Verdict.FOREIGN) continue;
    const side = t.side[i] as Side;
    const own = totals[side];
    own.ttl = t.ttl(i);
    const flags = t.flags(i);
    if ((flags & RST) !== 0) continue;
    own.maxWindow = Math.max(own.maxWindow, t.window(i));
    const length = t.length(i);
    if (length === 0) continue;
    const start = t.start[i] + ((flags & SYN) !== 0 ? 1 : 0) + (i < t.cutAt ? 0 : cut[side]);
    own.low = Math.min(own.low, start);
    own.high = Math.max(own.high, start + length);
  }
}

export function newTotals(): Totals {
  return { ttl: 0, maxWindow: 0, low: Number.POSITIVE_INFINITY, high: 0 };
}

function sideReport(f: Facts, side: Side, totals: Totals): SideReport {
  const { folded } = f.trace.flow;
  const { syn, packets, synSeen, synSeq } = f.trace.flow.sides[side];
  return {
    packets,
    bytes: uniqueBytes(f, side, totals),
    mss: syn === null ? null : syn.mss,
    windowScale: syn === null || syn.scale < 0 ? null : syn.scale,
    sackPermitted: syn === null ? null : syn.sackPermitted,
    timestamps: syn === null ? null : syn.timestamps,
    initialSequence: synSeen ? synSeq >>> 0 : null,
    rtt: folded === null ? roundTrips(f.trace, side) : folded.roundTripsOf(side).statistics,
    maxWindow: totals.maxWindow,
    ttl: totals.ttl,
  };
}

/** Octets of text, whatever was sent twice counted once, what the capture missed counted too. */
function uniqueBytes(f: Facts, side: Side, { low: first, high: last }: Totals): number {
  let low = first;
  let high = last;
  const { gaps } = f.delivery[side];
  if (gaps.length > 0) {
    const gap = gaps[gaps.length - 1];
    if (gap.end > high) high = gap.end - (f.close.inferred[side] ? 1 : 0);
    if (!Number.isFinite(low)) low = gap.start;
  }
  if (!Number.isFinite(low)) low = high;
  return Math.max(0, high - (f.trace.flow.sides[side].synSeen ? Math.min(low, 1) : low));
}
