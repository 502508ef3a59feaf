/**
 * What became of each segment: loss, retransmission needed or needless, reordering, duplication, gaps of the capture.
 *
 * The evidence, strongest first: an acknowledgment seen before (the text had arrived), DSACK (RFC 2883: it arrived
 * twice), the IP identification and timestamp of a sender that counts (a late original is older than what overtook it,
 * a retransmission younger), SACK blocks (it arrived out of order although it left in order), and time against the
 * round trip. From all of it follows what was lost: a copy that needed another one.
 */

import { ACK, RST, SYN } from '../wire/tcp.ts';
import { acknowledged } from './delivery-acks.ts';
import { finishDelivery } from './delivery-judge.ts';
import { isDoubledPart, isLateOriginal, isLong, isOlder, replacesUnseen } from './delivery-order.ts';
import { ANY, identificationsOf, recount, skippedBefore, UNCOUNTED } from './identifications.ts';
import { fillHoles, type Hole, Pieces } from './pieces.ts';
import type { Place } from './place.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';
import { triggerOf } from './triggers.ts';

/** What a retransmission was sent for, as far as the packets tell. */
export type Trigger =
  | 'fast'
  | 'partial-ack'
  | 'timeout'
  | 'after-timeout'
  | 'tail-probe'
  | 'timer'
  | 'resized'
  | 'unknown';

export interface Retransmission {
  index: number;
  /** The earlier copy's index, -1 when it is not in the capture. */
  original: number;
  needless: boolean;
  /** Why it is known to be needless. */
  proof: 'acknowledged' | 'dsack' | 'timestamp' | 'too-soon' | 'seen-here' | 'late-original' | null;
  trigger: Trigger;
  /** The acknowledgment that reported the needless copy. */
  dsack: number;
  /** The lost copy was too big for the path, not unlucky. */
  tooBig: boolean;
}

export interface Gap {
  side: Side;
  start: number;
  end: number;
  /** The acknowledgment that covered it. */
  acknowledged: number;
}

/** Packets lost on the way here by the identifications of their sender: those before record `index`. */
export interface Skip {
  index: number;
  /** -1: the record itself is one that had been counted, and came late. */
  packets: number;
  /** Those of them that came before it in a pause, and were copies. */
  copies: number;
}

export interface Lateness {
  index: number;
  milliseconds: number;
}

/** One side's deliveries. */
export interface Delivery {
  retransmissions: Retransmission[];
  /** Indexes of segments that came late, or that SACK shows to have arrived late. */
  reordered: number[];
  /** How late each was, where it was seen. */
  lateness: Lateness[];
  /** Indexes of segments the network doubled that first came joined to others by the host's card. */
  doubledParts: number[];
  /** Acknowledgments that reported a copy no retransmission explains. */
  unexplainedDsacks: number[];
  gaps: Gap[];
  /** Indexes of acknowledgments of the other side that never arrived. */
  lostAcks: number[];
  /** Needless repetitions that nothing explains but an acknowledgment lost on the way here. */
  hiddenAcks: number[];
  skips: Skip[];
  /** Highest octet sent, and highest acknowledged by the other side. */
  maxEnd: number;
  acknowledged: number;
}

export interface Working extends Delivery {
  pieces: Pieces;
  holes: Hole[];
  started: boolean;
  lowest: number;
  scanned: number;
  duplicateAcks: number;
  /** Acknowledgments that were repeated often enough to ask for what follows them. */
  asked: Set<number> | null;
  /** What was out when recovery began (RFC 6582), whether by a timeout, and when the last acknowledgment was seen. */
  recover: number;
  recoverByTimeout: boolean;
  lastAck: number;
  countsIds: boolean;
  /** The identification this side's next packet has when nothing is lost, see {@link skippedBefore}. */
  nextId: number;
  /** Seconds a tick of this side's timestamps, Infinity when not known. */
  tick: number;
  lastIndex: number;
  lostAckFrom: number;
  unmatched: number[];
  /** Record of the other side's last SACK that was no DSACK, -1 for none. */
  lastBlock: number;
}

