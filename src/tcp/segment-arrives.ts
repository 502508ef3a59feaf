/** SEGMENT ARRIVES, RFC 9293 section 3.10.7. The checksum has been verified; the segment is for this TCB. */

import type { Time } from '../base/time.ts';
import type { Segment } from '../wire/tcp.ts';
import { segmentArrivesListen } from './segment-arrives-listen.ts';
import { segmentArrivesOtherwise } from './segment-arrives-otherwise.ts';
import { segmentArrivesSynSent } from './segment-arrives-syn-sent.ts';
import { State } from './state.ts';
import type { Tcb } from './tcb.ts';

/**
 * Processes one segment. Leaves marks and events; nothing is sent before `output` is asked, so a burst of segments is
 * answered once (MUST-58, MUST-59). For a connection in CLOSED see `replyToClosed`.
 */
export function segmentArrives(tcb: Tcb, seg: Segment, now: Time): void {
  tcb.segsIn++;
  if (seg.payloadLength > 0) {
    tcb.dataSegsIn++;
    tcb.lastTextAt = now;
  }
  switch (tcb.state) {
    case State.CLOSED:
      return;
    case State.LISTEN:
      segmentArrivesListen(tcb, seg, now);
      return;
    case State.SYN_SENT:
      segmentArrivesSynSent(tcb, seg, now);
      return;
    default:
      segmentArrivesOtherwise(tcb, seg, now);
  }
}
