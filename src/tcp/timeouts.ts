/** Timeouts, RFC 9293 section 3.10.8, and every other timer of the connection. */

import { NEVER, type Time } from '../base/time.ts';
import { markReset } from './abort.ts';
import { keepAliveTimeout } from './keepalive.ts';
import { persistTimeout } from './persist.ts';
import { retransmissionTimeout } from './retransmission.ts';
import { isSynchronized, State } from './state.ts';
import { enterClosed, sndAckSeq, type Tcb, type TimerName } from './tcb.ts';

/** The earliest of the connection's timers; NEVER when none runs. */
export function deadline(tcb: Tcb): Time {
  return Math.min(
    tcb.rtxDeadline,
    tcb.persistDeadline,
    tcb.ackDeadline,
    tcb.keepAliveDeadline,
    tcb.userDeadline,
    tcb.lifeDeadline,
  );
}

/** Handles all timers that are due. */
export function timeouts(tcb: Tcb, now: Time): void {
  if (tcb.lifeDeadline <= now) lifeTimeout(tcb);
  if (tcb.userDeadline <= now) userTimeout(tcb);
  if (tcb.rtxDeadline <= now) {
    tell(tcb, 'retransmission');
    retransmissionTimeout(tcb, now);
  }
  if (tcb.persistDeadline <= now) {
    tell(tcb, 'persist');
    persistTimeout(tcb, now);
  }
  if (tcb.ackDeadline <= now) {
    tell(tcb, 'delayed ACK');
    tcb.ackDeadline = NEVER;
    tcb.ackNow = true;
    tcb.receiveBuffer.trim();
  }
  if (tcb.keepAliveDeadline <= now) {
    tell(tcb, 'keep-alive');
    keepAliveTimeout(tcb, now);
  }
}

function tell(tcb: Tcb, timer: TimerName): void {
  if (tcb.trace !== null) tcb.trace.timerExpired?.(tcb, timer);
}

/** USER TIMEOUT: "flush all queues, signal the user … delete the TCB, enter the CLOSED state". */
function userTimeout(tcb: Tcb): void {
  tell(tcb, 'user');
  if (isSynchronized(tcb.state)) markReset(tcb, sndAckSeq(tcb), tcb.rcvNxt);
  enterClosed(tcb, 'ETIMEDOUT');
}

/** TIME-WAIT TIMEOUT; or an orphan that waited long enough for its peer's FIN. */
function lifeTimeout(tcb: Tcb): void {
  tell(tcb, tcb.state === State.TIME_WAIT ? 'TIME-WAIT' : 'FIN-WAIT-2');
  tcb.lifeDeadline = NEVER;
  if (tcb.state === State.TIME_WAIT || tcb.state === State.FIN_WAIT_2) enterClosed(tcb, null);
}
