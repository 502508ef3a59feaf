/** The urgent pointer, RFC 9293 section 3.8.5 as RFC 6093 clarifies it. Urgent text stays in line with the rest. */

import { seqAdd, seqDiff, seqGt } from '../base/seq.ts';
import { type Segment, URG } from '../wire/tcp.ts';
import { Event } from './events.ts';
import { mayReceive } from './state.ts';
import type { Tcb } from './tcb.ts';

/** Sixth (3.10.7.4): RCV.UP <- max(RCV.UP, SEG.UP); tell the application when it has moved beyond what was read. */
export function sixthCheckUrg(tcb: Tcb, seg: Segment): void {
  if ((seg.flags & URG) === 0 || !mayReceive(tcb.state)) return;
  // MUST-62: the pointer names the octet after the urgent ones; tcp_stdurg reads it as RFC 1122 did, one earlier.
  const up = seqAdd(seg.seq, seg.urgentPointer + (tcb.config.stdUrg ? 1 : 0));
  if (!seqGt(up, tcb.receiveBuffer.readNext)) return;
  if (tcb.rcvUrgent && !seqGt(up, tcb.rcvUp)) return;
  tcb.rcvUp = up;
  tcb.rcvUrgent = true;
  tcb.events |= Event.URGENT;
}

/** URG and the pointer on an outgoing segment that begins at or before SND.UP. */
export function writeUrgent(tcb: Tcb, seg: Segment): void {
  if (!tcb.sndUrgent || !seqGt(tcb.sndUp, seg.seq)) return;
  const distance = seqDiff(tcb.sndUp, seg.seq);
  seg.flags |= URG;
  // Further than 16 bits can say: the pointer says as far as it can, and says more with the segments to come.
  seg.urgentPointer = Math.min(distance - (tcb.config.stdUrg ? 1 : 0), 0xffff);
}
