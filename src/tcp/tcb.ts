/**
 * The transmission control block: all that one connection knows (RFC 9293 section 3.3.1, and the variables of the RFCs
 * that came after). The fields carry the RFCs' names. Nothing here knows addresses, clocks or other connections.
 *
 * All fields are set in the constructor and keep one kind of value for life: V8 then gives every TCB the same shape.
 */

import type { ErrorCode } from '../base/errors.ts';
import { type Seq, seq, seqAdd, seqDiff } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import type { TcpConfig } from './config.ts';
import { Event } from './events.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { SendBuffer } from './send-buffer.ts';
import { State } from './state.ts';

/** The timers of a connection, by what they are for. */
export type TimerName =
  | 'retransmission'
  | 'persist'
  | 'delayed ACK'
  | 'keep-alive'
  | 'user'
  | 'FIN-WAIT-2'
  | 'TIME-WAIT';

/** Watches one connection; for traces, demos and tests. */
export interface TcbTrace {
  stateChanged(tcb: Tcb, from: State, to: State): void;
  /** A timer is due, and about to be acted on. */
  timerExpired?(tcb: Tcb, timer: TimerName): void;
}

/** The largest segment every IPv4 / IPv6 host takes, assumed of a peer that names none (MUST-15). */
export const DEFAULT_MSS = { 4: 536, 6: 1220 } as const;

/** IP and TCP headers without options: what an MTU loses on its way to an MSS (RFC 6691). */
export function headersLength(family: 4 | 6): number {
  return family === 4 ? 40 : 60;
}

/** Octets the timestamps option takes in each segment, padding included. */
export const TIMESTAMPS_LENGTH = 12;

/** Above every window and segment there can be, and a small integer: infinity would make doubles of what it is compared with. */
export const NO_CLAMP = 0x7fffffff;

const ZERO = seq(0);

export class Tcb {
  readonly config: TcpConfig;
  readonly family: 4 | 6;
  trace: TcbTrace | null = null;

  // -- the connection as a whole
  state: State = State.CLOSED;
  /** SYN-RECEIVED was entered from LISTEN (MUST-11): a RST then leads back there, without a word to anyone. */
  passive = false;
  /** The application has let go: text that arrives now can only be answered with a RST. */
  orphaned = false;
  /** {@link Event} bits raised and not yet taken by the stack. */
  events = 0;
  /** Why CLOSED was reached; null for a normal end. */
  error: ErrorCode | null = null;
  /** The last ICMP error that did not end the connection (MUST-47). */
  softError: ErrorCode | null = null;
  /** Whether SOFT_ERROR events are wanted (SHLD-20). */
  reportSoftErrors = true;

  // -- send sequence variables (figure 3 of RFC 9293)
  iss: Seq = ZERO;
  sndUna: Seq = ZERO;
  sndNxt: Seq = ZERO;
  sndWnd = 0;
  /** The octet after the last urgent one. */
  sndUp: Seq = ZERO;
  sndUrgent = false;
  sndWl1: Seq = ZERO;
  sndWl2: Seq = ZERO;
  /** MAX.SND.WND of RFC 5961 and Max(SND.WND) of the silly-window rule: the largest window ever offered. */
  maxSndWnd = 0;
  readonly sendBuffer = new SendBuffer();
  /** Sequence number of the first octet in {@link sendBuffer}. */
  sndText: Seq = ZERO;
  /** Where the text of the segment that `output` just made begins in {@link sendBuffer}; -1: it is in the segment. */
  textOffset = 0;
  /** The end of the last segment sent that was not full: while it is outstanding, Nagle holds the next such one. */
  sndSmall: Seq = ZERO;
  /** CLOSE was called: a FIN follows the last octet. */
  finQueued = false;
  finSent = false;
  /** `send` said full; WRITABLE is due. */
  writeBlocked = false;

