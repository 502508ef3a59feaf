/**
 * The only place that decides a segment. Everything else leaves marks in the TCB; here they become, one call a segment,
 * what goes out next: a reset, a SYN, what was lost, a window probe, new text, an ACK.
 */

import { type Seq, seqAdd, seqDiff, seqGt, seqLt, seqMin } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import { ACK, FIN, PSH, RST, type Segment, SYN } from '../wire/tcp.ts';
import { writeEcn } from './ecn.ts';
import { writeSynOptions, writeTimestamps } from './options.ts';
import { noteSent } from './path-mtu.ts';
import { startPersist, stopPersist } from './persist.ts';
import { limitedTransmit } from './recovery.ts';
import { armRetransmission } from './retransmission.ts';
import { startTiming, stopTimingOf } from './rtt.ts';
import { writeSack } from './sack.ts';
import { mayTransmit, State } from './state.ts';
import { flightSize, setState, sndAckSeq, sndEnd, type Tcb } from './tcb.ts';
import { writeUrgent } from './urgent.ts';
import { offerSynWindow, offerWindow } from './window.ts';

const GARBAGE_OCTET = new Uint8Array(1);

/** Cheap: is there any reason to call {@link output}? */
export function wantsOutput(tcb: Tcb): boolean {
  if (tcb.rstPending || tcb.ackNow || tcb.synPending || tcb.probePending || tcb.keepAliveProbePending) return true;
  if (!mayTransmit(tcb.state)) return false;
  if (tcb.fastRetransmitPending || seqLt(tcb.rtxNext, tcb.rtxEnd)) return true;
  return !tcb.finSent && (tcb.finQueued || seqDiff(sndEnd(tcb), tcb.sndNxt) > 0);
}

/**
 * Fills `seg` with the next segment to send; its text is `seg.payloadLength` octets of `tcb.sendBuffer` from
 * `tcb.textOffset` on (of `seg.payload` when that is -1). Ports are left 0.
 * @returns false when there is nothing to send now. Call until then.
 */
export function output(tcb: Tcb, now: Time, seg: Segment): boolean {
  if (!next(tcb, now, seg)) return false;
  tcb.segsOut++;
  if (seg.payloadLength > 0) tcb.dataSegsOut++;
  return true;
}

function next(tcb: Tcb, now: Time, seg: Segment): boolean {
  if (tcb.rstPending) return reset(tcb, now, seg);
  if (tcb.state === State.CLOSED || tcb.state === State.LISTEN) return false;
  if (tcb.synPending) return syn(tcb, now, seg);
  if (tcb.state === State.SYN_SENT) return false;
  // With holes to report the ACK goes first and alone: only an ACK without text counts as a duplicate, and only one
  // without text has room for the blocks.
  const report = tcb.ackNow && (tcb.dsackPending || tcb.receiveBuffer.outOfOrder.count > 0);
  if (report) return pureAck(tcb, now, seg);
  // A FIN with no text before it need not wait for the ACK of our SYN (3.10.4, CLOSE in SYN-RECEIVED).
  if (mayTransmit(tcb.state) && (tcb.synAcked || tcb.sendBuffer.length === 0)) {
    if (resend(tcb, now, seg) || probe(tcb, now, seg) || sendNew(tcb, now, seg)) return true;
  }
  if (tcb.ackNow) return pureAck(tcb, now, seg);
  if (tcb.keepAliveProbePending) return keepAliveProbe(tcb, now, seg);
  return false;
}

function reset(tcb: Tcb, now: Time, seg: Segment): boolean {
  tcb.rstPending = false;
  seg.reset();
  seg.flags = tcb.rstWithAck ? RST | ACK : RST;
  seg.seq = tcb.rstSeq;
  seg.ack = tcb.rstAck;
  // RFC 7323 3.2: a RST may carry timestamps when they are in use.
  if (tcb.timestampsOk && tcb.rstWithAck) writeTimestamps(tcb, seg, now);
  return true;
}

function syn(tcb: Tcb, now: Time, seg: Segment): boolean {
  tcb.synPending = false;
  seg.reset();
  seg.seq = tcb.iss;
  seg.flags = SYN;
  if (tcb.state !== State.SYN_SENT) {
    seg.flags |= ACK;
    seg.ack = tcb.rcvNxt;
    noteAckSent(tcb);
  }
  seg.window = offerSynWindow(tcb);
  writeSynOptions(tcb, seg, now);
  return true;
}

