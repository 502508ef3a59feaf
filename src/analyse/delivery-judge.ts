/**
 * Judgements that need the whole connection: copies that were needless by their echo (RFC 3522) or by time, and the
 * acknowledgments whose loss needless copies give away.
 */

import { FIN, RST, SYN } from '../wire/tcp.ts';
import type { Retransmission, Working } from './delivery.ts';
import type { Place } from './place.ts';
import { Bit } from './segment-log.ts';
import { roundTrips } from './timing.ts';
import { type Side, type Trace, Verdict } from './trace.ts';
import { nameProbes } from './triggers.ts';

/** Seconds: RFC 9293 section 3.8.6.3. */
const LONGEST_DELAYED_ACK = 0.5;

export function finishDelivery(t: Trace, place: Place, own: Working): void {
  judgeByTimestamp(t, own);
  judgeByTime(t, place, own);
  for (const r of own.retransmissions) {
    // Sent because later segments were reported first, and then reported twice: the first copy was only late.
    const late = r.needless && r.trigger === 'fast' && r.original >= 0 && r.proof !== 'acknowledged';
    if (late && t.verdict[r.original] === Verdict.PLAIN) own.reordered.push(r.original);
  }
  nameProbes(t, place, own);
  findLostAcks(t, place, own);
  // What a gap covers was sent: without the capture nothing can be said of its delivery.
  if (own.gaps.length > 0) own.gaps = own.gaps.filter((gap) => gap.end > gap.start);
  if (own.reordered.length > 0) own.reordered = [...new Set(own.reordered)];
}

/** Eifel (RFC 3522): an acknowledgment that echoes the first copy's stamp answers the first copy. */
function judgeByTimestamp(t: Trace, own: Working): void {
  for (const r of own.retransmissions) {
    if (r.needless || r.original < 0 || r.tooBig || !t.has(r.index, Bit.TIMESTAMPS) || (t.flags(r.index) & SYN) !== 0)
      continue;
    if (t.tsVal(r.index) === t.tsVal(r.original)) continue;
    const k = answerTo(t, r);
    if (k < 0 || !t.has(k, Bit.TIMESTAMPS) || t.ack[k] !== t.end[r.index] || !echoesEarlierCopy(t, r, t.tsEcr(k)))
      continue;
    // A delayed ACK echoes the first segment it had not answered yet (RFC 7323 section 4.1), which may be another one.
    if (answeredBefore(t, k) < t.start[r.index]) continue;
    r.needless = true;
    r.proof = 'timestamp';
    t.verdict[r.index] = Verdict.NEEDLESS;
  }
}

/** What the side of record k had acknowledged before it. */
function answeredBefore(t: Trace, k: number): number {
  for (let i = k - 1; i >= 0; i--) if (t.side[i] === t.side[k] && t.ack[i] >= 0) return t.ack[i];
  return 0;
}

/** Sent by the peer as it stood then; what is sent again carries the acknowledgment and echo of now (RFC 7323). */
function answers(t: Trace, k: number): boolean {
  const verdict = t.verdict[k];
  return verdict === Verdict.PLAIN || verdict === Verdict.RETRANSMISSION || verdict === Verdict.NEEDLESS;
}

/**
 * An acknowledgment that comes back sooner than any answer can answers an earlier copy: the text had arrived, or was
 * about to.
 */
function judgeByTime(t: Trace, place: Place, own: Working): void {
  // With SACK the receiver reports what it gets twice (RFC 2883).
  if (t.flow.sides.every(({ syn }) => syn?.sackPermitted === true)) return;
  const open = own.retransmissions.filter((r) => !r.needless && r.original >= 0 && !r.tooBig);
  if (open.length === 0) return;
  const side = t.side[open[0].index] as Side;
  if (place.near !== 'middle' && place.near !== null && place.near !== side) {
    seenHere(t, own, open);
    return;
  }
  const fastest = Math.min(place.answer[side === 0 ? 1 : 0], (roundTrips(t, side)?.min ?? Number.NaN) / 1000);
  // Also where either is not known.
  if (!(fastest > 0.002 && Number.isFinite(fastest))) return;
  for (const r of open) {
    if ((t.flags(r.index) & SYN) !== 0) continue;
    const k = answerTo(t, r);
    if (k < 0) continue;
    const waited = t.time(k) - t.time(r.index);
    if (waited >= 0.7 * fastest && !passedOver(t, r, k, waited < 0.9 * fastest)) continue;
    r.needless = true;
    r.proof = 'too-soon';
    t.verdict[r.index] = Verdict.NEEDLESS;
  }
}

/** Next to who receives, what came once has arrived, if it was ever taken. */
function seenHere(t: Trace, own: Working, open: readonly Retransmission[]): void {
  for (const r of open) {
    if ((t.flags(r.index) & SYN) !== 0 || own.acknowledged < t.end[r.index]) continue;
    r.needless = true;
    r.proof = 'seen-here';
    t.verdict[r.index] = Verdict.NEEDLESS;
  }
}

