/** RFC 2018 and RFC 2883: what the receiver reports of text out of order and of duplicates. */

import { describe, expect, test } from 'vitest';
import { Scenario, type SegmentSpec } from '../../src/testing/index.ts';

const sacking = (extra: SegmentSpec = {}): Scenario => Scenario.established({}, { sackPermitted: true, ...extra });

/** The blocks of the one ACK that answers ten octets at `seq`. */
function blocksAfter(t: Scenario, seq: number, length = 10): ReadonlyArray<readonly [number, number]> {
  t.arrives({ seq, ack: 1, length });
  const answer = t.sends({ flags: 'A' });
  t.sendsNothing();
  return answer.sack;
}

describe('RFC 2018', () => {
  test('without agreement no blocks are sent', () => {
    expect(blocksAfter(Scenario.established(), 11)).toEqual([]);
    expect(blocksAfter(Scenario.established({ config: { sack: false } }, { sackPermitted: true }), 11)).toEqual([]);
  });

  test('the first block holds what has just arrived, the others what was reported before, the latest first', () => {
    const t = sacking();
    expect(blocksAfter(t, 11)).toEqual([[11, 21]]);
    expect(blocksAfter(t, 31)).toEqual([
      [31, 41],
      [11, 21],
    ]);
    expect(blocksAfter(t, 51)).toEqual([
      [51, 61],
      [31, 41],
      [11, 21],
    ]);
    expect(blocksAfter(t, 71)).toEqual([
      [71, 81],
      [51, 61],
      [31, 41],
      [11, 21],
    ]);
    expect(blocksAfter(t, 91)).toEqual([
      [91, 101],
      [71, 81],
      [51, 61],
      [31, 41],
    ]);
    // What touches an earlier block grows it, and it moves to the front.
    expect(blocksAfter(t, 41)).toEqual([
      [31, 61],
      [91, 101],
      [71, 81],
    ]);
  });

  test('with timestamps there is room for three', () => {
    const t = sacking({ timestamps: [1, 0] });
    for (const seq of [11, 31, 51]) t.arrives({ seq, ack: 1, length: 10, timestamps: [2, 0] });
    t.takeSent();
    t.arrives({ seq: 71, ack: 1, length: 10, timestamps: [2, 0] });
    expect(t.sends({}).sack).toEqual([
      [71, 81],
      [51, 61],
      [31, 41],
    ]);
  });

  test('what was delivered is reported no more', () => {
    const t = sacking();
    blocksAfter(t, 11);
    blocksAfter(t, 31);
    t.arrives({ seq: 1, ack: 1, length: 10 });
    t.sends({ ack: 21, sack: [[31, 41]] });
    t.arrives({ seq: 21, ack: 1, length: 10 });
    t.sends({ ack: 41, sack: [] });
  });

  test('each ACK while there are holes carries blocks, text goes in segments of its own', () => {
    const t = sacking();
    blocksAfter(t, 11);
    t.send('x');
    t.sends({ flags: 'PA', text: 'x', sack: [] });
    expect(blocksAfter(t, 31)).toEqual([
      [31, 41],
      [11, 21],
    ]);
  });
});

describe('RFC 2883: duplicates', () => {
  test('4.1: a segment wholly received before is the first block, once', () => {
    const t = sacking();
    t.arrives({ seq: 1, ack: 1, length: 20 });
    t.advance(40);
    t.takeSent();
    expect(blocksAfter(t, 1)).toEqual([[1, 11]]);
    expect(blocksAfter(t, 31)).toEqual([[31, 41]]);
  });

  test('4.1: of a segment received in part before, only that part', () => {
    const t = sacking();
    t.arrives({ seq: 1, ack: 1, length: 20 });
    t.advance(40);
    t.takeSent();
    t.arrives({ seq: 11, ack: 1, length: 20 });
    t.advance(40);
    t.sends({ ack: 31, sack: [[11, 21]] });
  });

  test('4.2: a duplicate beyond the ACK is followed by the block it lies in', () => {
    const t = sacking();
    blocksAfter(t, 11, 30);
    expect(blocksAfter(t, 21)).toEqual([
      [21, 31],
      [11, 41],
    ]);
  });

  test('can be switched off', () => {
    const t = Scenario.established({ config: { dsack: false } }, { sackPermitted: true });
    t.arrives({ seq: 1, ack: 1, length: 20 });
    t.advance(40);
    t.takeSent();
    expect(blocksAfter(t, 1)).toEqual([]);
  });
});

test('blocks are never empty, backward, below the ACK or overlapping, whatever arrives', () => {
  const t = sacking();
  let random = 12345;
  const next = (below: number): number => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  for (let i = 0; i < 3000; i++) {
    t.arrives({ seq: 1 + next(8000), ack: 1, length: 1 + next(50) });
    for (const { ack, sack } of t.takeSent()) {
      expect(sack.length).toBeLessThanOrEqual(4);
      sack.forEach(([left, right], n) => {
        expect(left).toBeLessThan(right);
        if (n > 0) expect(left).toBeGreaterThan(ack);
      });
      const rest = sack.slice(1);
      for (const [left, right] of rest) {
        expect(rest.filter(([l, r]) => l < right && left < r).length).toBe(1);
      }
    }
  }
});
