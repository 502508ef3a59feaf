/**
 * Segments that carry a connection's addresses but not its peer's hand: told by a hop count or an IP identification out
 * of line with everything else that side sent, and by what follows (RFC 5961: an endpoint answers a reset or SYN that
 * is not exactly right with a challenge ACK and goes on).
 */

import { ACK, RST, SYN } from '../wire/tcp.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

export interface Stray {
  index: number;
  /** 'reset' or 'syn'. */
  what: 'reset' | 'syn';
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

export function findForeign(t: Trace): Stray[] {
  const strays: Stray[] = [];
  if (!t.ever(RST) && !t.straySyn) return strays;
  // Worked out where something looks odd: most connections have nothing of the kind.
  const usual: [Usual | null | undefined, Usual | null | undefined] = [undefined, undefined];
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    const side = t.side[i] as Side;
    const isReset = (flags & RST) !== 0;
    const isSyn = (flags & (SYN | RST | ACK)) === SYN && t.start[i] !== 0 && t.flow.sides[side].packets > 1;
    if ((!isReset && !isSyn) || t.verdict[i] !== Verdict.PLAIN) continue;
    const own = usual[side] === undefined ? usualOf(t, side) : usual[side];
    usual[side] = own;
    const stray = judge(t, i, isReset ? 'reset' : 'syn', own);
    if (stray === null) continue;
    t.verdict[i] = Verdict.FOREIGN;
    strays.push(stray);
  }
  return strays;
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
    survived = t.length(k) > 0 || (flags & 1) !== 0 || t.ack[k] >= 0;
  }
  const stray = { index: i, what, challenge, ttl, idOutOfLine, survived, deadly: false };
  if (what === 'syn') return survived || challenge >= 0 || ttl !== null || idOutOfLine ? stray : null;
  // A reset is the peer's own unless something speaks against it.
  const exact = t.start[i] === nextOf(t, i, side);
  if (challenge >= 0 && !exact && survived) return stray;
  const distant = ttl !== null && Math.abs(ttl.usual - ttl.found) > 5;
  if (!distant && !(idOutOfLine && t.ipId(i) !== 0 && survived)) return null;
  stray.deadly = !otherWentOn(t, i);
  return stray;
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
