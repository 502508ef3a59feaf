/** What must hold of every TCB after every event. For tests and simulation: a real host has better uses for the time. */

import { seqDiff, seqGt, seqLt, seqToUint32 } from '../base/seq.ts';
import { NEVER } from '../base/time.ts';
import { isSynchronized, mayTransmit, State, stateName } from './state.ts';
import { flightSize, sndEnd, type Tcb } from './tcb.ts';

/** The first broken invariant in words, or null. */
export function brokenInvariant(tcb: Tcb): string | null {
  const broken = sendInvariants(tcb) ?? receiveInvariants(tcb) ?? timerInvariants(tcb);
  return broken === null ? null : `${stateName(tcb.state)}: ${broken}`;
}

function sendInvariants(tcb: Tcb): string | null {
  if (tcb.state === State.CLOSED || tcb.state === State.LISTEN) {
    return tcb.sendBuffer.length > 0 && tcb.state === State.CLOSED ? 'CLOSED with text to send' : null;
  }
  const numbers = `una ${seqToUint32(tcb.sndUna)} nxt ${seqToUint32(tcb.sndNxt)} end ${seqToUint32(sndEnd(tcb))}`;
  if (seqGt(tcb.sndUna, tcb.sndNxt)) return `SND.UNA beyond SND.NXT: ${numbers}`;
  const fin = tcb.finSent ? 1 : 0;
  if (mayTransmit(tcb.state) && seqDiff(tcb.sndNxt, sndEnd(tcb)) > fin) return `sent more than there is: ${numbers}`;
  if (tcb.finSent && !tcb.finQueued) return 'a FIN was sent that nobody asked for';
  if (tcb.synAcked && tcb.sndUna === tcb.iss && tcb.sndText === tcb.sndUna) return 'the SYN is acknowledged and is not';
  if (flightSize(tcb) < 0) return `flight below zero: ${numbers}`;
  if (tcb.synAcked && isSynchronized(tcb.state) && mayTransmit(tcb.state) && tcb.cwnd < 1) return `cwnd ${tcb.cwnd}`;
  if (tcb.sndWnd < 0 || tcb.sndWnd > tcb.maxSndWnd) return `SND.WND ${tcb.sndWnd} above the largest ${tcb.maxSndWnd}`;
  if (tcb.sndMss < 1) return `Eff.snd.MSS ${tcb.sndMss}`;
  return null;
}

function receiveInvariants(tcb: Tcb): string | null {
  if (!isSynchronized(tcb.state)) return null;
  const buffer = tcb.receiveBuffer;
  if (seqGt(buffer.readNext, buffer.textNext)) return 'read more than arrived';
  const finTaken = seqDiff(tcb.rcvNxt, buffer.textNext);
  if (finTaken !== 0 && !(finTaken === 1 && tcb.finReceived)) return `RCV.NXT ${finTaken} beyond the text`;
  if (seqGt(tcb.rcvNxt, tcb.rcvAdv)) return 'RCV.NXT beyond the offered window';
  const ranges = buffer.outOfOrder;
  for (let i = 0; i < ranges.count; i++) {
    if (!seqLt(ranges.left(i), ranges.right(i))) return 'an empty interval out of order';
    const after = i === 0 ? buffer.textNext : ranges.right(i - 1);
    if (!seqGt(ranges.left(i), after)) return 'intervals that touch or overlap';
  }
  if (ranges.count > 0 && seqGt(ranges.right(ranges.count - 1), tcb.rcvAdv)) return 'text beyond the offered window';
  const held = seqDiff(tcb.rcvAdv, buffer.readNext);
  // One scale unit of rounding, and what was offered before the buffer was resized.
  if (held > tcb.config.receiveBufferMax + 2 ** tcb.rcvWscale && held > tcb.receiveBufferSize + 0xffff) {
    return `offers ${held} octets with a buffer of ${tcb.receiveBufferSize}`;
  }
  return null;
}

function timerInvariants(tcb: Tcb): string | null {
  if (tcb.state === State.CLOSED) return null;
  if (tcb.rtxDeadline !== NEVER && tcb.persistDeadline !== NEVER) return 'retransmission and persist timer both run';
  if (tcb.state === State.TIME_WAIT) return tcb.lifeDeadline === NEVER ? 'TIME-WAIT without an end' : null;
  if (tcb.rtxDeadline !== NEVER && tcb.sndUna === tcb.sndNxt) return 'retransmission timer with nothing outstanding';
  // Nothing outstanding may be left to chance: one of the two timers watches it, or a mark will send it at once.
  const outstanding = seqLt(tcb.sndUna, tcb.sndNxt);
  const marked = tcb.fastRetransmitPending || tcb.synPending || tcb.probePending || seqLt(tcb.rtxNext, tcb.rtxEnd);
  if (outstanding && tcb.rtxDeadline === NEVER && tcb.persistDeadline === NEVER && !marked) {
    return 'outstanding text that no timer watches';
  }
  return null;
}
