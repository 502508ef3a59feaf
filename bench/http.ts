/**
 * Node's own http over our stack behind a TUN, beside node's http over the kernel's loopback, under the same load.
 *
 *   npm run bench:http -- [--seconds 3] [--connections 1,32,128] [--rounds 3]     as root, on Linux, with wrk
 *
 * Everything happens in a network namespace of its own. Each number of connections is measured in rounds, ours and the
 * kernel's in turn, so that what else the machine does falls on both; of each the best round is shown, side by side:
 * requests a second, the median and the slowest hundredth, and the server's CPU time a request.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,32,128' },
    rounds: { type: 'string', default: '3' },
  },
});
const ROOT = path.resolve(import.meta.dirname, '..');
const NAMESPACE = `estab-bench-${process.pid}`;
const BODY = 'hello from a small page\n';
/** The same server for the kernel: node's http, one file from memory, as sirv gives ours. */
const KERNEL_SERVER = `
require('node:http').createServer((request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(${JSON.stringify(BODY)});
}).listen(8080, '127.0.0.1', () => console.log('ready'));
`;
const OUR_SERVER = `
import { createServer } from 'node:http';
import { Host } from '${ROOT}/dist/host/host.js';
import { openTun } from '${ROOT}/dist/link/tun.js';
import { configureTun } from '${ROOT}/dist/link/tun-configure.js';
import { createNet } from '${ROOT}/dist/net/index.js';
const link = await openTun({ name: 'bench0' });
configureTun('bench0', [{ local: '10.9.0.2/24', peer: '10.9.0.1' }]);
const host = new Host();
host.attach(link, { name: 'bench0', addresses: ['10.9.0.2/24'] });
const http = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(${JSON.stringify(BODY)});
});
createNet(host).createServer((socket) => http.emit('connection', socket)).listen(8080, () => console.log('ready'));
`;

const HEADINGS = [
  'connections'.padEnd(12),
  'requests/s: ours  loopback  ratio'.padEnd(36),
  'p50: ours  loopback'.padEnd(22),
  'p99: ours  loopback'.padEnd(22),
  'CPU µs: ours  loopback',
].join('');

interface Load {
  readonly requests: number;
  readonly p50: string;
  readonly p99: string;
  readonly cpuSeconds: number;
}

const folder = mkdtempSync(path.join(tmpdir(), 'estab-bench-'));
ip('netns', 'add', NAMESPACE);
try {
  ip('-n', NAMESPACE, 'link', 'set', 'lo', 'up');
  writeFileSync(path.join(folder, 'kernel.cjs'), KERNEL_SERVER);
  writeFileSync(path.join(folder, 'ours.mjs'), OUR_SERVER);
  console.log(`node:http, kept-alive connections, ${values.seconds} s a round, a page of ${BODY.length} bytes`);
  console.log(HEADINGS);
  for (const connections of values.connections.split(',')) {
    let ours: Load | null = null;
    let kernel: Load | null = null;
    for (let round = 0; round < Number(values.rounds); round++) {
      ours = better(ours, await load('ours.mjs', 'http://10.9.0.2:8080/', connections));
      kernel = better(kernel, await load('kernel.cjs', 'http://127.0.0.1:8080/', connections));
    }
    console.log(row(connections, ours as Load, kernel as Load));
  }
} finally {
  ip('netns', 'del', NAMESPACE);
  rmSync(folder, { recursive: true });
}

async function load(script: string, url: string, connections: string): Promise<Load> {
  const server = inside([process.execPath, path.join(folder, script)]);
  try {
    await once(server.stdout as NodeJS.ReadableStream, 'data');
    wrk(url, connections, '1');
    const before = cpuOf(server);
    const report = wrk(url, connections, values.seconds);
    return {
      requests: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]),
      p50: /^\s+50%\s+(\S+)/m.exec(report)?.[1] ?? '?',
      p99: /^\s+99%\s+(\S+)/m.exec(report)?.[1] ?? '?',
      cpuSeconds: cpuOf(server) - before,
    };
  } finally {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
}

function wrk(url: string, connections: string, seconds: string): string {
  const args = ['netns', 'exec', NAMESPACE, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url];
  return execFileSync('ip', args, { encoding: 'utf8' });
}

/** `ip netns exec` replaces itself with the command, so the child is the server. */
function inside(command: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', NAMESPACE, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** User and system seconds, from /proc. */
function cpuOf(child: ChildProcess): number {
  const stat = execFileSync('cat', [`/proc/${child.pid}/stat`], { encoding: 'utf8' });
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function better(one: Load | null, other: Load): Load {
  return one === null || other.requests > one.requests ? other : one;
}

function row(connections: string, ours: Load, kernel: Load): string {
  const each = ({ requests, cpuSeconds }: Load): string =>
    ((cpuSeconds / (requests * Number(values.seconds))) * 1e6).toFixed(0);
  const ratio = (ours.requests / kernel.requests).toFixed(2);
  return [
    connections.padEnd(12),
    `${ours.requests.toFixed(0).padStart(16)}${kernel.requests.toFixed(0).padStart(10)}${ratio.padStart(7)}`.padEnd(36),
    `${ours.p50.padStart(9)}${kernel.p50.padStart(10)}`.padEnd(22),
    `${ours.p99.padStart(9)}${kernel.p99.padStart(10)}`.padEnd(22),
    `${each(ours).padStart(12)}${each(kernel).padStart(10)}`,
  ].join('');
}