  // -- receive sequence variables (figure 4 of RFC 9293)
  irs: Seq = ZERO;
  rcvNxt: Seq = ZERO;
  /** The right edge last offered: RCV.NXT + RCV.WND. It never moves back (SHLD-14). */
  rcvAdv: Seq = ZERO;
  rcvUp: Seq = ZERO;
  rcvUrgent = false;
  readonly receiveBuffer = new ReceiveBuffer(ZERO);
  /** Most octets the receive buffer holds; grows with the application's appetite. */
  receiveBufferSize: number;
  /** Sequence number of a FIN that is known, in order or not. */
  finReceived = false;
  finSeq: Seq = ZERO;
  /** RCV.NXT in the last segment sent: RFC 7323's Last.ACK.sent. */
  lastAckSent: Seq = ZERO;
  /** The last text segment carried a PSH (MAY-17). */
  pushSeen = false;

  // -- options agreed in the handshake
  /** MTU of the path to IP's knowledge. */
  mtu: number;
  /** MSS the peer named, or the default when it named none. */
  peerMss: number;
  /** Eff.snd.MSS of RFC 9293 3.7.1: text octets of a full segment, options already taken off. */
  sndMss: number;
  /** Text octets of the largest segment sent on this path, its end, and the largest known to have arrived (RFC 5927 7.2). */
  largestSent = 0;
  largestSentEnd: Seq = ZERO;
  largestAcked = 0;
  /** A path MTU that was claimed and not believed yet, 0 for none, and the sequence number it quoted. */
  mtuTold = 0;
  mtuToldSeq: Seq = ZERO;
  sndWscale = 0;
  rcvWscale = 0;
  wscaleOk = false;
  sackOk = false;
  timestampsOk = false;
  tsOffset = 0;
  tsRecent = 0;
  tsRecentAt: Time = 0;
  ecnOk = false;

  // -- marks: input leaves them, output alone makes segments of them
  /** The peer has acknowledged our SYN. */
  synAcked = false;
  synPending = false;
  ackNow = false;
  /** Text octets received since the last ACK. */
  unacked = 0;
  probePending = false;
  keepAliveProbePending = false;
  fastRetransmitPending = false;
  rstPending = false;
  rstWithAck = false;
  rstSeq: Seq = ZERO;
  rstAck: Seq = ZERO;

  // -- SACK and DSACK blocks to report (RFC 2018, RFC 2883); allocated when first needed
  sackRecent: Int32Array | null = null;
  sackRecentCount = 0;
  dsackPending = false;
  dsackLeft: Seq = ZERO;
  dsackRight: Seq = ZERO;

  // -- round-trip time (RFC 6298), milliseconds
  srttMs = 0;
  rttvarMs = 0;
  rtoMs: number;
  hasRtt = false;
  minRttMs = NEVER;
  /** The RTO was doubled and no trusted sample has come since. */
  backedOff = false;
  /** When the retransmission timer last fired. */
  retransmittedAt: Time = 0;
  rttTiming = false;
  rttSeq: Seq = ZERO;
  rttStart: Time = 0;

  // -- retransmission
  retransmits = 0;
  /** When the first unanswered transmission was made. */
  firstUnansweredAt: Time = 0;
  /** Retransmissions of the SYN or SYN,ACK, and how many there may be. */
  synRetransmits = 0;
  synRetryLimit: number;
  /** TCP_SYNCNT: the application's own number for an open, -1 for none of its own. */
  synRetries = -1;
  /** Go-back-N after a timeout: [rtxNext, rtxEnd) is to be sent again. */
  rtxNext: Seq = ZERO;
  rtxEnd: Seq = ZERO;
  /** Zero-window probes since the window closed, and since the peer last answered one. */
  zeroWindowProbes = 0;
  unansweredProbes = 0;

  // -- counts since the connection began, for STATUS: segments, those of them with text, and octets of text
  totalRetransmits = 0;
  segsOut = 0;
  segsIn = 0;
  dataSegsOut = 0;
  dataSegsIn = 0;
  bytesAcked = 0;
  bytesRetransmitted = 0;
  bytesReceived = 0;
  /** When text last arrived. */
  lastTextAt: Time = NEVER;

