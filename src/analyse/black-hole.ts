/**
 * A path that drops what is too large and says nothing (RFC 2923 section 2.1, RFC 4821): every copy lost was larger than
 * every one that arrived, and what was lost came through once it was cut smaller.
 */

import type { Facts } from './facts.ts';
import { type Side, Verdict } from './trace.ts';
import { smallest } from './words.ts';

export interface BlackHole {
  side: Side;
  /** Indexes of the copies that vanished. */
  lost: Set<number>;
  /** Of their cut repetitions, and of what was sent smaller. */
  resized: number[];
  /** Octets of the smallest packet that vanished, and of the largest that arrived. */
  vanished: number;
  through: number;
  /** Nothing came through until the capture's end, so that something else may have been wrong. */
  open: boolean;
}

/** Copies from which on it is a rule. */
const FEWEST = 2;
/** Smaller packets pass everywhere: RFC 9293 section 3.7.1 counts on 576. */
const SMALLEST = 577;

export function findBlackHoles(f: Facts): BlackHole[] {
  const found: BlackHole[] = [];
  if ((f.trace.flow.icmp ?? []).length > 0) return found;
  for (const side of [0, 1] as const) {
    const hole = f.lost.size >= FEWEST ? cutToFit(f, side) : null;
    if (hole !== null) found.push(hole);
    else {
      const open = neverThrough(f, side);
      if (open !== null) found.push(open);
    }
  }
  return found;
}

function cutToFit(f: Facts, side: Side): BlackHole | null {
  const { trace: t } = f;
  const lost = new Set([...f.lost].filter((i) => t.side[i] === side && t.length(i) > 0));
  const resized = f.delivery[side].retransmissions
    .filter((r) => lost.has(r.original) && sizeOf(f, r.index) < sizeOf(f, r.original) && !lost.has(r.index))
    .map((r) => r.index);
  if (lost.size < FEWEST || resized.length === 0) return null;
  const vanished = smallest([...lost].map((i) => sizeOf(f, i)));
  const through = largestThrough(f, side, lost);
  if (through >= vanished || vanished < SMALLEST) return null;
  return { side, lost, resized, vanished, through, open: false };
}

/** Text repeated whole and never acknowledged, larger than all that was. */
function neverThrough(f: Facts, side: Side): BlackHole | null {
  const { trace: t } = f;
  const d = f.delivery[side];
  const run = f.backOff.find((b) => b.side === side && d.acknowledged < t.end[b.copies[0]]);
  if (run === undefined) return null;
  const through = largestThrough(f, side, new Set());
  const vanished = smallest(run.copies.map((i) => sizeOf(f, i)));
  if (through === 0 || through >= vanished || vanished < SMALLEST) return null;
  return { side, lost: new Set(run.copies), resized: [], vanished, through, open: true };
}

function largestThrough(f: Facts, side: Side, lost: ReadonlySet<number>): number {
  const { trace: t } = f;
  const { acknowledged } = f.delivery[side];
  let largest = 0;
  for (let i = 0; i < t.n; i++) {
    if (t.side[i] !== side || t.length(i) === 0 || lost.has(i) || t.end[i] > acknowledged) continue;
    if (t.verdict[i] !== Verdict.FOREIGN) largest = Math.max(largest, sizeOf(f, i));
  }
  return largest;
}

function sizeOf(f: Facts, i: number): number {
  return f.trace.log.ipLength(f.trace.record[i]);
}
