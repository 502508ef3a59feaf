import { describe, expect, it } from 'vitest';
import { Counters } from './counters.ts';
import { EstabError } from './errors.ts';

const Drop = { BAD_CHECKSUM: 1, NO_LISTENER: 4, OCTETS: 2 } as const;

describe('Counters', () => {
  it('starts at zero and counts each name apart', () => {
    const counters = new Counters(Drop);
    counters.increment(Drop.NO_LISTENER);
    counters.increment(Drop.NO_LISTENER);
    counters.add(Drop.OCTETS, 2 ** 40);
    counters.add(Drop.OCTETS, 1);
    expect(counters.get('NO_LISTENER')).toBe(2);
    expect(counters.snapshot()).toEqual({ BAD_CHECKSUM: 0, NO_LISTENER: 2, OCTETS: 2 ** 40 + 1 });
  });

  it('gives snapshots that stay as they were', () => {
    const counters = new Counters(Drop);
    const before = counters.snapshot();
    counters.increment(Drop.BAD_CHECKSUM);
    expect(before.BAD_CHECKSUM).toBe(0);
  });

  it('counts nothing for a code outside the set', () => {
    const counters = new Counters(Drop);
    counters.increment(3);
    counters.increment(99);
    counters.increment(-1);
    expect(counters.snapshot()).toEqual({ BAD_CHECKSUM: 0, NO_LISTENER: 0, OCTETS: 0 });
    expect(new Counters({}).snapshot()).toEqual({});
  });

  it('refuses codes that are shared or no integers', () => {
    expect(() => new Counters({ A: 1, B: 1 })).toThrow(EstabError);
    expect(() => new Counters({ A: 0.5 })).toThrow(EstabError);
    expect(() => new Counters({ A: -1 })).toThrow(EstabError);
    expect(() => new Counters({ A: 1e9 })).toThrow(EstabError);
  });
});
