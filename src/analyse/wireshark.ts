/**
 * The connection as Wireshark's expert analysis labels it, so that a reader who knows those labels finds them, and so
 * that where they mislead it can be shown. The rules are Wireshark's (two passes, version 4.0), the verdicts of this
 * project are not built on them.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { type Part, type Side, type Trace, WHOLE } from './trace.ts';

export interface WiresharkView {
  /** tcp.completeness: SYN 1, SYN-ACK 2, ACK 4, text 8, FIN 16, RST 32. */
  completeness: number;
  /** How many segments carry each tcp.analysis flag. */
  flags: Record<string, number>;
}

interface Flow {
  known: boolean;
  nextSeq: number;
  nextSeqTime: number;
  maxToAck: number;
  lastAck: number;
  hasAck: boolean;
  lastAckTime: number;
  duplicates: number;
  window: number;
  scale: number;
  scaleKnown: boolean;
  firstAck: boolean;
  lastFlags: number;
}

const KEEP_ALIVE = 1;
const ZERO_PROBE = 2;

/** `plain`: nothing happened, so that nothing but the opening can have drawn a label. */
export function wiresharkView(t: Trace, plain = false): WiresharkView {
  const { folded } = t.flow;
  const flags: Record<string, number> = { ...folded?.flags };
  if (!plain && folded === null) noteFlags(t, flags, WHOLE);
  fastOpenFlags(t, flags);
  if (t.flow.previous !== null) flags.reused_ports = 1;
  return { completeness: completenessOf(t) | (folded?.completeness ?? 0), flags };
}

/**
 * Text counts as text, not as an acknowledgment as well; a conversation of a single packet counts only where that is a
 * SYN, since Wireshark opens its account with the first packet and reads it with the next.
 */
export function completenessOf(t: Trace): number {
  if (t.n === 1 && (t.flags(0) & (SYN | ACK)) !== SYN) return 0;
  let completeness = 0;
  for (let i = 0; i < t.n; i++) {
    const bits = t.flags(i);
    if ((bits & (SYN | ACK)) === SYN) completeness |= 1;
    if ((bits & (SYN | ACK)) === (SYN | ACK)) completeness |= 2;
    if ((bits & (SYN | ACK)) === ACK && t.length(i) === 0) completeness |= 4;
    if (t.length(i) > 0) completeness |= 8;
    if ((bits & FIN) !== 0) completeness |= 16;
    if ((bits & RST) !== 0) completeness |= 32;
  }
  return completeness;
}

/** Counts the labels that records of `part` carry. */
export function noteFlags(t: Trace, flags: Record<string, number>, part: Part): void {
  const elsewhere: Record<string, number> = {};
  const f: [Flow, Flow] = [newFlow(t, 0), newFlow(t, 1)];
  const rtt = firstRtt(t);
  for (let i = 0; i < t.n; i++) {
    const noted = i >= part.from && i < part.to ? flags : elsewhere;
    analyse(t, f[t.side[i] as Side], f[t.side[i] === 0 ? 1 : 0], i, rtt, noted);
  }
}

function newFlow(t: Trace, side: Side): Flow {
  const own = t.flow.sides[side].syn;
  const other = t.flow.sides[side === 0 ? 1 : 0].syn;
  const both = own !== null && other !== null && own.scale >= 0 && other.scale >= 0;
  return {
    known: false,
    nextSeq: 0,
    nextSeqTime: 0,
    maxToAck: Number.NaN,
    lastAck: 0,
    hasAck: false,
    lastAckTime: 0,
    duplicates: 0,
    window: -1,
    scale: both ? own.scale : 0,
    scaleKnown: own !== null,
    firstAck: false,
    lastFlags: 0,
  };
}

/** Time from the first SYN to the first ACK after a SYN-ACK; Wireshark takes 3 ms where it has not seen them. */
function firstRtt(t: Trace): number {
  let syn = -1;
  let synAck = false;
  for (let i = 0; i < t.n; i++) {
    const bits = t.flags(i);
    if ((bits & (SYN | ACK)) === SYN && syn < 0) syn = t.time(i);
    if ((bits & (SYN | ACK)) === (SYN | ACK)) synAck = true;
    if (synAck && syn >= 0 && (bits & (SYN | ACK | RST)) === ACK) return t.time(i) - syn;
  }
  return 0.003;
}

function note(flags: Record<string, number>, label: string): void {
  flags[label] = (flags[label] ?? 0) + 1;
}

