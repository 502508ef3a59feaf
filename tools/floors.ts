/**
 * The floors check: a source file imports its own folder and the floors below it, and nothing else; and the floors that
 * must run anywhere and replay from a seed touch no clock, no randomness, no timer and no platform.
 *
 *   npm run floors
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Token, tokenize } from './tokens.ts';

const STACK = ['base', 'crypto', 'wire', 'tcp', 'ip', 'stack'];
const HOST = [...STACK, 'capture', 'link', 'host'];

/** Which floors a floor may import besides itself. */
const FLOORS: Record<string, readonly string[] | 'anything'> = {
  base: [],
  crypto: ['base'],
  wire: ['base'],
  capture: ['base', 'wire'],
  tcp: ['base', 'wire'],
  ip: ['base', 'wire'],
  stack: STACK,
  sim: [...STACK, 'capture'],
  dissect: ['base', 'wire', 'capture'],
  analyse: ['base', 'wire', 'capture', 'dissect'],
  testing: [...STACK, 'capture', 'sim', 'dissect'],
  link: [...STACK, 'capture'],
  host: [...STACK, 'capture', 'link'],
  net: HOST,
  web: HOST,
  dns: HOST,
  dgram: [...HOST, 'net'],
  preload: [...HOST, 'net', 'dns', 'dgram', 'sim', 'embedded'],
  embedded: [...HOST, 'sim', 'dns'],
  bin: 'anything',
  lab: 'anything',
};

/** The floors that may touch the platform; all others are sans-IO. */
const PLATFORM_FLOORS = new Set(['link', 'host', 'net', 'web', 'dns', 'dgram', 'embedded', 'preload', 'bin', 'lab']);

const TIME = 'take `now` as an argument (RFC 9293 timers are deadlines that the host reads from nextDeadline())';
const TIMER = 'keep a deadline and let the host call handleTimeout(now)';
const RANDOM = 'take a RandomSource (base/random.ts) at construction';
const PLATFORM = 'move the code to link, host, net, web or bin, or pass in what it needs';

/** Global names that the sans-IO floors must not use, and what to do instead. */
const FORBIDDEN: Record<string, string> = {
  Date: TIME,
  performance: TIME,
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  clearTimeout: TIMER,
  clearInterval: TIMER,
  clearImmediate: TIMER,
  requestAnimationFrame: TIMER,
  queueMicrotask: 'hand the outcome to deliverEvents(); the host decides when it runs',
  crypto: RANDOM,
  process: PLATFORM,
  Buffer: 'use Uint8Array (base/bytes.ts reads and writes numbers in it)',
  fetch: PLATFORM,
  WebSocket: PLATFORM,
  Worker: PLATFORM,
  navigator: PLATFORM,
  document: PLATFORM,
  localStorage: PLATFORM,
  globalThis: PLATFORM,
  eval: 'write the code out',
  console: 'emit a trace event or return the text',
};

/** Of these, the ones that nobody calls directly: before `(` such a name is a method or function of the file's own. */
const NOT_CALLED = new Set(['process', 'crypto', 'performance', 'console', 'navigator', 'document', 'localStorage']);

/** `line: what, why, what to do` for every breach in one file; `file` is its path inside src, with `/`. */
export function checkFile(file: string, source: string): string[] {
  const tokens = tokenize(source);
  const breaches = checkImports(file, tokens);
  const floor = floorOf(file);
  if (floor !== null && !PLATFORM_FLOORS.has(floor)) breaches.push(...checkGlobals(floor, tokens));
  breaches.sort((a, b) => a.line - b.line);
  return breaches.map(({ line, message }) => `${line}: ${message}`);
}

interface Breach {
  line: number;
  message: string;
}

/** The first folder of a path inside src; null for a file that lies in src itself (a package entry). */
function floorOf(file: string): string | null {
  const slash = file.indexOf('/');
  return slash < 0 ? null : file.slice(0, slash);
}

/** Every module a file names: import and export … from, import type, import('x'), require('x'), import x = require. */
function importsOf(tokens: readonly Token[]): { specifier: string; line: number }[] {
  const found: { specifier: string; line: number }[] = [];
  for (const [i, token] of tokens.entries()) {
    if (token.kind !== 'string') continue;
    const before = tokens[i - 1];
    const previous = tokens[i - 2];
    if (before === undefined) continue;
    const called =
      before.text === '(' &&
      (previous?.text === 'import' || previous?.text === 'require' || previous?.text === 'resolve');
    const named = before.kind === 'name' && (before.text === 'from' || before.text === 'import');
    // `from` may also be a variable: only a closing brace, a name or a star stands before the one of an import.
    const clause =
      before.text !== 'from' || previous?.text === '}' || previous?.kind === 'name' || previous?.text === '*';
    if (called || (named && clause)) found.push({ specifier: token.text, line: token.line });
  }
  return found;
}

