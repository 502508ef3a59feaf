/** Text in any order, overlapping in any way, comes out as it was sent; and of two copies that differ, the first wins. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Seq, seq, seqAdd } from '../../src/base/seq.ts';
import { ReceiveBuffer } from '../../src/tcp/receive-buffer.ts';

/** Where the stream begins: around both wraps, and anywhere. */
const origin = fc.oneof(
  fc.constantFrom(0x7ffffff0, -16, 0, 0xffff_ff00),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
);

const octetAt = (index: number): number => (index * 31 + (index >> 8)) & 0xff;

interface Piece {
  readonly from: number;
  readonly length: number;
}

const LONGEST = 20_000;
const pieces = fc.array(
  fc.record({
    from: fc.nat(LONGEST),
    length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4000 })),
  }),
  { minLength: 1, maxLength: 60 },
);

function insert(buffer: ReceiveBuffer, start: Seq, { from, length }: Piece, octet: (index: number) => number): number {
  const source = new Uint8Array(length + 7);
  for (let i = 0; i < length; i++) source[3 + i] = octet(from + i);
  return buffer.insert(seqAdd(start, from), source, 3, length);
}

function takeAll(buffer: ReceiveBuffer, max: number): number[] {
  const out: number[] = [];
  for (let part = buffer.take(max); part !== null; part = buffer.take(max)) {
    expect(part.length).toBeGreaterThan(0);
    expect(part.length).toBeLessThanOrEqual(max);
    out.push(...part);
  }
  return out;
}

/** The model: a map from index to the first octet that came for it. */
class Model {
  private readonly first = new Map<number, number>();
  next = 0;

  add({ from, length }: Piece, octet: (index: number) => number): number {
    for (let i = from; i < from + length; i++) if (!this.first.has(i)) this.first.set(i, octet(i));
    const before = this.next;
    while (this.first.has(this.next)) this.next++;
    return this.next - before;
  }

  octets(from: number, to: number): number[] {
    return Array.from({ length: to - from }, (_, i) => this.first.get(from + i) as number);
  }
}

describe('the receive buffer', () => {
  test('gives what a map of first copies gives, whatever the order, the overlaps and the reader', () => {
    fc.assert(
      fc.property(
        origin,
        pieces,
        fc.integer({ min: 1, max: 5000 }),
        fc.infiniteStream(fc.boolean()),
        (at, list, max, reads) => {
          const start = seq(at);
          const buffer = new ReceiveBuffer(start);
          const model = new Model();
          let read = 0;
          list.forEach((piece, index) => {
            // Every copy has octets of its own: whose octets come out tells which copy won.
            const octet = (i: number): number => (octetAt(i) + index) & 0xff;
            expect(insert(buffer, start, piece, octet)).toBe(model.add(piece, octet));
            expect(buffer.readable).toBe(model.next - read);
            if (!reads.next().value) return;
            const got = takeAll(buffer, max);
            expect(got).toEqual(model.octets(read, model.next));
            read = model.next;
            buffer.trim();
          });
          expect(takeAll(buffer, max)).toEqual(model.octets(read, model.next));
          expect(buffer.outOfOrder.count === 0 || buffer.outOfOrder.left(0) !== buffer.textNext).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a shuffled stream comes out whole', () => {
    fc.assert(
      fc.property(
        origin,
        fc.array(fc.integer({ min: 1, max: 1460 }), { minLength: 1, maxLength: 40 }),
        fc.func(fc.nat()),
        (at, sizes, order) => {
          const start = seq(at);
          const list: Piece[] = [];
          let total = 0;
          for (const length of sizes) {
            list.push({ from: total, length });
            total += length;
          }
          const buffer = new ReceiveBuffer(start);
          for (const piece of list.toSorted((a, b) => order(a.from) - order(b.from)))
            insert(buffer, start, piece, octetAt);
          expect(buffer.readable).toBe(total);
          expect(takeAll(buffer, 1 << 20)).toEqual(Array.from({ length: total }, (_, i) => octetAt(i)));
          expect(buffer.outOfOrder.count).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('what was handed out never changes, and pruning loses only what was out of order', () => {
    fc.assert(
      fc.property(origin, pieces, pieces, (at, before, after) => {
        const start = seq(at);
        const buffer = new ReceiveBuffer(start);
        const model = new Model();
        insert(buffer, start, { from: 0, length: 100 }, octetAt);
        model.add({ from: 0, length: 100 }, octetAt);
        for (const piece of before) {
          insert(buffer, start, piece, octetAt);
          model.add(piece, octetAt);
        }
        const first = buffer.take(1 << 20) as Uint8Array;
        const copy = first.slice();
        const readable = buffer.readable;
        buffer.prune();
        expect(buffer.outOfOrder.count).toBe(0);
        expect(buffer.readable).toBe(readable);
        for (const piece of after) insert(buffer, start, piece, (i) => octetAt(i) ^ 0xff);
        expect(first).toEqual(copy);
      }),
      { numRuns: 200 },
    );
  });

  test('one-octet segments with holes between them cost pages, not objects (CVE-2018-5390)', () => {
    const buffer = new ReceiveBuffer(seq(-16));
    for (let i = 1; i < 20_000; i += 2) insert(buffer, seq(-16), { from: i, length: 1 }, octetAt);
    expect(buffer.readable).toBe(0);
    expect(buffer.outOfOrder.count).toBe(10_000);
    // Pages double in size as text keeps filling them: less than twice the span, and one smallest page.
    expect(buffer.memory).toBeLessThan(2 * 20_000 + 2048);
    for (let i = 0; i < 20_000; i += 2) insert(buffer, seq(-16), { from: i, length: 1 }, octetAt);
    expect(buffer.readable).toBe(20_000);
    expect(takeAll(buffer, 1 << 20)).toEqual(Array.from({ length: 20_000 }, (_, i) => octetAt(i)));
    expect(buffer.memory).toBeLessThan(2 * 20_000);
  });
});
