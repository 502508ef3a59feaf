/**
 * Fast retransmit and fast recovery: NewReno, RFC 6582; limited transmit, RFC 3042. The step numbers are those of RFC 6582
 * section 3.2. Of SACK only this much is used so far: blocks are as good a reason to start as duplicate ACKs (RFC 6675
 * section 5), since a peer that acknowledges a burst once sends one ACK where three were due. A scoreboard comes later.
 */

import { type Seq, seq, seqAdd, seqDiff, seqGe, seqGt, seqLt } from '../base/seq.ts';
import type { Segment } from '../wire/tcp.ts';
import { onAcknowledged, reduceThreshold } from './congestion/reno.ts';
import { flightSize, type Tcb } from './tcb.ts';

const DUP_ACK_THRESHOLD = 3;

/** A duplicate ACK in the sense of RFC 5681 section 2. */
export function onDuplicateAck(tcb: Tcb): void {
  tcb.dupAcks++;
  if (tcb.inRecovery) {
    // (3): each tells of a segment that has left the network. No more can leave in this round trip than were in flight
    // when it began, whatever number of duplicates a peer makes up.
    const most = tcb.ssthresh + seqDiff(tcb.inflateUpTo, tcb.sndUna);
    tcb.cwnd = Math.min(tcb.cwnd + tcb.sndMss, most);
    return;
  }
  if (tcb.dupAcks === DUP_ACK_THRESHOLD) enterRecovery(tcb);
}

/** Blocks of an ACK that has been processed: more than two segments beyond a hole mean that it is a loss (IsLost). */
export function onSack(tcb: Tcb, seg: Segment): void {
  if (tcb.inRecovery) return;
  let sacked = 0;
  for (let i = 0; i < seg.sackCount; i++) {
    const left = seq(seg.sackEdges[2 * i]);
    const right = seq(seg.sackEdges[2 * i + 1]);
    // A block at or below SND.UNA is a DSACK or old, one beyond SND.NXT a lie.
    if (seqGt(left, tcb.sndUna) && seqGt(right, left) && seqGe(tcb.sndNxt, right)) sacked += seqDiff(right, left);
  }
  if (sacked > (DUP_ACK_THRESHOLD - 1) * tcb.sndMss) enterRecovery(tcb);
}

function enterRecovery(tcb: Tcb): void {
  // Duplicates of what a timeout has sent again (or an earlier recovery) say nothing new.
  if (!seqGt(tcb.sndUna, tcb.recover)) return;
  // (2), without what limited transmit sent beyond cwnd (RFC 5681 3.2).
  reduceThreshold(tcb, Math.min(flightSize(tcb), tcb.cwnd));
  tcb.recover = tcb.sndNxt;
  tcb.inflateUpTo = tcb.sndNxt;
  tcb.inRecovery = true;
  tcb.partialAckSeen = false;
  tcb.cwnd = tcb.ssthresh + DUP_ACK_THRESHOLD * tcb.sndMss;
  tcb.fastRetransmitPending = true;
}

/** SND.UNA has moved by `bytes` to `ack`. Returns whether the retransmission timer starts again. */
export function onNewAck(tcb: Tcb, ack: Seq, bytes: number): boolean {
  tcb.dupAcks = 0;
  if (seqLt(tcb.rtxNext, tcb.rtxEnd) && seqLt(tcb.rtxNext, ack)) {
    tcb.rtxNext = seqLt(ack, tcb.rtxEnd) ? ack : tcb.rtxEnd;
  }
  if (!tcb.inRecovery) {
    onAcknowledged(tcb, bytes);
    // Nothing is being recovered: keep `recover` close behind, so that it is never half the number space away.
    if (seqGt(ack, tcb.recover)) tcb.recover = seqAdd(ack, -1);
    return true;
  }
  if (seqGe(ack, tcb.recover)) {
    // (3) full acknowledgment: deflate, and let no burst out.
    tcb.cwnd = Math.min(tcb.ssthresh, Math.max(flightSize(tcb), tcb.sndMss) + tcb.sndMss);
    tcb.inRecovery = false;
    tcb.fastRetransmitPending = false;
    tcb.recover = seqAdd(ack, -1);
    return true;
  }
  // (3) partial acknowledgment: the next hole is a loss too.
  tcb.fastRetransmitPending = true;
  tcb.inflateUpTo = tcb.sndNxt;
  tcb.cwnd = Math.max(tcb.cwnd - bytes, 0) + (bytes >= tcb.sndMss ? tcb.sndMss : 0);
  tcb.cwnd = Math.max(tcb.cwnd, tcb.sndMss);
  const first = !tcb.partialAckSeen;
  tcb.partialAckSeen = true;
  return first;
}

/** Octets that may be sent beyond cwnd: a new segment on each of the first two duplicates (RFC 3042). */
export function limitedTransmit(tcb: Tcb): number {
  return tcb.inRecovery || tcb.dupAcks >= DUP_ACK_THRESHOLD ? 0 : tcb.dupAcks * tcb.sndMss;
}

/** A timeout ends fast recovery (4.): all that was sent is presumed lost, and is sent again in slow start. */
export function abandonRecovery(tcb: Tcb): void {
  tcb.inRecovery = false;
  tcb.fastRetransmitPending = false;
  tcb.dupAcks = 0;
  tcb.recover = tcb.sndNxt;
  tcb.rtxNext = tcb.sndUna;
  tcb.rtxEnd = tcb.sndNxt;
}
