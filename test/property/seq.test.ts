/** Sequence-number arithmetic against BigInt on the ring of 2^32. */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin, seqToUint32 } from '../../src/base/seq.ts';

const RING = 2n ** 32n;
const uint32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff),
);
/** Distances at which order means something. */
const distance = fc.oneof(
  fc.integer({ min: -0x7fffffff, max: 0x7fffffff }),
  fc.constantFrom(-0x7fffffff, -1, 0, 1, 0x7fffffff),
);

function onRing(value: bigint): number {
  return Number(((value % RING) + RING) % RING);
}

describe('sequence numbers', () => {
  it('add modulo 2^32', () => {
    fc.assert(
      fc.property(uint32, distance, (a, n) => seqToUint32(seqAdd(seq(a), n)) === onRing(BigInt(a) + BigInt(n))),
    );
  });

  it('subtract back to the distance added', () => {
    fc.assert(fc.property(uint32, distance, (a, n) => seqDiff(seqAdd(seq(a), n), seq(a)) === n));
  });

  it('are ordered as their distance is', () => {
    fc.assert(
      fc.property(uint32, distance, (a, n) => {
        const x = seq(a);
        const y = seqAdd(x, n);
        return (
          seqLt(x, y) === n > 0 &&
          seqLe(x, y) === n >= 0 &&
          seqGt(x, y) === n < 0 &&
          seqGe(x, y) === n <= 0 &&
          seqMax(x, y) === (n > 0 ? y : x) &&
          seqMin(x, y) === (n < 0 ? y : x)
        );
      }),
    );
  });

  it('keep their order wherever the ring is cut', () => {
    fc.assert(
      fc.property(uint32, uint32, distance, (a, shift, n) => {
        const x = seq(a);
        const y = seqAdd(x, n);
        return seqLt(x, y) === seqLt(seqAdd(x, shift), seqAdd(y, shift));
      }),
    );
  });
});
