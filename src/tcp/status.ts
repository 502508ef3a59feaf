/** STATUS call, RFC 9293 section 3.10.6, with what `ss -ti` shows beside it. */

import type { ErrorCode } from '../base/errors.ts';
import { seqDiff, seqToUint32 } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import { announcedMss } from './options.ts';
import { urgentRemaining } from './receive.ts';
import { type StateName, stateName } from './state.ts';
import { flightSize, rcvWnd, type Tcb } from './tcb.ts';

/** A snapshot; sequence numbers are uint32, times milliseconds, sizes octets. */
export interface TcpStatus {
  readonly state: StateName;
  readonly iss: number;
  readonly irs: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly sndWnd: number;
  readonly rcvNxt: number;
  readonly rcvWnd: number;
  /** Octets queued and not yet sent; sent and not acknowledged; arrived and not read; urgent and not read. */
  readonly unsent: number;
  readonly inFlight: number;
  readonly unread: number;
  readonly urgent: number;
  /** Largest text of a segment sent, options taken off. */
  readonly sndMss: number;
  readonly peerMss: number;
  readonly sndWscale: number;
  readonly rcvWscale: number;
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly ecn: boolean;
  /** null before the first sample. */
  readonly srttMs: number | null;
  readonly rttvarMs: number | null;
  readonly rtoMs: number;
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly minRttMs: number | null;
  /** Largest packet to our knowledge of the path, and the MSS we announced. */
  readonly pathMtu: number;
  readonly announcedMss: number;
  /** Segments retransmitted in all, and without an answer until now. */
  readonly retransmits: number;
  readonly unanswered: number;
  /** Segments, and those with text. */
  readonly segsOut: number;
  readonly segsIn: number;
  readonly dataSegsOut: number;
  readonly dataSegsIn: number;
  /** Octets of text: sent (retransmissions included), retransmitted, acknowledged, received in order. */
  readonly bytesSent: number;
  readonly bytesRetransmitted: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  /** When a segment with text or FIN was last sent, text received, an ACK received; null for never. */
  readonly lastSentAt: Time | null;
  readonly lastReceivedAt: Time | null;
  readonly lastAckAt: Time | null;
  readonly receiveBuffer: number;
  readonly error: ErrorCode | null;
  readonly softError: ErrorCode | null;
}

export function status(tcb: Tcb): TcpStatus {
  return {
    state: stateName(tcb.state),
    iss: seqToUint32(tcb.iss),
    irs: seqToUint32(tcb.irs),
    sndUna: seqToUint32(tcb.sndUna),
    sndNxt: seqToUint32(tcb.sndNxt),
    sndWnd: tcb.sndWnd,
    rcvNxt: seqToUint32(tcb.rcvNxt),
    rcvWnd: rcvWnd(tcb),
    unsent: tcb.sendBuffer.length - sentText(tcb),
    inFlight: flightSize(tcb),
    unread: tcb.receiveBuffer.readable,
    urgent: urgentRemaining(tcb),
    sndMss: tcb.sndMss,
    peerMss: tcb.peerMss,
    sndWscale: tcb.sndWscale,
    rcvWscale: tcb.rcvWscale,
    timestamps: tcb.timestampsOk,
    sack: tcb.sackOk,
    ecn: tcb.ecnOk,
    srttMs: tcb.hasRtt ? tcb.srttMs : null,
    rttvarMs: tcb.hasRtt ? tcb.rttvarMs : null,
    rtoMs: tcb.rtoMs,
    cwnd: tcb.cwnd,
    ssthresh: tcb.ssthresh,
    minRttMs: tcb.hasRtt ? tcb.minRttMs : null,
    pathMtu: tcb.mtu,
    announcedMss: announcedMss(tcb),
    retransmits: tcb.totalRetransmits,
    unanswered: tcb.retransmits,
    segsOut: tcb.segsOut,
    segsIn: tcb.segsIn,
    dataSegsOut: tcb.dataSegsOut,
    dataSegsIn: tcb.dataSegsIn,
    bytesSent: tcb.bytesAcked + sentText(tcb) + tcb.bytesRetransmitted,
    bytesRetransmitted: tcb.bytesRetransmitted,
    bytesAcked: tcb.bytesAcked,
    bytesReceived: tcb.bytesReceived,
    lastSentAt: tcb.lastSentAt === NEVER ? null : tcb.lastSentAt,
    lastReceivedAt: tcb.lastTextAt === NEVER ? null : tcb.lastTextAt,
    lastAckAt: tcb.synAcked ? tcb.lastReceivedAt : null,
    receiveBuffer: tcb.receiveBufferSize,
    error: tcb.error,
    softError: tcb.softError,
  };
}

/** Octets in the send buffer that have been sent. */
function sentText(tcb: Tcb): number {
  return Math.min(Math.max(seqDiff(tcb.sndNxt, tcb.sndText), 0), tcb.sendBuffer.length);
}
