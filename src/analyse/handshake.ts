/**
 * How the connection was opened (RFC 9293 section 3.5): complete, crossed, refused, unanswered, seen from the middle
 * only, with text in the SYN (RFC 7413); who opened it, and what of SYN and SYN-ACK was lost on the way.
 */

import { ACK, CWR, ECE, RST, SYN } from '../wire/tcp.ts';
import type { Place } from './place.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

export type HandshakeKind =
  | 'complete'
  | 'simultaneous-open'
  | 'split'
  | 'refused'
  | 'unanswered'
  | 'half-open'
  | 'mid-stream'
  | 'fast-open';

export interface Handshake {
  kind: HandshakeKind;
  client: Side;
  /** Indexes; -1 for what is not there. */
  syns: number[];
  synAcks: number[];
  ack: number;
  reset: number;
  /** An ACK in the numbers of an earlier connection, before the SYN-ACK. */
  stale: number;
  /** SYNs and SYN-ACKs that did not arrive. */
  lostSyns: number;
  lostSynAcks: number;
  /** Answers to SYN-ACKs that were lost before the capture. */
  lostAcks: number;
  /** SYN-ACKs seen that repeat one that is not in the capture. */
  hiddenRepeats: number;
  fastOpenBytes: number;
  /** Only one side's packets are in the capture, though that side acknowledges the other's. */
  oneSided: boolean;
  ecn: boolean;
}

export function findHandshake(t: Trace, place: Place): Handshake {
  const h: Handshake = {
    kind: 'mid-stream',
    client: 0,
    syns: [],
    synAcks: [],
    ack: -1,
    reset: -1,
    stale: -1,
    lostSyns: 0,
    lostSynAcks: 0,
    lostAcks: 0,
    hiddenRepeats: 0,
    fastOpenBytes: 0,
    oneSided: false,
    ecn: false,
  };
  const opening: [number, number] = [-1, -1];
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if (
      t.verdict[i] === Verdict.FOREIGN &&
      h.synAcks.length === 0 &&
      (flags & (SYN | RST | ACK)) === ACK &&
      t.length(i) === 0
    )
      h.stale = i;
    if (t.verdict[i] === Verdict.FOREIGN || t.verdict[i] === Verdict.CAPTURED_TWICE) continue;
    const side = t.side[i] as Side;
    if ((flags & (SYN | RST)) === SYN && t.start[i] === 0) {
      if ((flags & ACK) !== 0) h.synAcks.push(i);
      else {
        h.syns.push(i);
        if (opening[side] < 0) opening[side] = i;
      }
    } else if ((flags & RST) !== 0 && h.reset < 0) h.reset = i;
    else if (h.ack < 0 && (flags & (ACK | RST)) === ACK && h.synAcks.length > 0 && t.ack[i] >= 1) {
      if (t.side[i] !== t.side[h.synAcks[0]] || h.synAcks.length > 1) h.ack = i;
    }
  }
  h.client = clientOf(t, h, opening);
  t.client = h.client;
  classify(t, h, opening);
  h.oneSided = oneSided(t, h);
  if (h.oneSided && (h.kind === 'unanswered' || h.kind === 'half-open')) h.kind = 'complete';
  countLosses(t, place, h);
  return h;
}

function clientOf(t: Trace, h: Handshake, opening: [number, number]): Side {
  if (opening[0] >= 0 || opening[1] >= 0) {
    if (opening[0] < 0) return 1;
    return opening[1] < 0 || opening[0] < opening[1] ? 0 : 1;
  }
  if (h.synAcks.length > 0) return t.side[h.synAcks[0]] === 0 ? 1 : 0;
  // Without a SYN: the well-known, else the lower port serves.
  const [{ port: a }, { port: b }] = t.flow.sides;
  if (a < 1024 !== b < 1024) return a < 1024 ? 1 : 0;
  return a < b && a < 10_000 && b >= 32_768 ? 1 : 0;
}

function oneSided(t: Trace, h: Handshake): boolean {
  const server: Side = h.client === 0 ? 1 : 0;
  const alone: Side | null =
    t.flow.sides[server].packets === 0 ? h.client : t.flow.sides[h.client].packets === 0 ? server : null;
  if (alone === null) return false;
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if ((flags & (RST | SYN)) === 0 && (flags & ACK) !== 0 && t.ack[i] >= 1) return true;
  }
  return false;
}

