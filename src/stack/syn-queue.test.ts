import { describe, expect, it } from 'vitest';
import type { Connection } from './connection.ts';
import {
  ConnectionQueue,
  isAcceptQueueFull,
  isLastQuarter,
  isSynQueueFull,
  SynQueue,
  synAckRetries,
} from './syn-queue.ts';

const link = (): Connection => ({ queuePrevious: null, queueNext: null, young: false }) as unknown as Connection;

describe('ConnectionQueue', () => {
  it('is first in, first out, and lets go of any', () => {
    const queue = new ConnectionQueue();
    const [a, b, c, d] = [link(), link(), link(), link()];
    for (const one of [a, b, c, d]) queue.push(one);
    queue.delete(b);
    queue.delete(d);
    expect(queue.first).toBe(a);
    expect(a.queueNext).toBe(c);
    queue.delete(a);
    queue.push(b);
    expect(queue.first).toBe(c);
    expect(c.queueNext).toBe(b);
    queue.delete(c);
    queue.delete(b);
    expect(queue.first).toBeNull();
    expect(queue.length).toBe(0);
  });
});

describe('SynQueue', () => {
  it('counts the young', () => {
    const queue = new SynQueue();
    const [a, b] = [link(), link()];
    queue.push(a);
    queue.push(b);
    queue.age(a);
    queue.age(a);
    expect([queue.length, queue.young]).toEqual([2, 1]);
    queue.delete(a);
    queue.delete(b);
    expect([queue.length, queue.young]).toEqual([0, 0]);
  });
});

describe("Linux's arithmetic", () => {
  it('lets the accept queue hold one more than the backlog, the SYN queue not', () => {
    expect(isAcceptQueueFull(128, 128)).toBe(false);
    expect(isAcceptQueueFull(129, 128)).toBe(true);
    expect(isSynQueueFull(127, 128)).toBe(false);
    expect(isSynQueueFull(128, 128)).toBe(true);
  });

  it('keeps the last quarter of tcp_max_syn_backlog', () => {
    expect(isLastQuarter(1536, 2048)).toBe(false);
    expect(isLastQuarter(1537, 2048)).toBe(true);
  });

  it.each([
    // half open, young, backlog -> retransmissions of five
    [4, 0, 8, 5], // not more than half full
    [5, 5, 8, 5], // all young
    [5, 2, 8, 4], // 5 >= 4, 5 < 8
    [128, 0, 128, 2],
    [128, 128, 128, 5],
    [128, 64, 128, 4],
    [128, 32, 128, 3],
    [128, 16, 128, 2],
    [128, 1, 128, 2],
    [4, 0, 1, 5], // 8 at least
  ])('half open %i, young %i, backlog %i: %i', (halfOpen, young, backlog, limit) => {
    expect(synAckRetries(halfOpen, young, backlog, 5)).toBe(limit);
  });

  it('never raises a smaller tcp_synack_retries', () => {
    expect(synAckRetries(128, 0, 128, 1)).toBe(1);
  });
});
