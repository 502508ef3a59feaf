/**
 * The path MTU as one connection sees it: packet too big (RFC 1191, RFC 8201), and how far it is believed (RFC 5927
 * section 7.2). Whoever can name a sequence number in flight could otherwise make every segment of a long connection small.
 *
 * While larger packets are sent than have ever been acknowledged (Initial Path-MTU Discovery) the network is believed at
 * once. Once packets of a size have arrived (Path-MTU Update), a claim that they cannot is noted, and honoured only if the
 * retransmission timer says the same: a claim that is false is forgotten when what it quotes is acknowledged. Linux believes
 * at once in both stages.
 */

import { type Seq, seqGe, seqGt } from '../base/seq.ts';
import { isQuotedSequenceOutstanding } from './icmp.ts';
import { updateMss } from './options.ts';
import { isSynchronized } from './state.ts';
import { headersLength, type Tcb, TIMESTAMPS_LENGTH } from './tcb.ts';

/** What the stack has to know of a packet too big. */
export const TooBig = {
  /** Not about a packet of ours, or nothing new. */
  IGNORED: 0,
  /** Noted; honoured when the retransmission timer fires before what it quotes is acknowledged. */
  NOTED: 1,
  /** The path is taken for what it says. */
  HONOURED: 2,
} as const;
export type TooBig = (typeof TooBig)[keyof typeof TooBig];

/** Packet too big: the path carries `mtu` octets at most, it is said. The stack has applied the floor. */
export function icmpTooBig(tcb: Tcb, quoted: Seq, mtu: number): TooBig {
  if (!isSynchronized(tcb.state) || !isQuotedSequenceOutstanding(tcb, quoted)) return TooBig.IGNORED;
  // "it cannot be legitimate if it claims to have been triggered by a packet larger than the largest … sent"
  if (mtu >= tcb.mtu || mtu >= packetSize(tcb, tcb.largestSent)) return TooBig.IGNORED;
  if (mtu < packetSize(tcb, tcb.largestAcked)) {
    tcb.mtuTold = mtu;
    tcb.mtuToldSeq = quoted;
    return TooBig.NOTED;
  }
  setPathMtu(tcb, mtu);
  // What is in flight was dropped for its size, not for congestion: send it again, smaller, with the window as it is.
  tcb.rtxNext = tcb.sndUna;
  tcb.rtxEnd = tcb.sndNxt;
  tcb.rttTiming = false;
  return TooBig.HONOURED;
}

/** The path's MTU as IP knows it now; the effective MSS follows. */
export function setPathMtu(tcb: Tcb, mtu: number): void {
  tcb.mtu = Math.max(mtu, headersLength(tcb.family) + tcb.config.minSendMss);
  updateMss(tcb);
  tcb.mtuTold = 0;
  // maxsizesent and maxsizeacked: what is larger has not arrived on this path.
  tcb.largestSent = Math.min(tcb.largestSent, tcb.sndMss);
  tcb.largestAcked = Math.min(tcb.largestAcked, tcb.sndMss);
}

/** `length` octets of text up to `end` leave in one segment. */
export function noteSent(tcb: Tcb, length: number, end: Seq): void {
  if (length <= tcb.largestSent) return;
  tcb.largestSent = length;
  tcb.largestSentEnd = end;
}

/** SND.UNA has moved: the largest segment may have arrived, and what was said to be too big has. */
export function noteArrived(tcb: Tcb): void {
  if (tcb.largestAcked < tcb.largestSent && seqGe(tcb.sndUna, tcb.largestSentEnd)) tcb.largestAcked = tcb.largestSent;
  if (tcb.mtuTold > 0 && seqGt(tcb.sndUna, tcb.mtuToldSeq)) tcb.mtuTold = 0;
}

/** The retransmission timer fired (MAXSEGRTO is 1): there is no progress, so what was noted is true. */
export function honourNoted(tcb: Tcb): void {
  if (tcb.mtuTold > 0) setPathMtu(tcb, tcb.mtuTold);
}

/** Octets of the IP packet that carries so much text. */
function packetSize(tcb: Tcb, textLength: number): number {
  return headersLength(tcb.family) + (tcb.timestampsOk ? TIMESTAMPS_LENGTH : 0) + textLength;
}