function classify(t: Trace, h: Handshake, opening: [number, number]): void {
  const server: Side = h.client === 0 ? 1 : 0;
  if (h.syns.length === 0) {
    h.kind = h.synAcks.length > 0 && h.ack >= 0 ? 'complete' : 'mid-stream';
    if (h.synAcks.length > 0 && h.ack < 0) h.kind = 'half-open';
    return;
  }
  if (opening[0] >= 0 && opening[1] >= 0) {
    // Both sent a SYN: crossed when each was sent without the other in mind, split when the second answers the first.
    const second = Math.max(opening[0], opening[1]);
    const answered = h.synAcks.some((i) => t.side[i] === t.side[second]);
    h.kind = answered || h.synAcks.length === 0 ? 'simultaneous-open' : 'split';
    return;
  }
  for (const i of h.syns) if (t.length(i) > 0) h.fastOpenBytes = Math.max(h.fastOpenBytes, t.length(i));
  if (h.synAcks.length > 0) {
    const first = h.synAcks[0];
    const cookie = t.flow.sides[h.client].syn?.cookie ?? -1;
    h.ecn = (t.flags(h.syns[0]) & (ECE | CWR)) === (ECE | CWR) && (t.flags(first) & (ECE | CWR)) === ECE;
    h.kind = h.ack >= 0 ? 'complete' : 'half-open';
    if (cookie > 0 && h.fastOpenBytes > 0) h.kind = 'fast-open';
    return;
  }
  const refused = h.reset >= 0 && t.side[h.reset] === server && t.ack[h.reset] > 0;
  h.kind = refused
    ? 'refused'
    : t.flow.sides[server].packets === 0
      ? 'unanswered'
      : h.reset >= 0
        ? 'unanswered'
        : 'mid-stream';
}

/**
 * Of several SYNs before an answer, the answer's echo (RFC 7323) names the one that arrived. When that is the first,
 * the SYN-ACKs to it, and to each later SYN that had a round trip's time to be answered, were lost.
 */
function countLosses(t: Trace, place: Place, h: Handshake): void {
  if (h.synAcks.length === 0 || h.stale >= 0 || h.kind === 'simultaneous-open' || h.kind === 'split') return;
  const first = h.synAcks[0];
  const before = h.syns.filter((i) => i < first);
  const server: Side = h.client === 0 ? 1 : 0;
  if (before.length > 1 && t.has(first, Bit.TIMESTAMPS)) {
    const named = before.findIndex((i) => t.tsVal(i) === t.tsEcr(first));
    if (named > 0) h.lostSyns = named;
    else if (named === 0 && place.near !== server) {
      const rtt = roundTrip(t, place, h);
      h.lostSynAcks = before.filter((i) => t.time(first) - t.time(i) > 1.5 * rtt + 0.1).length;
      h.hiddenRepeats = h.lostSynAcks > 0 ? 1 : 0;
    }
  } else if (before.length > 1) {
    // No echo: a SYN that was answered at once, after others that were not, was the first to arrive.
    h.lostSyns = before.length - 1;
  }
  countSeenSynAcks(t, place, h);
}

/**
 * Of several SYN-ACKs that are here before the ACK, those that had a round trip's time to be answered and were not. A
 * client that did not get one asks again: where it did not, its answer was lost.
 */
function countSeenSynAcks(t: Trace, place: Place, h: Handshake): void {
  if (h.ack < 0) return;
  const copies = h.synAcks.filter((i) => t.verdict[i] !== Verdict.NETWORK_DUPLICATE && i < h.ack);
  if (copies.length < 2) return;
  const rtt = roundTrip(t, place, h);
  const unanswered = copies.slice(0, -1).filter((i) => t.time(h.ack) - t.time(i) > 1.5 * rtt + 0.05).length;
  const askedAgain = h.syns.some((i) => i > copies[0] && i < h.ack);
  if (askedAgain) h.lostSynAcks += unanswered;
  else h.lostAcks = unanswered;
}

function roundTrip(t: Trace, place: Place, h: Handshake): number {
  if (place.rtt !== null) return place.rtt;
  return h.ack < 0 ? 0.2 : Math.max(0.001, t.time(h.ack) - t.time(h.synAcks[0]));
}
