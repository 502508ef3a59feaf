import { describe, expect, it } from 'vitest';
import { type RandomSource, randomBelow, randomFill, randomUnit, SeededRandom } from './random.ts';

/** Gives the numbers it was made with, one after the other. */
class Scripted implements RandomSource {
  private readonly numbers: number[];

  constructor(...numbers: number[]) {
    this.numbers = numbers;
  }

  nextUint32(): number {
    const next = this.numbers.shift();
    if (next === undefined) throw new Error('script exhausted');
    return next;
  }
}

describe('SeededRandom', () => {
  it('gives the same numbers for the same seed, others for another', () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 20 }, () => random.nextUint32());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(0)).not.toEqual(draw(1));
    expect(new Set(draw(0)).size).toBe(20);
  });

  it('never changes: a seed in a bug report must replay for ever', () => {
    const random = new SeededRandom(42);
    expect([random.nextUint32(), random.nextUint32(), random.nextUint32()]).toEqual([
      1959603763, 2423114712, 2466933512,
    ]);
  });

  it('gives uniform 32-bit integers', () => {
    const random = new SeededRandom(3);
    const bits = new Array(32).fill(0);
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const value = random.nextUint32();
      expect(value >>> 0).toBe(value);
      for (let bit = 0; bit < 32; bit++) bits[bit] += (value >>> bit) & 1;
    }
    // Five standard deviations of a fair coin.
    for (const ones of bits) expect(Math.abs(ones - count / 2)).toBeLessThan((5 * Math.sqrt(count)) / 2);
  });
});

describe('randomUnit', () => {
  it('stays below one', () => {
    expect(randomUnit(new Scripted(0))).toBe(0);
    expect(randomUnit(new Scripted(0xffffffff))).toBeLessThan(1);
    expect(randomUnit(new Scripted(0x80000000))).toBe(0.5);
  });
});

describe('randomBelow', () => {
  it('draws again where the modulo would favour small numbers', () => {
    // 2^32 is 1 modulo 3: the one number above the last whole triple is thrown away.
    expect(randomBelow(new Scripted(0xffffffff, 5), 3)).toBe(2);
    expect(randomBelow(new Scripted(0xfffffffe), 3)).toBe(2);
    expect(randomBelow(new Scripted(0xffffffff), 2 ** 32)).toBe(0xffffffff);
    expect(randomBelow(new Scripted(0xffffffff), 1)).toBe(0);
  });

  it('is uniform', () => {
    const random = new SeededRandom(9);
    const seen = new Array(10).fill(0);
    for (let i = 0; i < 100_000; i++) seen[randomBelow(random, 10)]++;
    for (const count of seen) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe('randomFill', () => {
  it('fills every octet, also of lengths that are no multiple of four', () => {
    const bytes = new Uint8Array(6);
    randomFill(new Scripted(0x04030201, 0x08070605), bytes);
    expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6]);
    randomFill(new Scripted(), new Uint8Array(0));
  });
});
