/** SEGMENT ARRIVES in SYN-RECEIVED and all later states, RFC 9293 section 3.10.7.4, with RFC 5961 and RFC 7323. */

import { seqAdd, seqGe, seqGt, seqLe, seqLt } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import { ACK, FIN, RST, type Segment, SYN } from '../wire/tcp.ts';
import { fifthCheckAck } from './acknowledge.ts';
import { challengeAck } from './challenge-ack.ts';
import { noteEcnReceived } from './ecn.ts';
import { noteDuplicate } from './sack.ts';
import { segmentEnd, segmentLength, textStart } from './segment.ts';
import { State } from './state.ts';
import { enterClosed, enterTimeWait, rcvWnd, setState, type Tcb } from './tcb.ts';
import { eighthCheckFin, seventhProcessText } from './text.ts';
import { failsPaws, lacksTimestamps, updateTsRecent } from './timestamps.ts';
import { sixthCheckUrg } from './urgent.ts';

export function segmentArrivesOtherwise(tcb: Tcb, seg: Segment, now: Time): void {
  const crossedSyn = isCrossedSynAck(tcb, seg);
  if (!crossedSyn && !firstCheckSequenceNumber(tcb, seg, now)) return;
  updateTsRecent(tcb, seg, now);
  if (!secondCheckRst(tcb, seg, now)) return;
  // Third, check security: compartments (RFC 793) are used by nobody and not implemented.
  if (!crossedSyn && !fourthCheckSyn(tcb, seg, now)) return;
  // Fifth, check the ACK field: if the ACK bit is off, drop the segment.
  if ((seg.flags & ACK) === 0) return;
  if (!fifthCheckAck(tcb, seg, now)) return;
  noteEcnReceived(tcb, seg);
  sixthCheckUrg(tcb, seg);
  seventhProcessText(tcb, seg, now);
  eighthCheckFin(tcb, seg, now);
}

/**
 * The SYN,ACK of a simultaneous open (figure 8 of the RFC): it begins one before RCV.NXT, yet what is left of it with
 * the SYN trimmed off is the ACK of our SYN.
 */
function isCrossedSynAck(tcb: Tcb, seg: Segment): boolean {
  const both = SYN | ACK;
  return tcb.state === State.SYN_RECEIVED && !tcb.passive && (seg.flags & (both | RST)) === both && seg.seq === tcb.irs;
}

/** First, check sequence number (table 6). Returns false when the segment is not acceptable. */
function firstCheckSequenceNumber(tcb: Tcb, seg: Segment, now: Time): boolean {
  if (lacksTimestamps(tcb, seg)) return false;
  if (failsPaws(tcb, seg, now)) {
    answerUnacceptable(tcb, seg, now);
    return false;
  }
  if (isInWindow(tcb, seg)) return true;
  if ((seg.flags & RST) !== 0) return false;
  if (rcvWnd(tcb) === 0 && seg.seq === tcb.rcvNxt) {
    // "Special allowance should be made to accept valid ACKs, URGs, and RSTs" (MUST-66): a window probe. Its text is
    // not taken, its ACK field is looked at, or two probing peers would never hear each other (appendix A.2).
    seg.payloadLength = 0;
    seg.flags &= ~FIN;
    tcb.ackNow = true;
    return true;
  }
  answerUnacceptable(tcb, seg, now);
  // An old duplicate's ACK may yet be news: two retransmitted FINs that cross, say (appendix A.2).
  const pureAck = (seg.flags & (ACK | SYN)) === ACK;
  if (pureAck && tcb.synAcked && seqLe(segmentEnd(seg), tcb.rcvNxt) && seqGt(seg.ack, tcb.sndUna)) {
    fifthCheckAck(tcb, seg, now);
  }
  return false;
}

/**
 * Table 6, and beyond it a segment that covers the whole window with both its ends outside: the part inside is as good
 * as any. A RST counts without its text, so that it gets through a closed window (MUST-66).
 */
function isInWindow(tcb: Tcb, seg: Segment): boolean {
  const length = (seg.flags & RST) !== 0 ? 0 : segmentLength(seg);
  const window = rcvWnd(tcb);
  if (window === 0) return length === 0 && seg.seq === tcb.rcvNxt;
  const startsInside = seqLe(tcb.rcvNxt, seg.seq) && seqLt(seg.seq, tcb.rcvAdv);
  if (length === 0) return startsInside;
  const last = seqAdd(seg.seq, length - 1);
  return startsInside || (seqLt(seg.seq, tcb.rcvNxt) && seqLe(tcb.rcvNxt, last));
}

