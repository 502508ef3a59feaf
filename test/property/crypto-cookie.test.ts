/** SYN cookies: round trips over all a client can offer (case A05), and what forgers get (A06). */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomBelow, SeededRandom } from '../../src/base/random.ts';
import { type Seq, seq, seqAdd } from '../../src/base/seq.ts';
import { decodeOptions, encodeOptions, SynCookies } from '../../src/crypto/cookie.ts';
import { serialCorrelation, strongestLine, uniformity } from './statistics.ts';

const PERIOD = 64_000;
const word = fc.integer();
const port = fc.integer({ min: 0, max: 65535 });
const address = fc.oneof(
  fc.record({ w0: fc.constant(0), w1: fc.constant(0), w2: fc.constant(0xffff), w3: word }),
  fc.record({ w0: word, w1: word, w2: word, w3: word }),
);
const local = { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000001 };
const remote = { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000002 };

describe('SYN cookies', () => {
  it('bring back an MSS the client takes, for 64 s at least and 128 s at most', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    let clock = 0;
    fc.assert(
      fc.property(
        address,
        port,
        address,
        port,
        word,
        fc.integer({ min: 48, max: 65535 }),
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.double({ min: 0, max: 500_000, noNaN: true }),
        (here, herePort, there, therePort, isn, mss, wait, age) => {
          clock += wait;
          const cookie = cookies.make(clock, here, herePort, there, therePort, seq(isn), mss);
          const now = clock + age;
          const got = cookies.check(now, here, herePort, there, therePort, seq(isn), cookie);
          clock = now;
          const fresh = Math.floor(now / PERIOD) - Math.floor((now - age) / PERIOD) < 2;
          return fresh ? got > 0 && got <= mss : got === 0;
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('carry window scale, SACK and ECN through any timestamp clock and offset', () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.integer({ min: -1, max: 14 }),
        fc.boolean(),
        fc.boolean(),
        (clock, offset, windowScale, sack, ecn) => {
          const sent = (encodeOptions(clock, windowScale, sack, ecn) + offset) | 0;
          const echoed = (sent - offset) | 0;
          const options = decodeOptions(echoed);
          const behind = (clock - echoed) | 0;
          return (
            behind >= 0 &&
            behind < 64 &&
            options.windowScale === windowScale &&
            options.sack === sack &&
            options.ecn === ecn
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('look random from one client to the next', () => {
    const cookies = new SynCookies(new SeededRandom(2));
    const samples = Int32Array.from({ length: 1_000_000 }, (_, i) =>
      cookies.make(500, local, 80, { ...remote, w3: i >>> 16 }, i & 0xffff, seq(7), 1460),
    );
    expect(uniformity(samples)).toBeLessThan(5);
    expect(serialCorrelation(samples)).toBeLessThan(5);
    expect(strongestLine(samples)).toBeLessThan(5);
  });

  it('cannot be guessed: no one of ten million forged acknowledgements passes', () => {
    const cookies = new SynCookies(new SeededRandom(3));
    const random = new SeededRandom(4);
    let passed = 0;
    for (let i = 0; i < 10_000_000; i++) {
      const guess = seq(random.nextUint32());
      if (cookies.check(70_000, local, 80, remote, i & 0xffff, seq(i), guess) !== 0) passed++;
    }
    // 2 periods x 6 MSS values of 2^32 guesses: 0.03 expected.
    expect(passed).toBe(0);
  });

  it('leave a forger two periods times six values of the 2^32, not more', () => {
    const cookies = new SynCookies(new SeededRandom(5));
    const isn = seq(-16);
    const now = 10 * PERIOD;
    const check = (cookie: Seq): number => cookies.check(now, local, 80, remote, 40000, isn, cookie);
    let passed = 0;
    // Each period's cookies lie within 2^24 of one another; a window around both is searched, and random places.
    for (const made of [now - PERIOD, now]) {
      const cookie = cookies.make(made, local, 80, remote, 40000, isn, 1);
      for (let near = -500_000; near < 500_000; near++) if (check(seqAdd(cookie, near)) !== 0) passed++;
    }
    expect(passed).toBe(12);
    const random = new SeededRandom(6);
    for (let i = 0; i < 500_000; i++) if (check(seq(randomBelow(random, 2 ** 32))) !== 0) passed++;
    expect(passed).toBe(12);
  });

  it('of one connection say nothing about those of another', () => {
    const cookies = new SynCookies(new SeededRandom(7));
    const own = cookies.make(0, local, 80, remote, 1, seq(0), 1460);
    let passed = 0;
    // What an attacker's own cookie gives, tried on a hundred neighbours and around.
    for (let other = 2; other < 102; other++) {
      for (let near = -5000; near < 5000; near++) {
        if (cookies.check(0, local, 80, remote, other, seq(0), seqAdd(own, near)) !== 0) passed++;
      }
    }
    expect(passed).toBe(0);
  });
});