function checkImports(file: string, tokens: readonly Token[]): Breach[] {
  const floor = floorOf(file);
  if (floor === null) return [];
  const allowed = FLOORS[floor];
  if (allowed === undefined) {
    const message = `folder src/${floor} is no floor, so nothing says what it may import; add it to FLOORS in tools/floors.ts`;
    return [{ line: 1, message }];
  }
  const breaches: Breach[] = [];
  for (const { specifier, line } of importsOf(tokens)) {
    const message = specifier.startsWith('.')
      ? relativeBreach(file, floor, allowed, specifier)
      : packageBreach(floor, specifier);
    if (message !== null) breaches.push({ line, message });
  }
  return breaches;
}

function relativeBreach(
  file: string,
  floor: string,
  allowed: readonly string[] | 'anything',
  specifier: string,
): string | null {
  if (allowed === 'anything') return null;
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const targetFloor = target.startsWith('..') ? null : floorOf(target);
  if (targetFloor === floor || (targetFloor !== null && allowed.includes(targetFloor))) return null;
  const below = allowed.length === 0 ? 'nothing' : allowed.join(', ');
  const where = targetFloor === null ? 'which is no floor' : `which floor ${floor} does not stand on`;
  return `imports ${specifier}, ${where} (it may import ${below}); move the code down, or pass what it needs in as an argument`;
}

function packageBreach(floor: string, specifier: string): string | null {
  if (PLATFORM_FLOORS.has(floor)) return null;
  if (specifier.startsWith('node:')) return `imports ${specifier}, but floor ${floor} runs without Node; ${PLATFORM}`;
  return `imports the package ${specifier}, but floor ${floor} has no dependencies at run time; ${PLATFORM}`;
}

function checkGlobals(floor: string, tokens: readonly Token[]): Breach[] {
  const breaches: Breach[] = [];
  for (const [i, token] of tokens.entries()) {
    if (token.kind !== 'name') continue;
    const random = token.text === 'Math' && tokens[i + 1]?.text === '.' && tokens[i + 2]?.text === 'random';
    const advice = random ? RANDOM : Object.hasOwn(FORBIDDEN, token.text) ? FORBIDDEN[token.text] : undefined;
    if (advice === undefined || isOwnName(tokens, i)) continue;
    const name = random ? 'Math.random' : token.text;
    breaches.push({ line: token.line, message: `uses ${name}, but floor ${floor} is sans-IO; ${advice}` });
  }
  return breaches;
}

/** True when the name at `i` is a property, a key or a method, not the global of that name. */
function isOwnName(tokens: readonly Token[], i: number): boolean {
  const name = tokens[i]?.text ?? '';
  const before = tokens[i - 1]?.text ?? '';
  const after = tokens[i + 1]?.text ?? '';
  if (before === '.' || before === '?.') return true;
  if (['readonly', 'private', 'protected', 'get', 'set', 'static', 'override', 'function'].includes(before))
    return true;
  const optional = after === '?' && tokens[i + 2]?.text === ':';
  if ((after === ':' || optional) && ['{', ',', ';', '(', '}'].includes(before)) return true;
  return after === '(' && NOT_CALLED.has(name);
}

function sourceFiles(folder: string, prefix = ''): string[] {
  return readdirSync(path.join(folder, prefix), { withFileTypes: true })
    .flatMap((entry) => {
      const name = prefix + entry.name;
      if (entry.isDirectory()) return sourceFiles(folder, `${name}/`);
      return /\.[cm]?ts$/.test(name) && !/\.test\.ts$/.test(name) ? [name] : [];
    })
    .sort();
}

function main(): void {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  const files = sourceFiles(path.join(root, 'src'));
  const breaches = files.flatMap((file) =>
    checkFile(file, readFileSync(path.join(root, 'src', file), 'utf8')).map((message) => `src/${file}:${message}`),
  );
  for (const breach of breaches) process.stderr.write(`${breach}\n`);
  if (breaches.length > 0) {
    process.stderr.write(`floors: ${breaches.length} breaches in ${files.length} files\n`);
    process.exitCode = 1;
  } else process.stdout.write(`floors: ${files.length} files stand where they should\n`);
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main();
