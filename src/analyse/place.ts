/**
 * Where the capture was taken, from how soon each side's answers follow what they answer: next to a host its answers
 * come at once and the other side's after a whole round trip.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

/** An answer within this share of the round trip means that the host is here. */
const NEAR = 0.2;
/** A handshake that took so many times the soonest answers was held up. */
const HELD_UP = 2;
/** Stamps remembered, and records looked at for echoes of them. */
const STAMPS = 16;
const ECHOES_LOOKED_AT = 512;

export interface Place {
  /** The side the capture stands next to, 'middle', or null where nothing tells. */
  near: Side | 'middle' | null;
  /** Seconds of a round trip from one end to the other, null when unknown. */
  rtt: number | null;
  /** What the handshake took, null where it was not seen or not undisturbed. */
  handshake: number | null;
  /** Fastest answer of each side, seconds; Infinity when there was none. */
  answer: [number, number];
}

/** @param known the soonest answers known from elsewhere. */
export function findPlace(t: Trace, known?: readonly [number, number]): Place {
  const answer: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const handshake = handshakeDelays(t, answer) ? answer[0] + answer[1] : null;
  // One late answer of a busy host must not move the place: the soonest of all tells.
  if (dataDelays(t, answer)) echoDelays(t, answer);
  if (known !== undefined) for (const side of [0, 1] as const) answer[side] = Math.min(answer[side], known[side]);
  const [a, b] = answer;
  if (!Number.isFinite(a) && !Number.isFinite(b)) return { near: null, rtt: null, handshake, answer };
  if (!Number.isFinite(a) || !Number.isFinite(b)) {
    return { near: null, rtt: Number.isFinite(a) ? a : b, handshake, answer };
  }
  const soonest = a + b;
  // Below half a millisecond from end to end, scheduling is all there is to see.
  let near: Place['near'] = soonest < 0.0005 ? null : 'middle';
  if (near !== null && a < NEAR * soonest) near = 0;
  else if (near !== null && b < NEAR * soonest) near = 1;
  // The handshake is the fairest sample unless something held it up.
  const rtt = handshake !== null && handshake < HELD_UP * soonest ? handshake : soonest;
  return { near, rtt, handshake, answer };
}

/** SYN to SYN-ACK and SYN-ACK to ACK, where each was sent once: they add up to the whole round trip. */
function handshakeDelays(t: Trace, answer: [number, number]): boolean {
  let syn = -1;
  let synAck = -1;
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if (t.verdict[i] !== Verdict.PLAIN) continue;
    if ((flags & (SYN | ACK | RST)) === SYN) {
      if (syn >= 0) return false;
      syn = i;
    } else if ((flags & (SYN | ACK)) === (SYN | ACK)) {
      if (syn < 0 || synAck >= 0 || t.side[i] === t.side[syn]) return false;
      synAck = i;
    } else if ((flags & (ACK | RST)) === ACK && synAck >= 0 && t.side[i] === t.side[syn]) {
      answer[t.side[synAck]] = t.time(synAck) - t.time(syn);
      answer[t.side[syn]] = t.time(i) - t.time(synAck);
      return true;
    }
  }
  return false;
}

/** The fastest acknowledgment of each side for what was sent once; tells whether something was sent again. */
function dataDelays(t: Trace, answer: [number, number]): boolean {
  let repeated = false;
  const pendingEnd: [number, number] = [-1, -1];
  const pendingTime: [number, number] = [0, 0];
  const highest: [number, number] = [0, 0];
  for (let i = 0; i < t.n; i++) {
    if (t.verdict[i] !== Verdict.PLAIN || (t.flags(i) & RST) !== 0) continue;
    const side = t.side[i] as Side;
    const other: Side = side === 0 ? 1 : 0;
    if (pendingEnd[other] >= 0 && t.ack[i] >= pendingEnd[other]) {
      const delay = t.time(i) - pendingTime[other];
      if (delay < answer[side]) answer[side] = delay;
      pendingEnd[other] = -1;
    }
    const carries = t.length(i) > 0 || (t.flags(i) & (SYN | FIN)) !== 0;
    if (!carries) continue;
    if (t.end[i] <= highest[side]) {
      pendingEnd[side] = -1;
      repeated = true;
    } else if (pendingEnd[side] < 0) {
      pendingEnd[side] = t.end[i];
      pendingTime[side] = t.time(i);
    }
    if (t.end[i] > highest[side]) highest[side] = t.end[i];
  }
  return repeated;
}

/**
 * The fastest echo of a timestamp that only one segment carried (RFC 7323): it tells which segment is answered even where
 * everything was sent twice.
 */
function echoDelays(t: Trace, answer: [number, number]): void {
  const values: [number[], number[]] = [[], []];
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < t.n && i < ECHOES_LOOKED_AT; i++) {
    if (t.verdict[i] !== Verdict.PLAIN || !t.has(i, Bit.TIMESTAMPS) || (t.flags(i) & RST) !== 0) continue;
    const side = t.side[i] as Side;
    const other: Side = side === 0 ? 1 : 0;
    if ((t.flags(i) & ACK) !== 0) {
      const at = values[other].lastIndexOf(t.tsEcr(i));
      if (at >= 0) answer[side] = Math.min(answer[side], t.time(i) - times[other][at]);
    }
    const value = t.tsVal(i);
    const newer = values[side].length === 0 ? 1 : (value - values[side][values[side].length - 1]) | 0;
    if (newer === 0) times[side][values[side].length - 1] = Number.NEGATIVE_INFINITY;
    else if (newer > 0) {
      values[side].push(value);
      times[side].push(t.size(i) > 0 ? t.time(i) : Number.NEGATIVE_INFINITY);
      if (values[side].length > STAMPS) {
        values[side].shift();
        times[side].shift();
      }
    }
  }
}
