/** Keep-alives, RFC 9293 section 3.8.4: off unless asked for, only on a connection on which nothing is outstanding. */

import { NEVER, type Time } from '../base/time.ts';
import { markReset } from './abort.ts';
import { isSynchronized, State } from './state.ts';
import { enterClosed, isQuiet, type Tcb } from './tcb.ts';

/** Switches keep-alives on or off (MUST-24). */
export function setKeepAlive(tcb: Tcb, now: Time, on: boolean): void {
  tcb.keepAlive = on;
  tcb.keepAliveProbesSent = 0;
  tcb.keepAliveDeadline = NEVER;
  if (on && isSynchronized(tcb.state)) armKeepAlive(tcb, now);
}

/** Starts the idle clock, when the connection is open and keep-alives are wanted. */
export function armKeepAlive(tcb: Tcb, now: Time): void {
  if (tcb.keepAlive && tcb.state !== State.TIME_WAIT) tcb.keepAliveDeadline = now + tcb.keepAliveTimeMs;
}

/** An acceptable ACK arrived: the peer lives. The deadline itself is only moved when it comes. */
export function noteAlive(tcb: Tcb, now: Time): void {
  tcb.lastReceivedAt = now;
  if (tcb.keepAliveProbesSent > 0) {
    tcb.keepAliveProbesSent = 0;
    armKeepAlive(tcb, now);
  }
}

/** The deadline came: was it idle that long? Then probe, or give up when enough probes went unanswered (MUST-29). */
export function keepAliveTimeout(tcb: Tcb, now: Time): void {
  const idleSince = tcb.lastReceivedAt + tcb.keepAliveTimeMs;
  if (!isQuiet(tcb) || (tcb.keepAliveProbesSent === 0 && idleSince > now)) {
    // MUST-26: the retransmission timer watches what is outstanding.
    tcb.keepAliveDeadline = idleSince > now ? idleSince : now + tcb.keepAliveTimeMs;
    return;
  }
  // Whose timer comes this late has slept, and not listened for the answer to the last probe: one more.
  const slept = now - tcb.keepAliveDeadline > tcb.keepAliveIntervalMs;
  if (tcb.keepAliveProbesSent >= tcb.keepAliveProbes && !slept) {
    markReset(tcb, tcb.sndNxt, tcb.rcvNxt);
    enterClosed(tcb, 'ETIMEDOUT');
    return;
  }
  tcb.keepAliveProbesSent++;
  tcb.keepAliveProbePending = true;
  tcb.keepAliveDeadline = now + tcb.keepAliveIntervalMs;
  tcb.receiveBuffer.trim();
}