  // -- congestion control (RFC 5681) and NewReno recovery (RFC 6582)
  cwnd = 0;
  ssthresh = 0x7fffffff;
  /** Octets acknowledged towards the next increase in congestion avoidance. */
  cwndAcked = 0;
  /** It is cwnd that stops output, not the application or the peer: only then does it deserve to grow (RFC 7661). */
  cwndLimited = false;
  dupAcks = 0;
  inRecovery = false;
  partialAckSeen = false;
  recover: Seq = ZERO;
  /** SND.NXT when this round trip of recovery began: duplicate ACKs inflate cwnd by what was in flight then, no more. */
  inflateUpTo: Seq = ZERO;
  lastSentAt: Time = NEVER;

  // -- ECN (RFC 3168)
  ecnEchoPending = false;
  cwrPending = false;
  /** Reductions are made once a window: up to here this one counts. */
  ecnReducedUpTo: Seq = ZERO;

  // -- deadlines, NEVER when off
  rtxDeadline: Time = NEVER;
  persistDeadline: Time = NEVER;
  ackDeadline: Time = NEVER;
  keepAliveDeadline: Time = NEVER;
  userDeadline: Time = NEVER;
  /** End of TIME-WAIT, or of an orphan's FIN-WAIT-2. */
  lifeDeadline: Time = NEVER;

  // -- keep-alive and rate limits
  keepAliveProbesSent = 0;
  lastReceivedAt: Time = 0;
  lastInvalidAckAt: Time = -NEVER;

  // -- the application's choices
  nagle: boolean;
  keepAlive: boolean;
  keepAliveTimeMs: number;
  keepAliveIntervalMs: number;
  keepAliveProbes: number;
  /** R2 as a time: 0 means tcp_retries2 decides, Infinity never gives up (MUST-21). */
  userTimeoutMs = 0;
  /** TCP_QUICKACK: text is acknowledged at once. */
  quickAck = false;
  /** TCP_MAXSEG: the largest segment announced and sent, options included; NO_CLAMP leaves it to the path. */
  mssClamp = NO_CLAMP;
  /** TCP_WINDOW_CLAMP: the largest window offered. */
  windowClamp = NO_CLAMP;
  /** SO_RCVBUF was given: the receive buffer stays as it is. */
  receiveBufferLocked = false;
  /** SO_SNDBUF: 0 leaves the send buffer to follow the congestion window. */
  sendBufferSize = 0;
  /** TCP_LINGER2: life of an orphan in FIN-WAIT-2. */
  finTimeoutMs: number;
  /** TTL or hop limit of sent packets (MUST-49). */
  hopLimit = 64;
  /** Diffserv field and, in the low two bits, nothing: ECN is the engine's (MUST-48). */
  trafficClass = 0;
  /** Traffic class of the last packet received (MAY-9). */
  receivedTrafficClass = 0;

  // -- receive buffer moderation
  /** The stack is short of memory: no buffer grows. */
  memoryPressure = false;
  takenSince = 0;
  takenSinceAt: Time = 0;

  constructor(config: TcpConfig, family: 4 | 6, mtu: number) {
    this.config = config;
    this.family = family;
    this.mtu = mtu;
    this.peerMss = DEFAULT_MSS[family];
    this.sndMss = Math.min(this.peerMss, mtu - headersLength(family));
    this.receiveBufferSize = config.receiveBuffer;
    this.rtoMs = config.rtoInitialMs;
    this.synRetryLimit = config.synRetries;
    this.finTimeoutMs = config.finTimeoutMs;
    this.nagle = config.nagle;
    this.keepAlive = config.keepAlive;
    this.keepAliveTimeMs = config.keepAliveTimeMs;
    this.keepAliveIntervalMs = config.keepAliveIntervalMs;
    this.keepAliveProbes = config.keepAliveProbes;
  }
}

/** RCV.WND: what may still arrive beyond RCV.NXT. */
export function rcvWnd(tcb: Tcb): number {
  return seqDiff(tcb.rcvAdv, tcb.rcvNxt);
}

