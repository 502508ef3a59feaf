#!/usr/bin/env node
/**
 * Everything that must hold before a change is done: format and lint, types, floors, unused code, tests, conformance.
 * Stops at the first that fails. The tests run before the conformance table because it reads their results.
 *
 *   npm run check
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const program = (name, ...rest) => [process.execPath, path.join(root, 'node_modules', ...rest, name)];

const STEPS = [
  {
    name: 'format and lint',
    command: [...program('biome', '@biomejs', 'biome', 'bin'), 'ci', '--colors=off', '.'],
    advice: '`npm run format` mends most of it',
  },
  {
    name: 'types',
    command: [...program('tsc', 'typescript', 'bin'), '-p', 'tsconfig.json'],
    advice: 'mend the types; there is no way around them here',
  },
  {
    name: 'floors',
    command: [...program('cli.mjs', 'tsx', 'dist'), 'tools/floors.ts'],
    advice: 'each line above says what to do',
  },
  {
    name: 'unused code',
    command: [...program('knip.js', 'knip', 'bin'), '--no-progress'],
    advice: 'remove what nobody uses, or export it from the package',
  },
  { name: 'tests', command: [process.execPath, 'tools/test.mjs'], advice: '`npm test -- FILE` runs one file' },
  {
    name: 'conformance',
    command: [...program('cli.mjs', 'tsx', 'dist'), 'tools/conformance.ts'],
    advice: 'each line above says what to do',
  },
];

for (const [i, { name, command, advice }] of STEPS.entries()) {
  process.stdout.write(`check ${i + 1}/${STEPS.length}: ${name}\n`);
  const [file, ...args] = command;
  const result = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status !== 0) {
    const why = result.error ? result.error.message : `exit code ${result.status ?? result.signal}`;
    process.stderr.write(`check: "${name}" failed (${why}); ${advice}\n`);
    process.exit(1);
  }
}
process.stdout.write('check: everything holds\n');
