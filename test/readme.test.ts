/** README says what is so: its programs run and print what it says, its pictures are the command's own output. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const COMMAND = path.join(ROOT, 'dist', 'bin', 'estab.js');

const programs = [...README.matchAll(/```ts\n([\s\S]*?)```\n```text\n([\s\S]*?)```/g)].map(([, source, output]) => ({
  source,
  output,
}));
const pictures = [...README.matchAll(/<!-- output of: estab (.*?) -->\n```text\n([\s\S]*?)```/g)].map(
  ([, args, output]) => ({ args, output }),
);

/** `estab/net` as the checkout has it. */
function fromCheckout(source: string): string {
  return source.replace(/from 'estab(\/[a-z]+)?'/g, (_, part: string | undefined) => {
    const file = path.join(ROOT, 'src', part ?? '', 'index.ts');
    return `from '${pathToFileURL(file)}'`;
  });
}

describe('README', () => {
  test('has programs and pictures to check', () => {
    expect(programs.length).toBeGreaterThanOrEqual(4);
    expect(pictures.length).toBeGreaterThanOrEqual(2);
    expect([...README.matchAll(/```ts\n/g)]).toHaveLength(programs.length);
  });

  test.each(programs.map(({ source, output }, i) => ({ i, source, output })))('program $i', ({ source, output }) => {
    const folder = mkdtempSync(path.join(ROOT, 'out-readme-'));
    try {
      const file = path.join(folder, 'program.mts');
      writeFileSync(file, fromCheckout(source));
      const run = spawnSync(process.execPath, ['--import', 'tsx', file], {
        cwd: ROOT,
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect(run.stderr).toBe('');
      expect(run.stdout).toBe(output);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(pictures)('estab $args', ({ args, output }) => {
    const folder = mkdtempSync(path.join(ROOT, 'out-readme-'));
    try {
      const run = spawnSync(process.execPath, [COMMAND, ...args.split(' ')], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, COLUMNS: '110' },
      });
      expect(run.stdout).toBe(output);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
