/**
 * Real servers for the libraries, Debian's own, each in a network namespace that is made for it: the kernel serves, and a
 * TUN leads to our stack. They run as their own users on folders that go with them.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canInterop, Namespace, type Running } from '../../test/interop/namespace.ts';
import { selfSigned } from '../../test/libraries/certificate.ts';
import type { ServerName } from './catalogue.ts';
import type { Outside } from './runner.ts';

const PEER = '10.77.0.1';
const LOCAL = '10.77.0.2/24';
const TUN = 't0';
const PASSWORD = 'secret';

/** Where a server is set up: a folder that its user owns, holding `key.pem` and `cert.pem`. */
interface Site {
  readonly namespace: Namespace;
  readonly folder: string;
  /** Runs a program as the server's user. */
  as(command: string, ...args: string[]): [string, string[]];
}

interface Server {
  readonly user: string;
  /** The program, wherever Debian puts it. */
  readonly program: string;
  readonly ports: Readonly<Record<string, number>>;
  /** Prepares the folder and gives the command that serves. */
  prepare(site: Site, program: string): [string, string[]];
  /** What it prints when it is ready. */
  readonly ready: RegExp;
  readonly stop: NodeJS.Signals;
}

const file = (folder: string, name: string): string => path.join(folder, name);

const postgres: Server = {
  user: 'postgres',
  program: '/usr/lib/postgresql/*/bin/postgres',
  ports: { postgres: 5432 },
  ready: /database system is ready to accept connections/,
  stop: 'SIGINT',
  prepare({ folder, as }, program) {
    writeFileSync(file(folder, 'password'), PASSWORD);
    const data = file(folder, 'data');
    const [initdb, args] = as(path.join(path.dirname(program), 'initdb'), '-D', data, '-U', 'postgres', '-E', 'UTF8');
    const access = ['--locale=C', '--auth=scram-sha-256', `--pwfile=${file(folder, 'password')}`, '--no-sync'];
    execFileSync(initdb, [...args, ...access], { cwd: folder, stdio: 'pipe' });
    writeFileSync(file(data, 'pg_hba.conf'), 'host all all 10.77.0.0/24 scram-sha-256\n');
    const settings = {
      listen_addresses: PEER,
      unix_socket_directories: '',
      fsync: 'off',
      ssl: 'on',
      ssl_cert_file: file(folder, 'cert.pem'),
      ssl_key_file: file(folder, 'key.pem'),
    };
    return as(program, '-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]));
  },
};

const redis: Server = {
  user: 'redis',
  program: '/usr/bin/redis-server',
  ports: { redis: 6379, redisTls: 6380 },
  ready: /Ready to accept connections/,
  stop: 'SIGTERM',
  prepare({ folder, as }, program) {
    const secure = ['--tls-port', '6380', '--tls-auth-clients', 'no', '--tls-cert-file', file(folder, 'cert.pem')];
    const keys = ['--tls-key-file', file(folder, 'key.pem'), '--tls-ca-cert-file', file(folder, 'cert.pem')];
    return as(program, '--bind', PEER, '--dir', folder, '--save', '', '--requirepass', PASSWORD, ...secure, ...keys);
  },
};

const mariadb: Server = {
  user: 'mysql',
  program: '/usr/sbin/mariadbd',
  ports: { mariadb: 3306 },
  ready: /ready for connections/,
  stop: 'SIGTERM',
  prepare({ folder, as }, program) {
    const data = file(folder, 'data');
    const basis = ['--no-defaults', `--datadir=${data}`];
    const [install, args] = as('mariadb-install-db', ...basis, '--skip-test-db', '--skip-name-resolve');
    execFileSync(install, args, { cwd: folder, stdio: 'pipe' });
    const statements = [
      'create database estab',
      `create user 'estab'@'10.77.0.2' identified by '${PASSWORD}'`,
      "grant all on *.* to 'estab'@'10.77.0.2'",
    ];
    writeFileSync(file(folder, 'first.sql'), `${statements.join(';\n')};\n`);
    const secure = [`--ssl-cert=${file(folder, 'cert.pem')}`, `--ssl-key=${file(folder, 'key.pem')}`];
    const own = [
      `--init-file=${file(folder, 'first.sql')}`,
      `--socket=${file(folder, 'socket')}`,
      '--skip-name-resolve',
    ];
    return as(program, ...basis, `--bind-address=${PEER}`, '--max-allowed-packet=256M', ...own, ...secure);
  },
};

const sshd: Server = {
  user: 'root',
  program: '/usr/sbin/sshd',
  ports: { ssh: 22 },
  ready: /Server listening on/,
  stop: 'SIGTERM',
  prepare({ folder }, program) {
    for (const name of ['host', 'user']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(folder, name)]);
    }
    mkdirSync('/run/sshd', { recursive: true });
    const settings = [
      `HostKey ${file(folder, 'host')}`,
      `AuthorizedKeysFile ${file(folder, 'user.pub')}`,
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      'Subsystem sftp internal-sftp',
    ];
    writeFileSync(file(folder, 'config'), `${settings.join('\n')}\n`);
    return [program, ['-D', '-e', '-f', file(folder, 'config')]];
  },
};

