/** Sources of this project put together for browsers, by the bundler that tsx brings along. */

import { join } from 'node:path';

const SOURCE = join(import.meta.dirname, '..', '..', 'src');

/** Everything of captures a page needs. */
export const ANALYSIS = `
export { CaptureReader } from '${SOURCE}/capture/index.ts';
export { TcpdumpFormatter, fieldTree } from '${SOURCE}/dissect/index.ts';
export { Analyser } from '${SOURCE}/analyse/index.ts';
export { describe } from '${SOURCE}/analyse/describe.ts';
export { ladderOf } from '${SOURCE}/analyse/ladder.ts';
export { ladderSvg } from '${SOURCE}/analyse/ladder-svg.ts';
export { graphOf } from '${SOURCE}/analyse/graph.ts';
`;

export interface Bundled {
  readonly contents: Uint8Array;
  readonly text: string;
}

type Build = (options: object) => Promise<{ outputFiles: Bundled[] }>;

/** One ES module, `estab-entry` standing for the package's front door; null where there is no bundler. */
export async function bundle(entry: string): Promise<Bundled | null> {
  let build: Build;
  try {
    const name = 'esbuild';
    build = ((await import(name)) as { build: Build }).build;
  } catch {
    return null;
  }
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: SOURCE, loader: 'ts' },
    alias: { 'estab-entry': join(SOURCE, 'index.ts') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  return outputFiles[0];
}
