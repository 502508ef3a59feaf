import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { seqDiff, seqGt } from '../base/seq.ts';
import { IsnGenerator } from './isn.ts';

const local = { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000001 };
const remote = { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000002 };
const other = { w0: 0x20010db8, w1: 0, w2: 0, w3: 2 };

describe('IsnGenerator', () => {
  it('raises the ISN of one pair of sockets by 250 a millisecond (RFC 9293 MUST-8)', () => {
    const generator = new IsnGenerator(new SeededRandom(1));
    for (const start of [0, 12.25, 1e6, 1.7e12]) {
      const before = generator.isn(start, local, 80, remote, 40000);
      for (const [later, ticks] of [
        [0, 0],
        [0.004, 1],
        [1, 250],
        [0.75, 187],
        [60_000, 15_000_000],
        // The clock goes round the ring in 4.77 hours; up to half of that the successor counts as newer.
        [8_589_000, 2_147_250_000],
      ]) {
        const after = generator.isn(start + later, local, 80, remote, 40000);
        expect(Math.abs(seqDiff(after, before) - ticks)).toBeLessThanOrEqual(1);
        if (ticks > 1) expect(seqGt(after, before)).toBe(true);
      }
    }
  });

  it('gives every part of the socket pair a say', () => {
    const generator = new IsnGenerator(new SeededRandom(1));
    const pairs = [
      [local, 80, remote, 40000],
      [remote, 80, local, 40000],
      [local, 81, remote, 40000],
      [local, 80, remote, 40001],
      [local, 40000, remote, 80],
      [local, 80, other, 40000],
      [other, 80, remote, 40000],
      [local, 80, { ...other, w0: 1 }, 40000],
      [local, 80, { ...other, w1: 1 }, 40000],
      [local, 80, { ...other, w2: 1 }, 40000],
    ] as const;
    const isns = pairs.map(([a, p, b, q]) => generator.isn(1000, a, p, b, q));
    const offsets = pairs.map(([a, p, b, q]) => generator.timestampOffset(a, p, b, q));
    expect(new Set([...isns, ...offsets]).size).toBe(2 * pairs.length);
  });

  it('is bound to its secret', () => {
    const isn = (seed: number): number => new IsnGenerator(new SeededRandom(seed)).isn(0, local, 80, remote, 40000);
    expect(isn(1)).toBe(isn(1));
    expect(isn(1)).not.toBe(isn(2));
  });

  it('gives one timestamp offset to one pair of sockets, for ever', () => {
    const generator = new IsnGenerator(new SeededRandom(1));
    const offset = generator.timestampOffset(local, 80, remote, 40000);
    generator.isn(5, local, 1, other, 2);
    expect(generator.timestampOffset(local, 80, remote, 40000)).toBe(offset);
  });
});
