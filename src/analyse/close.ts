/**
 * How the connection ended (RFC 9293 section 3.6): who sent the first FIN, whether the FINs crossed, what was still
 * sent after one, or which reset cut it off and why.
 */

import { ACK, FIN, RST } from '../wire/tcp.ts';
import type { Delivery } from './delivery.ts';
import type { Handshake } from './handshake.ts';
import type { Place } from './place.ts';
import type { Role } from './report.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

export type ResetCause =
  | 'refused'
  | 'abort'
  | 'unread-data'
  | 'half-open'
  | 'after-close'
  | 'keep-alive'
  | 'injected'
  | 'not-connected'
  | null;

export interface Close {
  /** fin-both, fin-one, rst, fin-one+rst, fin-both+rst, none. */
  kind: string;
  closing: string;
  /** Indexes of each side's first FIN, -1 for none. */
  fin: [number, number];
  /** A FIN that is not in the capture but must have been sent. */
  inferred: [boolean, boolean];
  /** Index of the acknowledgment that such a FIN drew, -1 without one, and the number after the FIN. */
  inferredAt: number;
  inferredEnd: number;
  firstCloser: Side | 'both' | null;
  timeWait: Side | 'both' | null;
  /** Segments the close took, 0 when it is not complete. */
  segments: number;
  /** Octets the other side sent after it had the first FIN. */
  afterFin: number;
  reset: number;
  resetBy: Side | null;
  cause: ResetCause;
  /** Index of what the other side went on with although it was reset, since it had not heard of it; -1 for nothing. */
  unheard: number;
}

export function findClose(
  t: Trace,
  place: Place,
  h: Handshake,
  d: [Delivery, Delivery],
  foreign: ReadonlySet<number>,
): Close {
  const c: Close = {
    kind: 'none',
    closing: 'open',
    fin: [-1, -1],
    inferred: [false, false],
    inferredAt: -1,
    inferredEnd: -1,
    firstCloser: null,
    timeWait: null,
    segments: 0,
    afterFin: 0,
    reset: -1,
    resetBy: null,
    cause: null,
    unheard: -1,
  };
  for (let i = 0; i < t.n; i++) {
    if (foreign.has(i)) continue;
    const side = t.side[i] as Side;
    if ((t.flags(i) & RST) !== 0) {
      if (c.reset < 0) {
        c.reset = i;
        c.resetBy = side;
      }
    } else if ((t.flags(i) & FIN) !== 0 && c.fin[side] < 0 && t.verdict[i] !== Verdict.CORRUPT) {
      // What comes after the other side's reset comes too late.
      if (c.reset < 0 || c.resetBy === side) c.fin[side] = i;
    }
  }
  inferFin(t, c, d);
  const fins = Number(hasFin(c, 0)) + Number(hasFin(c, 1));
  c.kind = fins === 2 ? 'fin-both' : fins === 1 ? 'fin-one' : 'none';
  if (c.reset >= 0) c.kind = fins === 0 ? 'rst' : `${c.kind}+rst`;
  if (fins > 0) describeFins(t, place, h, c, d);
  if (c.reset >= 0) describeReset(t, place, h, c);
  return c;
}

function hasFin(c: Close, side: Side): boolean {
  return c.fin[side] >= 0 || c.inferred[side];
}

/**
 * A side whose last octets fell into a gap of the capture, whose peer has closed and been acknowledged, and after which
 * nothing more came: its FIN was in the gap, or the connection would hang in CLOSE-WAIT.
 */
function inferFin(t: Trace, c: Close, d: [Delivery, Delivery]): void {
  for (const side of [0, 1] as const) {
    const other: Side = side === 0 ? 1 : 0;
    if (c.fin[side] >= 0 || c.fin[other] < 0 || c.reset >= 0) continue;
    const gap = d[side].gaps.at(-1);
    if (gap === undefined || gap.end !== d[side].maxEnd || gap.acknowledged > c.fin[other]) continue;
    if (d[other].acknowledged < t.end[c.fin[other]]) continue;
    c.inferred[side] = true;
    c.inferredAt = gap.acknowledged;
    c.inferredEnd = gap.end;
  }
}

function describeFins(t: Trace, place: Place, h: Handshake, c: Close, d: [Delivery, Delivery]): void {
  const [a, b] = c.fin;
  if (c.inferred[0] || c.inferred[1]) {
    c.firstCloser = c.inferred[0] ? 0 : 1;
    c.closing = 'fin-in-gap';
    c.timeWait = c.firstCloser;
    return;
  }
  if (a < 0 || b < 0) {
    c.firstCloser = a >= 0 ? 0 : 1;
    c.closing = 'half-closed';
    c.afterFin = bytesAfter(t, c, c.firstCloser);
    return;
  }
  const first: Side = a < b ? 0 : 1;
  const second: Side = first === 0 ? 1 : 0;
  const knows = t.ack[c.fin[second]] >= t.end[c.fin[first]];
  const complete = d[first].acknowledged >= t.end[c.fin[first]] && d[second].acknowledged >= t.end[c.fin[second]];
  if (!knows && crossed(t, place, c, first)) {
    c.closing = 'simultaneous';
    c.segments = 4;
    // Without the handshake the estimate is too weak to say more than which one came first.
    c.firstCloser = h.kind === 'mid-stream' ? first : 'both';
    c.timeWait = complete ? 'both' : null;
    return;
  }
  c.firstCloser = first;
  c.timeWait = complete ? first : null;
  c.afterFin = bytesAfter(t, c, first);
  c.segments = finAcknowledgedApart(t, c, first, second) ? 4 : 3;
  c.closing = c.afterFin > 0 ? 'half-close' : c.segments === 4 ? 'four-segments' : 'three-segments';
}

