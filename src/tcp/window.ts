/** The window we offer: RFC 9293 sections 3.8.6 and 3.8.6.2.2 (receiver's silly-window avoidance), and its growth. */

import { seqAdd, seqMax } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { mayReceive } from './state.ts';
import { rcvWnd, type Tcb } from './tcb.ts';

/** Octets of receive buffer not taken by text that waits for the application, as far as they may be offered. */
function freeSpace(tcb: Tcb): number {
  return Math.min(Math.max(tcb.receiveBufferSize - tcb.receiveBuffer.readable, 0), tcb.windowClamp);
}

/** The least step by which the right edge may move: half the buffer or a full segment (3.8.6.2.2). */
function leastStep(tcb: Tcb): number {
  return Math.min(Math.min(tcb.receiveBufferSize, tcb.windowClamp) / 2, tcb.sndMss);
}

/**
 * Moves RCV.ADV to where it may be and returns the 16-bit window field for the next segment. The edge never moves back
 * (SHLD-14), so a window that is no multiple of the scale is told rounded up. Only when the buffer has no room for the
 * difference it is told rounded down, as RFC 7323 section 2.4 foresees; what the peer sends by an earlier telling is
 * taken all the same. Rounding up always would give a peer that sends octet by octet a window that never closes.
 */
export function offerWindow(tcb: Tcb): number {
  const unit = 2 ** tcb.rcvWscale;
  const free = Math.min(freeSpace(tcb), 0xffff * unit);
  if (free - rcvWnd(tcb) >= leastStep(tcb)) {
    tcb.rcvAdv = seqMax(tcb.rcvAdv, seqAdd(tcb.rcvNxt, Math.floor(free / unit) * unit));
  }
  const window = rcvWnd(tcb);
  const roundedUp = Math.ceil(window / unit);
  if (roundedUp * unit > Math.max(free, window)) return Math.min(Math.floor(window / unit), 0xffff);
  tcb.rcvAdv = seqAdd(tcb.rcvNxt, roundedUp * unit);
  return Math.min(roundedUp, 0xffff);
}

/** The unscaled window of a SYN or SYN,ACK (RFC 7323 2.2). */
export function offerSynWindow(tcb: Tcb): number {
  const field = Math.min(tcb.receiveBufferSize, tcb.windowClamp, 0xffff);
  tcb.rcvAdv = seqAdd(tcb.rcvNxt, field);
  return field;
}

/**
 * After the application took text: is the window enough wider to tell the peer without waiting for something else to
 * send? Doubling is enough (Linux's rule): small steps ride on the ACKs of what is still coming.
 */
export function noteTaken(tcb: Tcb, count: number, now: Time): void {
  moderate(tcb, count, now);
  if (!mayReceive(tcb.state)) return;
  const current = rcvWnd(tcb);
  const possible = Math.min(freeSpace(tcb), 0xffff * 2 ** tcb.rcvWscale);
  if (possible - current >= leastStep(tcb) && possible >= 2 * current) tcb.ackNow = true;
}

/**
 * Dynamic right-sizing, as tcp_moderate_rcvbuf: once a round trip, make room for twice what the application took in
 * it, so that the window never is what limits a sender in slow start.
 */
function moderate(tcb: Tcb, count: number, now: Time): void {
  if (!tcb.config.moderateReceiveBuffer || tcb.receiveBufferLocked) return;
  tcb.takenSince += count;
  if (!tcb.hasRtt || now - tcb.takenSinceAt < Math.max(tcb.srttMs, 1)) return;
  const wanted = Math.min(2 * tcb.takenSince + 16 * tcb.sndMss, tcb.config.receiveBufferMax);
  if (wanted > tcb.receiveBufferSize && !tcb.memoryPressure) tcb.receiveBufferSize = wanted;
  tcb.takenSince = 0;
  tcb.takenSinceAt = now;
}
