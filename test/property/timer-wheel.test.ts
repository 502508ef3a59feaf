/** The timer wheel against a naive list, and the number of nodes it touches as timers grow to 100,000. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomBelow, randomUnit, SeededRandom } from '../../src/base/random.ts';
import { NEVER, type Time } from '../../src/base/time.ts';
import { type TimerNode, TimerWheel } from '../../src/base/timer-wheel.ts';

class Timer implements TimerNode {
  timerNext: TimerNode | null = null;
  timerPrevious: TimerNode | null = null;
  timerDeadline: Time = NEVER;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** What the wheel must do, as plainly as it can be said. */
class NaiveTimers {
  entries: { id: number; deadline: Time; order: number }[] = [];
  private order = 0;

  schedule(id: number, deadline: Time): void {
    const old = this.entries.find((entry) => entry.id === id);
    if (old?.deadline === deadline) return;
    this.cancel(id);
    if (deadline !== NEVER) this.entries.push({ id, deadline, order: this.order++ });
    this.entries.sort((a, b) => a.deadline - b.deadline || a.order - b.order);
  }

  cancel(id: number): void {
    this.entries = this.entries.filter((entry) => entry.id !== id);
  }

  nextDeadline(): Time {
    return this.entries[0]?.deadline ?? NEVER;
  }

  popDue(now: Time): number | null {
    if (this.nextDeadline() > now) return null;
    return this.entries.shift()?.id ?? null;
  }
}

const HOUR = 3_600_000;

/** Relative deadlines as a stack has them: some equal, some a fraction apart, some in the past, some far off. */
const delay = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 5000 }) },
  { weight: 3, arbitrary: fc.double({ min: 0, max: 3, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: -10_000, max: 0 }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 2 * HOUR, noNaN: true }) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 60 * 24 * HOUR, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(NEVER) },
);

const advance = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }) },
  { weight: 2, arbitrary: fc.nat(5000) },
  { weight: 1, arbitrary: fc.integer({ min: HOUR, max: 1000 * HOUR }) },
);

const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('schedule' as const), fc.nat(79), delay) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('cancel' as const), fc.nat(79), fc.constant(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('advance' as const), fc.constant(0), advance) },
);

describe('TimerWheel', () => {
  it('does what a sorted list does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 999.5, 1.7e12, -5000),
        fc.array(step, { maxLength: 400, size: 'max' }),
        (start, steps) => {
          const wheel = new TimerWheel<Timer>();
          const naive = new NaiveTimers();
          const timers = Array.from({ length: 80 }, (_, id) => new Timer(id));
          let now = start;
          for (const [kind, id, amount] of steps) {
            if (kind === 'schedule') {
              wheel.schedule(timers[id], now + amount);
              naive.schedule(id, now + amount);
            } else if (kind === 'cancel') {
              wheel.cancel(timers[id]);
              naive.cancel(id);
            } else {
              now += amount;
              for (;;) {
                const due = wheel.popDue(now)?.id ?? null;
                if (due !== naive.popDue(now)) throw new Error(`popDue gave ${due}`);
                if (due === null) break;
              }
            }
            if (wheel.nextDeadline() !== naive.nextDeadline()) throw new Error('nextDeadline');
            if (wheel.size !== naive.entries.length) throw new Error('size');
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('drains 100,000 timers in order', () => {
    const random = new SeededRandom(7);
    const wheel = new TimerWheel<Timer>();
    const deadlines = Array.from({ length: 100_000 }, (_, id) =>
      id % 3 === 0 ? randomBelow(random, 300) : randomUnit(random) * (id % 3 === 1 ? 60_000 : 2 * HOUR),
    );
    deadlines.forEach((deadline, id) => {
      wheel.schedule(new Timer(id), deadline);
    });
    const expected = [...deadlines.keys()].sort((a, b) => deadlines[a] - deadlines[b] || a - b);
    const got: number[] = [];
    while (wheel.size > 0) got.push((wheel.popDue(wheel.nextDeadline()) as Timer).id);
    expect(got).toEqual(expected);
  });
});

/** Counts every read and write of a link or deadline, which is all the work that could grow with the number of timers. */
let touches = 0;

class CountedTimer implements TimerNode {
  private next: TimerNode | null = null;
  private previous: TimerNode | null = null;
  private deadline: Time = NEVER;

  get timerNext(): TimerNode | null {
    touches++;
    return this.next;
  }
  set timerNext(node: TimerNode | null) {
    touches++;
    this.next = node;
  }
  get timerPrevious(): TimerNode | null {
    touches++;
    return this.previous;
  }
  set timerPrevious(node: TimerNode | null) {
    touches++;
    this.previous = node;
  }
  get timerDeadline(): Time {
    touches++;
    return this.deadline;
  }
  set timerDeadline(deadline: Time) {
    touches++;
    this.deadline = deadline;
  }
}

interface Pattern {
  name: string;
  /** The deadline of the timer moved at step `i`, of `count`, at time `now`. */
  deadline(now: Time, i: number, count: number, random: SeededRandom): Time;
  /** How far the clock goes after each step. */
  pace(count: number): number;
}

const patterns: Pattern[] = [
  { name: 'retransmission timers moved ahead', deadline: (now) => now + 200, pace: () => 0.01 },
  // The timer moved is always the earliest one, the worst case of a wheel that has to look for the next.
  { name: 'keep-alives renewed in turn', deadline: (now) => now + 2 * HOUR, pace: (count) => HOUR / count },
  {
    name: 'random deadlines up to a minute',
    deadline: (now, _i, _count, random) => now + randomUnit(random) * 60_000,
    pace: () => 0.02,
  },
  {
    name: 'a whole crowd within one millisecond',
    deadline: (now, _i, _count, random) => Math.floor(now) + 1000 + randomUnit(random),
    pace: () => 0,
  },
  { name: 'one deadline for all', deadline: () => 5000, pace: () => 0 },
  { name: 'ever earlier deadlines', deadline: (_now, i) => 1e9 - i * 0.37, pace: () => 0 },
];

/** Touches per operation with `count` timers: all moved twice, the next deadline asked for each time, then drained. */
function cost(pattern: Pattern, count: number): { mean: number; most: number } {
  const random = new SeededRandom(count);
  const wheel = new TimerWheel<CountedTimer>();
  const timers = Array.from({ length: count }, () => new CountedTimer());
  let now = 0;
  let most = 0;
  let operations = 0;
  touches = 0;
  let before = 0;
  const done = (): void => {
    operations++;
    most = Math.max(most, touches - before);
    before = touches;
  };
  for (let i = 0; i < 3 * count; i++) {
    for (let due = wheel.popDue(now); due !== null; due = wheel.popDue(now)) done();
    wheel.schedule(timers[i % count], pattern.deadline(now, i, count, random));
    wheel.nextDeadline();
    done();
    now += pattern.pace(count);
  }
  while (wheel.popDue(Number.MAX_VALUE) !== null) done();
  return { mean: touches / operations, most };
}

describe('the work of one timer operation', () => {
  it.each(patterns)('is the same for 100 and for 100,000 timers: $name', (pattern) => {
    const few = cost(pattern, 100);
    const many = cost(pattern, 100_000);
    // A thousand times the timers; any scan of them would show as hundreds of times the touches.
    expect(many.mean).toBeLessThan(3 * few.mean + 10);
    expect(many.most).toBeLessThan(400);
  });
});
