/** What tells in which order a sender sent its segments: its counts, its clock, and what it must have heard. */

import { RST, SYN } from '../wire/tcp.ts';
import type { Working } from './delivery.ts';
import type { Place } from './place.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

/** Records looked back upon for what a sender must have heard. */
const MOST_BETWEEN = 1000;

/**
 * The last segment of a flight, lost before the capture's place, leaves no hole: its second copy comes in order. But it
 * comes after a pause of a probe or timeout, from a sender with nothing else to do, and the count of its packets skips.
 */
export function replacesUnseen(t: Trace, place: Place, own: Working, i: number, skipped: number): boolean {
  if (skipped < 1 || own.lastIndex < 0 || place.rtt === null || place.near === t.side[i]) return false;
  if ((t.flags(own.lastIndex) & SYN) !== 0 || t.time(i) - t.time(own.lastIndex) < 1.5 * place.rtt + 0.005) return false;
  // What was skipped reached the other side, which has acknowledged it: it is the capture that has not got it.
  const gap = own.gaps.at(-1);
  if (gap !== undefined && gap.acknowledged > own.lastIndex) return false;
  for (let k = own.lastIndex + 1; k < i; k++) if (t.side[k] !== t.side[i] && t.size(k) > 0) return false;
  return true;
}

/** Sent before `than`, by what the sender counts up; false where that does not tell. */
export function isOlder(t: Trace, own: Working, i: number, than: number): boolean {
  if (own.countsIds) {
    const step = ((t.ipId(i) - t.ipId(than)) << 16) >> 16;
    if (step !== 0) return step < 0;
  }
  if (!t.has(i, Bit.TIMESTAMPS) || !t.has(than, Bit.TIMESTAMPS)) return false;
  return ((t.tsVal(i) - t.tsVal(than)) | 0) < 0;
}

/** A segment that came joined to others, once more on its own, sooner than anybody can have asked for it. */
export function isDoubledPart(t: Trace, place: Place, i: number, original: number): boolean {
  if (t.segments(original) === 1 || place.rtt === null || place.near === t.side[i]) return false;
  if (t.has(i, Bit.TIMESTAMPS) && t.tsVal(i) !== t.tsVal(original)) return false;
  return t.time(i) - t.time(original) < Math.min(0.1, 0.5 * place.rtt);
}

/**
 * A copy of what its sender must know to have arrived: acknowledgments of it went by more than a round trip ago, one
 * after the other, and the sender has gone on with new text since, or sends several at once. It did not send it now, it
 * has been long on its way.
 */
export function isLong(t: Trace, place: Place, acknowledged: number, i: number): boolean {
  const side = t.side[i] as Side;
  if (place.near === side || !Number.isFinite(place.answer[side]) || place.rtt === null) return false;
  const turn = 1.2 * Math.max(place.answer[side], 0.5 * place.rtt) + 0.002;
  let acknowledgments = 0;
  let heard = 0;
  let newText = Number.NEGATIVE_INFINITY;
  if (hasLatestStamp(t, side, i)) return false;
  for (let k = i - 1; k >= 0 && k > i - MOST_BETWEEN; k--) {
    if (t.verdict[k] !== Verdict.PLAIN || (t.flags(k) & RST) !== 0) continue;
    if (t.side[k] === side) {
      heard = Math.max(heard, t.ack[k]);
      if (t.size(k) > 0 && t.start[k] >= t.end[i]) newText = Math.max(newText, t.time(k));
    } else if (t.ack[k] >= t.end[i]) {
      // On its receiver's own text or FIN, which the sender has acknowledged in turn.
      if (t.size(k) > 0 && t.end[k] <= heard) return true;
      if (t.time(k) <= t.time(i) - turn) acknowledgments++;
      if (acknowledgments >= 3 && newText > t.time(k) + turn) return true;
    } else break;
  }
  return acknowledgments >= 3 && inBurst(t, place.rtt, acknowledged, i);
}

/** Among others of its kind: after a timeout a sender sends one segment and waits (RFC 5681 section 3.1). */
function inBurst(t: Trace, rtt: number, acknowledged: number, i: number): boolean {
  const starts = new Set<number>();
  for (const step of [-1, 1]) {
    for (let k = i; k >= 0 && k < t.n && Math.abs(t.time(k) - t.time(i)) <= 0.7 * rtt; k += step)
      if (t.side[k] === t.side[i] && t.size(k) > 0 && t.end[k] <= acknowledged) starts.add(t.start[k]);
  }
  return starts.size > 2;
}

/** A stamp later than that of whatever its sender sent before: it was sent now, and what went by had not been heard. */
function hasLatestStamp(t: Trace, side: Side, i: number): boolean {
  if (!t.has(i, Bit.TIMESTAMPS)) return false;
  let stamped = false;
  for (let k = i - 1; k >= 0 && k > i - MOST_BETWEEN; k--) {
    if (t.side[k] !== side || t.verdict[k] === Verdict.FOREIGN || !t.has(k, Bit.TIMESTAMPS)) continue;
    // What has come late itself has an old one.
    if (((t.tsVal(i) - t.tsVal(k)) | 0) <= 0) return false;
    stamped = true;
  }
  return stamped;
}

/** Was the segment that fills a hole merely late (sent before what overtook it), or is it a second attempt? */
export function isLateOriginal(t: Trace, place: Place, own: Working, overtook: number, i: number): boolean {
  if (overtook < 0) return false;
  if (own.countsIds) {
    const step = ((t.ipId(i) - t.ipId(overtook)) << 16) >> 16;
    if (step !== 0) return step < 0;
  }
  if (t.has(i, Bit.TIMESTAMPS) && t.has(overtook, Bit.TIMESTAMPS)) {
    const step = (t.tsVal(i) - t.tsVal(overtook)) | 0;
    if (step !== 0) return step < 0;
    // The same tick of a fast clock: sent together with what overtook it, before anybody could ask for it again.
    if (place.rtt !== null && own.tick < 0.25 * place.rtt) return true;
  }
  const late = t.time(i) - t.time(overtook);
  return place.rtt === null ? late < 0.003 : late < 0.7 * place.rtt;
}
