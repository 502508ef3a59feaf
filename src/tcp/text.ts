/** Seventh and eighth steps of 3.10.7.4: the segment's text, then its FIN; and when to acknowledge them (3.8.6.3). */

import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import { FIN, PSH, type Segment } from '../wire/tcp.ts';
import { markReset } from './abort.ts';
import { Event } from './events.ts';
import { noteDuplicate, noteOutOfOrder } from './sack.ts';
import { textStart } from './segment.ts';
import { mayReceive, State } from './state.ts';
import { enterClosed, enterTimeWait, setState, sndAckSeq, type Tcb } from './tcb.ts';

/** Seventh, process the segment text: the part of it that lies in the window. */
export function seventhProcessText(tcb: Tcb, seg: Segment, now: Time): void {
  if (seg.payloadLength === 0 || !mayReceive(tcb.state)) return;
  const start = textStart(seg);
  const end = seqAdd(start, seg.payloadLength);
  if (tcb.orphaned && seqGt(end, tcb.rcvNxt)) {
    resetUnread(tcb);
    return;
  }
  // A window's right edge binds the sender; text beyond it, or beyond a FIN already seen, is cut off.
  const limit = tcb.finReceived && seqLt(tcb.finSeq, tcb.rcvAdv) ? tcb.finSeq : tcb.rcvAdv;
  const from = seqLt(start, tcb.rcvNxt) ? tcb.rcvNxt : start;
  const to = seqGt(end, limit) ? limit : end;
  if (seqLt(start, tcb.rcvNxt)) noteDuplicate(tcb, start, seqLt(end, tcb.rcvNxt) ? end : tcb.rcvNxt);
  if (seqDiff(to, from) <= 0) {
    tcb.ackNow = true;
    return;
  }
  accept(tcb, seg, seqDiff(from, start), seqDiff(to, from), now);
}

/** Buffers `length` octets of text from `skip` on, and decides how soon the ACK goes. */
function accept(tcb: Tcb, seg: Segment, skip: number, length: number, now: Time): void {
  const from = seqAdd(textStart(seg), skip);
  const buffer = tcb.receiveBuffer;
  const hadHoles = buffer.outOfOrder.count > 0;
  if (hadHoles && buffer.outOfOrder.covers(from, seqAdd(from, length))) {
    noteDuplicate(tcb, from, seqAdd(from, length));
  }
  const readable = buffer.insert(from, seg.payload, seg.payloadOffset + skip, length);
  tcb.rcvNxt = buffer.textNext;
  if (readable > 0) {
    tcb.bytesReceived += readable;
    tcb.events |= Event.READABLE;
    if ((seg.flags & PSH) !== 0) tcb.pushSeen = true;
  }
  if (readable === 0 || hadHoles) {
    // RFC 5681 4.2: out of order, or filling a hole: at once, the sender is waiting to hear it (MAY-13).
    if (readable === 0) noteOutOfOrder(tcb, from);
    tcb.ackNow = true;
    return;
  }
  tcb.unacked += readable;
  // SHLD-19: at least every second full segment.
  if (tcb.unacked >= 2 * tcb.sndMss || tcb.quickAck) tcb.ackNow = true;
  else if (tcb.ackDeadline === NEVER) tcb.ackDeadline = now + tcb.config.delayedAckMs;
}

/** Nobody will read this text: the peer must not believe that somebody did (SHLD-3). */
function resetUnread(tcb: Tcb): void {
  markReset(tcb, sndAckSeq(tcb), tcb.rcvNxt);
  enterClosed(tcb, 'ECONNABORTED');
}

/** Eighth, check the FIN bit; a FIN that came before its text waits for it. */
export function eighthCheckFin(tcb: Tcb, seg: Segment, now: Time): void {
  if ((seg.flags & FIN) !== 0) noteFin(tcb, seg);
  if (!tcb.finReceived || tcb.rcvNxt !== tcb.finSeq || tcb.state === State.CLOSED) return;
  // Advance RCV.NXT over the FIN and acknowledge it.
  tcb.rcvNxt = seqAdd(tcb.rcvNxt, 1);
  if (seqGt(tcb.rcvNxt, tcb.rcvAdv)) tcb.rcvAdv = tcb.rcvNxt;
  tcb.ackNow = true;
  tcb.events |= Event.PEER_CLOSED;
  switch (tcb.state) {
    case State.SYN_RECEIVED:
    case State.ESTABLISHED:
      setState(tcb, State.CLOSE_WAIT);
      return;
    case State.FIN_WAIT_1:
      // Were our FIN acknowledged, the fifth step had made this FIN-WAIT-2.
      setState(tcb, State.CLOSING);
      return;
    case State.FIN_WAIT_2:
      enterTimeWait(tcb, now);
      return;
    default:
      return;
  }
}

/** The first FIN within the window is the one that counts. */
function noteFin(tcb: Tcb, seg: Segment): void {
  if (tcb.finReceived || !mayReceive(tcb.state)) return;
  const at = seqAdd(textStart(seg), seg.payloadLength);
  if (!seqGe(at, tcb.rcvNxt) || !seqLe(at, tcb.rcvAdv)) return;
  // A FIN before text that has arrived already is a lie about one of the two; the text was first.
  const holes = tcb.receiveBuffer.outOfOrder;
  if (holes.count > 0 && seqGt(holes.right(holes.count - 1), at)) return;
  tcb.finReceived = true;
  tcb.finSeq = at;
  if (at !== tcb.rcvNxt) tcb.ackNow = true;
}