/**
 * One acknowledgment leaps over this retransmission and others, further than a delayed one does, and was sent before it
 * came: by the clock, or by an echo older than its stamp. What it leaps over had arrived before.
 */
function passedOver(t: Trace, r: Retransmission, k: number, soon: boolean): boolean {
  const before = answeredBefore(t, k);
  const room = t.roomIn(t.side[r.index] as Side) || t.length(r.index);
  if (before >= t.start[r.index] || t.ack[k] - before < 3 * room) return false;
  const stamped = t.has(r.index, Bit.TIMESTAMPS) && t.has(k, Bit.TIMESTAMPS);
  return stamped ? ((t.tsVal(r.index) - t.tsEcr(k)) | 0) > 0 : soon;
}

/**
 * The first copy had arrived, and its answer did not come late but never: it was the second copy that drew the answer
 * there is, a round trip later, or with a report of the repetition (RFC 2883).
 */
function answerWasLost(t: Trace, place: Place, r: Retransmission): boolean {
  if (!r.needless || r.original < 0 || r.trigger === 'fast' || (r.proof !== 'dsack' && r.proof !== 'timestamp'))
    return false;
  const side = t.side[r.index] as Side;
  const peer: Side = side === 0 ? 1 : 0;
  // Next to who answers, every answer is here.
  if (place.near === peer || t.time(r.index) - t.time(r.original) < longestAnswer(t, place.rtt ?? 0, r)) return false;
  const k = answerTo(t, r);
  if (k < 0) return false;
  return r.dsack >= 0 ? k === r.dsack : t.time(k) - t.time(r.index) >= 0.7 * place.answer[peer];
}

/** A repetition, and a FIN whose peer has closed before, are answered at once; else the answer may be held back (RFC 9293 section 3.8.6.3). */
function longestAnswer(t: Trace, rtt: number, r: Retransmission): number {
  let prompt = t.copyOf[r.original] >= 0;
  if ((t.flags(r.index) & FIN) !== 0) {
    for (let k = 0; k < r.original && !prompt; k++) prompt = t.side[k] !== t.side[r.index] && (t.flags(k) & FIN) !== 0;
  }
  return prompt ? 1.5 * rtt + 0.005 : rtt + LONGEST_DELAYED_ACK;
}

/** The first acknowledgment of a retransmission's text, -1 for none. */
function answerTo(t: Trace, r: Retransmission): number {
  const side = t.side[r.index];
  for (let k = r.index + 1; k < t.n; k++)
    if (t.side[k] !== side && t.ack[k] >= t.end[r.index] && answers(t, k)) return k;
  return -1;
}

function echoesEarlierCopy(t: Trace, r: Retransmission, echo: number): boolean {
  if (echo === t.tsVal(r.index)) return false;
  for (let copy = r.original; copy >= 0; copy = t.copyOf[copy]) if (t.tsVal(copy) === echo) return true;
  return false;
}

/**
 * A sender that repeats what was acknowledged a round trip ago has not heard it: what its peer sent in between, and
 * that acknowledged this text, was lost. Text and FIN that were lost show by their own retransmission; here, the rest.
 */
function findLostAcks(t: Trace, place: Place, own: Working): void {
  if (place.rtt === null) return;
  for (const r of own.retransmissions) {
    if (answerWasLost(t, place, r)) own.hiddenAcks.push(r.index);
    // Asked for by duplicate acknowledgments: those arrived.
    if (r.proof !== 'acknowledged' || r.trigger === 'fast' || r.trigger === 'partial-ack') continue;
    const side = t.side[r.index] as Side;
    if (place.near === side || heardLate(t, r)) continue;
    // A probe waits two round trips and a timeout longer: what was on its way for less may not have been heard yet.
    const until = t.time(r.index) - 1.5 * place.rtt - 0.002;
    for (let k = 0; k < r.index && t.time(k) <= until; k++) {
      if (t.side[k] === side || t.size(k) > 0 || t.time(k) <= own.lostAckFrom) continue;
      if (t.verdict[k] === Verdict.PLAIN && t.ack[k] >= t.end[r.index] && (t.flags(k) & (RST | FIN)) === 0) {
        own.lostAcks.push(k);
      }
    }
    own.lostAckFrom = Math.max(own.lostAckFrom, until);
  }
}

/** With what it sends next the sender goes beyond what the window had allowed before the acknowledgment: it has it by now. */
function heardLate(t: Trace, r: Retransmission): boolean {
  const side = t.side[r.index];
  let sent = 0;
  for (let k = r.index + 1; k < t.n && t.side[k] === side; k++) sent = Math.max(sent, t.end[k]);
  if (sent <= t.end[r.index]) return false;
  let edge = 0;
  for (let k = 0; k < r.index; k++)
    if (t.side[k] !== side && t.ack[k] < t.end[r.index]) edge = Math.max(edge, t.ack[k] + t.window(k));
  return edge > 0 && sent > edge;
}
