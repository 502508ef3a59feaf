/** SEGMENT ARRIVES in LISTEN, RFC 9293 section 3.10.7.2. */

import { seqAdd } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { ACK, FIN, RST, type Segment, SYN } from '../wire/tcp.ts';
import { markBareReset } from './abort.ts';
import { setSendWindow } from './acknowledge.ts';
import { sendSyn } from './open.ts';
import { negotiate } from './options.ts';
import { State } from './state.ts';
import { setState, type Tcb } from './tcb.ts';
import { offerSynWindow } from './window.ts';

export function segmentArrivesListen(tcb: Tcb, seg: Segment, now: Time): void {
  // First, check for a RST: it can't be an answer to anything.
  if ((seg.flags & RST) !== 0) return;
  // Second, check for an ACK: there is nothing it could acknowledge. <SEQ=SEG.ACK><CTL=RST>
  if ((seg.flags & ACK) !== 0) {
    markBareReset(tcb, seg.ack);
    return;
  }
  // Third, check for a SYN. With a FIN it is nobody's honest opening: dropped, as Linux does.
  if ((seg.flags & (SYN | FIN)) === SYN) {
    becomeSynReceived(tcb, seg, now);
    return;
  }
  // Fourth, other data or control: dropped.
}

/**
 * RCV.NXT and IRS are set, the SYN,ACK is marked. Text on the SYN is not kept (nor acknowledged: the peer sends it
 * again), so that a forged SYN can't make us hold more than a TCB. Keeping it is for fast open, which proves the peer.
 */
function becomeSynReceived(tcb: Tcb, seg: Segment, now: Time): void {
  learnPeer(tcb, seg, now);
  tcb.passive = true;
  sendSyn(tcb, now);
  setState(tcb, State.SYN_RECEIVED);
}

/** What any first SYN of a peer tells, in LISTEN and SYN-SENT alike. */
export function learnPeer(tcb: Tcb, seg: Segment, now: Time): void {
  tcb.irs = seg.seq;
  tcb.rcvNxt = seqAdd(seg.seq, 1);
  tcb.rcvUp = tcb.rcvNxt;
  tcb.lastAckSent = tcb.rcvNxt;
  tcb.receiveBuffer.reset(tcb.rcvNxt);
  offerSynWindow(tcb);
  tcb.lastReceivedAt = now;
  negotiate(tcb, seg, now);
  setSendWindow(tcb, seg);
}
