/** The send buffer is a queue of octets that can be read anywhere: whatever is written, dropped and copied. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SendBuffer } from '../../src/tcp/send-buffer.ts';

const step = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    length: fc.oneof(fc.nat(8), fc.integer({ min: 400, max: 700 }), fc.integer({ min: 2000, max: 9000 })),
  }),
  fc.record({
    kind: fc.constant('drop' as const),
    share: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
  }),
  fc.record({
    kind: fc.constant('copy' as const),
    at: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
    share: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
  }),
);

test('any sequence of append, drop and copy agrees with an array', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
      const buffer = new SendBuffer();
      let model: number[] = [];
      let octet = 0;
      for (const action of steps) {
        if (action.kind === 'append') {
          const bytes = Uint8Array.from({ length: action.length }, () => octet++ & 0xff);
          buffer.append(bytes);
          model.push(...bytes);
        } else if (action.kind === 'drop') {
          const count = Math.floor(action.share * model.length);
          buffer.drop(count);
          model = model.slice(count);
        } else if (model.length > 0) {
          const from = Math.floor(action.at * (model.length - 1));
          const length = Math.floor(action.share * (model.length - from));
          const out = new Uint8Array(length + 5);
          buffer.copyTo(from, length, out, 5);
          expect([...out.subarray(5)]).toEqual(model.slice(from, from + length));
        }
        expect(buffer.length).toBe(model.length);
      }
    }),
    { numRuns: 400 },
  );
});

test('small writes are gathered, large ones are held as they are', () => {
  const buffer = new SendBuffer();
  for (let i = 0; i < 1000; i++) buffer.append(Uint8Array.of(i));
  const large = new Uint8Array(100_000).fill(7);
  buffer.append(large);
  large[50_000] = 9;
  const out = new Uint8Array(1);
  buffer.copyTo(1000 + 50_000, 1, out, 0);
  expect(out[0]).toBe(9);
  buffer.copyTo(999, 1, out, 0);
  expect(out[0]).toBe(999 & 0xff);
});
