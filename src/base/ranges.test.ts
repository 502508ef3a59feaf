import { describe, expect, it } from 'vitest';
import { SeqRanges } from './ranges.ts';
import { type Seq, seq, seqAdd, seqDiff } from './seq.ts';

/** Every test runs across both wraps: of the sign, and of the 32 bits. */
const BASES = [seq(0x7ffffff0), seq(-16)];

function list(ranges: SeqRanges, base: Seq): number[][] {
  const out: number[][] = [];
  for (let i = 0; i < ranges.count; i++) out.push([seqDiff(ranges.left(i), base), seqDiff(ranges.right(i), base)]);
  return out;
}

describe.each(BASES)('SeqRanges around %i', (base) => {
  const at = (n: number): Seq => seqAdd(base, n);
  const of = (...pairs: [number, number][]): SeqRanges => {
    const ranges = new SeqRanges();
    for (const [left, right] of pairs) ranges.insert(at(left), at(right));
    return ranges;
  };

  it('starts empty', () => {
    const ranges = new SeqRanges();
    expect(ranges.count).toBe(0);
    expect(ranges.total()).toBe(0);
    expect(ranges.contains(at(0))).toBe(false);
    expect(ranges.nextUncovered(at(3), at(9))).toBe(at(3));
    expect(ranges.nextCovered(at(3), at(9))).toBe(at(9));
    ranges.removeBefore(at(5));
    ranges.removeFrom(at(5));
    expect(ranges.count).toBe(0);
  });

  it('keeps ranges that do not touch apart, sorted', () => {
    expect(list(of([40, 50], [0, 10], [20, 30]), base)).toEqual([
      [0, 10],
      [20, 30],
      [40, 50],
    ]);
  });

  it('merges ranges that touch or overlap, and counts only what is new', () => {
    const ranges = of([0, 10], [20, 30], [40, 50]);
    expect(ranges.insert(at(10), at(15))).toBe(5);
    expect(ranges.insert(at(18), at(20))).toBe(2);
    expect(ranges.insert(at(2), at(8))).toBe(0);
    expect(list(ranges, base)).toEqual([
      [0, 15],
      [18, 30],
      [40, 50],
    ]);
    expect(ranges.insert(at(-5), at(60))).toBe(5 + 3 + 10 + 10);
    expect(list(ranges, base)).toEqual([[-5, 60]]);
    expect(ranges.total()).toBe(65);
  });

  it('ignores empty and backward ranges', () => {
    const ranges = of([0, 10]);
    expect(ranges.insert(at(20), at(20))).toBe(0);
    expect(ranges.insert(at(30), at(20))).toBe(0);
    expect(list(ranges, base)).toEqual([[0, 10]]);
  });

  it('drops and cuts from below', () => {
    const ranges = of([0, 10], [20, 30], [40, 50]);
    ranges.removeBefore(at(10));
    expect(list(ranges, base)).toEqual([
      [20, 30],
      [40, 50],
    ]);
    ranges.removeBefore(at(45));
    expect(list(ranges, base)).toEqual([[45, 50]]);
    expect(ranges.total()).toBe(5);
    ranges.removeBefore(at(50));
    expect(ranges.count).toBe(0);
    expect(ranges.total()).toBe(0);
  });

  it('drops and cuts from above', () => {
    const ranges = of([0, 10], [20, 30], [40, 50]);
    ranges.removeFrom(at(40));
    expect(list(ranges, base)).toEqual([
      [0, 10],
      [20, 30],
    ]);
    ranges.removeFrom(at(5));
    expect(list(ranges, base)).toEqual([[0, 5]]);
    expect(ranges.total()).toBe(5);
    ranges.removeFrom(at(0));
    expect(ranges.count).toBe(0);
  });

  it('finds', () => {
    const ranges = of([0, 10], [20, 30]);
    expect(ranges.indexOf(at(-1))).toBe(-1);
    expect(ranges.indexOf(at(0))).toBe(0);
    expect(ranges.indexOf(at(9))).toBe(0);
    expect(ranges.indexOf(at(10))).toBe(-1);
    expect(ranges.indexOf(at(29))).toBe(1);
    expect(ranges.indexOf(at(30))).toBe(-1);
    expect(ranges.covers(at(20), at(30))).toBe(true);
    expect(ranges.covers(at(20), at(31))).toBe(false);
    expect(ranges.covers(at(9), at(21))).toBe(false);
    expect(ranges.covers(at(15), at(15))).toBe(true);
  });

  it('walks the holes', () => {
    const ranges = of([0, 10], [20, 30]);
    const holes: number[][] = [];
    const end = at(40);
    for (let hole = ranges.nextUncovered(at(-3), end); hole !== end; ) {
      const next = ranges.nextCovered(hole, end);
      holes.push([seqDiff(hole, base), seqDiff(next, base)]);
      hole = ranges.nextUncovered(next, end);
    }
    expect(holes).toEqual([
      [-3, 0],
      [10, 20],
      [30, 40],
    ]);
    expect(ranges.nextUncovered(at(3), at(7))).toBe(at(7));
    expect(ranges.nextCovered(at(12), at(15))).toBe(at(15));
    expect(ranges.nextCovered(at(5), at(15))).toBe(at(5));
  });

  it('holds ten thousand ranges whichever end they come from', () => {
    for (const step of [1, -1]) {
      const ranges = new SeqRanges();
      for (let i = 0; i < 10_000; i++) ranges.insert(at(step * 4 * i), at(step * 4 * i + 2));
      expect(ranges.count).toBe(10_000);
      expect(ranges.total()).toBe(20_000);
      for (let i = 1; i < ranges.count; i++) expect(seqDiff(ranges.left(i), ranges.right(i - 1))).toBe(2);
      ranges.clear();
      expect(ranges.count).toBe(0);
      expect(ranges.insert(at(0), at(1))).toBe(1);
    }
  });
});
