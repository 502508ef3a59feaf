/**
 * Network namespaces for tests against the Linux kernel: each test makes its own, runs both sides inside it (our stack
 * behind a TUN, the kernel's tools in front of it), and removes it with everything that still runs there.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

const PREFIX = 'estab-';

/** Whether this machine lets a test talk to the kernel, and if not, what is missing. */
export function canInterop(...programs: readonly string[]): { ok: boolean; reason: string } {
  const no = (reason: string): { ok: boolean; reason: string } => ({ ok: false, reason });
  if (process.platform !== 'linux') return no('needs Linux');
  if (process.getuid?.() !== 0) return no('needs root');
  if (!existsSync('/dev/net/tun')) return no('needs /dev/net/tun');
  for (const program of ['ip', ...programs]) {
    if (!findProgram(program)) return no(`needs the program ${program}`);
  }
  return kernelAllows();
}

let kernelAnswer: { ok: boolean; reason: string } | null = null;

function kernelAllows(): { ok: boolean; reason: string } {
  if (kernelAnswer === null) {
    const name = `${PREFIX}${process.pid}-try`;
    const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
    const reason = made.stderr?.trim() ?? '';
    kernelAnswer =
      made.status === 0 ? { ok: true, reason: '' } : { ok: false, reason: `needs network namespaces (${reason})` };
    if (made.status === 0) spawnSync('ip', ['netns', 'delete', name]);
  }
  return kernelAnswer;
}

function findProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** For `beforeEach(needs('curl'))`: skips the tests of a group, with the reason, where the kernel is out of reach. */
export function needs(...programs: readonly string[]): (context: { skip: (note: string) => void }) => void {
  return ({ skip }) => {
    const { ok, reason } = canInterop(...programs);
    if (!ok) skip(reason);
  };
}

export interface Finished {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface RunOptions {
  /** Milliseconds until the program is killed and the call rejects; 60,000 if left out. */
  timeout?: number;
  /** What the program reads from standard input; it sees the end of input after it. */
  input?: string | Uint8Array;
}

/** A program that runs inside a namespace. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Finished>;
  private readonly command: string;
  private readonly out: Buffer[] = [];
  private errors = '';
  private readonly watchers = new Set<() => void>();
  private over = false;

  constructor(namespace: string, command: string, args: readonly string[]) {
    this.command = [command, ...args].join(' ');
    this.child = spawn('ip', ['netns', 'exec', namespace, command, ...args], { cwd: ROOT, stdio: 'pipe' });
    // A program may end before it has read its input: that shows in its result, not as an error of the pipe.
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.out.push(chunk);
      this.wake();
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
      this.wake();
    });
    this.finished = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        this.over = true;
        this.wake();
        resolve({ code, signal, stdout: Buffer.concat(this.out), stderr: this.errors });
      });
    });
  }

  get stdout(): Buffer {
    return Buffer.concat(this.out);
  }

  get stderr(): string {
    return this.errors;
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** Waits until the output so far (of both streams, as text) satisfies `pattern`. */
  async seen(pattern: RegExp, timeout = 20_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.watchers.delete(look);
      };
      const look = (): void => {
        const match = pattern.exec(`${this.stdout.toString()}\n${this.errors}`);
        if (match !== null) {
          stop();
          resolve(match);
        } else if (this.over) {
          stop();
          reject(new Error(`${this.command} ended without ${pattern}: ${this.stdout.toString()}${this.errors}`));
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`${this.command} did not print ${pattern}: ${this.stdout.toString()}${this.errors}`));
      }, timeout);
      this.watchers.add(look);
      look();
    });
  }

  /** Waits for its end; kills it and rejects after `timeout` milliseconds. */
  async done(timeout = 60_000): Promise<Finished> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        const output = `${this.stdout.subarray(-2000).toString()}${this.errors.slice(-2000)}`;
        reject(new Error(`${this.command} still ran after ${timeout} ms: ${output}`));
      }, timeout);
    });
    try {
      return await Promise.race([this.finished, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal (Ctrl-C unless another is named) and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGINT', timeout = 20_000): Promise<Finished> {
    this.child.kill(signal);
    return this.done(timeout);
  }
}

/** A socket of the namespace's kernel, as `ss` shows it. */
export interface KernelSocket {
  /** `ESTAB`, `TIME-WAIT`, `FIN-WAIT-2`, … in ss's spelling. */
  state: string;
  local: string;
  peer: string;
}

export class Namespace {
  readonly name: string;
  /** A folder for the test's files; removed with the namespace. */
  readonly folder: string;
  private readonly programs = new Set<Running>();

  /** Makes one, with loopback up. Namespaces of test runs that died are removed first. */
  constructor() {
    removeStale();
    this.name = `${PREFIX}${process.pid}-${open.size}-${Date.now().toString(36)}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    open.add(this);
    this.folder = mkdtempSync(path.join(tmpdir(), 'estab-'));
    this.runNow('ip', ['link', 'set', 'lo', 'up']);
  }

  /** Runs a short program to its end and returns what it printed; throws when it fails. */
  runNow(command: string, args: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, command, ...args], { encoding: 'utf8', timeout: 20_000 });
  }

  /** Starts a program. */
  start(command: string, args: readonly string[]): Running {
    const running = new Running(this.name, command, args);
    this.programs.add(running);
    void running.finished.then(
      () => this.programs.delete(running),
      () => this.programs.delete(running),
    );
    return running;
  }

  /** Runs a program to its end. */
  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const running = this.start(command, args);
    running.child.stdin.end(options.input ?? '');
    return running.done(options.timeout ?? 60_000);
  }

  /** Runs a TypeScript program of test/interop/programs inside the namespace. */
  program(name: string, args: readonly string[] = [], nodeArgs: readonly string[] = []): Running {
    const file = path.join(ROOT, 'test', 'interop', 'programs', name);
    return this.start(process.execPath, [...nodeArgs, '--import', 'tsx', file, ...args]);
  }

  /** The kernel's TCP sockets, listeners left out. */
  sockets(): KernelSocket[] {
    return this.runNow('ss', ['-Htan'])
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields.length >= 5 && fields[0] !== 'LISTEN')
      .map(([state = '', , , local = '', peer = '']) => ({ state, local, peer }));
  }

  /** Waits until one of the kernel's TCP sockets is in `state`. */
  async untilSocket(state: string, timeout = 10_000): Promise<void> {
    const end = Date.now() + timeout;
    while (!this.sockets().some((socket) => socket.state === state)) {
      if (Date.now() > end)
        throw new Error(`no socket of the kernel's came to ${state}: ${JSON.stringify(this.sockets())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Kills what still runs and removes the namespace. To be called in `afterEach` or `afterAll`. */
  async close(): Promise<void> {
    if (!open.delete(this)) return;
    const programs = [...this.programs];
    for (const running of programs) running.child.kill('SIGKILL');
    await Promise.allSettled(programs.map((running) => running.finished));
    spawnSync('ip', ['netns', 'delete', this.name]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const open = new Set<Namespace>();

/** Removes namespaces whose test run is gone (it was killed before it could clean up). */
function removeStale(): void {
  const list = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  for (const match of list.matchAll(/^(estab-(\d+)-\S+)/gm)) {
    const [, name = '', pid = ''] = match;
    if (existsSync(`/proc/${pid}`)) continue;
    spawnSync('ip', ['netns', 'delete', name]);
  }
}

process.on('exit', () => {
  for (const namespace of open) spawnSync('ip', ['netns', 'delete', namespace.name]);
});
