/** The blocks of an ACK, whatever arrives in whatever order: each once, none below the ACK, the newest first. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Scenario } from '../../src/testing/index.ts';

const piece = fc.record({ from: fc.integer({ min: 1, max: 3000 }), length: fc.integer({ min: 1, max: 300 }) });

test('blocks are disjoint, at most four, and the first holds what has just arrived out of order', () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 40 }), (pieces) => {
      // Without DSACK, which is a block of its own kind.
      const t = Scenario.established({ config: { dsack: false } }, { sackPermitted: true });
      for (const { from, length } of pieces) {
        t.arrives({ seq: from, ack: 1, length });
        for (const { ack, sack } of t.takeSent()) {
          expect(sack.length).toBeLessThanOrEqual(4);
          const sorted = [...sack].sort((a, b) => a[0] - b[0]);
          sorted.forEach(([left, right], i) => {
            expect(left).toBeGreaterThan(i === 0 ? ack : sorted[i - 1][1]);
            expect(right).toBeGreaterThan(left);
          });
          const beyond = from > ack;
          if (beyond) expect(sack[0][0] <= from && from + length <= sack[0][1]).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});