/**
 * SEG.SEQ of a segment without text. SND.NXT, unless that lies beyond the peer's window: after a probe, or when the
 * window has shrunk. The peer would drop such an ACK, and with it the news of our own window (appendix A.2).
 */
export function sndAckSeq(tcb: Tcb): Seq {
  const edge = seqAdd(tcb.sndUna, tcb.sndWnd);
  if (!tcb.synAcked || seqDiff(tcb.sndNxt, edge) <= 0) return tcb.sndNxt;
  return tcb.sndWnd === 0 ? tcb.sndUna : seqAdd(edge, -1);
}

/** Octets (a FIN counts as one) that are sent and not acknowledged, as far as anybody knows. */
export function flightSize(tcb: Tcb): number {
  const lost = seqDiff(tcb.rtxEnd, tcb.rtxNext);
  return seqDiff(tcb.sndNxt, tcb.sndUna) - Math.max(lost, 0);
}

/** The sequence number after the last octet the application has sent: the FIN's, when there is one. */
export function sndEnd(tcb: Tcb): Seq {
  return seqAdd(tcb.sndText, tcb.sendBuffer.length);
}

/** Everything sent has been acknowledged, and nothing waits: the retransmission queue is empty. */
export function isQuiet(tcb: Tcb): boolean {
  return tcb.sndUna === tcb.sndNxt && tcb.sendBuffer.length === 0 && tcb.finQueued === tcb.finSent;
}

/** The user timeout counts from the last progress, while anything waits to be sent or acknowledged. */
export function armUserTimeout(tcb: Tcb, now: Time): void {
  const waiting = tcb.sndUna !== tcb.sndNxt || tcb.sendBuffer.length > 0;
  tcb.userDeadline = waiting && tcb.userTimeoutMs > 0 ? now + tcb.userTimeoutMs : NEVER;
}

/** Sets R2 as a time (MUST-21): 0 leaves it to tcp_retries2, Infinity never gives up. Counts from now. */
export function setUserTimeout(tcb: Tcb, now: Time, ms: number): void {
  tcb.userTimeoutMs = ms;
  if (tcb.state !== State.CLOSED && tcb.state !== State.LISTEN && tcb.state !== State.TIME_WAIT)
    armUserTimeout(tcb, now);
}

/** The one way from state to state. */
export function setState(tcb: Tcb, to: State): void {
  const from = tcb.state;
  if (from === to) return;
  tcb.state = to;
  if (tcb.trace !== null) tcb.trace.stateChanged(tcb, from, to);
}

/** CLOSED: the TCB is dead, its timers and buffers are gone, and the application learns why. A RST still goes out. */
export function enterClosed(tcb: Tcb, error: ErrorCode | null): void {
  if (tcb.state === State.CLOSED) return;
  if (tcb.error === null) tcb.error = error;
  stopTimers(tcb);
  tcb.sendBuffer.clear();
  // Text that arrived whole before the end may still be taken; what has holes in it never will be.
  tcb.receiveBuffer.prune();
  tcb.synPending = false;
  tcb.ackNow = false;
  tcb.probePending = false;
  tcb.fastRetransmitPending = false;
  tcb.keepAliveProbePending = false;
  tcb.rtxNext = tcb.rtxEnd;
  setState(tcb, State.CLOSED);
  tcb.events |= Event.CLOSED;
}

/** TIME-WAIT: the other timers stop, 2 MSL starts (or starts again). */
export function enterTimeWait(tcb: Tcb, now: Time): void {
  if (tcb.state !== State.TIME_WAIT) {
    stopTimers(tcb);
    tcb.sendBuffer.clear();
    setState(tcb, State.TIME_WAIT);
    tcb.events |= Event.TIME_WAIT;
  }
  tcb.lifeDeadline = now + tcb.config.timeWaitMs;
}

function stopTimers(tcb: Tcb): void {
  tcb.rtxDeadline = NEVER;
  tcb.persistDeadline = NEVER;
  tcb.ackDeadline = NEVER;
  tcb.keepAliveDeadline = NEVER;
  tcb.userDeadline = NEVER;
  tcb.lifeDeadline = NEVER;
}
