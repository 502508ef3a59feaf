/** The window we offer: RFC 9293 sections 3.8.6 and 3.8.6.2.2 (receiver's silly-window avoidance), and its growth. */

import { seqAdd, seqDiff, seqGe } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { mayReceive } from './state.ts';
import { rcvWnd, type Tcb } from './tcb.ts';

/** Octets of receive buffer not taken by text that waits for the application. */
function freeSpace(tcb: Tcb): number {
  return Math.max(tcb.receiveBufferSize - tcb.receiveBuffer.readable, 0);
}

/** The least step by which the right edge may move: half the buffer or a full segment (3.8.6.2.2). */
function leastStep(tcb: Tcb): number {
  return Math.min(tcb.receiveBufferSize / 2, tcb.sndMss);
}

/**
 * Moves RCV.ADV to where it may be and returns the 16-bit window field for the next segment. The edge never moves
 * back, which is why the field is rounded up to the scale when it has to stay.
 */
export function offerWindow(tcb: Tcb): number {
  const shift = tcb.rcvWscale;
  const free = Math.min(freeSpace(tcb), 0xffff * 2 ** shift);
  const edge = seqAdd(tcb.rcvNxt, free);
  if (seqDiff(edge, tcb.rcvAdv) >= leastStep(tcb)) {
    const field = free >>> shift;
    const scaled = seqAdd(tcb.rcvNxt, field * 2 ** shift);
    if (seqGe(scaled, tcb.rcvAdv)) tcb.rcvAdv = scaled;
  }
  const field = Math.min(Math.ceil(rcvWnd(tcb) / 2 ** shift), 0xffff);
  const told = seqAdd(tcb.rcvNxt, field * 2 ** shift);
  if (seqGe(told, tcb.rcvAdv)) tcb.rcvAdv = told;
  return field;
}

/** The unscaled window of a SYN or SYN,ACK (RFC 7323 2.2). */
export function offerSynWindow(tcb: Tcb): number {
  const field = Math.min(tcb.receiveBufferSize, 0xffff);
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
  if (!tcb.config.moderateReceiveBuffer) return;
  tcb.takenSince += count;
  if (!tcb.hasRtt || now - tcb.takenSinceAt < Math.max(tcb.srttMs, 1)) return;
  const wanted = Math.min(2 * tcb.takenSince + 16 * tcb.sndMss, tcb.config.receiveBufferMax);
  if (wanted > tcb.receiveBufferSize && !tcb.memoryPressure) tcb.receiveBufferSize = wanted;
  tcb.takenSince = 0;
  tcb.takenSinceAt = now;
}
