/**
 * Runs Node's own test-net-* files against estab/net on the embedded network, each in a process of its own, and ends
 * with `N passed, N failed, N skipped`. A test passes when it exits with 0 and has made no TCP call to the kernel.
 *
 *   npm run node-net -- DIR [name …]
 *
 * DIR holds Node's `test/` tree (parallel/, common/, …), which stays outside the project; names choose some of the
 * files.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Listed {
  readonly file: string;
  /** Releases of Node that have it. */
  readonly releases: readonly string[];
  /** Why it says nothing about a net that is not the kernel's. */
  readonly excluded?: string;
}

interface Result {
  readonly file: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly why: string;
}

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const TSX = pathToFileURL(path.join(ROOT, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
const HOOK = pathToFileURL(path.join(ROOT, 'test', 'node-net', 'hook.ts')).href;
const TIMEOUT_MS = 60_000;

function listed(): Listed[] {
  return JSON.parse(readFileSync(path.join(ROOT, 'test', 'node-net', 'files.json'), 'utf8')) as Listed[];
}

/** `// Flags: --expose-gc` at the top of a file. */
function flagsOf(file: string): string[] {
  const found = /^\/\/ Flags:(.*)$/m.exec(readFileSync(file, 'utf8'));
  return found === null ? [] : found[1].trim().split(/\s+/);
}

function runOne(directory: string, file: string, scratch: string): Promise<Result> {
  const full = path.join(directory, file);
  const calls = path.join(scratch, `${path.basename(file)}.calls`);
  const env = { ...process.env, ESTAB_KERNEL_CALLS: calls, NODE_TEST_DIR: scratch, NODE_PENDING_DEPRECATION: '0' };
  const child = spawn(process.execPath, [...flagsOf(full), '--import', TSX, '--import', HOOK, full], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, TIMEOUT_MS);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const kernel = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
      const skipped = /^1\.\.0 # Skipped: (.*)$/m.exec(output);
      if (late) resolve({ file, state: 'failed', why: `not done after ${TIMEOUT_MS / 1000} s\n${output}` });
      else if (code !== 0) resolve({ file, state: 'failed', why: `exit code ${code ?? signal}\n${output}` });
      else if (kernel.length > 0) resolve({ file, state: 'failed', why: `calls to the kernel: ${kernel.join(' ')}` });
      else if (skipped !== null) resolve({ file, state: 'skipped', why: skipped[1] });
      else resolve({ file, state: 'passed', why: '' });
    });
  });
}

async function runAll(directory: string, files: readonly string[]): Promise<Result[]> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'estab-node-net-'));
  const queue = [...files];
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runOne(directory, file, scratch);
      results.push(result);
      if (result.state !== 'passed') process.stdout.write(`${result.state} ${file}: ${result.why.trimEnd()}\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker));
  rmSync(scratch, { recursive: true, force: true });
  return results;
}

async function main(): Promise<void> {
  const [given, ...names] = process.argv.slice(2);
  const directory = given === undefined ? '' : path.resolve(given);
  if (!existsSync(path.join(directory, 'common', 'index.js'))) {
    process.stderr.write(
      "node-net: give the directory with Node's test/ tree, the one that holds common/ and parallel/:\n" +
        '  npm run node-net -- /path/to/node/test\n',
    );
    process.exitCode = 2;
    return;
  }
  const applicable = listed().filter(({ file, excluded }) => {
    const named = names.length === 0 || names.some((name) => file.includes(name));
    return named && excluded === undefined && existsSync(path.join(directory, file));
  });
  const results = await runAll(
    directory,
    applicable.map(({ file }) => file),
  );
  const count = (state: Result['state']): number => results.filter((result) => result.state === state).length;
  process.stdout.write(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
  if (count('failed') > 0 || results.length === 0) process.exitCode = 1;
}

await main();
