/**
 * Segments that carry a connection's addresses but not its peer's hand: told by a hop count or an IP identification out
 * of line with everything else that side sent, and by what follows (RFC 5961: an endpoint answers a reset or SYN that
 * is not exactly right with a challenge ACK and goes on).
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

export interface Stray {
  index: number;
  what: 'reset' | 'syn' | 'text';
  /** The challenge ACK that answered, -1 for none. */
  challenge: number;
  /** Differences to the side's other packets. */
  ttl: { usual: number; found: number } | null;
  idOutOfLine: boolean;
  /** Text or acknowledgments of the same side went on afterwards. */
  survived: boolean;
  /** A reset that killed the connection. */
  deadly: boolean;
}

interface Usual {
  ttl: number;
  id: number;
  counts: boolean;
}

/** A reset's own sender says nothing more; what comes so much later, seconds, was not sent before the reset. */
const LONG_AFTER = 0.05;
/** Routes change by a hop or two now and then. */
const DISTANT = 5;

export function findForeign(t: Trace): Stray[] {
  const strays: Stray[] = [];
  const suspicious = t.hopsDiffer[0] || t.hopsDiffer[1];
  if (!t.ever(RST) && !t.straySyn && !suspicious) return strays;
  markStale(t);
  // Worked out where something looks odd: most connections have nothing of the kind.
  const usual: [Usual | null | undefined, Usual | null | undefined] = [undefined, undefined];
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    const side = t.side[i] as Side;
    const isReset = (flags & RST) !== 0;
    const isSyn = (flags & (SYN | RST | ACK)) === SYN && t.start[i] !== 0 && t.flow.sides[side].packets > 1;
    const isText = t.hopsDiffer[side] && t.length(i) > 0 && (flags & (SYN | RST)) === 0;
    if ((!isReset && !isSyn && !isText) || t.verdict[i] !== Verdict.PLAIN) continue;
    const own = usual[side] === undefined ? usualOf(t, side) : usual[side];
    usual[side] = own;
    const stray = isText ? judgeText(t, i, own) : judge(t, i, isReset ? 'reset' : 'syn', own);
    if (stray === null) continue;
    t.verdict[i] = Verdict.FOREIGN;
    strays.push(stray);
  }
  return strays;
}

/**
 * A host that still holds an earlier connection of these ports answers the SYN with an ACK in the old numbers; the reset
 * that draws, in those numbers too, is not about this connection (RFC 9293 section 3.5.1, RFC 5961 section 4).
 */
function markStale(t: Trace): void {
  let stale = -1;
  const spoken: [boolean, boolean] = [false, false];
  for (let i = 0; i < t.n && !(spoken[0] && spoken[1]); i++) {
    const flags = t.flags(i);
    const side = t.side[i] as Side;
    if ((flags & SYN) !== 0) spoken[side] = true;
    else if ((flags & RST) !== 0) {
      if (stale >= 0 && t.side[i] !== t.side[stale] && t.log.seq(t.record[i]) === t.log.ack(t.record[stale]))
        t.verdict[i] = Verdict.FOREIGN;
    } else if (!spoken[side] && t.flow.sides[side].synSeen && (flags & ACK) !== 0 && t.ack[i] !== 1) {
      stale = i;
      t.verdict[i] = Verdict.FOREIGN;
    }
  }
}

/** Text from elsewhere: a hop count that next to none of the side's packets have, and a number out of line. */
function judgeText(t: Trace, i: number, usual: Usual | null): Stray | null {
  const found = t.ttl(i);
  if (usual === null || Math.abs(usual.ttl - found) <= DISTANT) return null;
  let alike = 0;
  for (let k = 0; k < t.n && alike <= 2; k++) if (t.side[k] === t.side[i] && t.ttl(k) === found) alike++;
  const idOutOfLine = usual.counts && Math.abs(nearestId(t, i, t.side[i] as Side)) > 1024;
  if (alike > 2 || (usual.counts && !idOutOfLine)) return null;
  const ttl = { usual: usual.ttl, found };
  return { index: i, what: 'text', challenge: -1, ttl, idOutOfLine, survived: true, deadly: false };
}

