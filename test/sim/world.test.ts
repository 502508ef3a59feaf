import { describe, expect, it } from 'vitest';
import { NEVER, type Time } from '../../src/base/time.ts';
import { type Participant, World } from '../../src/sim/world.ts';

/** A host that wants to be woken at given times and, when woken, may have work that settles at once. */
class Alarm implements Participant {
  readonly woken: Time[] = [];
  settled = 0;
  work = 0;
  private readonly times: Time[];
  constructor(times: Time[]) {
    this.times = times;
  }
  nextDeadline(): Time {
    return this.times[0] ?? NEVER;
  }
  handleTimeout(now: Time): void {
    this.times.shift();
    this.woken.push(now);
  }
  settle(): boolean {
    if (this.work === 0) return false;
    this.work--;
    this.settled++;
    return true;
  }
}

describe('the world', () => {
  it('does things in the order of time, and of scheduling at one time', () => {
    const world = new World(1);
    const seen: string[] = [];
    for (const [time, name] of [
      [5, 'e'],
      [1, 'a'],
      [3, 'c'],
      [1, 'b'],
      [3, 'd'],
    ] as const) {
      world.at(time, () => seen.push(`${name}${world.now}`));
    }
    expect(world.runUntilIdle()).toBe(true);
    expect(seen).toEqual(['a1', 'b1', 'c3', 'd3', 'e5']);
  });

  it('keeps a thousand entries sorted', () => {
    const world = new World(7);
    const seen: number[] = [];
    for (let i = 0; i < 1000; i++) world.at(world.random.nextUint32() % 100, () => seen.push(world.now));
    world.runUntilIdle();
    expect(seen).toHaveLength(1000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('leaves out what was cancelled', () => {
    const world = new World(1);
    const seen: string[] = [];
    world.at(1, () => seen.push('kept'));
    world.at(0, () => seen.push('cancelled')).cancel();
    expect(world.nextTime).toBe(1);
    world.runUntilIdle();
    expect(seen).toEqual(['kept']);
  });

  it('wakes hosts at their deadlines, the agenda first at a tie', () => {
    const world = new World(1);
    const host = new Alarm([2, 4]);
    world.add(host);
    const seen: number[] = [];
    world.at(2, () => seen.push(host.woken.length));
    world.runUntilIdle();
    expect(seen).toEqual([0]);
    expect(host.woken).toEqual([2, 4]);
  });

  it('settles every host before it lets time go on', () => {
    const world = new World(1);
    const host = new Alarm([]);
    world.add(host);
    world.at(1, () => {
      host.work = 3;
    });
    let settled = -1;
    world.at(2, () => {
      settled = host.settled;
    });
    world.runUntilIdle();
    expect(settled).toBe(3);
  });

  it('runs until a time, and the clock stands there', () => {
    const world = new World(1);
    const seen: number[] = [];
    world.at(10, () => seen.push(10));
    world.at(20, () => seen.push(20));
    world.runUntil(10);
    expect([world.now, seen]).toEqual([10, [10]]);
    world.runUntil(15);
    expect([world.now, seen]).toEqual([15, [10]]);
  });

  it('runs until a condition, and says when it did not come', () => {
    const world = new World(1);
    let ticks = 0;
    const tick = (): void => {
      if (++ticks < 5) world.after(1, tick);
    };
    tick();
    expect(world.runUntil(() => ticks === 3)).toBe(true);
    expect(world.now).toBe(2);
    expect(world.runUntil(() => ticks === 99)).toBe(false);
    world.after(100, tick);
    expect(world.runUntil(() => false, 50)).toBe(false);
    expect(world.now).toBeLessThanOrEqual(50);
  });

  it('says which seed it was when the clock stands still', () => {
    const world = new World(4711);
    world.add({ nextDeadline: () => 5, handleTimeout: () => {}, settle: () => false });
    expect(() => world.runUntilIdle()).toThrow(/seed 4711.*5 ms/);
  });

  it('draws the same numbers from the same seed, and forks do not disturb their neighbours', () => {
    const draw = (seed: number): number[] => {
      const world = new World(seed);
      const [left, right] = [world.fork(), world.fork()];
      left.nextUint32();
      return [left.nextUint32(), right.nextUint32(), world.random.nextUint32()];
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });
});
