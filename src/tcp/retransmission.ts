/**
 * The retransmission timer (RFC 6298 section 5) and what happens when a peer stays silent: R1 and R2 of RFC 9293
 * section 3.8.3.
 */

import { NEVER, type Time } from '../base/time.ts';
import { onTimeout } from './congestion/reno.ts';
import { Event } from './events.ts';
import { updateMss } from './options.ts';
import { honourNoted } from './path-mtu.ts';
import { abandonRecovery } from './recovery.ts';
import { backOff, stopTiming } from './rtt.ts';
import { State } from './state.ts';
import { enterClosed, headersLength, type Tcb } from './tcb.ts';

/** (5.1) Starts the timer if it is not running. */
export function armRetransmission(tcb: Tcb, now: Time): void {
  if (tcb.rtxDeadline === NEVER) tcb.rtxDeadline = now + tcb.rtoMs;
}

/**
 * (5.2, 5.3) After an ACK that moved SND.UNA: off when everything is acknowledged, else from the start. While the window
 * is closed the persist timer watches what is outstanding instead.
 */
export function restartRetransmission(tcb: Tcb, now: Time): void {
  const off = tcb.sndUna === tcb.sndNxt || tcb.persistDeadline !== NEVER;
  tcb.rtxDeadline = off ? NEVER : now + tcb.rtoMs;
}

/** (5.4 - 5.7) The timer fired. */
export function retransmissionTimeout(tcb: Tcb, now: Time): void {
  const due = tcb.rtxDeadline;
  tcb.rtxDeadline = NEVER;
  tcb.retransmittedAt = now;
  stopTiming(tcb);
  if (tcb.retransmits === 0) tcb.firstUnansweredAt = tcb.lastSentAt;
  discountDelay(tcb, due, now);
  if (!tcb.synAcked) {
    synTimeout(tcb, now);
    return;
  }
  tcb.retransmits++;
  if (retransmittedTooLong(tcb, now, tcb.retransmits)) {
    enterClosed(tcb, tcb.softError ?? 'ETIMEDOUT');
    return;
  }
  if (tcb.retransmits === tcb.config.retries1) passR1(tcb);
  honourNoted(tcb);
  onTimeout(tcb);
  abandonRecovery(tcb);
  backOff(tcb);
  tcb.rtxDeadline = now + tcb.rtoMs;
}

/**
 * A timer that comes late, since the machine slept or the process was stopped, says nothing about the peer: it was we who
 * did not listen. That time does not count towards R2, so nobody is given up who was not asked again.
 */
export function discountDelay(tcb: Tcb, due: Time, now: Time): void {
  tcb.firstUnansweredAt = Math.min(tcb.firstUnansweredAt + (now - due), now);
}

/** A SYN or SYN,ACK was not answered (MUST-22). */
function synTimeout(tcb: Tcb, now: Time): void {
  const spent = tcb.synRetransmits >= tcb.synRetryLimit;
  // Who chose the number of tries has chosen the time.
  const early = !tcb.passive && tcb.synRetries < 0 && now - tcb.firstUnansweredAt < tcb.config.synR2MinMs;
  if (spent && !early) {
    enterClosed(tcb, tcb.passive ? null : (tcb.softError ?? 'ETIMEDOUT'));
    return;
  }
  tcb.synRetransmits++;
  tcb.retransmits++;
  tcb.totalRetransmits++;
  if (tcb.retransmits === tcb.config.retries1) passR1(tcb);
  if (tcb.state !== State.SYN_SENT || tcb.synRetransmits > tcb.config.synLinearTimeouts) backOff(tcb);
  tcb.synPending = true;
  tcb.rtxDeadline = now + tcb.rtoMs;
}

/** R1 (MUST-20, SHLD-9): tell the application, let the stack look at its route, and suspect the path MTU. */
function passR1(tcb: Tcb): void {
  tcb.events |= Event.NOT_RESPONDING;
  const small = tcb.config.baseMss + headersLength(tcb.family);
  if (tcb.config.mtuProbing > 0 && tcb.mtu > small) {
    tcb.mtu = small;
    updateMss(tcb);
  }
}

/**
 * R2. An application's own limit (MUST-21) counts from the first unanswered transmission; an orphan gets
 * tcp_orphan_retries tries; else tcp_retries2 as Linux reads it: the time so many doublings from the least RTO take.
 */
export function retransmittedTooLong(tcb: Tcb, now: Time, tries: number): boolean {
  if (tcb.orphaned && tries > tcb.config.orphanRetries) return true;
  const limit = tcb.userTimeoutMs > 0 ? tcb.userTimeoutMs : r2Ms(tcb);
  return now - tcb.firstUnansweredAt >= limit;
}

/** R2 in milliseconds: 924,600 for 15 retries between 200 ms and 120 s. */
function r2Ms(tcb: Tcb): number {
  const { rtoMinMs, rtoMaxMs, retries2 } = tcb.config;
  const doublings = Math.min(retries2, Math.floor(Math.log2(rtoMaxMs / rtoMinMs)));
  return (2 * 2 ** doublings - 1) * rtoMinMs + (retries2 - doublings) * rtoMaxMs;
}