/** Each FIN was sent before the other could have arrived. */
function crossed(t: Trace, place: Place, c: Close, first: Side): boolean {
  const second: Side = first === 0 ? 1 : 0;
  const apart = t.time(c.fin[second]) - t.time(c.fin[first]);
  if (place.near === second) return true; // it had not arrived here, and here is where the second FIN was sent
  if (place.rtt === null) return true;
  return apart <= 1.5 * place.rtt + 0.001;
}

/** Text the other side sent first after acknowledging the FIN. */
function bytesAfter(t: Trace, c: Close, closer: Side): number {
  const end = t.end[c.fin[closer]];
  const other: Side = closer === 0 ? 1 : 0;
  let from = -1;
  let to = -1;
  for (let i = c.fin[closer] + 1; i < t.n; i++) {
    if (t.side[i] !== other || t.length(i) === 0 || t.ack[i] < end || t.verdict[i] === Verdict.FOREIGN) continue;
    if ((t.flags(i) & RST) !== 0) continue;
    if (from < 0 || t.start[i] < from) from = t.start[i];
    to = Math.max(to, t.start[i] + t.length(i));
  }
  return from < 0 ? 0 : to - from;
}

/** Whether the first FIN was acknowledged by a segment of its own, before the second FIN. */
function finAcknowledgedApart(t: Trace, c: Close, first: Side, second: Side): boolean {
  const end = t.end[c.fin[first]];
  for (let i = c.fin[first] + 1; i < c.fin[second]; i++) {
    if (t.side[i] === second && t.ack[i] >= end && t.verdict[i] !== Verdict.FOREIGN) return true;
  }
  return false;
}

function describeReset(t: Trace, place: Place, h: Handshake, c: Close): void {
  const by = c.resetBy as Side;
  const other: Side = by === 0 ? 1 : 0;
  const live = (t.flags(c.reset) & ACK) !== 0;
  if (h.kind === 'refused') {
    c.closing = 'refused';
    c.cause = 'refused';
    c.firstCloser = by;
    return;
  }
  c.timeWait = hasFin(c, 0) && hasFin(c, 1) ? c.timeWait : null;
  const crossing = t.time(c.reset) + 1.5 * (place.rtt ?? 0.1) + 0.05;
  c.unheard = unheard(t, c, by, crossing);
  if (hasFin(c, by) && !live) c.cause = 'after-close';
  else if (hasFin(c, by) && hasFin(c, other)) c.cause = 'after-close';
  else if (!live && !hasFin(c, by)) c.cause = answersSegment(t, c, other) ? 'half-open' : 'abort';
  else c.cause = unread(t, c, by, crossing) ? 'unread-data' : 'abort';
  if (!hasFin(c, 0) && !hasFin(c, 1)) {
    c.closing = 'reset';
    c.firstCloser = by;
  } else if (c.closing === 'half-closed' || c.closing === 'open') c.closing = 'fin-then-reset';
}

/** The other side goes on long after the reset, and draws another one: the first was lost on the way. */
function unheard(t: Trace, c: Close, by: Side, crossing: number): number {
  let went = -1;
  for (let i = c.reset + 1; i < t.n; i++) {
    const isReset = (t.flags(i) & RST) !== 0;
    if (t.side[i] !== by && !isReset && went < 0 && t.time(i) > crossing) went = i;
    else if (t.side[i] === by && isReset && went >= 0) return went;
  }
  return -1;
}

/** A reset without ACK takes its number from the segment it answers (RFC 9293 section 3.10.7.1). */
function answersSegment(t: Trace, c: Close, other: Side): boolean {
  for (let i = c.reset - 1; i >= 0; i--) {
    if (t.side[i] === other && t.ack[i] >= 0) return t.ack[i] === t.start[c.reset];
  }
  return false;
}

/**
 * RFC 1122 section 4.2.2.13: closing with text unread sends a reset. Whether an application has read cannot be seen; a
 * server that was sent text, acknowledged it and never said a word to it has not answered because it did not read, and
 * neither has a client to whom text was still coming. A client that resets after its answer came has most likely read it.
 */
function unread(t: Trace, c: Close, by: Side, crossing: number): boolean {
  let lastIn = -1;
  let lastOut = -1;
  // What the other side sent before it can have heard of the reset; later, it goes on for not having heard.
  for (let i = 0; i < t.n && t.time(i) <= crossing; i++) {
    if (t.length(i) === 0 || t.verdict[i] === Verdict.FOREIGN) continue;
    if (t.side[i] !== by) lastIn = i;
    else if (i < c.reset) lastOut = i;
  }
  if (lastIn < 0 || lastIn < lastOut) return false;
  return by !== t.client || lastIn > c.reset;
}

/** `client` or `server` for a side. */
export function roleOf(t: Trace, side: Side | 'both' | null): Role | 'both' | null {
  if (side === null || side === 'both') return side;
  return side === t.client ? 'client' : 'server';
}