const SERVERS: Readonly<Record<ServerName, Server>> = { postgres, redis, mariadb, sshd };

/** A server that runs, and how to end it. */
export interface Serving extends Outside {
  /** Runs a program on the server's side, in the namespace. */
  run: Namespace['run'];
  close(): Promise<void>;
}

/** Why a server cannot be had here, or null. */
export function missing(name: ServerName): string | null {
  const { user, program } = SERVERS[name];
  const { ok, reason } = canInterop();
  if (!ok) return reason;
  if (findProgram(program) === undefined) return `needs ${path.basename(program)} (Debian's, see npm run libraries)`;
  if (idOf('-u', user) === null) return `needs the user ${user}, as Debian's package makes it`;
  return null;
}

/** Starts a server in a namespace of its own. Ask {@link missing} first. */
export async function start(name: ServerName): Promise<Serving> {
  const server = SERVERS[name];
  const namespace = new Namespace();
  const folder = mkdtempSync(path.join(tmpdir(), `estab-${name}-`));
  let running: Running | null = null;
  const close = async (): Promise<void> => {
    // What a server has forked may outlive it (sshd's sessions): the namespace is ours, and so is all that runs there.
    const ending = running?.stop(server.stop).catch(() => {});
    if (running !== null) await exited(running);
    killAll(namespace.name);
    await ending;
    await namespace.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    namespace.runNow('ip', ['tuntap', 'add', 'dev', TUN, 'mode', 'tun']);
    namespace.runNow('ip', ['address', 'add', PEER, 'peer', LOCAL.replace(/\/.*/, ''), 'dev', TUN]);
    namespace.runNow('ip', ['link', 'set', TUN, 'up']);
    const identity = selfSigned(['estab.test'], [PEER.split('.').map(Number)]);
    own(folder, server.user, identity);
    const as = (command: string, ...args: string[]): [string, string[]] => [
      'setpriv',
      [`--reuid=${server.user}`, `--regid=${server.user}`, '--clear-groups', command, ...args],
    ];
    const [command, args] = server.prepare({ namespace, folder, as }, findProgram(server.program) as string);
    running = namespace.start('env', [`--chdir=${folder}`, command, ...args]);
    await running.seen(server.ready, 60_000);
    const { ports } = server;
    return {
      namespace: namespace.name,
      tun: TUN,
      local: LOCAL,
      peer: PEER,
      server: { ports, folder },
      ...identity,
      run: (...program) => namespace.run(...program),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function exited({ child }: Running): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
}

function killAll(namespace: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  for (const pid of stdout.trim().split(/\s+/)) {
    try {
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}

function own(folder: string, user: string, { key, cert }: { key: string; cert: string }): void {
  const [uid, gid] = [idOf('-u', user), idOf('-g', user)] as [number, number];
  writeFileSync(file(folder, 'key.pem'), key);
  writeFileSync(file(folder, 'cert.pem'), cert);
  chmodSync(file(folder, 'key.pem'), 0o600);
  for (const name of ['.', 'key.pem', 'cert.pem']) chownSync(file(folder, name), uid, gid);
}

/** The newest of several releases where a `*` stands in the path. */
function findProgram(pattern: string): string | undefined {
  const [folder, rest] = pattern.split('/*');
  if (rest === undefined) return existsSync(pattern) ? pattern : undefined;
  const releases = existsSync(folder) ? readdirSync(folder) : [];
  const programs = releases.sort((a, b) => Number(b) - Number(a)).map((name) => path.join(folder, name, rest));
  return programs.find((program) => existsSync(program));
}

function idOf(which: '-u' | '-g', user: string): number | null {
  const { status, stdout } = spawnSync('id', [which, user], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : null;
}
