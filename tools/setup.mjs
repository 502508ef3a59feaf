#!/usr/bin/env node
/**
 * Makes a checkout ready to run, from nothing but Node and npm: packages, the compiled command, Debian packages that
 * the tests use. Plain JavaScript without imports from outside Node, because it runs before anything is installed.
 *
 *   node tools/setup.mjs [--build] [--libraries] [--debian] [--servers] [--quiet] [--force]
 *
 * What is up to date is left alone (by content, not by time), so a second run costs a few milliseconds. Messages go to
 * standard error: standard output belongs to the command that runs next.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = path.join(root, 'node_modules');
const dist = path.join(root, 'dist');
const flags = new Set(process.argv.slice(2));
const quiet = flags.has('--quiet');

/** Debian packages that tests use: the program looked for, and the package that brings it. */
const DEBIAN_PACKAGES = {
  ip: 'iproute2',
  tcpdump: 'tcpdump',
  tshark: 'tshark',
  iperf3: 'iperf3',
  curl: 'curl',
  'nc.openbsd': 'netcat-openbsd',
  ping: 'iputils-ping',
  chromium: 'chromium',
  nginx: 'nginx-light',
  openssl: 'openssl',
  dnsmasq: 'dnsmasq-base',
  wrk: 'wrk',
  ab: 'apache2-utils',
  'redis-server': 'redis-server',
  psql: 'postgresql-client',
};

/** And real servers, for `npm run libraries` alone. */
const DEBIAN_SERVERS = {
  '/usr/share/postgresql-common/pg_wrapper': 'postgresql',
  'redis-server': 'redis-server',
  mariadbd: 'mariadb-server',
  sshd: 'openssh-server',
};

function say(message) {
  if (!quiet || process.stderr.isTTY) process.stderr.write(`${message}\n`);
}

function fail(message) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(1);
}

/** Runs a program with its output held back, shown only when it fails. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  const reason = result.error ? result.error.message : output;
  return { ok: result.status === 0, output: reason };
}

/** A digest of names and contents of files and folders: the same tree gives the same stamp on any machine. */
function stampOf(entries) {
  const hash = createHash('sha256').update(process.versions.modules);
  const add = (file) => {
    const stat = statSync(file);
    if (stat.isDirectory()) {
      for (const name of readdirSync(file).sort()) add(path.join(file, name));
    } else if (!file.endsWith('.test.ts')) {
      hash.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
    }
  };
  for (const entry of entries) {
    const file = path.join(root, entry);
    if (existsSync(file)) add(file);
  }
  return hash.digest('hex');
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Two commands started at once must not install into or build over one another: a folder serves as the lock. */
function locked(action) {
  const lock = path.join(root, '.setup-lock');
  const deadline = Date.now() + 300_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`cannot write to the checkout (${error.message}); give this user write access`);
    }
    if (holderIsGone(lock)) rmSync(lock, { recursive: true, force: true });
    else if (Date.now() > deadline)
      fail('another setup holds .setup-lock for five minutes; end it or remove that folder');
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  writeFileSync(path.join(lock, 'pid'), String(process.pid));
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  action();
  release();
}

function holderIsGone(lock) {
  try {
    const pid = Number(readFileSync(path.join(lock, 'pid'), 'utf8'));
    if (!pid) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    if (error.code === 'ESRCH') return true;
    // No pid yet: its owner is between making the folder and writing the file, or died just there.
    if (error.code === 'ENOENT') return existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 10_000;
    return false;
  }
}

const PACKAGE_FILES = ['package.json', 'package-lock.json'];

function packagesStamp() {
  // Only what decides which packages are installed: editing a script in package.json must not reinstall everything.
  const manifest = JSON.parse(readFileSync(path.join(root, PACKAGE_FILES[0]), 'utf8'));
  const wanted = [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies];
  return stampOf([PACKAGE_FILES[1]]) + createHash('sha256').update(JSON.stringify(wanted)).digest('hex');
}

function installPackages() {
  const stampFile = path.join(modules, '.estab-packages');
  const stamp = packagesStamp();
  if (readStamp(stampFile) === stamp) return;
  say('setup: installing npm packages …');
  // The pinned versions, digests checked. Install scripts are not run: koffi and esbuild bring ready-made binaries.
  const npm = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!npm.ok) fail(`npm ci failed; is the package registry reachable?\n${npm.output}`);
  writeFileSync(stampFile, stamp);
}