function analyse(t: Trace, own: Flow, peer: Flow, i: number, rtt: number, flags: Record<string, number>): void {
  const bits = t.flags(i);
  const start = t.start[i];
  // A SYN begins the numbers anew, whatever its sender said before.
  if ((bits & (SYN | ACK)) === SYN && start === 0 && own.nextSeq <= 0) own.known = false;
  const length = t.length(i);
  const ack = t.ack[i];
  const window = t.log.window(t.record[i]);
  const special = (bits & (SYN | FIN | RST)) !== 0;
  const same = own.known && length === 0 && start === own.nextSeq && own.hasAck && ack === own.lastAck && !special;
  let marks = 0;
  if (length === 1 && own.known && start === own.nextSeq && peer.window === 0) {
    note(flags, 'zero_window_probe');
    marks |= ZERO_PROBE;
  } else {
    if (window === 0 && !special) note(flags, 'zero_window');
    if (own.known && start > own.nextSeq && (bits & RST) === 0) note(flags, 'lost_segment');
    if (own.known && length <= 1 && start === own.nextSeq - 1 && !special) {
      note(flags, 'keep_alive');
      marks |= KEEP_ALIVE;
    }
    if (same && window !== 0 && window !== own.window) note(flags, 'window_update');
    const edge = peer.lastAck + peer.window * (peer.firstAck ? 1 : 2 ** peer.scale);
    if (length > 0 && peer.scaleKnown && peer.window >= 0 && t.end[i] === edge && !special) note(flags, 'window_full');
    if (same && window !== 0 && window === own.window) {
      if ((peer.lastFlags & KEEP_ALIVE) !== 0) note(flags, 'keep_alive_ack');
      else {
        own.duplicates++;
        note(flags, 'duplicate_ack');
      }
    } else if (same && window === 0 && own.window === 0 && (peer.lastFlags & ZERO_PROBE) !== 0) {
      note(flags, 'zero_window_probe_ack');
    }
  }
  const advanced = ack !== own.lastAck;
  if (advanced) own.duplicates = 0;
  if (advanced && !Number.isNaN(peer.maxToAck) && ack > peer.maxToAck && (bits & ACK) !== 0) {
    note(flags, 'ack_lost_segment');
    peer.maxToAck = peer.nextSeq;
  }
  if ((length > 0 || (bits & (SYN | FIN)) !== 0) && (marks & KEEP_ALIVE) === 0)
    retransmission(t, own, peer, i, rtt, flags);
  advance(t, own, i, marks);
}

function retransmission(t: Trace, own: Flow, peer: Flow, i: number, rtt: number, flags: Record<string, number>): void {
  const start = t.start[i];
  const length = t.length(i);
  let behind = own.known && start < own.nextSeq;
  if (length > 1 && own.nextSeq - 1 === start) behind = false;
  if (length > 0 && peer.hasAck && start + length <= peer.lastAck) {
    note(flags, 'spurious_retransmission');
    note(flags, 'retransmission');
    return;
  }
  if (!behind) return;
  const now = t.time(i);
  if (peer.duplicates >= 2 && peer.lastAck === start && now - peer.lastAckTime < 0.02) {
    note(flags, 'fast_retransmission');
    note(flags, 'retransmission');
  } else if (now - own.nextSeqTime < rtt && own.nextSeq !== t.end[i]) note(flags, 'out_of_order');
  else note(flags, 'retransmission');
}

function advance(t: Trace, own: Flow, i: number, marks: number): void {
  const probe = (marks & ZERO_PROBE) !== 0;
  const first = !own.known;
  if ((t.end[i] > own.nextSeq || first) && !probe) {
    own.nextSeq = t.end[i];
    own.nextSeqTime = t.time(i);
    own.known = true;
  }
  if ((Number.isNaN(own.maxToAck) || t.start[i] === own.maxToAck) && !probe) own.maxToAck = own.nextSeq;
  own.window = t.log.window(t.record[i]);
  own.firstAck = (t.flags(i) & SYN) !== 0;
  own.lastAck = Math.max(0, t.ack[i]);
  own.hasAck = t.ack[i] >= 0;
  own.lastAckTime = t.time(i);
  own.lastFlags = marks;
}

/** A SYN with a cookie, and a SYN-ACK that takes the text of a SYN. */
function fastOpenFlags(t: Trace, flags: Record<string, number>): void {
  const options = t.flow.sides[t.client].syn;
  if (options !== null && options.cookie > 0) note(flags, 'tfo_syn');
  for (let i = 0; i < t.n && i < 8; i++) {
    if ((t.flags(i) & (SYN | ACK | RST)) === (SYN | ACK) && t.ack[i] > 1) {
      note(flags, 'tfo_ack');
      return;
    }
  }
}
