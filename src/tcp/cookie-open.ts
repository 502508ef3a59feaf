/** A connection that existed only in a SYN cookie until its ACK came back (RFC 4987 section 3.6). */

import { type Seq, seqAdd } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import type { Segment } from '../wire/tcp.ts';
import { sendSyn } from './open.ts';
import { updateMss, windowShift } from './options.ts';
import { State } from './state.ts';
import { setState, type Tcb } from './tcb.ts';
import { offerSynWindow } from './window.ts';

/** What the cookie (and our timestamp, echoed) remembered of the SYN. */
export interface CookieContents {
  readonly iss: Seq;
  readonly irs: Seq;
  readonly mss: number;
  /** The peer's shift; -1: it offered no scaling, or no timestamps to remember it in. */
  readonly windowScale: number;
  readonly sack: boolean;
  readonly ecn: boolean;
  readonly timestamps: boolean;
  readonly tsOffset: number;
}

/**
 * Puts a fresh TCB where it would stand had its SYN been kept: SYN-RECEIVED, the SYN,ACK sent and unanswered. The ACK
 * with the cookie then goes through `segmentArrives` like any other.
 */
export function openFromCookie(tcb: Tcb, now: Time, cookie: CookieContents, seg: Segment): void {
  tcb.iss = cookie.iss;
  tcb.irs = cookie.irs;
  tcb.sndUna = cookie.iss;
  tcb.sndText = seqAdd(cookie.iss, 1);
  tcb.sndUp = cookie.iss;
  tcb.sndSmall = cookie.iss;
  tcb.recover = cookie.iss;
  tcb.tsOffset = cookie.tsOffset;
  tcb.passive = true;
  tcb.synRetryLimit = tcb.config.synAckRetries;
  sendSyn(tcb, now);
  tcb.synPending = false;
  // Nobody kept when the SYN,ACK went out; only an echoed timestamp tells.
  tcb.rttTiming = false;
  tcb.rtxNext = tcb.sndNxt;
  tcb.rtxEnd = tcb.sndNxt;
  tcb.ecnReducedUpTo = tcb.sndNxt;
  tcb.rcvNxt = seqAdd(cookie.irs, 1);
  tcb.rcvUp = tcb.rcvNxt;
  tcb.lastAckSent = tcb.rcvNxt;
  tcb.receiveBuffer.reset(tcb.rcvNxt);
  offerSynWindow(tcb);
  tcb.peerMss = cookie.mss;
  tcb.wscaleOk = tcb.config.windowScaling && cookie.windowScale >= 0;
  tcb.sndWscale = tcb.wscaleOk ? cookie.windowScale : 0;
  tcb.rcvWscale = tcb.wscaleOk ? windowShift(tcb) : 0;
  tcb.sackOk = tcb.config.sack && cookie.sack;
  tcb.timestampsOk = tcb.config.timestamps && cookie.timestamps;
  tcb.ecnOk = tcb.config.ecn !== 0 && cookie.ecn;
  if (tcb.timestampsOk) {
    tcb.tsRecent = seg.tsVal;
    tcb.tsRecentAt = now;
  }
  updateMss(tcb);
  setState(tcb, State.SYN_RECEIVED);
}
