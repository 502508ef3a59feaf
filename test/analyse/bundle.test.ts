/** The reader, dissector, analysis and drawing for browsers: nothing of Node in it, under 100 KB packed. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import { ANALYSIS, bundle } from './bundled.ts';

const made = await bundle(ANALYSIS);

describe.skipIf(made === null)(`browser bundle (${made === null ? 'skipped: esbuild is not here' : 'esbuild'})`, () => {
  it('is under 100 KB packed, needs nothing of Node, and gives the same JSON', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'estab-bundle-'));
    try {
      expect(gzipSync(made!.contents).length).toBeLessThan(100_000);
      expect(made!.text).not.toMatch(/\bnode:|\bprocess\.|\bBuffer\b|\brequire\(/);
      const path = join(directory, 'bundle.mjs');
      writeFileSync(path, made!.contents);
      const loaded = (await import(pathToFileURL(path).href)) as {
        Analyser: typeof Analyser;
        CaptureReader: typeof CaptureReader;
      };
      for (const name of ['g10-loss-sack-sender.pcap', 'g22-connect-scan.pcap', 'g31-challenge-ack.pcap']) {
        const bytes = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'captures', name));
        expect(run(loaded.Analyser, loaded.CaptureReader, bytes)).toBe(run(Analyser, CaptureReader, bytes));
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

function run(A: typeof Analyser, R: typeof CaptureReader, bytes: Uint8Array): string {
  const analyser = new A();
  const reader = new R(analyser);
  reader.push(bytes);
  return JSON.stringify(analyser.finish('x', reader.end()));
}