/** What all segments of a synchronized connection have in common. */
function begin(tcb: Tcb, now: Time, seg: Segment, at: Seq): void {
  seg.reset();
  seg.seq = at;
  seg.ack = tcb.rcvNxt;
  seg.flags = ACK;
  seg.window = offerWindow(tcb);
  if (tcb.timestampsOk) writeTimestamps(tcb, seg, now);
  noteAckSent(tcb);
}

function noteAckSent(tcb: Tcb): void {
  tcb.ackNow = false;
  tcb.unacked = 0;
  tcb.ackDeadline = NEVER;
  tcb.lastAckSent = tcb.rcvNxt;
}

function pureAck(tcb: Tcb, now: Time, seg: Segment): boolean {
  begin(tcb, now, seg, sndAckSeq(tcb));
  writeSack(tcb, seg);
  writeEcn(tcb, seg, false);
  writeUrgent(tcb, seg);
  return true;
}

/** 3.8.4: a sequence number already acknowledged, so that the peer has to answer; empty unless configured (SHLD-12). */
function keepAliveProbe(tcb: Tcb, now: Time, seg: Segment): boolean {
  tcb.keepAliveProbePending = false;
  begin(tcb, now, seg, seqAdd(tcb.sndNxt, -1));
  if (tcb.config.keepAliveGarbage) {
    seg.payload = GARBAGE_OCTET;
    seg.payloadLength = 1;
    tcb.textOffset = -1;
  }
  return true;
}

/** Text (and FIN) of sequence numbers [from, from + length); `fin` when the FIN comes right behind it. */
function text(tcb: Tcb, now: Time, seg: Segment, from: Seq, length: number, fin: boolean, isNew: boolean): boolean {
  begin(tcb, now, seg, from);
  tcb.textOffset = seqDiff(from, tcb.sndText);
  seg.payloadLength = length;
  const end = seqAdd(from, length);
  // MUST-61: PSH on the last segment of what was queued.
  if (length > 0 && end === sndEnd(tcb)) seg.flags |= PSH;
  if (fin) seg.flags |= FIN;
  writeUrgent(tcb, seg);
  writeEcn(tcb, seg, isNew && length > 0);
  const next = fin ? seqAdd(end, 1) : end;
  if (isNew) {
    startTiming(tcb, next, now);
    noteSent(tcb, length, end);
    if (length > 0 && length < tcb.sndMss) tcb.sndSmall = end;
  } else {
    stopTimingOf(tcb, next);
    tcb.totalRetransmits++;
    tcb.bytesRetransmitted += length;
  }
  if (seqLt(tcb.sndNxt, next)) tcb.sndNxt = next;
  if (fin && !tcb.finSent) {
    tcb.finSent = true;
    if (tcb.state === State.CLOSE_WAIT) setState(tcb, State.LAST_ACK);
  }
  tcb.lastSentAt = now;
  return true;
}

/** What is presumed lost: one segment for NewReno, or the next of the go-back-N that follows a timeout. */
function resend(tcb: Tcb, now: Time, seg: Segment): boolean {
  const goBack = seqLt(tcb.rtxNext, tcb.rtxEnd);
  if (!tcb.fastRetransmitPending && !goBack) return false;
  // Through a closed window only probes go.
  if (tcb.sndWnd === 0) return false;
  const from = tcb.fastRetransmitPending ? tcb.sndUna : tcb.rtxNext;
  const edge = seqAdd(tcb.sndUna, tcb.sndWnd);
  // SHLD-16: within SND.UNA+SND.WND, even when the window has shrunk below what was sent.
  // A go-back-N takes new text along where the last segment was short (3.7.4 would hold it back for a round trip): the
  // octet of a window probe does not travel a second time alone.
  const sent = tcb.fastRetransmitPending ? seqMin(tcb.sndNxt, sndEnd(tcb)) : sndEnd(tcb);
  const stop = seqMin(sent, edge);
  const length = Math.max(Math.min(seqDiff(stop, from), tcb.sndMss), 0);
  const fin = tcb.finSent && seqAdd(from, length) === sndEnd(tcb);
  if (length === 0 && !fin) {
    tcb.fastRetransmitPending = false;
    return false;
  }
  if (tcb.fastRetransmitPending) tcb.fastRetransmitPending = false;
  else {
    if (flightSize(tcb) + length > tcb.cwnd && flightSize(tcb) > 0) {
      tcb.cwndLimited = true;
      return false;
    }
    tcb.rtxNext = seqAdd(from, length + (fin ? 1 : 0));
  }
  text(tcb, now, seg, from, length, fin, false);
  armRetransmission(tcb, now);
  return true;
}

