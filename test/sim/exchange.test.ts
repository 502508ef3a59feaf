/** Random exchanges under random faults; `npm run sim -- --seeds N` plays more of them. */

import { describe, expect, test } from 'vitest';
import { PcapngWriter } from '../../src/capture/pcapng-writer.ts';
import { type ExchangeReport, playExchange } from '../../src/sim/exchange.ts';

const SEEDS = 300;
const GROUP = 50;

function explain(report: ExchangeReport): string {
  return `seed ${report.seed}: ${report.failure}; replay: npm run sim -- --seeds 1 --from ${report.seed}; ${report.faults}`;
}

describe('exchanges under faults', () => {
  for (let from = 0; from < SEEDS; from += GROUP) {
    test(`seeds ${from} to ${from + GROUP - 1}`, () => {
      let octets = 0;
      for (let seed = from; seed < from + GROUP; seed++) {
        const report = playExchange(seed);
        if (report.failure !== null) expect.unreachable(explain(report));
        octets += report.octets;
      }
      expect(octets).toBeGreaterThan(1_000_000);
    });
  }

  test('the same seed gives the same bytes', () => {
    const capture = (): Uint8Array => {
      const parts: Uint8Array[] = [];
      playExchange(42, new PcapngWriter((bytes) => parts.push(bytes.slice())));
      return Buffer.concat(parts);
    };
    const first = capture();
    expect(first.length).toBeGreaterThan(10_000);
    expect(capture()).toEqual(first);
  });
});
