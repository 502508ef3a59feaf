import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CaptureReader } from '../capture/reader.ts';
import { Analyser } from './analyser.ts';
import { outcomeOf, uneventfulOutcome } from './outcome.ts';

it('of an uneventful connection is the same with and without its report', () => {
  const folder = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'captures');
  let compared = 0;
  for (const name of ['g01-client-closes.pcap', 'g20-syn-flood-cookies.pcap', 'g22-connect-scan.pcap']) {
    const analyser = new Analyser({
      inspect: (facts, report) => {
        if (!facts.plain || report.findings.some(({ kind }) => kind !== 'clean')) return;
        compared++;
        expect(uneventfulOutcome(facts)).toEqual(outcomeOf(report));
      },
    });
    const reader = new CaptureReader(analyser);
    reader.push(readFileSync(join(folder, name)));
    analyser.finish(name, reader.end());
  }
  expect(compared).toBeGreaterThan(5);
});
