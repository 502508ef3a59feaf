import { expect, test } from 'vitest';
import { seq, seqAdd } from '../base/seq.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

const START = seq(0x7fffff00);

function readAll(buffer: ReceiveBuffer, max = Number.MAX_SAFE_INTEGER): number[] {
  const octets: number[] = [];
  for (let part = buffer.take(max); part !== null; part = buffer.take(max)) octets.push(...part);
  return octets;
}

const octetsFrom = (first: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 255);

test('pieces in any order, across pages and the wrap, come out as the stream they are', () => {
  for (let seed = 1; seed < 40; seed++) {
    const buffer = new ReceiveBuffer(START);
    let random = seed;
    const next = (below: number): number => {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      return Math.floor((random / 2 ** 32) * below);
    };
    const length = 20_000;
    const missing = Array.from({ length: 50 }, (_, i) => i * 400);
    while (missing.length > 0) {
      const [from] = missing.splice(next(missing.length), 1);
      // A little more on both sides, and from the middle of a larger array.
      const at = Math.max(from - next(100), 0);
      const text = octetsFrom(at - 7, Math.min(from + 400 + next(100), length) - at + 7);
      buffer.insert(seqAdd(START, at), text, 7, text.length - 7);
    }
    expect(buffer.readable).toBe(length);
    expect(buffer.outOfOrder.count).toBe(0);
    expect(readAll(buffer, 1 + next(5000))).toEqual([...octetsFrom(0, length)]);
    expect(buffer.memory).toBeLessThanOrEqual(65_536);
  }
});

test("what was taken is the caller's: later text does not change it", () => {
  const buffer = new ReceiveBuffer(START);
  buffer.insert(START, octetsFrom(1, 10), 0, 10);
  const taken = buffer.take(10);
  buffer.insert(seqAdd(START, 10), octetsFrom(100, 500), 0, 500);
  expect([...(taken as Uint8Array)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('insert says how much became readable', () => {
  const buffer = new ReceiveBuffer(START);
  expect(buffer.insert(seqAdd(START, 5), octetsFrom(5, 5), 0, 5)).toBe(0);
  expect(buffer.insert(seqAdd(START, 2), octetsFrom(2, 2), 0, 2)).toBe(0);
  expect(buffer.insert(START, octetsFrom(0, 3), 0, 3)).toBe(4);
  expect(buffer.insert(seqAdd(START, 4), octetsFrom(4, 1), 0, 1)).toBe(6);
  expect(buffer.insert(START, octetsFrom(0, 10), 0, 10)).toBe(0);
});

test('prune drops what has holes before it, keeps what can be read, and the stream can go on', () => {
  const buffer = new ReceiveBuffer(START);
  buffer.insert(START, octetsFrom(0, 100), 0, 100);
  buffer.insert(seqAdd(START, 9000), octetsFrom(1, 5000), 0, 5000);
  const before = buffer.memory;
  buffer.prune();
  expect(buffer.memory).toBeLessThan(before);
  expect(buffer.outOfOrder.count).toBe(0);
  buffer.insert(seqAdd(START, 100), octetsFrom(100, 14_000), 0, 14_000);
  expect(readAll(buffer)).toEqual([...octetsFrom(0, 14_100)]);
});

test('D08: a thousand one-octet segments with holes cost pages of the window, not objects', () => {
  const buffer = new ReceiveBuffer(START);
  for (let i = 1; i <= 1000; i++) buffer.insert(seqAdd(START, 2 * i), octetsFrom(i, 1), 0, 1);
  expect(buffer.outOfOrder.count).toBe(1000);
  expect(buffer.memory).toBeLessThanOrEqual(8192);
  buffer.release();
  expect([buffer.memory, buffer.outOfOrder.count, buffer.readable]).toEqual([0, 0, 0]);
});

test('trim gives an empty page back, and leaves one that holds something', () => {
  const buffer = new ReceiveBuffer(START);
  buffer.insert(START, octetsFrom(0, 100), 0, 100);
  buffer.trim();
  expect(buffer.memory).toBeGreaterThan(0);
  readAll(buffer);
  buffer.trim();
  expect(buffer.memory).toBe(0);
  buffer.insert(seqAdd(START, 100), octetsFrom(7, 3), 0, 3);
  expect(readAll(buffer)).toEqual([7, 8, 9]);
});
