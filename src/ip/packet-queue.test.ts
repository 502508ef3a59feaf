import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { PacketQueue } from './packet-queue.ts';

describe('PacketQueue', () => {
  it('gives back frames in order, byte for byte, over many wraps', () => {
    const queue = new PacketQueue(8192);
    const random = new SeededRandom(1);
    const model: Uint8Array[] = [];
    const out = new Uint8Array(2000);
    let pushed = 0;
    let refused = 0;
    for (let step = 0; step < 20_000; step++) {
      if (random.nextUint32() % 2 === 0) {
        const frame = new Uint8Array(1 + (random.nextUint32() % 700)).fill(step & 255);
        frame[0] = pushed & 255;
        if (queue.push(frame, 0, frame.length)) {
          model.push(frame);
          pushed++;
        } else {
          refused++;
        }
      } else {
        const length = queue.pop(out);
        const expected = model.shift();
        expect(length).toBe(expected === undefined ? 0 : expected.length);
        if (expected !== undefined) expect(Buffer.compare(out.subarray(0, length), expected)).toBe(0);
      }
      expect(queue.count).toBe(model.length);
    }
    expect(pushed).toBeGreaterThan(5000);
    expect(refused).toBeGreaterThan(0);
  });

  it('holds no more than its bound', () => {
    const queue = new PacketQueue(10_000);
    const frame = new Uint8Array(96);
    let taken = 0;
    while (queue.push(frame, 0, frame.length)) taken++;
    expect(taken).toBe(100);
    expect(queue.pop(new Uint8Array(96))).toBe(96);
    expect(queue.push(frame, 0, frame.length)).toBe(true);
  });

  it('takes a part of a larger buffer', () => {
    const queue = new PacketQueue(4096);
    queue.push(Uint8Array.of(0, 1, 2, 3, 4), 1, 3);
    const out = new Uint8Array(8);
    expect(queue.pop(out)).toBe(3);
    expect([...out.subarray(0, 3)]).toEqual([1, 2, 3]);
  });
});
