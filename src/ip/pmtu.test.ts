import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { MINUTE } from '../base/time.ts';
import { IpAddress } from '../wire/address.ts';
import { KeyedHash } from './keyed-hash.ts';
import { believablePmtu, PathMtu } from './pmtu.ts';

const there = IpAddress.parse('192.0.2.1');
const cache = (): PathMtu => new PathMtu(new KeyedHash(new SeededRandom(1)));

describe('PathMtu', () => {
  it('is the link MTU until something lower is known', () => {
    const pmtu = cache();
    expect(pmtu.get(0, there, 1500)).toBe(1500);
    expect(pmtu.lower(0, there, 1400, 1500)).toBe(true);
    expect(pmtu.get(1, there, 1500)).toBe(1400);
    expect(pmtu.get(1, IpAddress.parse('192.0.2.2'), 1500)).toBe(1500);
  });

  it('is never raised by a message, only by age', () => {
    const pmtu = cache();
    pmtu.lower(0, there, 1000, 1500);
    expect(pmtu.lower(1, there, 1200, 1500)).toBe(false);
    expect(pmtu.lower(1, there, 9000, 1500)).toBe(false);
    expect(pmtu.get(10 * MINUTE - 1, there, 1500)).toBe(1000);
    expect(pmtu.get(10 * MINUTE, there, 1500)).toBe(1500);
  });
});

describe('believablePmtu (B13)', () => {
  it.each([
    [4, 0, 1500, 1492],
    [4, 0, 1492, 1006],
    [4, 0, 500, 552],
    [4, 1, 1500, 552],
    [4, 67, 1500, 552],
    [4, 551, 1500, 552],
    [4, 553, 1500, 553],
    [6, 0, 1500, 1280],
    [6, 1279, 1500, 1280],
    [6, 1400, 1500, 1400],
  ] as const)('IPv%i, told %i about %i bytes: %i', (family, mtu, length, expected) => {
    expect(believablePmtu(family, mtu, length)).toBe(expected);
  });
});
