/** The timestamps option and PAWS, RFC 7323 sections 3 to 5. Timestamp values are int32 and wrap as sequence numbers do. */

import { seqLe } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { RST, type Segment, SYN } from '../wire/tcp.ts';
import { sampleRtt } from './rtt.ts';
import type { Tcb } from './tcb.ts';

/** TS.Recent is not believed after 24 days (5.5): by then the peer's clock may have wrapped. */
const TS_RECENT_LIFE_MS = 24 * 24 * 3600 * 1000;

/** Our timestamp clock: milliseconds, from a point that is this connection's secret (7.1). */
export function timestampNow(tcb: Tcb, now: Time): number {
  return (Math.floor(now) + tcb.tsOffset) | 0;
}

/** PAWS (5.3 R1): the segment is older than one already accepted. RSTs are exempt. */
export function failsPaws(tcb: Tcb, seg: Segment, now: Time): boolean {
  if (!tcb.timestampsOk || !seg.timestamps || (seg.flags & RST) !== 0) return false;
  if (((seg.tsVal - tcb.tsRecent) | 0) >= 0) return false;
  return now - tcb.tsRecentAt <= TS_RECENT_LIFE_MS;
}

/**
 * The option was agreed on and is missing (3.2): such a segment is dropped without a word. A RST is not, nor a SYN: it
 * may be a restarted peer's, who without an answer would never learn of the old connection (RFC 9293 figure 9).
 */
export function lacksTimestamps(tcb: Tcb, seg: Segment): boolean {
  return tcb.timestampsOk && !seg.timestamps && (seg.flags & (RST | SYN)) === 0;
}

/**
 * TS.Recent follows the segment that holds Last.ACK.sent (4.3), so that a forged early one can't poison it. A RST's
 * timestamp changes nothing (3.2).
 */
export function updateTsRecent(tcb: Tcb, seg: Segment, now: Time): void {
  if (!tcb.timestampsOk || !seg.timestamps || (seg.flags & RST) !== 0) return;
  const newer = ((seg.tsVal - tcb.tsRecent) | 0) >= 0 || now - tcb.tsRecentAt > TS_RECENT_LIFE_MS;
  if (newer && seqLe(seg.seq, tcb.lastAckSent)) {
    tcb.tsRecent = seg.tsVal;
    tcb.tsRecentAt = now;
  }
}

/**
 * A round-trip sample from the echo (4.1), wanted when what is acknowledged was sent more than once. It is trusted when
 * it echoes the last transmission; or an earlier one, but so soon that the last can't have been answered yet. In between
 * it may be the answer to a copy whose first ACK was lost, and would count a time-out as a round trip.
 */
export function sampleFromEcho(tcb: Tcb, seg: Segment, now: Time): void {
  if (!tcb.timestampsOk || !seg.timestamps || seg.tsEcr === 0) return;
  const sinceRetransmission = now - tcb.retransmittedAt;
  const ofLast = ((seg.tsEcr - timestampNow(tcb, tcb.retransmittedAt)) | 0) >= 0;
  if (!ofLast && sinceRetransmission >= tcb.srttMs / 2) return;
  const elapsed = (timestampNow(tcb, now) - seg.tsEcr) | 0;
  if (elapsed >= 0) sampleRtt(tcb, elapsed);
}
