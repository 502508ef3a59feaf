import { describe, expect, it } from 'vitest';
import { seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin, seqToUint32 } from './seq.ts';

describe('sequence numbers', () => {
  it('are reduced modulo 2^32 and printed unsigned', () => {
    expect(seqToUint32(seq(0x1_0000_0005))).toBe(5);
    expect(seqToUint32(seq(-16))).toBe(0xfffffff0);
    expect(seq(0xffffffff)).toBe(seq(-1));
  });

  // RFC 9293 section 3.4's ring: over the wrap of the 32 bits, and over that of the sign.
  it.each([
    [0xfffffff0, 0x10, 0x20],
    [0x7ffffff0, 0x80000010, 0x20],
    [0, 0x7fffffff, 0x7fffffff],
    [0x80000001, 0, 0x7fffffff],
  ])('%i is before %i', (a, b, distance) => {
    const [x, y] = [seq(a), seq(b)];
    expect(seqDiff(y, x)).toBe(distance);
    expect(seqDiff(x, y)).toBe(-distance);
    expect(seqAdd(x, distance)).toBe(y);
    expect(seqAdd(y, -distance)).toBe(x);
    expect([seqLt(x, y), seqLe(x, y), seqGt(x, y), seqGe(x, y)]).toEqual([true, true, false, false]);
    expect([seqLt(y, x), seqLe(y, x), seqGt(y, x), seqGe(y, x)]).toEqual([false, false, true, true]);
    expect(seqMax(x, y)).toBe(y);
    expect(seqMax(y, x)).toBe(y);
    expect(seqMin(x, y)).toBe(x);
    expect(seqMin(y, x)).toBe(x);
  });

  it('equal themselves', () => {
    const x = seq(0x80000000);
    expect([seqLt(x, x), seqLe(x, x), seqGt(x, x), seqGe(x, x)]).toEqual([false, true, false, true]);
    expect(seqDiff(x, x)).toBe(0);
  });

  it('have no order at a distance of exactly 2^31', () => {
    // Both say "before": why every caller keeps its numbers within 2^31 of one another.
    expect(seqLt(seq(0), seq(0x80000000))).toBe(true);
    expect(seqLt(seq(0x80000000), seq(0))).toBe(true);
  });
});
