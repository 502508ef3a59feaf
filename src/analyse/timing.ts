/** What the clock tells: round trips, stalls of Nagle against delayed ACK, back-off, idle times, dead silence. */

import { FIN, RST, SYN } from '../wire/tcp.ts';
import type { Delivery } from './delivery.ts';
import type { Place } from './place.ts';
import type { RttStatistics } from './report.ts';
import { type Part, type Side, type Trace, Verdict, WHOLE } from './trace.ts';

let ends = new Float64Array(256);
let times = new Float64Array(256);
let samples = new Float64Array(256);

function reserve(n: number): void {
  if (n <= ends.length) return;
  ends = new Float64Array(2 * n);
  times = new Float64Array(2 * n);
  samples = new Float64Array(2 * n);
}

/** Statistics of {@link roundTripSamples} over the whole connection. */
export function roundTrips(t: Trace, side: Side): RttStatistics | null {
  const found = roundTripSamples(t, side, WHOLE);
  if (found.length === 0) return null;
  const sorted = found.sort();
  return {
    samples: sorted.length,
    min: round(sorted[0]),
    median: round(sorted[sorted.length >> 1]),
    max: round(sorted[sorted.length - 1]),
  };
}

const NO_SAMPLES = new Float64Array(0);

/**
 * Milliseconds from a side's text to the first acknowledgment that covers it; text sent twice is left out (Karn). Those
 * whose acknowledgment lies within `part`; valid until the next call.
 */
export function roundTripSamples(t: Trace, side: Side, part: Part): Float64Array {
  if (!t.speaks(side)) return NO_SAMPLES;
  reserve(t.n);
  let head = 0;
  let tail = 0;
  let highest = 0;
  let count = 0;
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if (t.verdict[i] === Verdict.FOREIGN || (flags & RST) !== 0) continue;
    if (t.side[i] !== side) {
      let newest = -1;
      while (head < tail && ends[head] <= t.ack[i]) newest = head++;
      if (newest >= 0 && times[newest] >= 0 && i >= part.from && i < part.to)
        samples[count++] = (t.time(i) - times[newest]) * 1000;
      continue;
    }
    if (t.end[i] === t.start[i] || (flags & SYN) !== 0) continue;
    if (t.start[i] >= highest && t.verdict[i] === Verdict.PLAIN) {
      ends[tail] = t.end[i];
      times[tail++] = t.time(i);
    } else {
      for (let k = tail - 1; k >= head && ends[k] > t.start[i]; k--) times[k] = -1;
    }
    if (t.end[i] > highest) highest = t.end[i];
  }
  return samples.subarray(0, count);
}

/** Milliseconds to the microsecond. */
export function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** A time in which nobody said anything: the records before and after. */
export interface Silence {
  before: number;
  after: number;
  seconds: number;
}

/** The longest within `part` that no timer ended; null where none is worth a word. */
export function longestSilence(t: Trace, part: Part): Silence | null {
  if (t.span <= LONG_SILENCE) return null;
  let longest: Silence | null = null;
  let seconds = LONG_SILENCE;
  for (let i = Math.max(1, part.from); i < t.n && i < part.to; i++) {
    const gap = t.time(i) - t.time(i - 1);
    const waiting = (t.flags(i) & (RST | SYN)) !== 0 || t.verdict[i] !== Verdict.PLAIN;
    if (gap <= seconds || waiting) continue;
    seconds = gap;
    longest = { before: i - 1, after: i, seconds };
  }
  return longest;
}

/** Seconds in which nobody says anything before it is worth a word. */
const LONG_SILENCE = 10;

export interface Stall {
  side: Side;
  /** The small segment that waited for its acknowledgment, the late ACK, and the segment it released. */
  segment: number;
  ack: number;
  released: number;
  milliseconds: number;
}

/** A delayed ACK may take this much longer than the round trip; below, it is not one (RFC 9293 allows up to 500 ms). */
const DELAYED_MS = 30;

/**
 * Nagle's algorithm (RFC 9293 section 3.7.4) holds a small segment back until the one before is acknowledged; a delayed
 * ACK holds that acknowledgment back until there is something to answer. Each waits for the other.
 */
export function findStalls(t: Trace, place: Place): Stall[] {
  const stalls: Stall[] = [];
  if (place.rtt === null || t.span * 1000 < DELAYED_MS) return stalls;
  for (const side of [0, 1] as const) {
    const mss = t.flow.sides[side === 0 ? 1 : 0].syn?.mss ?? 536;
    let small = -1;
    for (let i = 0; i < t.n; i++) {
      if (t.verdict[i] !== Verdict.PLAIN) {
        small = -1;
        continue;
      }
      if (t.side[i] === side) {
        if (t.length(i) > 0) small = t.length(i) < mss - 40 ? i : -1;
        continue;
      }
      if (small < 0 || t.length(i) > 0 || t.ack[i] !== t.end[small] || (t.flags(i) & (FIN | SYN | RST)) !== 0) continue;
      const waited = (t.time(i) - t.time(small)) * 1000;
      const delayed = waited - (place.near === side ? place.rtt : place.answer[side === 0 ? 1 : 0]) * 1000;
      const released = nextText(t, i, side);
      const soon = released >= 0 && t.time(released) - t.time(i) < Math.max(0.002, place.answer[side] * 1.5);
      const prompt = released >= 0 && t.length(released) < mss - 40 && t.start[released] === t.end[small];
      if (delayed >= DELAYED_MS && delayed < 600 && soon && prompt) {
        stalls.push({ side, segment: small, ack: i, released, milliseconds: waited });
      }
      small = -1;
    }
  }
  return stalls;
}

/** What the side says next; -1 when the other end speaks first: then it is an answer, and no ACK has released it. */
function nextText(t: Trace, i: number, side: Side): number {
  for (let k = i + 1; k < t.n && k < i + 4; k++) if (t.length(k) > 0) return t.side[k] === side ? k : -1;
  return -1;
}

export interface BackOff {
  side: Side;
  /** Index of the first copy and of each repetition. */
  copies: number[];
  /** Seconds between them. */
  intervals: number[];
}

/** Where doubling may stop, seconds (RFC 6298 section 2.5). */
const MOST_WAIT = 60;

/** RFC 6298 section 5.5: the same text again and again, each time after about twice as long. */
export function findBackOff(t: Trace, d: [Delivery, Delivery]): BackOff[] {
  const runs: BackOff[] = [];
  for (const side of [0, 1] as const) {
    if (d[side].retransmissions.length < 2) continue;
    const done = new Set<number>();
    for (let k = d[side].retransmissions.length - 1; k >= 0; k--) {
      const last = d[side].retransmissions[k].index;
      if (done.has(last)) continue;
      const copies: number[] = [];
      let told = 0;
      for (let i = last; i >= 0; i = t.copyOf[i]) {
        copies.unshift(i);
        if (done.has(i)) told++;
        done.add(i);
        if (copies.length > 64) break;
      }
      const intervals = copies.slice(1).map((i, n) => t.time(i) - t.time(copies[n]));
      const doubling = intervals.filter((s, n) => n > 0 && s >= 1.5 * intervals[n - 1]).length;
      const capped = intervals.filter((s, n) => n > 0 && s > 0.95 * intervals[n - 1] && s >= MOST_WAIT).length;
      // The same copies again, of which the last was sent in pieces.
      if (told > 1) continue;
      if (copies.length >= 3 && doubling >= 1 && doubling + capped >= intervals.length - 3 && intervals.at(-1)! > 0.3) {
        runs.push({ side, copies, intervals });
      }
    }
  }
  return runs.sort((a, b) => a.copies[0] - b.copies[0]);
}
