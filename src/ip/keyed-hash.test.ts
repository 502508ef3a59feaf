import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { KeyedHash } from './keyed-hash.ts';

describe('KeyedHash', () => {
  it('depends on every word, on their order and on their number', () => {
    const hash = new KeyedHash(new SeededRandom(9));
    const of = (...words: number[]): number => {
      hash.begin();
      for (const word of words) hash.add(word);
      return hash.end();
    };
    const all = [of(), of(0), of(0, 0), of(1), of(1, 0), of(0, 1), of(1, 2, 3), of(3, 2, 1), of(-1)];
    expect(new Set(all).size).toBe(all.length);
    expect(of(1, 2, 3)).toBe(of(1, 2, 3));
  });

  it('differs between keys', () => {
    const one = new KeyedHash(new SeededRandom(1));
    const two = new KeyedHash(new SeededRandom(2));
    expect(one.address(0, 0, 0xffff, 0x0a000001)).not.toBe(two.address(0, 0, 0xffff, 0x0a000001));
  });

  it('spreads neighbouring addresses evenly over buckets', () => {
    const hash = new KeyedHash(new SeededRandom(3));
    const buckets = new Array<number>(256).fill(0);
    for (let i = 0; i < 65_536; i++) buckets[hash.address(0, 0, 0xffff, 0x0a000000 + i) & 255]++;
    // 256 expected in each, standard deviation 16.
    expect(Math.max(...buckets)).toBeLessThan(256 + 16 * 6);
    expect(Math.min(...buckets)).toBeGreaterThan(256 - 16 * 6);
  });
});
