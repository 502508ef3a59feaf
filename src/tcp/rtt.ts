/** Round-trip time and retransmission timeout, RFC 6298; numbers in brackets are its sections. */

import { type Seq, seqGe } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import type { Tcb } from './tcb.ts';

const ALPHA = 1 / 8;
const BETA = 1 / 4;
const K = 4;
/** Clock granularity G: the engine's clock is fine, timers and timestamps tick in milliseconds. */
const GRANULARITY_MS = 1;
/** After a lost SYN the RTO starts data transmission at 3 s (5.7). */
const RTO_AFTER_LOST_SYN_MS = 3000;

/** Takes one round-trip sample into SRTT, RTTVAR and RTO (2.2, 2.3). */
export function sampleRtt(tcb: Tcb, sampleMs: number): void {
  const r = Math.max(sampleMs, 0);
  if (r < tcb.minRttMs) tcb.minRttMs = r;
  if (!tcb.hasRtt) {
    tcb.hasRtt = true;
    tcb.srttMs = r;
    tcb.rttvarMs = r / 2;
  } else {
    tcb.rttvarMs = (1 - BETA) * tcb.rttvarMs + BETA * Math.abs(tcb.srttMs - r);
    tcb.srttMs = (1 - ALPHA) * tcb.srttMs + ALPHA * r;
  }
  tcb.rtoMs = baseRto(tcb);
  tcb.backedOff = false;
}

/** The RTO without back-off. */
export function baseRto(tcb: Tcb): number {
  if (!tcb.hasRtt) return tcb.synRetransmits > 0 ? RTO_AFTER_LOST_SYN_MS : tcb.config.rtoInitialMs;
  // Linux's reading of the minimum: it bounds the variance term, so a long steady path keeps a margin over its SRTT.
  const rto = tcb.srttMs + Math.max(GRANULARITY_MS, K * tcb.rttvarMs, tcb.config.rtoMinMs);
  return Math.min(rto, tcb.config.rtoMaxMs);
}

/** Doubles the RTO (5.5); it stays doubled until a sample that can be trusted says otherwise (Karn's rule). */
export function backOff(tcb: Tcb): void {
  tcb.rtoMs = Math.min(tcb.rtoMs * 2, tcb.config.rtoMaxMs);
  tcb.backedOff = true;
}

/** Times the segment that ends at `end` and is just leaving, unless one is being timed already. */
export function startTiming(tcb: Tcb, end: Seq, now: Time): void {
  if (tcb.rttTiming) return;
  tcb.rttTiming = true;
  tcb.rttSeq = end;
  tcb.rttStart = now;
}

/** Karn's rule (3): what has been sent twice is not timed, for nobody can tell which copy was answered. */
export function stopTiming(tcb: Tcb): void {
  tcb.rttTiming = false;
}

/** The same, when what ends at `end` is sent again: the timed segment may be in it. */
export function stopTimingOf(tcb: Tcb, end: Seq): void {
  if (tcb.rttTiming && seqGe(end, tcb.rttSeq)) tcb.rttTiming = false;
}

/** An ACK up to `ack` that moved SND.UNA. Returns whether it gave a sample. */
export function acknowledgeTiming(tcb: Tcb, ack: Seq, now: Time): boolean {
  if (!tcb.rttTiming || !seqGe(ack, tcb.rttSeq)) return false;
  tcb.rttTiming = false;
  sampleRtt(tcb, now - tcb.rttStart);
  return true;
}