/** 3.8.6.1: one octet of sequence space through a closed window; 3.8.6.2.1 (4): what fits through a narrow one. */
function probe(tcb: Tcb, now: Time, seg: Segment): boolean {
  if (!tcb.probePending) return false;
  tcb.probePending = false;
  const from = tcb.sndWnd === 0 ? tcb.sndUna : tcb.sndNxt;
  const queued = seqDiff(sndEnd(tcb), from);
  const usable = tcb.sndWnd === 0 ? 1 : seqDiff(seqAdd(tcb.sndUna, tcb.sndWnd), from);
  const length = Math.max(Math.min(queued, usable, tcb.sndMss), 0);
  const fin = queued === 0 && tcb.finQueued;
  if (length === 0 && !fin) return false;
  text(tcb, now, seg, from, length, fin, from === tcb.sndNxt);
  if (tcb.sndWnd > 0) {
    // Within the window it is text like any other, and the retransmission timer's business.
    stopPersist(tcb);
    armRetransmission(tcb, now);
  }
  return true;
}

/** New text and the FIN, as far as windows, Nagle and silly-window avoidance let them. */
function sendNew(tcb: Tcb, now: Time, seg: Segment): boolean {
  if (tcb.finSent || seqLt(tcb.rtxNext, tcb.rtxEnd)) return false;
  const unsent = seqDiff(sndEnd(tcb), tcb.sndNxt);
  if (unsent === 0 && !tcb.finQueued) {
    if (2 * flightSize(tcb) < tcb.cwnd) tcb.cwndLimited = false;
    return false;
  }
  const usable = seqDiff(seqAdd(tcb.sndUna, tcb.sndWnd), tcb.sndNxt);
  const length = unsent === 0 ? 0 : sendable(tcb, unsent, usable);
  const fin = tcb.finQueued && length === unsent && usable > length;
  if (length === 0 && !fin) {
    // Nothing in flight will bring an ACK that changes the decision: the persist timer has to.
    if (tcb.sndUna === tcb.sndNxt) startPersist(tcb, now);
    return false;
  }
  if (tcb.persistDeadline !== NEVER) stopPersist(tcb);
  text(tcb, now, seg, tcb.sndNxt, length, fin, true);
  armRetransmission(tcb, now);
  return true;
}

/** How much of `unsent` text to send now, 0 for none (3.7.4 Nagle, 3.8.6.2.1 silly window, RFC 5681 cwnd). */
function sendable(tcb: Tcb, unsent: number, usable: number): number {
  const flight = flightSize(tcb);
  const cwndRoom = tcb.cwnd + limitedTransmit(tcb) - flight;
  const wanted = Math.min(unsent, usable, tcb.sndMss);
  if (cwndRoom < wanted) {
    tcb.cwndLimited = true;
    // A sliver of cwnd is not worth a segment while ACKs are on their way.
    if (flight > 0 || cwndRoom <= 0) return 0;
  }
  const length = Math.min(wanted, cwndRoom);
  if (length <= 0) return 0;
  if (length === tcb.sndMss) return length;
  if (length === unsent) {
    // Nagle, as Minshall amended it and Linux has it: a small segment waits while another small one is outstanding. The
    // last piece of a long write goes at once, where 3.7.4 to the letter would wait for a delayed ACK.
    const hurry = !tcb.nagle || tcb.finQueued || tcb.sndUrgent;
    return hurry || !seqGt(tcb.sndSmall, tcb.sndUna) ? length : 0;
  }
  return length >= tcb.maxSndWnd / 2 ? length : 0;
}
