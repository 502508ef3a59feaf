/**
 * Reno's window, RFC 5681: how cwnd and ssthresh move. What is lost and what to send again is decided elsewhere
 * (recovery.ts, retransmission.ts), so another controller can take this file's place.
 */

import { flightSize, type Tcb } from '../tcb.ts';

/** Appropriate byte counting, RFC 3465: an ACK opens the window by what it acknowledges, two segments at most. */
const ABC_LIMIT = 2;

/** IW, RFC 6928: ten segments (14,600 octets at most when they are large), one after a lost SYN (RFC 5681 3.1). */
export function initialWindow(tcb: Tcb): number {
  if (tcb.synRetransmits > 0) return tcb.sndMss;
  return Math.min(tcb.config.initialWindow * tcb.sndMss, Math.max(2 * tcb.sndMss, tcb.config.initialWindow * 1460));
}

/** New text was acknowledged outside of recovery: slow start (3.1 (2)) or congestion avoidance (3.1 (3), by bytes). */
export function onAcknowledged(tcb: Tcb, bytes: number): void {
  // A window that was not used up says nothing about the path (RFC 7661): it does not grow.
  if (!tcb.cwndLimited) return;
  if (tcb.cwnd < tcb.ssthresh) {
    tcb.cwnd += Math.min(bytes, ABC_LIMIT * tcb.sndMss);
    return;
  }
  tcb.cwndAcked += bytes;
  if (tcb.cwndAcked >= tcb.cwnd) {
    tcb.cwndAcked -= tcb.cwnd;
    tcb.cwnd += tcb.sndMss;
  }
}

/** ssthresh after a loss: half of what was in flight, two segments at least (3.1 (4)). */
export function reduceThreshold(tcb: Tcb, flight = flightSize(tcb)): void {
  tcb.ssthresh = Math.max(Math.floor(flight / 2), 2 * tcb.sndMss);
  tcb.cwndAcked = 0;
}

/** A mark instead of a loss (RFC 3168 6.1.2): halve, and go on from there. */
export function onCongestion(tcb: Tcb): void {
  reduceThreshold(tcb);
  tcb.cwnd = tcb.ssthresh;
}

/** The retransmission timer fired: the loss window is one segment (3.1). */
export function onTimeout(tcb: Tcb): void {
  // Only the first timeout of a series halves; the later ones hit a window that is one segment already.
  if (tcb.retransmits === 1) reduceThreshold(tcb);
  tcb.cwnd = tcb.sndMss;
  tcb.cwndAcked = 0;
}

/** Nothing was sent for an RTO: the ACK clock has stopped, start it anew (4.1). */
export function onIdle(tcb: Tcb): void {
  tcb.cwnd = Math.min(tcb.cwnd, initialWindow(tcb));
}
