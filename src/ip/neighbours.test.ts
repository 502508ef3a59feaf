import { beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { IpAddress } from '../wire/address.ts';
import { KeyedHash } from './keyed-hash.ts';
import { type Neighbour, NeighbourState, Neighbours } from './neighbours.ts';

const there = IpAddress.parse('10.0.0.2');
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);
const OTHER = Uint8Array.of(2, 0, 0, 0, 0, 9);
const packet = Uint8Array.of(1, 2, 3);

describe('Neighbours', () => {
  let log: string[];
  let table: Neighbours;

  beforeEach(() => {
    log = [];
    table = new Neighbours(new KeyedHash(new SeededRandom(1)), new SeededRandom(2), {
      solicit: (now, n, unicast) => log.push(`${now} ask ${unicast ? 'it' : 'all'} ${n.address}`),
      resolved: (now, n, packets) => log.push(`${now} found ${n.address} ${packets.length}`),
      unreachable: (now, n, packets) => log.push(`${now} lost ${n.address} ${packets.length}`),
    });
  });

  /** Runs all timers up to `until`, each at its own time. */
  function run(until: number): void {
    for (let at = table.nextDeadline(); at <= until; at = table.nextDeadline()) table.timeouts(at);
  }

  function find(): Neighbour {
    const neighbour = table.lookup(0, there);
    table.answer(10, neighbour, MAC, 0, true, true);
    return neighbour;
  }

  it('asks three times, a second apart, then gives up', () => {
    const neighbour = table.lookup(0, there);
    expect(table.ready(0, neighbour)).toBe(false);
    expect(table.hold(neighbour, packet, 0, 3)).toBe(true);
    run(10_000);
    expect(log).toEqual([
      '0 ask all 10.0.0.2',
      '1000 ask all 10.0.0.2',
      '2000 ask all 10.0.0.2',
      '3000 lost 10.0.0.2 1',
    ]);
    expect(neighbour.dead).toBe(true);
    expect(table.size).toBe(0);
  });

  it('hands out what waited when the answer comes', () => {
    const neighbour = table.lookup(0, there);
    table.hold(neighbour, packet, 0, 3);
    table.hold(neighbour, packet, 0, 3);
    table.answer(10, neighbour, Uint8Array.of(9, ...MAC), 1, true, true);
    expect(log.at(-1)).toBe('10 found 10.0.0.2 2');
    expect(neighbour.mac).toEqual(MAC);
    expect(table.ready(11, neighbour)).toBe(true);
    expect(table.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('checks a neighbour that was not heard of for a while, but only when it is used', () => {
    const neighbour = find();
    run(60_000);
    expect(log.length).toBe(1);
    expect(table.ready(60_000, neighbour)).toBe(true);
    run(64_999);
    expect(log.length).toBe(1);
    run(65_000);
    expect(log.at(-1)).toBe('65000 ask it 10.0.0.2');
    expect(neighbour.state).toBe(NeighbourState.PROBE);
    expect(table.ready(65_000, neighbour)).toBe(true);
    table.answer(65_001, neighbour, MAC, 0, true, false);
    expect(neighbour.state).toBe(NeighbourState.REACHABLE);
    run(90_000);
    expect(log.length).toBe(2);
  });

  it('drops one that no longer answers', () => {
    const neighbour = find();
    table.ready(60_000, neighbour);
    run(100_000);
    expect(log.slice(1)).toEqual([
      '65000 ask it 10.0.0.2',
      '66000 ask it 10.0.0.2',
      '67000 ask it 10.0.0.2',
      '68000 lost 10.0.0.2 0',
    ]);
    expect(neighbour.dead).toBe(true);
  });

  it('does not let a second claimant in at once, nor without the override flag', () => {
    const neighbour = find();
    expect(table.answer(500, neighbour, OTHER, 0, true, true)).toBe(false);
    expect(neighbour.mac).toEqual(MAC);
    expect(neighbour.state).toBe(NeighbourState.STALE);
    expect(table.answer(5000, neighbour, OTHER, 0, true, false)).toBe(false);
    expect(table.answer(5000, neighbour, OTHER, 0, false, true)).toBe(true);
    expect(neighbour.mac).toEqual(OTHER);
    expect(neighbour.state).toBe(NeighbourState.STALE);
  });

  it('learns from one who asks, as unproven', () => {
    table.hear(0, there.w0, there.w1, there.w2, there.w3, MAC, 0);
    const neighbour = table.lookup(1, there);
    expect(neighbour.state).toBe(NeighbourState.STALE);
    expect(table.ready(1, neighbour)).toBe(true);
    expect(log).toEqual([]);
    const waiting = table.lookup(1, IpAddress.parse('10.0.0.3'));
    table.hold(waiting, packet, 0, 3);
    table.hear(2, 0, 0, 0xffff, 0x0a000003, OTHER, 0);
    expect(log.at(-1)).toBe('2 found 10.0.0.3 1');
  });

  it('bounds the packets it holds for one neighbour', () => {
    const neighbour = table.lookup(0, there);
    const large = new Uint8Array(1500);
    let count = 0;
    while (table.hold(neighbour, large, 0, 1500)) count++;
    expect(count).toBe(130);
  });

  it('bounds the packets it holds for all of them, and has room again when they are gone', () => {
    const large = new Uint8Array(1500);
    let count = 0;
    for (let i = 0; i < 300; i++) {
      const neighbour = table.lookup(0, IpAddress.v4(0x0b000000 + i));
      while (table.hold(neighbour, large, 0, 1500)) count++;
    }
    expect(count).toBe(Math.floor(4_194_304 / 1628));
    run(10_000);
    const next = table.lookup(10_000, there);
    expect(table.hold(next, large, 0, 1500)).toBe(true);
  });

  it('survives a scan of addresses that nobody has: bounded, and the living stay', () => {
    const neighbour = find();
    for (let i = 0; i < 100_000; i++) table.lookup(20, IpAddress.v4(0x0b000000 + i));
    expect(table.size).toBeLessThanOrEqual(1024);
    expect(neighbour.dead).toBe(false);
    expect(table.lookup(20, there)).toBe(neighbour);
  });
});
