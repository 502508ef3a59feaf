import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { describeFaults, faultPlan } from '../../src/sim/faults.ts';
import { Wire, type WireEvent, type WireOptions } from '../../src/sim/wire.ts';
import { World } from '../../src/sim/world.ts';

interface Arrival {
  readonly time: number;
  readonly bytes: number[];
}

/** A world with one wire; frames sent at `a` are gathered at `b` and the other way round. */
function setUp(forward: WireOptions, backward?: WireOptions, seed = 1) {
  const world = new World(seed);
  const wire = new Wire(world, forward, backward);
  const events: WireEvent[] = [];
  const at: { a: Arrival[]; b: Arrival[] } = { a: [], b: [] };
  wire.observe((event) => events.push(event));
  wire.attach('a', (frame, now) => at.a.push({ time: now, bytes: [...frame] }));
  wire.attach('b', (frame, now) => at.b.push({ time: now, bytes: [...frame] }));
  return { world, wire, events, at };
}

function sendMany(set: ReturnType<typeof setUp>, count: number, gapMs = 1, size = 4): void {
  for (let i = 0; i < count; i++) {
    set.world.at(i * gapMs, () => set.wire.send('a', new Uint8Array(size).fill(i)));
  }
  set.world.runUntilIdle();
}

const first = (arrivals: Arrival[]): number[] => arrivals.map((arrival) => arrival.bytes[0]);

describe('a perfect wire', () => {
  it('delivers in order after the delay, each way its own', () => {
    const set = setUp({ delayMs: 10 }, { delayMs: 3 });
    set.wire.send('a', new Uint8Array([1]));
    set.wire.send('b', new Uint8Array([2]));
    set.world.runUntilIdle();
    expect(set.at).toEqual({ b: [{ time: 10, bytes: [1] }], a: [{ time: 3, bytes: [2] }] });
  });

  it('keeps a copy: the sender may reuse its buffer, the receiver may write in its own', () => {
    const set = setUp({ delayMs: 1 });
    const buffer = new Uint8Array([7]);
    set.wire.attach('b', (frame) => frame.fill(0));
    set.wire.send('a', buffer);
    buffer[0] = 9;
    set.world.runUntilIdle();
    expect(set.events.map((event) => [event.kind, ...event.frame.bytes])).toEqual([
      ['sent', 7],
      ['delivered', 7],
    ]);
  });

  it('drops where nobody listens', () => {
    const set = setUp({});
    set.wire.attach('b', null);
    set.wire.send('a', new Uint8Array(1));
    set.world.runUntilIdle();
    expect(set.events.at(-1)).toMatchObject({ kind: 'dropped', reason: 'nobody there' });
  });
});

describe('rate and queue', () => {
  it('sends one bit after the other', () => {
    const set = setUp({ rate: 8000, delayMs: 5 }); // one octet a millisecond
    set.wire.send('a', new Uint8Array(100));
    set.wire.send('a', new Uint8Array(50));
    set.world.runUntilIdle();
    expect(set.at.b.map((arrival) => arrival.time)).toEqual([105, 155]);
  });

  it('is free again after a pause', () => {
    const set = setUp({ rate: 8000 });
    sendMany(set, 2, 500, 100);
    expect(set.at.b.map((arrival) => arrival.time)).toEqual([100, 600]);
  });

  it('drops the tail when the octets do not fit', () => {
    const set = setUp({ rate: 8000, queueBytes: 250 });
    for (let i = 0; i < 4; i++) set.wire.send('a', new Uint8Array(100).fill(i));
    set.world.after(150, () => set.wire.send('a', new Uint8Array(100).fill(9)));
    set.world.runUntilIdle();
    expect(first(set.at.b)).toEqual([0, 1, 9]);
    expect(set.events.filter((event) => event.kind === 'dropped').map((event) => event.reason)).toEqual([
      'queue full',
      'queue full',
    ]);
  });

  it('drops the tail when there are too many', () => {
    const set = setUp({ rate: 8000, queuePackets: 2 });
    for (let i = 0; i < 4; i++) set.wire.send('a', new Uint8Array(10).fill(i));
    set.world.runUntilIdle();
    expect(first(set.at.b)).toEqual([0, 1]);
  });
});

