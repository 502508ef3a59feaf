/**
 * The package as a user gets it: packed, unpacked beside its dependencies, without the optional ones, and used from
 * JavaScript, from TypeScript and as a command.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Manifest {
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string>;
  dependencies?: Record<string, string>;
}

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
let home = '';
let installed = '';

function run(command: string, args: string[], cwd = home): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'estab-user-'));
  installed = path.join(home, 'node_modules', 'estab');
  mkdirSync(installed, { recursive: true });
  run(process.execPath, [path.join(ROOT, 'tools', 'setup.mjs'), '--build', '--quiet']);
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', home], ROOT);
  const tarball = readdirSync(home).find((name) => name.endsWith('.tgz')) ?? '';
  run('tar', ['-xzf', path.join(home, tarball), '-C', installed, '--strip-components=1']);
  // Dependencies come from this checkout, so that the test needs no registry; the optional koffi stays away.
  copyDependencies(manifest);
  writeFileSync(path.join(home, 'package.json'), JSON.stringify({ name: 'user', type: 'module', private: true }));
});
afterAll(() => {
  if (home !== '') rmSync(home, { recursive: true, force: true });
});

function copyDependencies({ dependencies = {} }: Pick<Manifest, 'dependencies'>): void {
  for (const name of Object.keys(dependencies)) {
    const [from, to] = [ROOT, home].map((folder) => path.join(folder, 'node_modules', name)) as [string, string];
    if (existsSync(to)) continue;
    cpSync(from, to, { recursive: true });
    copyDependencies(JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8')) as Manifest);
  }
}

/** Every name a user can import: the exports, with the files behind a `*`. */
function subpaths(): string[] {
  return Object.entries(manifest.exports).flatMap(([key, target]) => {
    if (key.endsWith('.json')) return [];
    if (!key.includes('*')) return [key.replace(/^\./, 'estab')];
    const folder = path.join(installed, path.dirname(target));
    const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
    return names.map((name) => key.replace(/^\./, 'estab').replace('*', path.basename(name, '.js')));
  });
}

test('every part with an index is exported, and every export is there', () => {
  const parts = readdirSync(path.join(ROOT, 'src')).filter((name) =>
    existsSync(path.join(ROOT, 'src', name, 'index.ts')),
  );
  expect(Object.keys(manifest.exports)).toEqual(expect.arrayContaining(parts.map((name) => `./${name}`)));
  for (const target of Object.values(manifest.exports)) {
    if (!target.includes('*')) expect(existsSync(path.join(installed, target)), target).toBe(true);
  }
});

test('the package holds no tests, no sources, and what it must', () => {
  const files = readdirSync(installed, { recursive: true }).map(String);
  expect(files.filter((name) => /\.test\.|(?<!\.d)\.ts$|\.stamp$/.test(name))).toEqual([]);
  expect(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'].filter((name) => !files.includes(name))).toEqual([]);
});

test('every export loads without koffi, prints nothing, starts nothing', () => {
  for (const name of subpaths()) {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `import '${name}'`], {
      cwd: home,
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect({ name, status, stdout, stderr }).toEqual({ name, status: 0, stdout: '', stderr: '' });
  }
});

test('-r estab/register puts an unmodified CommonJS program on the stack', (context) => {
  const { features } = process as unknown as { features: { require_module?: boolean } };
  if (features.require_module !== true) context.skip('this Node cannot require() an ES module; --import works');
  const program = `const net = require('net');
    const server = net.createServer((socket) => socket.end('over ' + socket._handle.constructor.name)).listen(0, () => {
      net.connect(server.address().port).on('data', (part) => console.log(String(part))).on('close', () => server.close());
    });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', 'estab/register', '-e', program], {
    cwd: home,
    encoding: 'utf8',
    timeout: 10_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'over TcpHandle\n', stderr: '' });
});

test('a TUN without koffi says how to get it', () => {
  const script = `import { openTun } from 'estab/link/tun'; await openTun({ name: 't0' }).catch((e) => console.log(e.code, e.message));`;
  expect(run(process.execPath, ['--input-type=module', '-e', script])).toMatch(
    process.platform === 'linux' ? /^ENOTSUP .*npm install koffi@/ : /^ENOTSUP /,
  );
});

test('the declarations are whole: a strict TypeScript project compiles against every export', () => {
  const lines = subpaths().map((name, i) => `import * as m${i} from '${name}';\nexport { m${i} };`);
  writeFileSync(path.join(home, 'use.ts'), `${lines.join('\n')}\n`);
  cpSync(path.join(ROOT, 'node_modules', '@types'), path.join(home, 'node_modules', '@types'), { recursive: true });
  cpSync(path.join(ROOT, 'node_modules', 'undici-types'), path.join(home, 'node_modules', 'undici-types'), {
    recursive: true,
  });
  const compiler = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', 'use.ts'];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options], { cwd: home, encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

test('the command runs as installed, helps, and refuses nonsense with exit code 2', () => {
  const command = path.join(installed, manifest.bin.estab ?? '');
  expect(run(command, ['--help'])).toContain('estab');
  const { status, stderr } = spawnSync(command, ['--frobnicate'], { cwd: home, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('frobnicate');
});
