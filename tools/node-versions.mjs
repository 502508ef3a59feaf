#!/usr/bin/env node
/**
 * Runs the tests that need nothing but Node on other versions of it, which npm brings as packages.
 *
 *   npm run node-versions [-- 22 24 …]
 *
 * Ends with `N passed, N failed, N skipped` over all of them; exit code 1 when one failed or could not be had.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Left out: what makes namespaces, starts browsers, or runs the command with the Node that is installed. */
const FOLDERS = [
  'src',
  'test/conformance',
  'test/property',
  'test/sim',
  'test/stack',
  'test/security',
  'test/net',
  'test/web/adapters',
  'test/web/socket',
  'test/libraries',
  'test/dns',
  'test/dgram',
];

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const version of versions) {
  const args = ['exec', '--yes', `--package=node@${version}`, '--', 'node', 'tools/test.mjs', ...FOLDERS];
  const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const match = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(run.stdout);
  if (match === null) {
    process.stdout.write(`Node ${version}: could not be run\n${run.stdout}${run.stderr}`);
    total.failed++;
    continue;
  }
  if (match[2] !== '0') process.stdout.write(run.stdout);
  process.stdout.write(`Node ${version}: ${match[0]}\n`);
  total.passed += Number(match[1]);
  total.failed += Number(match[2]);
  total.skipped += Number(match[3]);
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
