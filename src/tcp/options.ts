/**
 * What two ends agree on in their SYNs: MSS (RFC 9293 3.7.1, RFC 6691), window scale and timestamps (RFC 7323), SACK
 * (RFC 2018), ECN (RFC 3168 6.1.1). Options of the SYN kind on later segments are not looked at.
 */

import type { Time } from '../base/time.ts';
import { ACK, CWR, ECE, type Segment } from '../wire/tcp.ts';
import { DEFAULT_MSS, headersLength, type Tcb, TIMESTAMPS_LENGTH } from './tcb.ts';
import { timestampNow } from './timestamps.ts';

/** RFC 7323 2.3: a larger shift counts as this one. */
const MAX_WINDOW_SHIFT = 14;
const MAX_UNSCALED_WINDOW = 65_535;

/** Takes over what the peer's SYN or SYN,ACK offers of what we offer too. */
export function negotiate(tcb: Tcb, seg: Segment, now: Time): void {
  tcb.peerMss = seg.mss > 0 ? seg.mss : DEFAULT_MSS[tcb.family];
  tcb.wscaleOk = tcb.config.windowScaling && seg.windowScale >= 0;
  tcb.sndWscale = tcb.wscaleOk ? Math.min(seg.windowScale, MAX_WINDOW_SHIFT) : 0;
  tcb.rcvWscale = tcb.wscaleOk ? windowShift(tcb) : 0;
  tcb.sackOk = tcb.config.sack && seg.sackPermitted;
  tcb.timestampsOk = tcb.config.timestamps && seg.timestamps;
  if (tcb.timestampsOk) {
    tcb.tsRecent = seg.tsVal;
    tcb.tsRecentAt = now;
  }
  tcb.ecnOk = agreesOnEcn(tcb, seg);
  updateMss(tcb);
}

/** The smallest shift by which the largest receive buffer can be told in 16 bits. */
export function windowShift(tcb: Tcb): number {
  const grows = tcb.config.moderateReceiveBuffer && !tcb.receiveBufferLocked;
  const largest = Math.max(tcb.receiveBufferSize, grows ? tcb.config.receiveBufferMax : 0);
  let shift = 0;
  while (shift < MAX_WINDOW_SHIFT && largest > MAX_UNSCALED_WINDOW * 2 ** shift) shift++;
  return shift;
}

/** Eff.snd.MSS: the smaller of the peer's MSS and our path's, never below the floor, options taken off (MUST-16). */
export function updateMss(tcb: Tcb): void {
  const mss = Math.max(Math.min(tcb.peerMss, announcedMss(tcb)), tcb.config.minSendMss);
  tcb.sndMss = mss - (tcb.timestampsOk ? TIMESTAMPS_LENGTH : 0);
}

/** The MSS we announce: what our own MTU lets us receive, options not taken off (MUST-67, RFC 6691), or less if asked. */
export function announcedMss(tcb: Tcb): number {
  return Math.min(tcb.mtu - headersLength(tcb.family), tcb.mssClamp);
}

/** Puts our offer on a SYN, our answer on a SYN,ACK. */
export function writeSynOptions(tcb: Tcb, seg: Segment, now: Time): void {
  const answering = (seg.flags & ACK) !== 0;
  seg.mss = announcedMss(tcb);
  if (answering ? tcb.wscaleOk : tcb.config.windowScaling) seg.windowScale = windowShift(tcb);
  if (answering ? tcb.sackOk : tcb.config.sack) seg.sackPermitted = true;
  if (answering ? tcb.timestampsOk : tcb.config.timestamps) writeTimestamps(tcb, seg, now);
  if (answering) {
    if (tcb.ecnOk) seg.flags |= ECE;
  } else if (tcb.config.ecn === 1 && tcb.synRetransmits === 0) {
    // A second SYN goes without: some paths swallow the first for these bits (RFC 3168 6.1.1.1).
    seg.flags |= ECE | CWR;
  }
}

export function writeTimestamps(tcb: Tcb, seg: Segment, now: Time): void {
  seg.timestamps = true;
  seg.tsVal = timestampNow(tcb, now);
  seg.tsEcr = tcb.tsRecent;
}

function agreesOnEcn(tcb: Tcb, seg: Segment): boolean {
  const bits = seg.flags & (ECE | CWR);
  if ((seg.flags & ACK) === 0) return tcb.config.ecn !== 0 && bits === (ECE | CWR);
  return tcb.config.ecn === 1 && tcb.synRetransmits === 0 && bits === ECE;
}