/** Hop count and identification that most of a side's segments (resets aside) have. */
function usualOf(t: Trace, side: Side): Usual | null {
  const counts = new Map<number, number>();
  let ids = 0;
  let inLine = 0;
  let last = -1;
  for (let i = 0; i < t.n && i < 2000; i++) {
    if (t.side[i] !== side || (t.flags(i) & RST) !== 0) continue;
    counts.set(t.ttl(i), (counts.get(t.ttl(i)) ?? 0) + 1);
    if ((t.flags(i) & SYN) !== 0) continue;
    if (last >= 0) {
      ids++;
      const step = ((t.ipId(i) - last) << 16) >> 16;
      if (step !== 0 && step > -64 && step < 256) inLine++;
    }
    last = t.ipId(i);
  }
  let ttl = -1;
  let most = 0;
  for (const [value, n] of counts) {
    if (n > most) {
      most = n;
      ttl = value;
    }
  }
  return ttl < 0 ? null : { ttl, id: last, counts: ids >= 2 && inLine >= 0.9 * ids };
}

function judge(t: Trace, i: number, what: 'reset' | 'syn', usual: Usual | null): Stray | null {
  const side = t.side[i] as Side;
  const ttl = usual !== null && usual.ttl !== t.ttl(i) ? { usual: usual.ttl, found: t.ttl(i) } : null;
  const idOutOfLine = usual?.counts === true && Math.abs(nearestId(t, i, side)) > 1024;
  const challenge = challengeAfter(t, i);
  let survived = false;
  for (let k = i + 1; k < t.n && !survived; k++) {
    const flags = t.flags(k);
    if (t.side[k] !== side || (flags & (RST | SYN)) !== 0) continue;
    survived = t.length(k) > 0 || (flags & FIN) !== 0 || t.ack[k] >= 0;
  }
  const stray = { index: i, what, challenge, ttl, idOutOfLine, survived, deadly: false };
  if (what === 'syn') return survived || challenge >= 0 || ttl !== null || idOutOfLine ? stray : null;
  // A reset is the peer's own unless something speaks against it.
  const exact = t.start[i] === nextOf(t, i, side);
  if (challenge >= 0 && !exact && survived) return stray;
  const distant = ttl !== null && Math.abs(ttl.usual - ttl.found) > DISTANT;
  if (!distant && !(idOutOfLine && t.ipId(i) !== 0 && survived) && !wentOn(t, i)) return null;
  stray.deadly = !otherWentOn(t, i);
  return stray;
}

/** Its side sends text or closes as if it had never sent reset i. */
function wentOn(t: Trace, i: number): boolean {
  const side = t.side[i];
  const established = t.ack[i] > 1 || t.start[i] > 1;
  for (let k = i + 1; established && k < t.n; k++) {
    if (t.side[k] !== side || (t.flags(k) & (RST | SYN)) !== 0 || t.time(k) - t.time(i) < LONG_AFTER) continue;
    if (t.length(k) > 0 || (t.flags(k) & FIN) !== 0) return true;
  }
  return false;
}

/** Distance of record i's IP identification from its neighbours of the same side. */
function nearestId(t: Trace, i: number, side: Side): number {
  for (let k = i - 1; k >= 0; k--) {
    if (t.side[k] === side && (t.flags(k) & (SYN | RST)) === 0) return ((t.ipId(i) - t.ipId(k)) << 16) >> 16;
  }
  return 0;
}

/** What the side's next octet was. */
function nextOf(t: Trace, i: number, side: Side): number {
  let next = 0;
  for (let k = 0; k < i; k++) {
    if (t.side[k] === side && t.verdict[k] !== Verdict.FOREIGN && (t.flags(k) & RST) === 0 && t.end[k] > next) {
      next = t.end[k];
    }
  }
  return next;
}

/** The other side's bare ACK right behind, which says nothing new. */
function challengeAfter(t: Trace, i: number): number {
  let known = -1;
  for (let k = i - 1; k >= 0 && known < 0; k--) if (t.side[k] !== t.side[i]) known = t.ack[k];
  for (let k = i + 1; k < t.n && k < i + 6; k++) {
    if (t.side[k] === t.side[i]) {
      if (t.length(k) > 0) return -1;
      continue;
    }
    const bare = t.length(k) === 0 && (t.flags(k) & (SYN | RST | 1)) === 0;
    return bare && t.ack[k] === known && t.verdict[k] === Verdict.PLAIN ? k : -1;
  }
  return -1;
}

/** Whether the other side sent text or acknowledgments (not only resets) long after. */
function otherWentOn(t: Trace, i: number): boolean {
  for (let k = i + 1; k < t.n; k++) {
    if (t.side[k] !== t.side[i] && (t.flags(k) & RST) === 0 && t.verdict[k] === Verdict.PLAIN && t.length(k) > 0) {
      return true;
    }
  }
  return false;
}
