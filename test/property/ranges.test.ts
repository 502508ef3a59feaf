/** SeqRanges against a plain set of numbers, anywhere on the ring. */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { SeqRanges } from '../../src/base/ranges.ts';
import { type Seq, seq, seqAdd, seqDiff } from '../../src/base/seq.ts';

const SPAN = 200;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('insert' as const), fc.nat(SPAN), fc.nat(12)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('insert' as const), fc.nat(SPAN), fc.nat(SPAN)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('removeBefore' as const), fc.nat(SPAN), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('removeFrom' as const), fc.nat(SPAN), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), fc.constant(0), fc.constant(0)) },
);

/** Applies one step to the model; the number of numbers added. */
function apply(model: Set<number>, kind: string, a: number, b: number): number {
  const before = model.size;
  if (kind === 'insert') for (let n = a; n < a + b; n++) model.add(n);
  else for (const n of [...model]) if (kind === 'clear' || (kind === 'removeBefore' ? n < a : n >= a)) model.delete(n);
  return Math.max(0, model.size - before);
}

function check(ranges: SeqRanges, model: Set<number>, base: Seq): void {
  const at = (n: number): Seq => seqAdd(base, n);
  if (ranges.total() !== model.size) throw new Error(`total ${ranges.total()} is not ${model.size}`);
  for (let i = 0; i < ranges.count; i++) {
    if (seqDiff(ranges.right(i), ranges.left(i)) <= 0) throw new Error('empty range');
    if (i > 0 && seqDiff(ranges.left(i), ranges.right(i - 1)) <= 0) throw new Error('ranges touch or are out of order');
  }
  const end = 2 * SPAN + 20;
  let uncovered = end;
  let covered = end;
  for (let n = end - 1; n >= -5; n--) {
    const inside = model.has(n);
    if (inside) covered = n;
    else uncovered = n;
    if (ranges.contains(at(n)) !== inside) throw new Error(`contains ${n}`);
    const index = ranges.indexOf(at(n));
    if (index >= 0 !== inside) throw new Error(`indexOf ${n}`);
    if (inside && (seqDiff(ranges.left(index), at(n)) > 0 || seqDiff(ranges.right(index), at(n)) <= 0))
      throw new Error(`indexOf ${n} points at another range`);
    if (ranges.nextUncovered(at(n), at(end)) !== at(uncovered)) throw new Error(`nextUncovered ${n}`);
    if (ranges.nextCovered(at(n), at(end)) !== at(covered)) throw new Error(`nextCovered ${n}`);
    for (const length of [1, 7]) {
      const all = uncovered >= n + length;
      if (ranges.covers(at(n), at(n + length)) !== all) throw new Error(`covers ${n} + ${length}`);
    }
  }
}

describe('SeqRanges', () => {
  it('is a set of sequence numbers', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(0x7fffffa0, -100, 0), fc.integer()),
        fc.array(step, { maxLength: 60 }),
        (start, steps) => {
          const base = seq(start);
          const ranges = new SeqRanges();
          const model = new Set<number>();
          for (const [kind, a, b] of steps) {
            const added = apply(model, kind, a, b);
            if (kind === 'clear') ranges.clear();
            else if (kind === 'insert') {
              if (ranges.insert(seqAdd(base, a), seqAdd(base, a + b)) !== added) throw new Error('insert count');
            } else ranges[kind](seqAdd(base, a));
          }
          check(ranges, model, base);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('ends as one range when a window is filled in any order', () => {
    fc.assert(
      fc.property(fc.integer(), fc.shuffledSubarray([...Array(500).keys()], { minLength: 500 }), (start, order) => {
        const base = seq(start);
        const ranges = new SeqRanges();
        for (const n of order) ranges.insert(seqAdd(base, n * 1460), seqAdd(base, (n + 1) * 1460));
        return ranges.count === 1 && ranges.left(0) === base && ranges.total() === 500 * 1460;
      }),
      { numRuns: 60 },
    );
  });
});
