/** ABORT call, RFC 9293 section 3.10.5, and the marks that make `output` send a RST. */

import { type Seq, seq } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { State } from './state.ts';
import { enterClosed, sndAckSeq, type Tcb } from './tcb.ts';

/** Ends the connection at once; in the states where the peer believes in it, with a RST. Harmless when CLOSED. */
export function abort(tcb: Tcb, _now: Time): void {
  switch (tcb.state) {
    case State.SYN_RECEIVED:
    case State.ESTABLISHED:
    case State.FIN_WAIT_1:
    case State.FIN_WAIT_2:
    case State.CLOSE_WAIT:
      // <SEQ=SND.NXT><CTL=RST>, with the ACK every segment of a synchronized connection carries. Beyond a closed window
      // the peer would drop it: see sndAckSeq.
      markReset(tcb, sndAckSeq(tcb), tcb.rcvNxt);
      break;
    default:
      break;
  }
  tcb.receiveBuffer.release();
  enterClosed(tcb, tcb.state === State.TIME_WAIT ? null : 'ECONNABORTED');
}

/** `<SEQ=seq><ACK=ack><CTL=RST,ACK>` */
export function markReset(tcb: Tcb, at: Seq, ack: Seq): void {
  tcb.rstPending = true;
  tcb.rstWithAck = true;
  tcb.rstSeq = at;
  tcb.rstAck = ack;
}

/** `<SEQ=seq><CTL=RST>`: the answer to a segment whose ACK makes no sense. */
export function markBareReset(tcb: Tcb, at: Seq): void {
  tcb.rstPending = true;
  tcb.rstWithAck = false;
  tcb.rstSeq = at;
  tcb.rstAck = seq(0);
}
