/** The reader, dissector, analysis and drawing for browsers: nothing of Node in it, under 100 KB packed. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { CaptureReader } from '../../src/capture/index.ts';

const source = join(import.meta.dirname, '..', '..', 'src');
const ENTRY = `
export { CaptureReader } from '${source}/capture/index.ts';
export { TcpdumpFormatter, fieldTree } from '${source}/dissect/index.ts';
export { Analyser } from '${source}/analyse/index.ts';
export { describe } from '${source}/analyse/describe.ts';
export { ladderOf } from '${source}/analyse/ladder.ts';
export { ladderSvg } from '${source}/analyse/ladder-svg.ts';
export { graphOf } from '${source}/analyse/graph.ts';
`;

type Build = (options: object) => Promise<{ outputFiles: { contents: Uint8Array; text: string }[] }>;

/** The bundler that tsx brings along; the test is skipped where it is gone. */
async function bundler(): Promise<Build | null> {
  try {
    const name = 'esbuild';
    return ((await import(name)) as { build: Build }).build;
  } catch {
    return null;
  }
}
const build = await bundler();

describe.skipIf(build === null)(
  `browser bundle (${build === null ? 'skipped: esbuild is not here' : 'esbuild'})`,
  () => {
    it('is under 100 KB packed, needs nothing of Node, and gives the same JSON', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'estab-bundle-'));
      try {
        const { outputFiles } = await (build as Build)({
          stdin: { contents: ENTRY, resolveDir: source, loader: 'ts' },
          bundle: true,
          minify: true,
          write: false,
          format: 'esm',
          platform: 'browser',
          logLevel: 'silent',
        });
        const [bundle] = outputFiles;
        expect(gzipSync(bundle.contents).length).toBeLessThan(100_000);
        expect(bundle.text).not.toMatch(/\bnode:|\bprocess\.|\bBuffer\b|\brequire\(/);
        const path = join(directory, 'bundle.mjs');
        writeFileSync(path, bundle.contents);
        const made = (await import(pathToFileURL(path).href)) as {
          Analyser: typeof Analyser;
          CaptureReader: typeof CaptureReader;
        };
        for (const name of ['g10-loss-sack-sender.pcap', 'g22-connect-scan.pcap', 'g31-challenge-ack.pcap']) {
          const bytes = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'captures', name));
          expect(run(made.Analyser, made.CaptureReader, bytes)).toBe(run(Analyser, CaptureReader, bytes));
        }
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  },
);

function run(A: typeof Analyser, R: typeof CaptureReader, bytes: Uint8Array): string {
  const analyser = new A();
  const reader = new R(analyser);
  reader.push(bytes);
  return JSON.stringify(analyser.finish('x', reader.end()));
}
