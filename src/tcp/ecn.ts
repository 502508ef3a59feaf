/** Explicit congestion notification for the transport, RFC 3168 section 6.1; the handshake part is in options.ts. */

import { seqGe, seqGt } from '../base/seq.ts';
import { CWR, ECE, type Segment } from '../wire/tcp.ts';
import { onCongestion } from './congestion/reno.ts';
import type { Tcb } from './tcb.ts';

/** IP header codepoints. */
const ECT_0 = 2;
const CE = 3;

/** Receiver (6.1.3): a CE mark is echoed on every ACK until the sender says it has reduced its window. */
export function noteEcnReceived(tcb: Tcb, seg: Segment): void {
  if (!tcb.ecnOk) return;
  if ((seg.flags & CWR) !== 0) tcb.ecnEchoPending = false;
  if (seg.ecn === CE) tcb.ecnEchoPending = true;
}

/** Sender (6.1.2): an echo halves the window, at most once per window of data. */
export function noteEcnEcho(tcb: Tcb, seg: Segment): void {
  if (!tcb.ecnOk || (seg.flags & ECE) === 0 || tcb.sndUna === tcb.sndNxt) return;
  if (!seqGt(seg.ack, tcb.ecnReducedUpTo) && !seqGe(tcb.sndUna, tcb.ecnReducedUpTo)) return;
  tcb.ecnReducedUpTo = tcb.sndNxt;
  tcb.cwrPending = true;
  if (!tcb.inRecovery) onCongestion(tcb);
}

/** Marks on what we send: ECT only on new text (6.1.5 forbids it on retransmissions, 6.1.4 on pure ACKs). */
export function writeEcn(tcb: Tcb, seg: Segment, newText: boolean): void {
  if (!tcb.ecnOk) return;
  if (tcb.ecnEchoPending) seg.flags |= ECE;
  if (!newText) return;
  seg.ecn = ECT_0;
  if (tcb.cwrPending) {
    seg.flags |= CWR;
    tcb.cwrPending = false;
  }
}
