/**
 * Ephemeral ports as an attacker sees them, case B17: guess rates of at most 1 / (range / 2), whatever ports have been
 * seen, towards the same destination or another. That the tests can fail is shown on ports that go up by a few.
 */

import { describe, expect, it } from 'vitest';
import { randomBelow, SeededRandom } from '../../src/base/random.ts';
import { PortSelector } from '../../src/crypto/ports.ts';
import type { IpWords } from '../../src/crypto/tuple.ts';
import { chiSquared } from './statistics.ts';

const LOW = 32768;
const HIGH = 60999;
const RANGE = HIGH - LOW + 1;
const BOUND = 5;

const v4 = (bits: number): IpWords => ({ w0: 0, w1: 0, w2: 0xffff, w3: bits | 0 });
const local = v4(0x0a000001);

function port(selector: PortSelector, remote: number, remotePort: number): number {
  selector.start(local, v4(remote), remotePort);
  return selector.next();
}

/** The best an attacker does who always guesses "the last port I saw plus d", for the best d: its share of hits. */
function bestGuess(pairs: [seen: number, next: number][]): number {
  const counts = new Uint32Array(RANGE);
  for (const [seen, next] of pairs) counts[(next - seen + RANGE) % RANGE]++;
  return Math.max(...counts) / pairs.length;
}

/** As much as the most frequent of `RANGE` differences may stand out, were each as likely as 1 / (range / 2). */
function allowed(samples: number): number {
  const expected = samples / (RANGE / 2);
  return (expected + BOUND * Math.sqrt(expected)) / samples;
}

describe('ephemeral ports', () => {
  it('are uniform over destinations', () => {
    const selector = new PortSelector(new SeededRandom(1), LOW, HIGH);
    const counts = new Uint32Array(RANGE);
    for (let i = 0; i < 500_000; i++) counts[port(selector, i, 443) - LOW]++;
    expect(Math.abs(chiSquared(counts))).toBeLessThan(BOUND);
  });

  it('are uniform from use to use of one destination', () => {
    const selector = new PortSelector(new SeededRandom(2), 50000, 50499);
    const counts = new Uint32Array(500);
    for (let i = 0; i < 250 * 400; i++) counts[port(selector, 0x0a000002, 443) - 50000]++;
    // Without repetitions within a stretch the spread is below that of free choice, never above.
    expect(chiSquared(counts)).toBeLessThan(BOUND);
    const steps = new Uint32Array(499);
    let last = port(selector, 0x0a000002, 443);
    for (let i = 0; i < 200_000; i++) {
      const next = port(selector, 0x0a000002, 443);
      // A step of none happens only from one stretch to the next.
      if (next !== last) steps[(next - last + 499) % 500]++;
      last = next;
    }
    expect(Math.abs(chiSquared(steps))).toBeLessThan(BOUND);
  });

  it('cannot be guessed from earlier ports to the same destination', () => {
    const pairs: [number, number][] = [];
    const selector = new PortSelector(new SeededRandom(3), LOW, HIGH);
    for (let i = 0; i < 200_000; i++) {
      // Twenty connections to each of many destinations.
      const remote = Math.floor(i / 20);
      pairs.push([port(selector, remote, 80), port(selector, remote, 80)]);
    }
    expect(bestGuess(pairs)).toBeLessThan(allowed(pairs.length));
  });

  it('cannot be guessed from ports to the attacker’s own server', () => {
    const pairs: [number, number][] = [];
    const selector = new PortSelector(new SeededRandom(4), LOW, HIGH);
    for (let i = 0; i < 400_000; i++) pairs.push([port(selector, 0x0a000002, 80), port(selector, i, 443)]);
    expect(bestGuess(pairs)).toBeLessThan(allowed(pairs.length));
  });

  it('cannot be guessed by leaving out what has been seen', () => {
    // In a range of ten ports this attacker guesses one of those not among the last few: of the very last ones of a
    // plain permutation it would be sure.
    const selector = new PortSelector(new SeededRandom(8), 50000, 50009);
    const count = 100_000;
    let hits = 0;
    let seen = new Set<number>();
    for (let i = 0; i < count; i++) {
      if (i % 10 === 0) seen = new Set();
      let guess = 50000;
      while (seen.has(guess)) guess++;
      const next = port(selector, 0x0a000002, 80);
      if (next === guess) hits++;
      seen.add(next);
    }
    expect(hits / count).toBeLessThan(1 / 5);
  });

  it('could be guessed if they went up by a few', () => {
    const random = new SeededRandom(5);
    const pairs: [number, number][] = [];
    let at = 0;
    for (let i = 0; i < 200_000; i++) {
      const next = (at + 1 + randomBelow(random, 8)) % RANGE;
      pairs.push([at, next]);
      at = next;
    }
    expect(bestGuess(pairs)).toBeGreaterThan(100 * allowed(pairs.length));
  });
});
