/**
 * Initial sequence numbers and timestamp offsets as an attacker sees them: cases C01, C02 and C04 of the security
 * cases, a million numbers a run. That the tests can fail is shown on generators that have failed in the field.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { type Seq, seq, seqAdd, seqDiff, seqGt } from '../../src/base/seq.ts';
import { IsnGenerator } from '../../src/crypto/isn.ts';
import type { IpWords } from '../../src/crypto/tuple.ts';
import { correlation, serialCorrelation, strongestLine, uniformity } from './statistics.ts';

const COUNT = 1_000_000;
const BOUND = 5;

const v4 = (bits: number): IpWords => ({ w0: 0, w1: 0, w2: 0xffff, w3: bits | 0 });
const server = v4(0x0a000001);

/** What attackers can have a host do: `at(i)` is the time, client address and client port of its i-th connection. */
interface Scenario {
  name: string;
  at(i: number, random: SeededRandom): { now: number; client: number; port: number };
}

const scenarios: Scenario[] = [
  {
    name: 'random clients, the clock standing still',
    at: (_i, random) => ({ now: 1000, client: random.nextUint32(), port: random.nextUint32() & 0xffff }),
  },
  {
    name: 'random clients, one a millisecond',
    at: (i, random) => ({ now: i, client: random.nextUint32(), port: random.nextUint32() & 0xffff }),
  },
  {
    name: 'one client, port after port',
    at: (i) => ({ now: i * 0.001, client: 0x0a000002 + (i >>> 16), port: i & 0xffff }),
  },
  { name: 'one port, address after address', at: (i) => ({ now: 5, client: 0x0a000000 + i, port: 40000 }) },
];

function isns(scenario: Scenario): Int32Array {
  const generator = new IsnGenerator(new SeededRandom(20));
  const random = new SeededRandom(21);
  return Int32Array.from({ length: COUNT }, (_, i) => {
    const { now, client, port } = scenario.at(i, random);
    return generator.isn(now, server, 80, v4(client), port);
  });
}

/**
 * How many of the samples an attacker hits who has seen all before: by the last step repeated, by the step before it,
 * by the second difference, and by what followed when the same step (to its top 16 bits) was last seen: the phase-space
 * attractor with which ISNs have been guessed (Zalewski 2001).
 */
function guessed(samples: Int32Array): number {
  const step = (i: number): number => seqDiff(samples[i] as Seq, samples[i - 1] as Seq);
  const followed = new Int32Array(65536);
  let hits = 0;
  for (let i = 4; i < samples.length; i++) {
    const at = (step(i - 1) >>> 16) & 0xffff;
    const next = step(i);
    const steps = [step(i - 1), step(i - 2), 2 * step(i - 1) - step(i - 2), followed[at]];
    if (steps.some((guess) => (guess | 0) === next)) hits++;
    followed[at] = next;
  }
  return hits;
}

describe('initial sequence numbers', () => {
  it.each(scenarios)('look random: $name', (scenario) => {
    const samples = isns(scenario);
    expect(uniformity(samples)).toBeLessThan(BOUND);
    expect(serialCorrelation(samples)).toBeLessThan(BOUND);
    expect(strongestLine(samples)).toBeLessThan(BOUND);
    // C01's bound: fewer than one hit in 2^20 guesses.
    expect(guessed(samples) / samples.length).toBeLessThan(2 ** -20);
  });

  it('have nothing to do with time, port or address', () => {
    const scenario = scenarios[1];
    const samples = isns(scenario);
    const random = new SeededRandom(21);
    const inputs = Array.from({ length: COUNT }, (_, i) => scenario.at(i, random));
    expect(
      correlation(
        samples,
        Int32Array.from(inputs, (input) => input.now),
      ),
    ).toBeLessThan(BOUND);
    expect(
      correlation(
        samples,
        Int32Array.from(inputs, (input) => input.port),
      ),
    ).toBeLessThan(BOUND);
    expect(
      correlation(
        samples,
        Int32Array.from(inputs, (input) => input.client),
      ),
    ).toBeLessThan(BOUND);
  });

  it('would fail here were they made as in the field', () => {
    const random = new SeededRandom(3);
    let level = 0;
    const fields: [string, Int32Array][] = [
      ['a constant step for each connection (4.2BSD)', Int32Array.from({ length: COUNT }, (_, i) => i * 64_000)],
      ['the clock alone (RFC 793)', Int32Array.from({ length: COUNT }, (_, i) => i * 250)],
      [
        'a counter with random steps',
        Int32Array.from({ length: COUNT }, () => {
          level = (level + (random.nextUint32() & 0xffff)) | 0;
          return level;
        }),
      ],
      ['a linear congruence', congruence()],
    ];
    for (const [name, samples] of fields) {
      const verdicts = [
        uniformity(samples) < BOUND,
        serialCorrelation(samples) < BOUND,
        strongestLine(samples) < BOUND,
        guessed(samples) / samples.length < 2 ** -20,
      ];
      expect(verdicts.includes(false), name).toBe(true);
    }
  });

  it('of one pair of sockets only rise, for any pair and time (C02)', () => {
    const generator = new IsnGenerator(new SeededRandom(4));
    const address = fc.record({ w0: fc.integer(), w1: fc.integer(), w2: fc.integer(), w3: fc.integer() });
    const port = fc.integer({ min: 0, max: 65535 });
    fc.assert(
      fc.property(
        address,
        port,
        address,
        port,
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        fc.double({ min: 1, max: 8_589_000, noNaN: true }),
        (local, localPort, remote, remotePort, now, later) => {
          const before = generator.isn(now, local, localPort, remote, remotePort);
          const after = generator.isn(now + later, local, localPort, remote, remotePort);
          return seqGt(after, before) && Math.abs(seqDiff(after, before) - later * 250) <= 2;
        },
      ),
    );
  });
});

/** The textbook generator, X' = 1103515245 X + 12345: even in its low bits, and cheap to solve. */
function congruence(): Int32Array {
  const samples = new Int32Array(COUNT);
  let x = seq(1);
  for (let i = 0; i < COUNT; i++) {
    x = seqAdd(seq(Math.imul(x, 1103515245)), 12345);
    samples[i] = x;
  }
  return samples;
}

describe('timestamp offsets (C04)', () => {
  const generator = new IsnGenerator(new SeededRandom(30));
  const offsets = Int32Array.from({ length: COUNT }, (_, i) =>
    generator.timestampOffset(server, 80, v4(0x0a000000 + (i >>> 16)), i & 0xffff),
  );

  it('look random', () => {
    expect(uniformity(offsets)).toBeLessThan(BOUND);
    expect(serialCorrelation(offsets)).toBeLessThan(BOUND);
    expect(strongestLine(offsets)).toBeLessThan(BOUND);
    expect(guessed(offsets) / offsets.length).toBeLessThan(2 ** -20);
  });

  it('have nothing to do with the ISN of the same connection', () => {
    const numbers = Int32Array.from({ length: COUNT }, (_, i) =>
      generator.isn(0, server, 80, v4(0x0a000000 + (i >>> 16)), i & 0xffff),
    );
    expect(correlation(offsets, numbers)).toBeLessThan(BOUND);
    expect(uniformity(numbers.map((number, i) => number ^ offsets[i]))).toBeLessThan(BOUND);
  });
});