describe('faults', () => {
  it('jitter spreads and keeps order', () => {
    const set = setUp({ delayMs: 10, jitterMs: 20 });
    sendMany(set, 200, 10);
    expect(first(set.at.b)).toEqual([...Array(200).keys()]);
    const delays = set.at.b.map((arrival, i) => arrival.time - i * 10);
    expect(Math.min(...delays)).toBeLessThan(12);
    expect(Math.max(...delays)).toBeGreaterThan(28);
    expect(Math.max(...delays)).toBeLessThanOrEqual(30);
  });

  it('loses about as many as asked', () => {
    const set = setUp({ loss: 0.25 });
    sendMany(set, 4000);
    expect(set.at.b.length).toBeGreaterThan(2850);
    expect(set.at.b.length).toBeLessThan(3150);
  });

  it('loses in bursts', () => {
    const set = setUp({ burstLoss: { enter: 0.01, leave: 0.2 } });
    sendMany(set, 20_000, 1);
    const lost = set.events.filter((event) => event.kind === 'dropped').map((event) => event.frame.index);
    const bursts = lost.filter((index, i) => i === 0 || lost[i - 1] !== index - 1).length;
    expect(set.events.some((event) => event.kind === 'dropped' && event.reason === 'burst loss')).toBe(true);
    // Leaving with probability 1/5 makes bursts of five on average; independent loss at this rate would make them of 1.05.
    expect(lost.length / bursts).toBeGreaterThan(3.5);
    expect(lost.length / bursts).toBeLessThan(6.5);
  });

  it('lets later frames overtake one that is held back', () => {
    const set = setUp({ delayMs: 10, reorder: { probability: 0.1, extraMs: 5 } });
    sendMany(set, 200);
    const order = first(set.at.b);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(200).keys()]);
    expect(order).not.toEqual([...Array(200).keys()]);
    expect(set.events.some((event) => event.kind === 'reordered')).toBe(true);
  });

  it('duplicates, with a number of its own for the copy', () => {
    const set = setUp({ duplicate: 1 });
    set.wire.send('a', new Uint8Array([5]));
    set.world.runUntilIdle();
    expect(first(set.at.b)).toEqual([5, 5]);
    const copy = set.events.find((event) => event.kind === 'duplicated')!;
    expect(copy).toMatchObject({ frame: { id: 1 }, copy: { id: 2, copyOf: 1 } });
  });

  it('flips one bit, or overwrites some octets', () => {
    const changed = (options: WireOptions): number[] => {
      const set = setUp(options);
      for (let i = 0; i < 200; i++) set.wire.send('a', new Uint8Array(32));
      set.world.runUntilIdle();
      return set.at.b.map((arrival) => arrival.bytes.filter((byte) => byte !== 0).length);
    };
    expect(new Set(changed({ corrupt: { probability: 1 } }))).toEqual(new Set([1]));
    expect(new Set(changed({ corrupt: { probability: 1, bytes: 3 } }))).toEqual(new Set([1, 2, 3]));
    expect(new Set(changed({ corrupt: { probability: 0 } }))).toEqual(new Set([0]));
  });

  it('swallows everything in a blackhole, and only then', () => {
    const set = setUp({ blackholes: [{ from: 3, until: 6 }] });
    sendMany(set, 10);
    expect(first(set.at.b)).toEqual([0, 1, 2, 6, 7, 8, 9]);
  });
});

describe('the verdict hook', () => {
  it('drops, duplicates, delays, damages and replaces the n-th frame', () => {
    const set = setUp({
      delayMs: 10,
      verdict: (index) =>
        index === 1
          ? 'drop'
          : index === 2
            ? 'duplicate'
            : index === 3
              ? { delay: 2.5 }
              : index === 5
                ? { flipBits: [7] }
                : index === 6
                  ? { replace: new Uint8Array([200]) }
                  : 'pass',
    });
    sendMany(set, 9);
    expect(first(set.at.b)).toEqual([0, 2, 2, 4, 5 ^ 128, 3, 200, 7, 8]);
  });

  it('is told the frame, its direction and the time', () => {
    const asked: unknown[] = [];
    const verdict: WireOptions['verdict'] = (...args) => {
      asked.push(args);
      return 'pass';
    };
    const set = setUp({ verdict });
    set.wire.send('a', new Uint8Array([1]));
    set.world.at(4, () => set.wire.send('b', new Uint8Array([2])));
    set.world.runUntilIdle();
    expect(asked).toEqual([
      [0, new Uint8Array([1]), 'a->b', 0],
      [0, new Uint8Array([2]), 'b->a', 4],
    ]);
  });

  it('may change its mind about a direction, but not about what is under way', () => {
    const set = setUp({ delayMs: 10 });
    sendMany(set, 1);
    set.wire.send('a', new Uint8Array([1]));
    set.wire.change('a->b', { loss: 1 });
    set.wire.send('a', new Uint8Array([2]));
    set.wire.send('b', new Uint8Array([3]));
    set.world.runUntilIdle();
    expect([first(set.at.b), first(set.at.a)]).toEqual([[0, 1], [3]]);
  });

  it('injects a frame no host sent', () => {
    const set = setUp({ delayMs: 10, loss: 1 });
    set.wire.inject('a->b', new Uint8Array([1]), 2);
    set.world.runUntilIdle();
    expect(set.at.b).toEqual([{ time: 2, bytes: [1] }]);
    expect(set.events[0]).toMatchObject({ kind: 'sent', frame: { injected: true } });
  });
});

describe('one seed', () => {
  it('replays every fault, and another seed does not', () => {
    const run = (seed: number): string => {
      const plan = faultPlan(new SeededRandom(3));
      const set = setUp({ ...plan, loss: 0.1, duplicate: 0.1, corrupt: { probability: 0.1 }, jitterMs: 5 }, {}, seed);
      sendMany(set, 300, 2, 60);
      return JSON.stringify(set.at.b);
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });

  it('makes one plan, described in words; over many seeds every fault comes up', () => {
    const described = (seed: number): string => describeFaults(faultPlan(new SeededRandom(seed)));
    expect(described(9)).toBe(described(9));
    const all = Array.from({ length: 200 }, (_, seed) => described(seed)).join('\n');
    for (const word of ['jitter', 'rate', 'loss', 'bursts', 'reorder', 'duplicate', 'corrupt', 'blackhole']) {
      expect(all).toContain(word);
    }
  });
});
