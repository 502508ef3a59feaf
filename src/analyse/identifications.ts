/**
 * The IP identifications of a sender that gives each packet of a connection the next number, as Linux does: what a
 * capture did not get shows as numbers skipped. RFC 6864 asks for no such order, so it has to be seen first.
 */

import { RST, SYN } from '../wire/tcp.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

/** Steps looked at, and the fewest that show an order. */
const LOOKED_AT = 200;
const FEWEST = 2;
const FEWEST_STRICT = 3;
/** The share of steps that must follow it. */
const IN_ORDER = 0.9;
/** Skips beyond this are a counter set anew, not packets lost. */
export const MOST_SKIPPED = 64;

/** No packet has been seen, any number will do; and numbers that do not tell. */
export const ANY = -1;
export const UNCOUNTED = -2;

export interface Order {
  /** Later packets have higher numbers, whatever else its host sends in between. */
  upward: boolean;
  /** Each has exactly the next. */
  each: boolean;
}

export function identificationsOf(t: Trace, side: Side): Order {
  let steps = 0;
  let small = 0;
  let single = 0;
  let last = -1;
  for (let i = 0; i < t.n && steps < LOOKED_AT; i++) {
    if (t.side[i] !== side || t.verdict[i] !== Verdict.PLAIN || (t.flags(i) & (SYN | RST)) !== 0) continue;
    const id = t.ipId(i);
    if (last >= 0) {
      steps++;
      const step = ((id - last) << 16) >> 16;
      if (step !== 0 && step > -300 && step < 300) small++;
      if (step === 1) single++;
    }
    last = id;
  }
  const odd = steps - single;
  return {
    upward: steps >= FEWEST && small >= IN_ORDER * steps,
    // Of few steps one may be the loss that is looked for.
    each: steps >= FEWEST_STRICT && odd <= Math.max(1, (1 - IN_ORDER) * steps),
  };
}

/**
 * Packets of its sender that were not seen before record i: -1 where i itself is one that was passed over and comes
 * late, 0 where the numbers do not tell.
 */
export function skippedBefore(t: Trace, own: { nextId: number }, i: number): number {
  if (own.nextId === UNCOUNTED || (t.flags(i) & SYN) !== 0) return 0;
  // A segment larger than fits stands for several, and takes several numbers.
  if (t.segments(i) > 1) own.nextId = UNCOUNTED;
  if (own.nextId === UNCOUNTED) return 0;
  const id = t.ipId(i);
  const skipped = own.nextId === ANY ? 0 : ((id - own.nextId) << 16) >> 16;
  if (skipped < 0) return -1;
  own.nextId = (id + 1) & 0xffff;
  return skipped <= MOST_SKIPPED ? skipped : 0;
}

/** Where a part of the connection has been cut out, any number follows. */
export function recount(own: { nextId: number }): void {
  if (own.nextId !== UNCOUNTED) own.nextId = ANY;
}
