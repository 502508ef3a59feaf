/** RECEIVE call, RFC 9293 section 3.10.3. */

import { EstabError } from '../base/errors.ts';
import { seqDiff, seqGe } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { State } from './state.ts';
import type { Tcb } from './tcb.ts';
import { noteTaken } from './window.ts';

/**
 * Takes text that has arrived, at most `max` octets: the next run of it that lies together, so call again until null.
 * Null means nothing is there now; whether more can come, the PEER_CLOSED and CLOSED events tell.
 * @throws EstabError ENOTCONN on a connection that was never opened.
 */
export function receive(tcb: Tcb, now: Time, max = Number.MAX_SAFE_INTEGER): Uint8Array | null {
  const neverOpened = tcb.state === State.CLOSED && !tcb.synAcked && tcb.sndNxt === tcb.iss;
  if (tcb.state === State.LISTEN || (neverOpened && tcb.error === null)) {
    throw new EstabError('ENOTCONN', 'there is no connection to receive from; connect first');
  }
  const text = tcb.receiveBuffer.take(max);
  if (text !== null) noteTaken(tcb, text.length, now);
  if (tcb.rcvUrgent && seqGe(tcb.receiveBuffer.readNext, tcb.rcvUp)) tcb.rcvUrgent = false;
  return text;
}

/** How many octets up to the urgent pointer the application has not taken, 0 when there are none (MUST-33). */
export function urgentRemaining(tcb: Tcb): number {
  return tcb.rcvUrgent ? seqDiff(tcb.rcvUp, tcb.receiveBuffer.readNext) : 0;
}
