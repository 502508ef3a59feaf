/** What a retransmission was sent for: duplicate or selective acknowledgments, a timer, a probe, a smaller path. */

import { ACK, SYN } from '../wire/tcp.ts';
import type { Retransmission, Trigger, Working } from './delivery.ts';
import type { Place } from './place.ts';
import type { Trace } from './trace.ts';

/** Sooner after an acknowledgment than any timer in use, seconds. */
const SOON = 0.1;
/** The shortest retransmission timeout in use, less the error of a clock tick, seconds. */
const SHORTEST_TIMEOUT = 0.19;
/** RFC 8985 section 7.2: a probe goes after two round trips, and after this much more when an ACK may be delayed. */
const DELAYED_ACK = 0.2;

/** As it looks when the segment goes by; {@link nameProbes} has the last word on timers. */
export function triggerOf(t: Trace, place: Place, own: Working, i: number, original: number, tooBig: boolean): Trigger {
  if (tooBig) return 'resized';
  if ((t.flags(i) & SYN) !== 0) return answersSyn(t, i) ? 'unknown' : 'timeout';
  const rtt = place.rtt ?? 0;
  const silence = t.time(i) - own.lastAck;
  const waited = original < 0 ? silence : t.time(i) - t.time(original);
  const stopped = Math.min(silence, waited) > Math.max(SHORTEST_TIMEOUT, 1.5 * rtt);
  const piece = own.pieces.after(t.start[i]);
  const known = piece < own.pieces.count && own.pieces.start[piece] < t.end[i];
  if (!stopped && ((known && own.pieces.gapped[piece] === 1) || asksFor(own, t.start[i], piece))) {
    own.recover = own.maxEnd;
    own.recoverByTimeout = false;
    return 'fast';
  }
  // RFC 6582 section 3.2: an acknowledgment of some of what was out when recovery began asks for the next segment.
  if (own.acknowledged < own.recover && silence < SOON + rtt)
    return own.recoverByTimeout ? 'after-timeout' : 'partial-ack';
  if (original < 0) return stopped ? 'timer' : 'unknown';
  if (stopped && t.end[i] < own.maxEnd) {
    own.recover = own.maxEnd;
    own.recoverByTimeout = true;
  }
  // RFC 8985 section 7: a probe sends the last segment again, well before the timeout.
  const first = t.copyOf[original] < 0;
  const last = first && t.end[i] === own.maxEnd;
  if (waited >= SHORTEST_TIMEOUT) return 'timeout';
  return last ? 'tail-probe' : 'unknown';
}

function asksFor(own: Working, start: number, piece: number): boolean {
  return (
    own.asked?.has(start) === true ||
    (own.duplicateAcks >= 1 && own.acknowledged >= start && own.pieces.sackedFrom(piece))
  );
}

/** A SYN-ACK right behind a SYN that was repeated answers it. */
function answersSyn(t: Trace, i: number): boolean {
  if ((t.flags(i) & ACK) === 0 || i === 0) return false;
  return t.side[i - 1] !== t.side[i] && (t.flags(i - 1) & (SYN | ACK)) === SYN && t.time(i) - t.time(i - 1) < 0.01;
}

/**
 * With SACK, the last segment of a flight is first sent again by a probe, whose timer is not the timeout's though it may
 * run as long (two round trips and a delayed ACK's time): the timeout proper then starts from the probe, not doubled.
 */
export function nameProbes(t: Trace, place: Place, own: Working): void {
  const open = own.retransmissions.filter((r) => r.trigger === 'timeout' && r.original >= 0);
  if (open.length === 0 || place.rtt === null) return;
  if (!t.flow.sides.every(({ syn }) => syn?.sackPermitted === true)) return;
  for (const r of open) if (isProbe(t, place.rtt, own, r)) r.trigger = 'tail-probe';
}

function isProbe(t: Trace, rtt: number, own: Working, r: Retransmission): boolean {
  const { index, original } = r;
  if (t.copyOf[original] >= 0 || (t.flags(index) & SYN) !== 0) return false;
  const waited = t.time(index) - t.time(original);
  if (waited > 2.5 * rtt + DELAYED_ACK + 0.05) return false;
  for (let k = original + 1; k < index; k++) if (t.side[k] === t.side[index] && t.end[k] > t.end[index]) return false;
  const next = own.retransmissions.find((x) => x.original === index);
  return next === undefined || t.time(next.index) - t.time(index) < 1.5 * waited;
}
