/** SEGMENT ARRIVES in SYN-SENT, RFC 9293 section 3.10.7.3. */

import { seqGt, seqLe, seqLt } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { ACK, RST, type Segment, SYN } from '../wire/tcp.ts';
import { markBareReset } from './abort.ts';
import { establish } from './acknowledge.ts';
import { learnPeer } from './segment-arrives-listen.ts';
import { State } from './state.ts';
import { enterClosed, setState, type Tcb } from './tcb.ts';
import { eighthCheckFin, seventhProcessText } from './text.ts';
import { sixthCheckUrg } from './urgent.ts';

export function segmentArrivesSynSent(tcb: Tcb, seg: Segment, now: Time): void {
  // First, check the ACK bit.
  const hasAck = (seg.flags & ACK) !== 0;
  if (hasAck && (seqLe(seg.ack, tcb.iss) || seqGt(seg.ack, tcb.sndNxt))) {
    if ((seg.flags & RST) === 0) markBareReset(tcb, seg.ack);
    return;
  }
  // Second, check the RST bit. Without an acceptable ACK anybody could have sent it.
  if ((seg.flags & RST) !== 0) {
    if (hasAck) enterClosed(tcb, 'ECONNREFUSED');
    return;
  }
  // Third, check the security: compartments (RFC 793) are used by nobody and not implemented.
  // Fourth, check the SYN bit.
  if ((seg.flags & SYN) !== 0) {
    learnPeer(tcb, seg, now);
    if (hasAck && seqLt(tcb.iss, seg.ack)) {
      // Our SYN has been acknowledged: ESTABLISHED, and an ACK.
      establish(tcb, seg, now);
      tcb.ackNow = true;
      // Text, URG and FIN may ride on the SYN,ACK: on at the sixth step.
      sixthCheckUrg(tcb, seg);
      seventhProcessText(tcb, seg, now);
      eighthCheckFin(tcb, seg, now);
      return;
    }
    // Simultaneous open (MUST-10): both have sent a SYN. Ours goes again, with an ACK of theirs.
    tcb.synPending = true;
    setState(tcb, State.SYN_RECEIVED);
  }
  // Fifth, neither SYN nor RST: dropped.
}
