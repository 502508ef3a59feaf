/** One library by one route, in a process of its own: libraries/run.mjs and its lines. */

import { spawn } from 'node:child_process';
import path from 'node:path';
import { selfSigned } from '../../test/libraries/certificate.ts';
import { FOLDER, type Library, ROOT, type Route } from './catalogue.ts';

/** One claim that held, or the error by which it did not. */
export interface Checked {
  readonly check: string;
  readonly error?: string;
}

export interface Result {
  readonly library: Library;
  readonly route: Route;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly checks: readonly Checked[];
  /** Why it was skipped, or what failed besides the checks. */
  readonly why: string;
  readonly seconds: number;
}

/** A real server in a network namespace, and our stack's way to it. */
export interface Outside {
  readonly namespace: string;
  readonly tun: string;
  /** Of our stack, with prefix length; and the kernel's at the other end. */
  readonly local: string;
  readonly peer: string;
  /** What libraries/stage.mjs hands to the checks as `server`. */
  readonly server: { readonly ports: Readonly<Record<string, number>>; readonly folder: string };
  /** PEM; valid for `peer`. */
  readonly key: string;
  readonly cert: string;
}

const TIMEOUT_MS = 300_000;
/** Of what a library prints when it fails, characters. */
const LONGEST_WHY = 1500;
const WATCH = path.join(ROOT, 'test', 'net', 'programs', 'watch-kernel.cjs');
const REGISTER = path.join(ROOT, 'dist', 'register.js');

/** A certificate for the addresses at which servers on our own stack are reached. */
const inside = selfSigned(
  ['localhost'],
  [
    [127, 0, 0, 1],
    [10, 0, 0, 2],
  ],
);

export async function runLibrary(library: Library, route: Route, outside: Outside | null = null): Promise<Result> {
  const from = performance.now();
  const { code, output, errors } = await runProgram(library, route, outside);
  const seconds = (performance.now() - from) / 1000;
  const lines = output.trim().split('\n');
  const kernel = lines.pop() ?? '';
  const checks = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Checked);
  const why: string[] = [];
  if (kernel !== 'kernel: nothing')
    why.push(kernel.startsWith('kernel:') ? `TCP calls to the ${kernel}` : 'it did not end well');
  if (code !== 0) why.push(`exit code ${code}`);
  if (checks.length === 0) why.push('no check was made');
  const failed = why.length > 0 || checks.some(({ error }) => error !== undefined);
  if (failed && errors !== '') why.push(errors.trim().slice(0, LONGEST_WHY));
  return { library, route, checks, why: why.join('\n'), seconds, state: failed ? 'failed' : 'passed' };
}

function runProgram(library: Library, route: Route, outside: Outside | null) {
  const { key, cert } = outside ?? inside;
  const stage = outside === null ? { key, cert } : { key, cert, outside, server: outside.server };
  const tun =
    outside === null || route !== 'preload'
      ? {}
      : { ESTAB_TUN: outside.tun, ESTAB_ADDRESS: outside.local, ESTAB_PEER: outside.peer };
  const preload = route === 'preload' ? ['-r', REGISTER] : [];
  const node = ['--no-deprecation', '-r', WATCH, ...preload, path.join(FOLDER, 'run.mjs'), library.name, route];
  const [command, ...args] =
    outside === null
      ? [process.execPath, ...node]
      : ['ip', 'netns', 'exec', outside.namespace, process.execPath, ...node];
  const child = spawn(command, args, {
    cwd: FOLDER,
    env: { ...process.env, ...tun, ESTAB_STAGE: JSON.stringify(stage) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise<{ code: number | string; output: string; errors: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 1, output, errors }));
  });
}
