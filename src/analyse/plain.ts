/**
 * A first look at a connection: most are opened, used and closed without anything happening, and one pass tells. What
 * searches for loss, repetition, probes and copies is then not run; it would find nothing, as a test holds it to.
 */

import { RST, SYN, URG } from '../wire/tcp.ts';
import type { Copies } from './copies.ts';
import type { Delivery } from './delivery.ts';
import { MOST_SKIPPED } from './identifications.ts';
import type { Probes } from './probes.ts';
import { Bit, CONGESTION } from './segment-log.ts';
import type { Side, Trace } from './trace.ts';

/** Seconds of a pause after which a skipped IP identification may stand for a segment lost before the capture. */
const PAUSE = 0.005;

/** What one side has said so far. */
interface Said {
  maxEnd: number;
  /** The last acknowledgment it sent, and how far the window it advertised reaches. */
  ack: number;
  rightEdge: number;
  ipId: number;
  time: number;
}

/** Found in a connection in which nothing is to be found. */
export interface Plain {
  copies: Copies;
  probes: Probes;
  delivery: [Delivery, Delivery];
}

/**
 * Every segment of both sides carries the next octets or acknowledges more than the one before, nothing is acknowledged
 * that was not sent, no window closes or fills, no checksum is wrong, and there is neither SACK nor reset, urgent text or
 * congestion mark. Null where one of that does not hold.
 */
export function lookForNothing(t: Trace): Plain | null {
  const { sides, sackSeen } = t.flow;
  if (
    t.n === 0 ||
    sackSeen ||
    t.straySyn ||
    t.hopsDiffer[0] ||
    t.hopsDiffer[1] ||
    t.ever(RST | URG) ||
    (t.traits & Bit.WRONG_SUM) !== 0 ||
    (t.traits & CONGESTION) === CONGESTION
  )
    return null;
  if ((t.flags(0) & SYN) === 0 || !sides[0].synSeen || !sides[1].synSeen) return null;
  const said: [Said, Said] = [newSaid(), newSaid()];
  for (let i = 0; i < t.n; i++) {
    const side = t.side[i] as Side;
    if (!continues(t, said[side], said[side === 0 ? 1 : 0], i)) return null;
  }
  return {
    copies: NO_COPIES,
    probes: NO_PROBES,
    delivery: [deliveryOf(said[0], said[1]), deliveryOf(said[1], said[0])],
  };
}

function continues(t: Trace, own: Said, peer: Said, i: number): boolean {
  const start = t.start[i];
  const end = t.end[i];
  const ack = t.ack[i];
  if (start !== own.maxEnd || ack > peer.maxEnd || ack < own.ack || t.window(i) === 0) return false;
  if (end === start && ack === own.ack) return false;
  if (end > start && end === peer.rightEdge) return false;
  const time = t.time(i);
  const ipId = t.ipId(i);
  const skipped = (((ipId - own.ipId) << 16) >> 16) - 1;
  if (end > start && skipped >= 1 && skipped <= MOST_SKIPPED && time - own.time >= PAUSE) return false;
  own.maxEnd = end;
  own.ack = ack;
  own.ipId = ipId;
  own.time = time;
  if (ack >= 0) own.rightEdge = ack + t.window(i);
  return true;
}

function newSaid(): Said {
  return { maxEnd: 0, ack: -1, rightEdge: -1, ipId: 0, time: Number.NaN };
}

const NOTHING: never[] = [];
const NO_COPIES: Copies = { capturedTwice: NOTHING, duplicated: NOTHING };
const NO_PROBES: Probes = { zeroWindows: NOTHING, keepAlives: NOTHING, windowFull: NOTHING, corrupted: NOTHING };

function deliveryOf(own: Said, peer: Said): Delivery {
  return {
    retransmissions: NOTHING,
    reordered: NOTHING,
    lateness: NOTHING,
    doubledParts: NOTHING,
    unexplainedDsacks: NOTHING,
    gaps: NOTHING,
    lostAcks: NOTHING,
    hiddenAcks: NOTHING,
    skips: NOTHING,
    maxEnd: own.maxEnd,
    acknowledged: Math.max(0, peer.ack),
  };
}
