#!/usr/bin/env node
/**
 * Runs the tests and ends with `N passed, N failed, N skipped`; exit code 0 when none failed, else 1. Arguments go to
 * vitest: `npm test -- src/wire` runs one folder, `npm test -- -t 'half-close'` the tests of that name.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const reporter = path.join(root, 'tools', 'reporter.ts');
const args = [vitest, 'run', '--no-color', `--reporter=${reporter}`, ...process.argv.slice(2)];
const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ESTAB_WHOLE_RUN: process.argv.length > 2 ? '0' : '1' };
const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env });

let tail = '';
child.stdout.setEncoding('utf8');
child.stdout.on('data', (text) => {
  process.stdout.write(text);
  tail = (tail + text).slice(-200);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => {
  // A run that died before its report (a crash, a bad configuration) still closes with the line that says so.
  if (/^\d+ passed, \d+ failed, \d+ skipped\n$/m.test(tail)) process.exitCode = code ?? 1;
  else {
    process.stdout.write('the test run ended before its report\n0 passed, 1 failed, 0 skipped\n');
    process.exitCode = 1;
  }
});
