/** Fifth step of 3.10.7.4: the ACK field. What it frees, what it says about loss, the window it brings. */

import { type Seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import { FIN, type Segment, SYN } from '../wire/tcp.ts';
import { markBareReset } from './abort.ts';
import { challengeAck } from './challenge-ack.ts';
import { startOrphanLife } from './close.ts';
import { initialWindow } from './congestion/reno.ts';
import { noteEcnEcho } from './ecn.ts';
import { Event } from './events.ts';
import { armKeepAlive, noteAlive } from './keepalive.ts';
import { noteArrived } from './path-mtu.ts';
import { isWindowClosed, startPersist, stopPersist } from './persist.ts';
import { onDuplicateAck, onNewAck, onSack } from './recovery.ts';
import { restartRetransmission } from './retransmission.ts';
import { acknowledgeTiming, baseRto } from './rtt.ts';
import { isSendBufferFull } from './send.ts';
import { State } from './state.ts';
import { armUserTimeout, enterClosed, enterTimeWait, setState, type Tcb } from './tcb.ts';
import { sampleFromEcho } from './timestamps.ts';

/** Fifth, check the ACK field. Returns false when the segment is to be dropped. */
export function fifthCheckAck(tcb: Tcb, seg: Segment, now: Time): boolean {
  if (!tcb.synAcked && !synIsAcknowledged(tcb, seg, now)) return false;
  if (!isAcceptable(tcb, seg.ack)) {
    challengeAck(tcb, now);
    return false;
  }
  noteAlive(tcb, now);
  tcb.unansweredProbes = 0;
  noteEcnEcho(tcb, seg);
  const duplicate = isDuplicate(tcb, seg);
  if (seqGt(seg.ack, tcb.sndUna)) advance(tcb, seg, now);
  else if (duplicate) onDuplicateAck(tcb);
  if (seg.sackCount > 0 && tcb.sackOk) onSack(tcb, seg);
  updateWindow(tcb, seg, now);
  return afterAck(tcb, now);
}

/** RFC 5961 section 5 (MAY-12): an ACK older than the largest window, or for what was never sent, is no ACK of ours. */
function isAcceptable(tcb: Tcb, ack: Seq): boolean {
  return seqLe(ack, tcb.sndNxt) && seqGe(ack, seqAdd(tcb.sndUna, -tcb.maxSndWnd));
}

/** SYN-RECEIVED (or FIN-WAIT-1 entered from it): only an ACK of our SYN leads on; another one earns a RST. */
function synIsAcknowledged(tcb: Tcb, seg: Segment, now: Time): boolean {
  if (!seqLt(tcb.sndUna, seg.ack) || !seqLe(seg.ack, tcb.sndNxt)) {
    markBareReset(tcb, seg.ack);
    return false;
  }
  // SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK
  setSendWindow(tcb, seg);
  establish(tcb, seg, now);
  return true;
}

/** Our SYN is acknowledged: what the handshake leaves behind. Used by SYN-SENT and SYN-RECEIVED alike. */
export function establish(tcb: Tcb, seg: Segment, now: Time): void {
  tcb.synAcked = true;
  tcb.synPending = false;
  tcb.sndUna = seqAdd(tcb.iss, 1);
  tcb.recover = tcb.iss;
  if (!acknowledgeTiming(tcb, seg.ack, now)) sampleFromEcho(tcb, seg, now);
  tcb.retransmits = 0;
  // What was doubled was the guess of RFC 6298 2.1; data starts afresh (5.7).
  tcb.rtoMs = baseRto(tcb);
  tcb.backedOff = false;
  // Off, unless a FIN is out already (CLOSE in SYN-RECEIVED).
  restartRetransmission(tcb, now);
  tcb.userDeadline = NEVER;
  tcb.cwnd = initialWindow(tcb);
  tcb.lastReceivedAt = now;
  tcb.takenSinceAt = now;
  if (tcb.state === State.SYN_SENT || tcb.state === State.SYN_RECEIVED) {
    setState(tcb, tcb.finQueued ? State.FIN_WAIT_1 : State.ESTABLISHED);
  }
  tcb.events |= Event.OPENED;
  armKeepAlive(tcb, now);
}

/** SND.UNA moves on. */
function advance(tcb: Tcb, seg: Segment, now: Time): void {
  const una = tcb.sndUna;
  const moved = seqDiff(seg.ack, una);
  // The FIN, the last thing in sequence space, is not in the buffer.
  const octets = Math.min(Math.max(seqDiff(seg.ack, tcb.sndText), 0), tcb.sendBuffer.length);
  tcb.sendBuffer.drop(octets);
  tcb.bytesAcked += octets;
  tcb.sndText = seqAdd(tcb.sndText, octets);
  tcb.sndUna = seg.ack;
  noteArrived(tcb);
  if (!acknowledgeTiming(tcb, seg.ack, now) && tcb.backedOff) sampleFromEcho(tcb, seg, now);
  tcb.retransmits = 0;
  if (onNewAck(tcb, seg.ack, moved) || tcb.sndUna === tcb.sndNxt) restartRetransmission(tcb, now);
  if (tcb.sndUrgent && seqGe(tcb.sndUna, tcb.sndUp)) tcb.sndUrgent = false;
  if (seqGt(tcb.sndUna, tcb.ecnReducedUpTo)) tcb.ecnReducedUpTo = tcb.sndUna;
  if (seqGt(tcb.sndUna, tcb.sndSmall)) tcb.sndSmall = tcb.sndUna;
  armUserTimeout(tcb, now);
  if (tcb.writeBlocked && !isSendBufferFull(tcb)) {
    tcb.writeBlocked = false;
    tcb.events |= Event.WRITABLE;
  }
}

/** RFC 5681 section 2: nothing new acknowledged, something outstanding, no text, no SYN or FIN, the same window. */
function isDuplicate(tcb: Tcb, seg: Segment): boolean {
  return (
    seg.ack === tcb.sndUna &&
    tcb.sndUna !== tcb.sndNxt &&
    seg.payloadLength === 0 &&
    (seg.flags & (SYN | FIN)) === 0 &&
    seg.window * 2 ** tcb.sndWscale === tcb.sndWnd &&
    tcb.sndWnd > 0
  );
}

/** The send window, unless the segment is older than the one that set it last. */
function updateWindow(tcb: Tcb, seg: Segment, now: Time): void {
  if (!seqLe(tcb.sndUna, seg.ack)) return;
  const newer = seqLt(tcb.sndWl1, seg.seq) || (tcb.sndWl1 === seg.seq && seqLe(tcb.sndWl2, seg.ack));
  if (!newer) return;
  setSendWindow(tcb, seg);
  if (isWindowClosed(tcb)) startPersist(tcb, now);
  else if (tcb.persistDeadline !== NEVER) {
    stopPersist(tcb);
    // Octets that went out as probes, or before the window shrank, are ordinary outstanding text again.
    if (tcb.sndUna !== tcb.sndNxt) {
      tcb.rtxNext = tcb.sndUna;
      tcb.rtxEnd = tcb.sndNxt;
      restartRetransmission(tcb, now);
    }
  }
}

/** SND.WND is 32 bits wide and never negative (MUST-1, REC-1). */
export function setSendWindow(tcb: Tcb, seg: Segment): void {
  // The window of a segment with a SYN is never scaled (RFC 7323 2.2); setSendWindow sees those too.
  const shift = (seg.flags & SYN) !== 0 ? 0 : tcb.sndWscale;
  tcb.sndWnd = seg.window * 2 ** shift;
  tcb.sndWl1 = seg.seq;
  tcb.sndWl2 = seg.ack;
  if (tcb.sndWnd > tcb.maxSndWnd) tcb.maxSndWnd = tcb.sndWnd;
}

/** What acknowledging our FIN means in each state. Returns false when nothing of the segment is left to process. */
function afterAck(tcb: Tcb, now: Time): boolean {
  const finAcked = tcb.finSent && tcb.sndUna === tcb.sndNxt;
  if (!finAcked) return true;
  switch (tcb.state) {
    case State.FIN_WAIT_1:
      setState(tcb, State.FIN_WAIT_2);
      tcb.events |= Event.FLUSHED;
      startOrphanLife(tcb, now);
      return true;
    case State.CLOSING:
      tcb.events |= Event.FLUSHED;
      enterTimeWait(tcb, now);
      return true;
    case State.LAST_ACK:
      tcb.events |= Event.FLUSHED;
      enterClosed(tcb, null);
      return false;
    default:
      return true;
  }
}