/** Follows both sides at once; also sets the verdict of each record. */
export function followDelivery(t: Trace, place: Place, crossedOpen: boolean): [Delivery, Delivery] {
  const d: [Working, Working] = [newWorking(t, 0), newWorking(t, 1)];
  for (let i = 0; i < t.n; i++) {
    if (i === t.cutAt) for (const working of d) recount(working);
    const side = t.side[i] as Side;
    const own = d[side];
    const peer = d[side === 0 ? 1 : 0];
    const verdict = t.verdict[i];
    const doubled = verdict === Verdict.NETWORK_DUPLICATE || verdict === Verdict.FOREIGN;
    if (doubled && t.size(i) > 0) own.unmatched.push(i);
    if (verdict !== Verdict.PLAIN || (t.flags(i) & RST) !== 0) {
      // A probe or keep-alive counts in its sender's identifications like anything else it sends.
      if (verdict === Verdict.WINDOW_PROBE || verdict === Verdict.KEEP_ALIVE) {
        own.lastIndex = i;
        skippedBefore(t, own, i);
      }
      continue;
    }
    const skipped = skippedBefore(t, own, i);
    if (skipped !== 0) missed(t, place, own, i, skipped);
    if (t.size(i) > 0) sent(t, place, own, i, skipped);
    if (t.ack[i] >= 0) acknowledged(t, peer, i, side === 0 ? 1 : 0);
    own.lastIndex = i;
  }
  for (const side of [0, 1] as const) {
    if (crossedOpen) withoutCrossedSyn(t, d[side]);
    finishDelivery(t, place, d[side]);
  }
  return d;
}

/** The SYN-ACK of a crossed open repeats the SYN's number because it must (RFC 9293 section 3.5). */
function withoutCrossedSyn(t: Trace, own: Working): void {
  own.retransmissions = own.retransmissions.filter((r) => {
    const answer = (t.flags(r.index) & (SYN | ACK)) === (SYN | ACK);
    const crossing = answer && r.original >= 0 && (t.flags(r.original) & ACK) === 0;
    if (crossing) t.verdict[r.index] = Verdict.PLAIN;
    return !crossing;
  });
}

/** Shared between connections as {@link Trace}'s arrays are. */
const PIECES: readonly [Pieces, Pieces] = [new Pieces(), new Pieces()];

function newWorking(t: Trace, side: Side): Working {
  PIECES[side].clear();
  const ids = identificationsOf(t, side);
  return {
    retransmissions: [],
    reordered: [],
    lateness: [],
    doubledParts: [],
    unexplainedDsacks: [],
    gaps: [],
    lostAcks: [],
    holes: [],
    hiddenAcks: [],
    skips: [],
    maxEnd: 0,
    acknowledged: 0,
    started: false,
    lowest: 0,
    scanned: 0,
    duplicateAcks: 0,
    asked: null,
    recover: 0,
    recoverByTimeout: false,
    lastAck: Number.NEGATIVE_INFINITY,
    lastIndex: -1,
    lostAckFrom: Number.NEGATIVE_INFINITY,
    unmatched: [],
    lastBlock: -1,
    pieces: PIECES[side],
    countsIds: ids.upward,
    nextId: ids.each ? ANY : UNCOUNTED,
    tick: tickOf(t, side),
  };
}

/** From the first and the last stamp of a side. */
function tickOf(t: Trace, side: Side): number {
  const stamped = (i: number): boolean => t.side[i] === side && t.has(i, Bit.TIMESTAMPS) && (t.flags(i) & RST) === 0;
  let first = 0;
  while (first < t.n && !stamped(first)) first++;
  let last = t.n - 1;
  while (last > first && !stamped(last)) last--;
  if (first >= last) return Number.POSITIVE_INFINITY;
  const ticks = (t.tsVal(last) - t.tsVal(first)) | 0;
  return ticks > 0 ? (t.time(last) - t.time(first)) / ticks : Number.POSITIVE_INFINITY;
}

/** A segment that takes sequence space goes by. */
function sent(t: Trace, place: Place, own: Working, i: number, skipped: number): void {
  const start = t.start[i];
  const end = t.end[i];
  if (!own.started) {
    own.started = true;
    own.lowest = start;
    own.maxEnd = Math.max(own.maxEnd, start);
    if (own.acknowledged < start) own.acknowledged = start;
  }
  if (start >= own.maxEnd) {
    if (start > own.maxEnd) own.holes.push({ start: own.maxEnd, end: start, opened: i });
    else if (replacesUnseen(t, place, own, i, skipped)) retransmit(t, place, own, i, -1);
    own.pieces.add(start, end, i);
    own.maxEnd = end;
    return;
  }
  const hole = fillHoles(own.holes, start, end);
  if (hole !== null || start < own.lowest) {
    if (start < own.lowest) own.lowest = start;
    const overtook = hole === null ? own.lastIndex : hole.opened;
    // The acknowledgment of text may be recorded before the text itself: two queues of one network card.
    const gap = own.gaps.findIndex((g) => g.start < end && g.end > start);
    const acknowledgedAt = gap >= 0 ? own.gaps[gap].acknowledged : -1;
    if (acknowledgedAt >= 0 && t.time(i) - t.time(acknowledgedAt) < Math.max(0.0002, 0.1 * (place.rtt ?? 0))) {
      own.gaps.splice(gap, 1);
    } else if (isLateOriginal(t, place, own, overtook, i)) {
      t.verdict[i] = Verdict.REORDERED;
      own.reordered.push(i);
      own.lateness.push({ index: i, milliseconds: overtook < 0 ? 0 : (t.time(i) - t.time(overtook)) * 1000 });
    } else retransmit(t, place, own, i, -1);
    addPieces(own, start, end, i);
    if (end > own.maxEnd) own.maxEnd = end;
    return;
  }
  const at = own.pieces.after(start);
  const original = at < own.pieces.count && own.pieces.start[at] < end ? own.pieces.last[at] : -1;
  if (
    original >= 0 &&
    (isOlder(t, own, i, original) || (own.acknowledged >= end && isLong(t, place, own.acknowledged, i)))
  ) {
    lateOriginal(t, own, i, original);
    return;
  }
  if (original >= 0 && isDoubledPart(t, place, i, original)) {
    t.verdict[i] = Verdict.NETWORK_DUPLICATE;
    t.copyOf[i] = original;
    own.doubledParts.push(i);
    own.unmatched.push(i);
    return;
  }
  retransmit(t, place, own, i, original);
  if (own.scanned < own.pieces.count) own.scanned = Math.min(own.scanned, at);
  own.pieces.split(start);
  own.pieces.split(Math.min(end, own.maxEnd));
  for (let k = own.pieces.after(start); k < own.pieces.count && own.pieces.start[k] < end; k++) own.pieces.last[k] = i;
  if (end > own.maxEnd) {
    own.pieces.add(own.maxEnd, end, i);
    own.maxEnd = end;
  }
}

