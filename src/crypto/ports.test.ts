import { describe, expect, it } from 'vitest';
import { EstabError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { PortSelector } from './ports.ts';

const local = { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000001 };
const remote = { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000002 };

/** All a search gives until it gives up. */
function search(selector: PortSelector): number[] {
  const ports: number[] = [];
  for (let port = selector.next(); port !== 0; port = selector.next()) ports.push(port);
  return ports;
}

describe('PortSelector', () => {
  it.each([
    [32768, 60999],
    [1024, 65535],
    [1, 65535],
    [49152, 49152],
    [49152, 49153],
    [49152, 49156],
    [49152, 49407],
    [49152, 49408],
  ])('proposes every port from %i to %i exactly once in a search', (low, high) => {
    const selector = new PortSelector(new SeededRandom(5), low, high);
    for (let turn = 0; turn < 3; turn++) {
      selector.start(local, remote, 80);
      const ports = search(selector);
      expect(selector.next()).toBe(0);
      expect(ports.length).toBe(high - low + 1);
      expect(ports.toSorted((a, b) => a - b)).toEqual(Array.from({ length: high - low + 1 }, (_, i) => low + i));
    }
  });

  it('repeats no port to one destination before half of the range has been used', () => {
    const selector = new PortSelector(new SeededRandom(5), 32768, 60999);
    const seen = new Set<number>();
    for (let i = 0; i < 28232 / 2; i++) {
      selector.start(local, remote, 443);
      seen.add(selector.next());
    }
    expect(seen.size).toBe(28232 / 2);
  });

  it('goes through the range in another order each time', () => {
    const selector = new PortSelector(new SeededRandom(5), 50000, 50999);
    selector.start(local, remote, 80);
    const first = search(selector);
    selector.start(local, remote, 80);
    const second = search(selector);
    const same = first.filter((port, i) => port === second[i]).length;
    expect(same).toBeLessThan(10);
  });

  it('gives nothing before a search has begun', () => {
    expect(new PortSelector(new SeededRandom(5), 50000, 50999).next()).toBe(0);
  });

  it('is bound to its secret and to the destination', () => {
    const first = (seed: number, address: typeof remote, port: number): number => {
      const selector = new PortSelector(new SeededRandom(seed), 32768, 60999);
      selector.start(local, address, port);
      return selector.next();
    };
    expect(first(1, remote, 80)).toBe(first(1, remote, 80));
    const others = [first(1, remote, 80), first(2, remote, 80), first(1, remote, 81), first(1, local, 80)];
    expect(new Set(others).size).toBe(4);
  });

  it('refuses what is no range', () => {
    for (const [low, high] of [
      [0, 10],
      [10, 9],
      [1, 65536],
      [1.5, 10],
      [Number.NaN, 10],
    ])
      expect(() => new PortSelector(new SeededRandom(1), low, high)).toThrow(EstabError);
  });
});
