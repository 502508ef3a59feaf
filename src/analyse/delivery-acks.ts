/** What the other side's acknowledgments, SACK blocks and DSACKs (RFC 2018, RFC 2883) say of what was sent. */

import { ACK, SYN } from '../wire/tcp.ts';
import type { Gap, Retransmission, Working } from './delivery.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

/** RFC 5681 section 3.2. */
const DUPLICATE_THRESHOLD = 3;

/** The other side's acknowledgment in record i, about what `own` sent. */
export function acknowledged(t: Trace, own: Working, i: number, side: Side): void {
  const ack = t.ack[i];
  own.lastAck = t.time(i);
  const isDsack = ownDsack(t, i) && !repeatsBlock(t, own, i);
  if (t.sackCount(i) > 0 && !isDsack) own.lastBlock = i;
  if (isDsack) matchDsack(t, own, i, side);
  if (ack > own.acknowledged) {
    passPieces(t, own, ack);
    if (ack > own.maxEnd && own.started) {
      gap(own, { side, start: own.maxEnd, end: ack, acknowledged: i });
      own.maxEnd = ack;
    }
    for (let k = 0; k < own.holes.length; k++) {
      const hole = own.holes[k];
      if (hole.end > ack) continue;
      gap(own, { side, start: hole.start, end: hole.end, acknowledged: i });
      own.holes.splice(k--, 1);
    }
    if (!own.started && ack > own.maxEnd) own.maxEnd = ack;
    own.acknowledged = ack;
    own.duplicateAcks = 0;
  } else if (ack === own.acknowledged && t.size(i) === 0 && (t.flags(i) & ACK) !== 0 && ack < own.maxEnd) {
    if (++own.duplicateAcks === DUPLICATE_THRESHOLD) {
      own.asked ??= new Set();
      own.asked.add(ack);
    }
  }
  if (t.sackCount(i) > 0) readSack(t, own, i, isDsack);
}

/** A stretch the capture has not got; acknowledged piece by piece it is still one. */
function gap(own: Working, found: Gap): void {
  const last = own.gaps.at(-1);
  if (last === undefined || last.end !== found.start) {
    own.gaps.push(found);
    return;
  }
  last.end = found.end;
  last.acknowledged = found.acknowledged;
}

/** The block of the last SACK once more, now below the acknowledgment: some senders are late to drop it. */
function repeatsBlock(t: Trace, own: Working, i: number): boolean {
  const last = own.lastBlock;
  return last >= 0 && t.sackEdge(last, 0) === t.sackEdge(i, 0) && t.sackEdge(last, 1) === t.sackEdge(i, 1);
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
  const first = isDsack ? 1 : 0;
  let top = 0;
  let bottom = Number.POSITIVE_INFINITY;
  for (let b = first; b < t.sackCount(i); b++) {
    top = Math.max(top, t.sackEdge(i, 2 * b + 1));
    bottom = Math.min(bottom, t.sackEdge(i, 2 * b));
  }
  // With as many blocks as fit (RFC 2018 section 3), older ones may be left out: nothing is said of what lies below.
  if (t.sackCount(i) < (t.has(i, Bit.TIMESTAMPS) ? 3 : 4)) bottom = 0;
  splitAtEdges(t, own, i, first);
  if (own.scanned < pieces.count && pieces.start[own.scanned] < t.ack[i]) own.scanned = pieces.after(t.ack[i]);
  while (own.scanned < pieces.count && pieces.end[own.scanned] <= top) {
    const k = own.scanned++;
    let covered = false;
    for (let b = first; b < t.sackCount(i); b++) {
      covered ||= t.sackEdge(i, 2 * b) <= pieces.start[k] && t.sackEdge(i, 2 * b + 1) >= pieces.end[k];
    }
    if (covered) pieces.sacked[k] = 1;
    else if (pieces.sacked[k] === 0 && pieces.start[k] >= Math.max(bottom, t.ack[i])) {
      if (t.verdict[pieces.first[k]] === Verdict.PLAIN) pieces.gapped[k] = 1;
    }
  }
}

/** A piece that stands for several segments may have arrived in part. */
function splitAtEdges(t: Trace, own: Working, i: number, first: number): void {
  const { pieces } = own;
  const before = pieces.count;
  for (let k = 2 * first; k < 2 * t.sackCount(i); k++) pieces.split(t.sackEdge(i, k));
  if (pieces.count > before && own.scanned < pieces.count) own.scanned = pieces.after(t.ack[i]);
}

/** Pieces the acknowledgment now covers: one that stood in a gap and was sent only once has arrived late. */
function passPieces(t: Trace, own: Working, ack: number): void {
  const { pieces } = own;
  for (let k = pieces.after(own.acknowledged); k < pieces.count && pieces.end[k] <= ack; k++) {
    if (pieces.gapped[k] === 0 || pieces.first[k] !== pieces.last[k]) continue;
    if (t.verdict[pieces.first[k]] !== Verdict.PLAIN || (t.flags(pieces.first[k]) & SYN) !== 0) continue;
    own.reordered.push(pieces.first[k]);
  }
}

function matchDsack(t: Trace, own: Working, i: number, side: Side): void {
  const left = t.sackEdge(i, 0);
  const right = t.sackEdge(i, 1);
  for (let k = own.retransmissions.length - 1; k >= 0; k--) {
    const r = own.retransmissions[k];
    // One that stands for several segments is reported piece by piece.
    const reported = r.dsack >= 0 && t.segments(r.index) === 1;
    if (reported || t.start[r.index] >= right || t.end[r.index] <= left) continue;
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
