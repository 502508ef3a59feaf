/** The deterministic test of a client, by both test runners it is written for. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commandFile } from '../interop/command.ts';
import { ROOT } from '../interop/namespace.ts';

const EXAMPLE = path.join(ROOT, 'examples', 'deterministic-test');
const TESTS = 6;

function run(args: string[]): { status: number | null; output: string } {
  commandFile();
  // Neither runner is to believe that it runs inside of this one.
  const { NODE_TEST_CONTEXT: _context, VITEST: _vitest, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: EXAMPLE,
    encoding: 'utf8',
    env: { ...env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  return { status, output: `${stdout}${stderr}` };
}

test('with node:test', () => {
  const files = readdirSync(path.join(EXAMPLE, 'node-test')).map((name) => path.join(EXAMPLE, 'node-test', name));
  const { status, output } = run(['--test', '--test-reporter=tap', ...files]);
  expect(output).toMatch(new RegExp(`^# pass ${TESTS}$`, 'm'));
  expect(output).toMatch(/^# fail 0$/m);
  expect(status).toBe(0);
});

test('with vitest', () => {
  const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { status, output } = run([vitest, 'run', '--root', EXAMPLE]);
  expect(output).toMatch(new RegExp(`Tests +${TESTS} passed \\(${TESTS}\\)`));
  expect(status).toBe(0);
});