/** The packages of libraries/, pinned there. What needs them skips, or says so, where they cannot be had. */
function installLibraries() {
  const folder = path.join(root, 'libraries');
  const stampFile = path.join(folder, 'node_modules', '.estab-packages');
  const stamp = stampOf(PACKAGE_FILES.map((name) => path.join('libraries', name)));
  if (readStamp(stampFile) === stamp) return;
  say('setup: installing the npm packages of libraries/ …');
  const npm = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  if (npm.ok) {
    // The examples find them too.
    rmSync(path.join(root, 'examples', 'node_modules'), { force: true });
    symlinkSync(path.join('..', 'libraries', 'node_modules'), path.join(root, 'examples', 'node_modules'));
    writeFileSync(stampFile, stamp);
  } else say(`setup: npm ci failed in libraries/; is the package registry reachable?\n${npm.output}`);
}

const BUILD_INPUTS = ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

function build() {
  const stampFile = path.join(dist, '.stamp');
  const stamp = stampOf(BUILD_INPUTS);
  if (!flags.has('--force') && readStamp(stampFile) === stamp) return;
  say('setup: compiling …');
  const fresh = path.join(root, `.dist-${process.pid}`);
  const compiler = path.join(modules, 'typescript', 'bin', 'tsc');
  // Types are checked by `npm run check`; here the sources are only turned into JavaScript and declarations.
  const tsc = run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', fresh]);
  if (!tsc.ok) {
    rmSync(fresh, { recursive: true, force: true });
    fail(`compiling failed; mend what it names\n${tsc.output}`);
  }
  const command = path.join(fresh, 'bin', 'estab.js');
  if (existsSync(command)) chmodSync(command, 0o755);
  writeFileSync(path.join(fresh, '.stamp'), stamp);
  // A whole new folder is put in place of the old one: no file of a removed source stays behind, and a command that
  // starts meanwhile never sees half a build.
  const old = `${fresh}-old`;
  if (existsSync(dist)) renameSync(dist, old);
  try {
    renameSync(fresh, dist);
  } catch {
    cpSync(fresh, dist, { recursive: true });
    rmSync(fresh, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders.some((folder) => {
    try {
      accessSync(path.resolve(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whatever goes wrong here costs only the tests that need the program: they skip and say which one is missing. */
function installDebianPackages(wanted) {
  const missing = Object.keys(wanted).filter((program) => !findProgram(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => wanted[program]))];
  const without = `tests that need ${missing.join(', ')} will skip`;
  if (process.platform !== 'linux' || !findProgram('apt-get')) {
    say(`setup: no apt-get here; ${without}`);
    return;
  }
  if (process.getuid?.() !== 0) {
    say(`setup: not root; ${without} (as root: apt-get install ${packages.join(' ')})`);
    return;
  }
  say(`setup: installing Debian packages ${packages.join(' ')} …`);
  // Run level 1: servers among them are installed, not started.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const patience = ['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::https::Timeout=20', '-o', 'Acquire::Retries=1'];
  const options = { env, timeout: 240_000 };
  run('apt-get', ['-qq', ...patience, 'update'], options);
  const apt = run('apt-get', ['-qq', '-y', '--no-install-recommends', ...patience, 'install', ...packages], options);
  if (!apt.ok) say(`setup: apt-get could not install them; ${without}\n${apt.output}`);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) fail(`Node 20.11 or newer is needed, this is ${process.version}`);

if (flags.has('--build')) {
  const upToDate =
    !flags.has('--force') &&
    readStamp(path.join(modules, '.estab-packages')) === packagesStamp() &&
    readStamp(path.join(dist, '.stamp')) === stampOf(BUILD_INPUTS);
  if (!upToDate) {
    locked(() => {
      installPackages();
      build();
    });
  }
}
if (flags.has('--libraries')) locked(installLibraries);
if (flags.has('--debian')) installDebianPackages(DEBIAN_PACKAGES);
if (flags.has('--servers')) installDebianPackages(DEBIAN_SERVERS);
