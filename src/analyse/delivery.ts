/**
 * What became of each segment: loss, retransmission needed or needless, reordering, duplication, gaps of the capture.
 *
 * The evidence, strongest first: an acknowledgment seen before (the text had arrived), DSACK (RFC 2883: it arrived
 * twice), the IP identification and timestamp of a sender that counts (a late original is older than what overtook it,
 * a retransmission younger), SACK blocks (it arrived out of order although it left in order), and time against the
 * round trip. From all of it follows what was lost: a copy that needed another one.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { fillHoles, type Hole, Pieces } from './pieces.ts';
import type { Place } from './place.ts';
import { Bit } from './segment-log.ts';
import { roundTrips } from './timing.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

/** What a retransmission was sent for, as far as the packets tell. */
export type Trigger = 'fast' | 'partial-ack' | 'timeout' | 'tail-probe' | 'resized' | 'unknown';

export interface Retransmission {
  index: number;
  /** The earlier copy's index, -1 when it is not in the capture. */
  original: number;
  needless: boolean;
  /** Why it is known to be needless. */
  proof: 'acknowledged' | 'dsack' | 'timestamp' | 'too-soon' | 'late-original' | null;
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

/** One side's deliveries. */
export interface Delivery {
  retransmissions: Retransmission[];
  /** Indexes of segments that came late, or that SACK shows to have arrived late. */
  reordered: number[];
  /** Milliseconds each was late, where it was seen. */
  lateness: number[];
  /** Acknowledgments that reported a copy no retransmission explains. */
  unexplainedDsacks: number[];
  gaps: Gap[];
  /** Indexes of acknowledgments of the other side that never arrived. */
  lostAcks: number[];
  /** Acknowledgments that must have been lost on the way here: needless repetitions nothing else explains. */
  hiddenAcks: number;
  /** Highest octet sent, and highest acknowledged by the other side. */
  maxEnd: number;
  acknowledged: number;
  pieces: Pieces;
}

interface Working extends Delivery {
  holes: Hole[];
  started: boolean;
  lowest: number;
  scanned: number;
  duplicateAcks: number;
  /** What was out when recovery began (RFC 6582), and when the last acknowledgment was seen. */
  recover: number;
  lastAck: number;
  countsIds: boolean;
  /** Seconds a tick of this side's timestamps, Infinity when not known. */
  tick: number;
  lastIndex: number;
  lostAckFrom: number;
  unmatched: number[];
}

const DUPLICATE_THRESHOLD = 3;
/** Sooner after an acknowledgment than any timer in use, seconds. */
const SOON = 0.1;

/** Follows both sides at once; also sets the verdict of each record. */
export function followDelivery(t: Trace, place: Place, crossedOpen: boolean): [Delivery, Delivery] {
  const d: [Working, Working] = [newWorking(t, 0), newWorking(t, 1)];
  for (let i = 0; i < t.n; i++) {
    const side = t.side[i] as Side;
    const own = d[side];
    const peer = d[side === 0 ? 1 : 0];
    const verdict = t.verdict[i];
    if (verdict === Verdict.NETWORK_DUPLICATE && t.size(i) > 0) own.unmatched.push(i);
    if (verdict !== Verdict.PLAIN || (t.flags(i) & RST) !== 0) continue;
    if (t.size(i) > 0) sent(t, place, own, i);
    if (t.ack[i] >= 0) acknowledged(t, peer, i, side === 0 ? 1 : 0);
    own.lastIndex = i;
  }
  for (const side of [0, 1] as const) {
    if (crossedOpen) withoutCrossedSyn(t, d[side]);
    finish(t, place, d[side]);
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

function newWorking(t: Trace, side: Side): Working {
  return {
    retransmissions: [],
    reordered: [],
    lateness: [],
    unexplainedDsacks: [],
    gaps: [],
    lostAcks: [],
    holes: [],
    ...{
      hiddenAcks: 0,
      maxEnd: 0,
      acknowledged: 0,
      started: false,
      lowest: 0,
      scanned: 0,
      duplicateAcks: 0,
      recover: 0,
      lastAck: Number.NEGATIVE_INFINITY,
      lastIndex: -1,
    },
    lostAckFrom: Number.NEGATIVE_INFINITY,
    unmatched: [],
    pieces: new Pieces(),
    countsIds: countsIds(t, side),
    tick: tickOf(t, side),
  };
}

/** Whether this side's IP identifications count up by one a packet, as Linux does for each connection. */
function countsIds(t: Trace, side: Side): boolean {
  let steps = 0;
  let small = 0;
  let last = -1;
  for (let i = 0; i < t.n && steps < 200; i++) {
    if (t.side[i] !== side || t.verdict[i] !== Verdict.PLAIN || (t.flags(i) & (SYN | RST)) !== 0) continue;
    const id = t.ipId(i);
    if (last >= 0) {
      steps++;
      const step = ((id - last) << 16) >> 16;
      if (step !== 0 && step > -300 && step < 300) small++;
    }
    last = id;
  }
  return steps >= 2 && small >= 0.9 * steps;
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
function sent(t: Trace, place: Place, own: Working, i: number): void {
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
    else if (replacesUnseen(t, place, own, i)) retransmit(t, place, own, i, -1);
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
      own.lateness.push(overtook < 0 ? 0 : (t.time(i) - t.time(overtook)) * 1000);
    } else retransmit(t, place, own, i, -1);
    addPieces(own, start, end, i);
    if (end > own.maxEnd) own.maxEnd = end;
    return;
  }
  const at = own.pieces.after(start);
  const original = at < own.pieces.count && own.pieces.start[at] < end ? own.pieces.last[at] : -1;
  if (original >= 0 && isOlder(t, own, i, original)) {
    lateOriginal(t, own, i, original);
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

/**
 * The last segment of a flight, lost before the capture's place, leaves no hole: its second copy comes in order. But it
 * comes after a pause of a probe or timeout, from a sender with nothing else to do, and the count of its packets skips.
 */
function replacesUnseen(t: Trace, place: Place, own: Working, i: number): boolean {
  if (!own.countsIds || own.lastIndex < 0 || place.rtt === null || place.near === t.side[i]) return false;
  const skipped = (((t.ipId(i) - t.ipId(own.lastIndex)) << 16) >> 16) - 1;
  if (skipped < 1 || skipped > 8 || (t.flags(own.lastIndex) & SYN) !== 0) return false;
  if (t.time(i) - t.time(own.lastIndex) < 1.5 * place.rtt + 0.005) return false;
  for (let k = own.lastIndex + 1; k < i; k++) if (t.side[k] !== t.side[i] && t.size(k) > 0) return false;
  return true;
}

/** Sent before `than`, by what the sender counts up; false where that does not tell. */
function isOlder(t: Trace, own: Working, i: number, than: number): boolean {
  if (own.countsIds) {
    const step = ((t.ipId(i) - t.ipId(than)) << 16) >> 16;
    if (step !== 0) return step < 0;
  }
  if (!t.has(i, Bit.TIMESTAMPS) || !t.has(than, Bit.TIMESTAMPS)) return false;
  return ((t.tsVal(i) - t.tsVal(than)) | 0) < 0;
}

/** The first copy comes after the second: nothing was lost, the second was needless. */
function lateOriginal(t: Trace, own: Working, i: number, second: number): void {
  t.verdict[i] = Verdict.REORDERED;
  t.copyOf[i] = second;
  own.reordered.push(i);
  own.lateness.push((t.time(i) - t.time(second)) * 1000);
  const r = own.retransmissions.find((x) => x.index === second);
  if (r === undefined) return;
  r.needless = true;
  r.proof = 'late-original';
  t.verdict[second] = Verdict.NEEDLESS;
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

/** Was the segment that fills a hole merely late (sent before what overtook it), or is it a second attempt? */
function isLateOriginal(t: Trace, place: Place, own: Working, overtook: number, i: number): boolean {
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

function retransmit(t: Trace, place: Place, own: Working, i: number, original: number): void {
  const known = original >= 0 && own.acknowledged >= t.end[i];
  // SYN and SYN-ACK are judged with the handshake: one repeats the other's loss, not its own.
  const proven = known && (t.flags(i) & SYN) === 0;
  t.verdict[i] = proven ? Verdict.NEEDLESS : Verdict.RETRANSMISSION;
  t.copyOf[i] = original;
  own.retransmissions.push({
    index: i,
    original,
    needless: proven,
    proof: known && (t.flags(i) & (SYN | ACK)) !== SYN ? 'acknowledged' : null,
    trigger: triggerOf(t, place, own, i, original),
    dsack: -1,
    tooBig: wasTooBig(t, i, original),
  });
}

/** The earlier copy drew a "too big" (RFC 1191, RFC 8201) before this one was sent. */
function wasTooBig(t: Trace, i: number, original: number): boolean {
  if (t.flow.icmp === null || original < 0) return false;
  for (const event of t.flow.icmp) {
    const tooBig = event.family === 4 ? event.type === 3 && event.code === 4 : event.type === 2;
    if (!tooBig || event.side !== t.side[i] || event.time > t.time(i)) continue;
    if (event.time >= t.time(original) && t.log.ipLength[t.record[original]] > event.mtu) return true;
  }
  return false;
}

function triggerOf(t: Trace, place: Place, own: Working, i: number, original: number): Trigger {
  if (wasTooBig(t, i, original)) return 'resized';
  if ((t.flags(i) & SYN) !== 0) return 'timeout';
  if (own.duplicateAcks >= 1) {
    const piece = own.pieces.after(t.start[i]);
    const sackedAbove = own.pieces.sacked.indexOf(true, piece) >= 0;
    if (sackedAbove || own.duplicateAcks >= DUPLICATE_THRESHOLD) {
      own.recover = own.maxEnd;
      return 'fast';
    }
  }
  // RFC 6582 section 3.2: an acknowledgment of some of what was out when recovery began asks for the next segment.
  if (own.acknowledged < own.recover && t.time(i) - own.lastAck < SOON + (place.rtt ?? 0)) return 'partial-ack';
  if (original < 0) return 'unknown';
  // RFC 8985 section 7: a probe sends the last segment again, well before the timeout.
  const waited = t.time(i) - t.time(original);
  const first = t.copyOf[original] < 0;
  if (first && t.end[i] === own.maxEnd && own.acknowledged < t.start[i] && waited < 0.15) return 'tail-probe';
  if (first && t.end[i] === own.maxEnd && waited < 0.19) return 'tail-probe';
  return 'timeout';
}

/** The other side's acknowledgment in record i, about what `own` sent. */
function acknowledged(t: Trace, own: Working, i: number, side: Side): void {
  const ack = t.ack[i];
  own.lastAck = t.time(i);
  const isDsack = ownDsack(t, i);
  if (isDsack) matchDsack(t, own, i, side);
  if (ack > own.acknowledged) {
    passPieces(t, own, ack);
    if (ack > own.maxEnd && own.started) {
      own.gaps.push({ side, start: own.maxEnd, end: ack, acknowledged: i });
      own.maxEnd = ack;
    }
    for (let k = 0; k < own.holes.length; k++) {
      const hole = own.holes[k];
      if (hole.end > ack) continue;
      own.gaps.push({ side, start: hole.start, end: hole.end, acknowledged: i });
      own.holes.splice(k--, 1);
    }
    if (!own.started && ack > own.maxEnd) own.maxEnd = ack;
    own.acknowledged = ack;
    own.duplicateAcks = 0;
  } else if (ack === own.acknowledged && t.size(i) === 0 && (t.flags(i) & ACK) !== 0 && ack < own.maxEnd) {
    own.duplicateAcks++;
  }
  if (t.sackCount(i) > 0) readSack(t, own, i, isDsack);
}

/** RFC 2883 section 4: the first block lies below the acknowledgment, or within the second block. */
function ownDsack(t: Trace, i: number): boolean {
  if (t.sackCount(i) === 0 || (t.flags(i) & SYN) !== 0) return false;
  const right = t.sackEdge(i, 1);
  if (right <= t.ack[i]) return true;
  return t.sackCount(i) > 1 && t.sackEdge(i, 0) >= t.sackEdge(i, 2) && right <= t.sackEdge(i, 3);
}

function readSack(t: Trace, own: Working, i: number, isDsack: boolean): void {
  const { pieces } = own;
  let top = 0;
  for (let b = isDsack ? 1 : 0; b < t.sackCount(i); b++) top = Math.max(top, t.sackEdge(i, 2 * b + 1));
  if (own.scanned < pieces.count && pieces.start[own.scanned] < t.ack[i]) own.scanned = pieces.after(t.ack[i]);
  while (own.scanned < pieces.count && pieces.end[own.scanned] <= top) {
    const k = own.scanned++;
    let covered = false;
    for (let b = isDsack ? 1 : 0; b < t.sackCount(i); b++) {
      covered ||= t.sackEdge(i, 2 * b) <= pieces.start[k] && t.sackEdge(i, 2 * b + 1) >= pieces.end[k];
    }
    if (covered) pieces.sacked[k] = true;
    else if (pieces.start[k] >= t.ack[i] && t.verdict[pieces.first[k]] === Verdict.PLAIN) pieces.gapped[k] = true;
  }
}

/** Pieces the acknowledgment now covers: one that stood in a gap and was sent only once has arrived late. */
function passPieces(t: Trace, own: Working, ack: number): void {
  const { pieces } = own;
  for (let k = pieces.after(own.acknowledged); k < pieces.count && pieces.end[k] <= ack; k++) {
    if (!pieces.gapped[k] || pieces.first[k] !== pieces.last[k]) continue;
    if (t.verdict[pieces.first[k]] !== Verdict.PLAIN || (t.flags(pieces.first[k]) & SYN) !== 0) continue;
    own.reordered.push(pieces.first[k]);
  }
}

function matchDsack(t: Trace, own: Working, i: number, side: Side): void {
  const left = t.sackEdge(i, 0);
  const right = t.sackEdge(i, 1);
  for (let k = own.retransmissions.length - 1; k >= 0; k--) {
    const r = own.retransmissions[k];
    if (r.dsack >= 0 || t.start[r.index] >= right || t.end[r.index] <= left) continue;
    if (r.needless || r.original >= 0 || t.copyOf[r.index] < 0) {
      markNeedless(t, r, i);
      return;
    }
  }
  const duplicate = own.unmatched.findIndex((k) => t.start[k] < right && t.end[k] > left);
  if (duplicate >= 0) {
    own.unmatched.splice(duplicate, 1);
    return;
  }
  // A probe repeats an old octet on purpose, and a SYN-ACK that crossed a SYN repeats the SYN's number.
  if (left < 1 || answersProbe(t, i, side, left, right)) return;
  // The report itself may have been doubled.
  const last = own.unexplainedDsacks.at(-1);
  if (last !== undefined && t.sackEdge(last, 0) === left && t.sackEdge(last, 1) === right) return;
  own.unexplainedDsacks.push(i);
}

function markNeedless(t: Trace, r: Retransmission, dsack: number): void {
  r.dsack = dsack;
  r.proof ??= 'dsack';
  r.needless = true;
  t.verdict[r.index] = Verdict.NEEDLESS;
}

function answersProbe(t: Trace, i: number, side: Side, left: number, right: number): boolean {
  for (let k = i - 1; k >= 0 && k >= i - 16; k--) {
    const probe = t.verdict[k] === Verdict.KEEP_ALIVE || t.verdict[k] === Verdict.WINDOW_PROBE;
    if (probe && t.side[k] === side && t.start[k] <= left && t.start[k] + Math.max(1, t.size(k)) >= right) return true;
  }
  return false;
}

function finish(t: Trace, place: Place, own: Working): void {
  judgeByTimestamp(t, own);
  judgeByTime(t, place, own);
  for (const r of own.retransmissions) {
    // Sent because later segments were reported first, and then reported twice: the first copy was only late.
    const late = r.needless && r.trigger === 'fast' && r.original >= 0 && r.proof !== 'acknowledged';
    if (late && t.verdict[r.original] === Verdict.PLAIN) own.reordered.push(r.original);
  }
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
    for (let k = r.index + 1; k < t.n; k++) {
      if (t.side[k] === t.side[r.index] || t.ack[k] < t.end[r.index] || t.verdict[k] !== Verdict.PLAIN) continue;
      if (t.has(k, Bit.TIMESTAMPS) && t.ack[k] === t.end[r.index] && echoesEarlierCopy(t, r, t.tsEcr(k))) {
        r.needless = true;
        r.proof = 'timestamp';
        t.verdict[r.index] = Verdict.NEEDLESS;
      }
      break;
    }
  }
}

/**
 * An acknowledgment that comes back sooner than any answer can answers an earlier copy: the text had arrived, or was
 * about to.
 */
function judgeByTime(t: Trace, place: Place, own: Working): void {
  const open = own.retransmissions.filter((r) => !r.needless && r.original >= 0 && !r.tooBig);
  if (open.length === 0) return;
  const side = t.side[open[0].index] as Side;
  const fastest = Math.min(place.answer[side === 0 ? 1 : 0], (roundTrips(t, side)?.min ?? Number.NaN) / 1000);
  // Also where either is not known.
  if (!(fastest > 0.002 && Number.isFinite(fastest))) return;
  for (const r of open) {
    if ((t.flags(r.index) & SYN) !== 0) continue;
    const end = t.end[r.index];
    let k = r.index + 1;
    while (k < t.n && (t.side[k] === side || t.ack[k] < end || t.verdict[k] !== Verdict.PLAIN)) k++;
    if (k === t.n || t.time(k) - t.time(r.index) >= 0.7 * fastest) continue;
    r.needless = true;
    r.proof = 'too-soon';
    t.verdict[r.index] = Verdict.NEEDLESS;
  }
}

/** The first copy had arrived and no answer came in a time in which even a delayed one would have. */
function answerWasLost(t: Trace, rtt: number, r: Retransmission): boolean {
  if (!r.needless || r.original < 0 || r.trigger === 'fast' || (r.proof !== 'dsack' && r.proof !== 'timestamp'))
    return false;
  const waited = t.time(r.index) - t.time(r.original);
  return (t.flags(r.index) & FIN) !== 0 ? waited > 1.5 * rtt + 0.005 : waited > rtt + 0.25;
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
    if (answerWasLost(t, place.rtt, r)) own.hiddenAcks++;
    if (r.proof !== 'acknowledged') continue;
    const side = t.side[r.index] as Side;
    if (place.near === side) continue;
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