/** Packets were skipped before record i, lost on the way here whatever they were; or i is one of them and only late. */
function missed(t: Trace, place: Place, own: Working, i: number, skipped: number): void {
  if (own.lastIndex < 0 || place.near === t.side[i]) return;
  const skip = { index: i, packets: skipped, copies: 0 };
  own.skips.push(skip);
  if (t.size(i) === 0 || t.start[i] !== own.maxEnd || own.holes.length > 0) return;
  // The first segment after a pause is a second copy of something: what was skipped before it were copies as well.
  if (replacesUnseen(t, place, own, i, skipped)) skip.copies = skipped - 1;
}

/** The first copy comes after the second: nothing was lost, the second was needless. */
function lateOriginal(t: Trace, own: Working, i: number, second: number): void {
  t.verdict[i] = Verdict.REORDERED;
  t.copyOf[i] = second;
  own.reordered.push(i);
  own.lateness.push({ index: i, milliseconds: (t.time(i) - t.time(second)) * 1000 });
  t.verdict[second] = Verdict.NEEDLESS;
  const r = own.retransmissions.find((x) => x.index === second);
  if (r !== undefined) {
    r.needless = true;
    r.proof = 'late-original';
  } else {
    // What came first looked new.
    const proof = 'late-original';
    own.retransmissions.push({
      index: second,
      original: -1,
      needless: true,
      proof,
      trigger: 'unknown',
      dsack: -1,
      tooBig: false,
    });
  }
}

function addPieces(own: Working, start: number, end: number, i: number): void {
  let from = start;
  const { pieces } = own;
  for (let k = pieces.after(start); from < end; k++) {
    const until = k < pieces.count ? Math.min(end, pieces.start[k]) : end;
    if (until > from) {
      pieces.add(from, until, i);
      k++;
    }
    if (k >= pieces.count) break;
    from = Math.max(from, pieces.end[k]);
    if (pieces.start[k] < end) pieces.last[k] = i;
  }
}

function retransmit(t: Trace, place: Place, own: Working, i: number, original: number): void {
  const known = original >= 0 && own.acknowledged >= t.end[i];
  // SYN and SYN-ACK are judged with the handshake: one repeats the other's loss, not its own.
  const proven = known && (t.flags(i) & SYN) === 0;
  t.verdict[i] = proven ? Verdict.NEEDLESS : Verdict.RETRANSMISSION;
  t.copyOf[i] = original;
  const tooBig = wasTooBig(t, i, original);
  own.retransmissions.push({
    index: i,
    original,
    needless: proven,
    proof: known && (t.flags(i) & (SYN | ACK)) !== SYN ? 'acknowledged' : null,
    trigger: triggerOf(t, place, own, i, original, tooBig),
    dsack: -1,
    tooBig,
  });
}

/** The earlier copy drew a "too big" (RFC 1191, RFC 8201) before this one was sent. */
function wasTooBig(t: Trace, i: number, original: number): boolean {
  if (t.flow.icmp === null || original < 0) return false;
  for (const event of t.flow.icmp) {
    const tooBig = event.family === 4 ? event.type === 3 && event.code === 4 : event.type === 2;
    if (!tooBig || event.side !== t.side[i] || event.time > t.time(i)) continue;
    if (event.time >= t.time(original) && t.log.ipLength(t.record[original]) > event.mtu) return true;
  }
  return false;
}
