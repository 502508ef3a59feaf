import { describe, expect, test } from 'vitest';
import type { Link, LinkHandlers } from './link.ts';
import { type MemoryPairOptions, memoryPair } from './memory.ts';

/** Records what a link calls, as text in one list, so that order can be compared. */
function recorder(log: string[], name: string): LinkHandlers {
  return {
    frame: (frame, owned) => log.push(`${name} frame ${[...frame].join(' ')}${owned ? ' owned' : ''}`),
    burstEnd: () => log.push(`${name} end`),
    writable: () => log.push(`${name} writable`),
    closed: (error) => log.push(`${name} closed ${error?.message ?? 'by us'}`),
  };
}

function pumped(options: MemoryPairOptions = {}): { a: Link; b: Link; pump: () => number; log: string[] } {
  const log: string[] = [];
  const { a, b, pump } = memoryPair({ delivery: 'pump', ...options });
  a.start(recorder(log, 'a'));
  b.start(recorder(log, 'b'));
  return { a, b, pump, log };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('pumped', () => {
  test('frames arrive in order, copied and owned, as one burst, never inside send', () => {
    const { a, pump, log } = pumped();
    const frame = Uint8Array.of(1, 2);
    expect(a.send(frame)).toBe(true);
    frame[0] = 9;
    a.send(frame);
    expect(log).toEqual([]);
    expect(pump()).toBe(2);
    expect(log).toEqual(['b frame 1 2 owned', 'b frame 9 2 owned', 'b end']);
    expect(pump()).toBe(0);
  });

  test('one pump is one flight each way: an answer waits for the next', () => {
    const log: string[] = [];
    const { a, b, pump } = memoryPair({ delivery: 'pump' });
    a.start(recorder(log, 'a'));
    b.start({ ...recorder(log, 'b'), frame: (frame) => b.send(frame) });
    a.send(Uint8Array.of(7));
    expect(pump()).toBe(1);
    expect(log).toEqual(['b end']);
    expect(pump()).toBe(1);
    expect(log).toEqual(['b end', 'a frame 7 owned', 'a end']);
  });

  test('a full link refuses, and says when there is room', () => {
    const { a, pump, log } = pumped({ capacity: 2 });
    const frame = Uint8Array.of(1);
    expect([a.send(frame), a.send(frame), a.send(frame)]).toEqual([true, true, false]);
    pump();
    expect(log).toEqual(['b frame 1 owned', 'b frame 1 owned', 'b end', 'a writable']);
    expect(a.send(frame)).toBe(true);
    pump();
    expect(log.filter((line) => line === 'a writable')).toHaveLength(1);
  });

  test('what came before start is delivered after it', () => {
    const log: string[] = [];
    const { a, b, pump } = memoryPair({ delivery: 'pump' });
    a.send(Uint8Array.of(5));
    expect(pump()).toBe(0);
    b.start(recorder(log, 'b'));
    expect(pump()).toBe(1);
    expect(log).toEqual(['b frame 5 owned', 'b end']);
  });

  test('closing: told once, nothing delivered afterwards, the other end sends into the void', () => {
    const { a, b, pump, log } = pumped();
    a.send(Uint8Array.of(1));
    b.close();
    b.close();
    pump();
    expect(log).toEqual(['b closed by us']);
    expect(a.send(Uint8Array.of(2))).toBe(true);
    expect(b.send(Uint8Array.of(3))).toBe(true);
    expect(pump()).toBe(0);
    expect(log).toEqual(['b closed by us']);
  });

  test('closing inside a burst ends it', () => {
    const log: string[] = [];
    const { a, b, pump } = memoryPair({ delivery: 'pump' });
    b.start({ ...recorder(log, 'b'), frame: () => b.close() });
    a.send(Uint8Array.of(1));
    a.send(Uint8Array.of(2));
    pump();
    expect(log).toEqual(['b closed by us']);
  });
});

describe('by itself', () => {
  test('delivers after the current call, a burst at a time', async () => {
    const log: string[] = [];
    const { a, b } = memoryPair();
    b.start(recorder(log, 'b'));
    a.send(Uint8Array.of(1));
    a.send(Uint8Array.of(2));
    expect(log).toEqual([]);
    await Promise.resolve();
    expect(log).toEqual(['b frame 1 owned', 'b frame 2 owned', 'b end']);
  });

  test('an endless conversation lets timers run', async () => {
    const { a, b } = memoryPair();
    const echo = (link: Link): LinkHandlers => ({
      frame: (frame) => link.send(frame),
      burstEnd: () => {},
      writable: () => {},
      closed: () => {},
    });
    a.start(echo(a));
    b.start(echo(b));
    a.send(Uint8Array.of(1));
    await turn();
    a.close();
    b.close();
  });
});

test('an Ethernet pair has addresses and room for its header', () => {
  const { a, b } = memoryPair({ layer: 'ethernet', delivery: 'pump', mtu: 100 });
  expect(a.mac).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 1));
  expect(b.mac).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 2));
  expect(a.send(new Uint8Array(118))).toBe(true);
  expect(() => a.send(new Uint8Array(119))).toThrow('does not fit');
});

test('misuse is refused with a reason', () => {
  expect(() => memoryPair({ mtu: 67 })).toThrow('mtu 67');
  expect(() => memoryPair({ mtu: Number.NaN })).toThrow('mtu NaN');
  expect(() => memoryPair({ capacity: 0 })).toThrow('capacity 0');
  const { a } = pumped({ mtu: 68 });
  expect(() => a.send(new Uint8Array(69))).toThrow('a frame of 69 bytes does not fit');
  expect(() => a.start(recorder([], 'a'))).toThrow('started already');
});