/** "An acknowledgment should be sent in reply": not rate-limited when it carries text, which no ACK war does. */
function answerUnacceptable(tcb: Tcb, seg: Segment, now: Time): void {
  if ((seg.flags & RST) !== 0) return;
  if (tcb.state === State.SYN_RECEIVED && (seg.flags & (SYN | ACK)) === SYN && seg.seq === tcb.irs) {
    // Our SYN,ACK may be lost: it is a better answer than an ACK the peer can do nothing with. The timer starts anew, as
    // in Linux (tcp_check_req), or it would send a second one on the heels of the first.
    if (now - tcb.lastInvalidAckAt >= tcb.config.invalidRatelimitMs) {
      tcb.synPending = true;
      tcb.rtxDeadline = now + tcb.rtoMs;
    }
    tcb.lastInvalidAckAt = now;
    return;
  }
  // TIME-WAIT: "a retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
  if (tcb.state === State.TIME_WAIT && (seg.flags & FIN) !== 0) enterTimeWait(tcb, now);
  if (seg.payloadLength === 0 || (seg.flags & SYN) !== 0) {
    challengeAck(tcb, now);
    return;
  }
  const start = textStart(seg);
  const end = seqAdd(start, seg.payloadLength);
  if (seqLe(end, tcb.rcvNxt)) noteDuplicate(tcb, start, end);
  tcb.ackNow = true;
}

/** Second, check the RST bit (RFC 5961 section 3). The sequence number is known to lie in the window. */
function secondCheckRst(tcb: Tcb, seg: Segment, now: Time): boolean {
  if ((seg.flags & RST) === 0) return true;
  if (tcb.state === State.TIME_WAIT && tcb.config.rfc1337) return false;
  if (seg.seq !== tcb.rcvNxt) {
    challengeAck(tcb, now);
    return false;
  }
  switch (tcb.state) {
    case State.SYN_RECEIVED:
      if (tcb.passive) returnToListen(tcb);
      else enterClosed(tcb, 'ECONNREFUSED');
      break;
    case State.CLOSING:
    case State.LAST_ACK:
      // Both have closed; only text that was never acknowledged makes it the user's business.
      enterClosed(tcb, tcb.sendBuffer.length > 0 ? 'ECONNRESET' : null);
      break;
    case State.TIME_WAIT:
      enterClosed(tcb, null);
      break;
    default:
      enterClosed(tcb, 'ECONNRESET');
  }
  return false;
}

/** "Return this connection to LISTEN state … The user need not be informed." */
function returnToListen(tcb: Tcb): void {
  tcb.rtxDeadline = NEVER;
  tcb.synPending = false;
  tcb.sndNxt = tcb.iss;
  tcb.rttTiming = false;
  tcb.retransmits = 0;
  tcb.synRetransmits = 0;
  setState(tcb, State.LISTEN);
}

/**
 * Fourth, check the SYN bit: a challenge ACK, whatever the sequence number (RFC 5961 section 4). In SYN-RECEIVED from
 * LISTEN the RFC would return to LISTEN; we keep the entry, or any forger could empty the SYN queue. A new SYN in
 * TIME-WAIT that may reopen the connection is recognised before this, see `reopensTimeWait`.
 */
function fourthCheckSyn(tcb: Tcb, seg: Segment, now: Time): boolean {
  if ((seg.flags & SYN) === 0) return true;
  challengeAck(tcb, now);
  return false;
}

/**
 * Whether a SYN that arrives in TIME-WAIT begins a new connection (RFC 6191; RFC 1122 4.2.2.13): its timestamp is
 * newer than all the old connection's, or without timestamps its sequence number is. The caller then forgets this TCB
 * and hands the SYN to the listener, with an ISS beyond SND.NXT.
 */
export function reopensTimeWait(tcb: Tcb, seg: Segment): boolean {
  if (tcb.state !== State.TIME_WAIT || (seg.flags & (SYN | ACK | RST | FIN)) !== SYN) return false;
  if (tcb.timestampsOk && seg.timestamps) {
    const age = (seg.tsVal - tcb.tsRecent) | 0;
    if (age > 0) return true;
    if (age < 0) return false;
  }
  return seqGe(seg.seq, tcb.rcvNxt);
}
