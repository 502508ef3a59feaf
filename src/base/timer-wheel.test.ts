import { describe, expect, it } from 'vitest';
import { EstabError } from './errors.ts';
import { NEVER, type Time } from './time.ts';
import { type TimerNode, TimerWheel } from './timer-wheel.ts';

class Timer implements TimerNode {
  timerNext: TimerNode | null = null;
  timerPrevious: TimerNode | null = null;
  timerDeadline: Time = NEVER;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

function drain(wheel: TimerWheel<Timer>, now: Time): string[] {
  const names: string[] = [];
  for (let timer = wheel.popDue(now); timer !== null; timer = wheel.popDue(now)) names.push(timer.name);
  return names;
}

describe('TimerWheel', () => {
  it('is empty at first', () => {
    const wheel = new TimerWheel<Timer>();
    expect(wheel.nextDeadline()).toBe(NEVER);
    expect(wheel.popDue(1e9)).toBe(null);
    expect(wheel.size).toBe(0);
  });

  it('gives the exact earliest deadline, fractions and all', () => {
    const wheel = new TimerWheel<Timer>();
    wheel.schedule(new Timer('a'), 200.75);
    wheel.schedule(new Timer('b'), 200.125);
    wheel.schedule(new Timer('c'), 3_600_000.000_1);
    expect(wheel.nextDeadline()).toBe(200.125);
    expect(wheel.popDue(200.124_999)).toBe(null);
    expect(drain(wheel, 200.125)).toEqual(['b']);
    expect(wheel.nextDeadline()).toBe(200.75);
    expect(drain(wheel, 300)).toEqual(['a']);
    expect(wheel.nextDeadline()).toBe(3_600_000.000_1);
  });

  it('gives equal deadlines back in the order they were scheduled, however many there are', () => {
    const wheel = new TimerWheel<Timer>();
    const names: string[] = [];
    for (let i = 0; i < 1000; i++) {
      names.push(`t${i}`);
      wheel.schedule(new Timer(`t${i}`), 500.5);
      wheel.schedule(new Timer('other'), 1000 + i);
    }
    expect(drain(wheel, 500.5)).toEqual(names);
  });

  it('moves a node that is scheduled again, behind its new equals', () => {
    const wheel = new TimerWheel<Timer>();
    const a = new Timer('a');
    const b = new Timer('b');
    wheel.schedule(a, 10);
    wheel.schedule(b, 20);
    wheel.schedule(a, 20);
    expect(wheel.size).toBe(2);
    expect(wheel.nextDeadline()).toBe(20);
    expect(drain(wheel, 20)).toEqual(['b', 'a']);
  });

  it('leaves a node in its place when the deadline does not change', () => {
    const wheel = new TimerWheel<Timer>();
    const a = new Timer('a');
    wheel.schedule(a, 20);
    wheel.schedule(new Timer('b'), 20);
    wheel.schedule(a, 20);
    expect(drain(wheel, 20)).toEqual(['a', 'b']);
  });

  it('cancels, also by NEVER, and also what was never scheduled', () => {
    const wheel = new TimerWheel<Timer>();
    const a = new Timer('a');
    const b = new Timer('b');
    wheel.cancel(a);
    wheel.schedule(a, 5);
    wheel.schedule(b, 6);
    wheel.cancel(a);
    expect(a.timerDeadline).toBe(NEVER);
    expect(wheel.nextDeadline()).toBe(6);
    wheel.schedule(b, NEVER);
    expect(wheel.size).toBe(0);
    expect(wheel.nextDeadline()).toBe(NEVER);
    expect(() => wheel.schedule(a, Number.NaN)).toThrow(EstabError);
    expect(wheel.size).toBe(0);
  });

  it('takes deadlines in the past, before time began, and after it ends', () => {
    const wheel = new TimerWheel<Timer>();
    wheel.schedule(new Timer('now'), 1000);
    wheel.schedule(new Timer('end of the wheel'), 1e300);
    wheel.schedule(new Timer('an age'), 1e15);
    wheel.schedule(new Timer('negative'), -3.5);
    wheel.schedule(new Timer('most negative'), Number.NEGATIVE_INFINITY);
    wheel.schedule(new Timer('past'), 1);
    wheel.schedule(new Timer('fifty days'), 50 * 86_400_000);
    expect(drain(wheel, 1000)).toEqual(['most negative', 'negative', 'past', 'now']);
    expect(drain(wheel, Number.MAX_VALUE)).toEqual(['fifty days', 'an age', 'end of the wheel']);
  });

  it('lets due nodes be scheduled again while it is drained', () => {
    const wheel = new TimerWheel<Timer>();
    const a = new Timer('a');
    wheel.schedule(a, 1);
    wheel.schedule(new Timer('b'), 3);
    const seen: string[] = [];
    for (let timer = wheel.popDue(10); timer !== null; timer = wheel.popDue(10)) {
      seen.push(timer.name);
      if (seen.length === 1) wheel.schedule(a, 2);
      if (seen.length === 2) wheel.schedule(a, 10.5);
    }
    expect(seen).toEqual(['a', 'a', 'b']);
    expect(wheel.nextDeadline()).toBe(10.5);
  });
});
