import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { Counter } from './counters.ts';
import { IcmpLimiter, type IcmpLimits } from './icmp-limit.ts';
import { KeyedHash } from './keyed-hash.ts';

const defaults: IcmpLimits = {
  icmp_ratelimit: 1000,
  icmp_msgs_per_sec: 1000,
  icmp_msgs_burst: 50,
  icmp_ratemask: 6168,
};
const limiter = (limits: Partial<IcmpLimits> = {}, seed = 1): IcmpLimiter =>
  new IcmpLimiter({ ...defaults, ...limits }, new SeededRandom(seed), new KeyedHash(new SeededRandom(2)));

describe('IcmpLimiter', () => {
  it('lets six through to one destination, then one a second', () => {
    const limit = limiter();
    const at = (now: number): number => limit.refuses(now, 3, 0, 0, 0xffff, 1);
    for (let i = 0; i < 6; i++) expect(at(1000)).toBe(0);
    expect(at(1000)).toBe(Counter.IcmpOutRateLimitHost);
    expect(at(1999)).toBe(Counter.IcmpOutRateLimitHost);
    expect(at(2000)).toBe(0);
    expect(at(2000)).toBe(Counter.IcmpOutRateLimitHost);
  });

  it('bounds the sum over all destinations, by a number that cannot be told exactly (B18)', () => {
    const passed = [1, 2, 3, 4, 5].map((seed) => {
      const limit = limiter({}, seed);
      let count = 0;
      for (let i = 0; i < 1000; i++) if (limit.refuses(1000, 3, 0, 0, 0xffff, i) === 0) count++;
      return count;
    });
    for (const count of passed) {
      expect(count).toBeLessThanOrEqual(50);
      expect(count).toBeGreaterThanOrEqual(16);
    }
    expect(new Set(passed).size).toBeGreaterThan(1);
  });

  it('limits only the types in icmp_ratemask, and every ICMPv6 error', () => {
    const limit = limiter({ icmp_msgs_burst: 1, icmp_msgs_per_sec: 1 });
    for (let i = 0; i < 100; i++) expect(limit.refuses(0, 0, 0, 0, 0xffff, 1)).toBe(0);
    expect(limit.refuses(0, -1, 0x20010db8, 0, 0, 1)).toBe(0);
    expect(limit.refuses(0, -1, 0x20010db8, 0, 0, 2)).toBe(Counter.IcmpOutRateLimitGlobal);
  });
});
