/**
 * Reading, analysing and printing a large capture of many connections, beside tcpdump, tshark and tcptrace where they are
 * installed: packets per CPU second and memory of each, on the same file, in the same run.
 *
 * Usage: npm run bench:analyse [-- packets]     (410,000 packets are about 300 MB)
 */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../src/base/random.ts';
import { checksumSet, pseudoHeaderSum } from '../src/wire/checksum.ts';

const COUNT = Number(process.argv[2] ?? 410_000);
const directory = mkdtempSync(join(tmpdir(), 'estab-bench-'));
const file = join(directory, 'many.pcap');

interface Conversation {
  source: number;
  port: number;
  client: number;
  server: number;
  step: number;
  left: number;
}

/** Two hundred connections at a time, each opened, used and closed, their packets mixed. */
function generate(): number {
  const random = new SeededRandom(1);
  const out = openSync(file, 'w');
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(101, 20);
  writeSync(out, header);
  let written = 0;
  let microseconds = 1_000_000_000_000;
  let buffered: Buffer[] = [];
  const server = 0x0a4d0002;
  const packet = (c: Conversation, up: boolean, seq: number, ack: number, flags: number, length: number): void => {
    const b = Buffer.alloc(16 + 52 + length);
    microseconds += 3;
    b.writeUInt32LE(Math.floor(microseconds / 1e6), 0);
    b.writeUInt32LE(microseconds % 1e6, 4);
    b.writeUInt32LE(52 + length, 8);
    b.writeUInt32LE(52 + length, 12);
    b.writeUInt16BE(0x4500, 16);
    b.writeUInt16BE(52 + length, 18);
    b.writeUInt16BE(written & 0xffff, 20);
    b.writeUInt16BE(0x4000, 22);
    b.writeUInt16BE(0x4006, 24);
    b.writeUInt32BE(up ? c.source : server, 28);
    b.writeUInt32BE(up ? server : c.source, 32);
    b.writeUInt16BE(up ? c.port : 5001, 36);
    b.writeUInt16BE(up ? 5001 : c.port, 38);
    b.writeUInt32BE(seq >>> 0, 40);
    b.writeUInt32BE(ack >>> 0, 44);
    b.writeUInt16BE(0x8000 | flags, 48);
    b.writeUInt16BE(64_240, 50);
    b.writeUInt32BE(0x0101080a, 56);
    b.writeUInt32BE(Math.floor(microseconds / 1000) >>> 0, 60);
    checksumSet(0, b, 16, 20, 26);
    checksumSet(pseudoHeaderSum(4, 0, 0, 0, c.source, 0, 0, 0, server, 6, 32 + length), b, 36, 32 + length, 52);
    buffered.push(b);
    written++;
    if (buffered.length >= 1000) {
      writeSync(out, Buffer.concat(buffered));
      buffered = [];
    }
  };
  const open: Conversation[] = [];
  let made = 0;
  while (written < COUNT) {
    while (open.length < 200) {
      made++;
      open.push({
        source: 0x0a000000 + (made % 65_000),
        port: 7000 + ((made * 7) % 50_000),
        client: random.nextUint32(),
        server: random.nextUint32(),
        step: 0,
        left: 5 + (made % 12),
      });
    }
    const at = random.nextUint32() % open.length;
    const c = open[at];
    if (c.step === 0) packet(c, true, c.client, 0, 2, 0);
    else if (c.step === 1) packet(c, false, c.server++, c.client + 1, 18, 0);
    else if (c.step === 2) packet(c, true, c.client + 1, c.server, 16, 0);
    else if (c.step === 3) {
      packet(c, false, c.server, c.client + 1, 24, 1400);
      c.server += 1400;
      if (c.left % 2 === 1) packet(c, true, c.client + 1, c.server, 16, 0);
      if (--c.left > 0) continue;
    } else if (c.step === 4) packet(c, false, c.server++, c.client + 1, 17, 0);
    else if (c.step === 5) packet(c, true, c.client + 1, c.server, 17, 0);
    else {
      packet(c, false, c.server, c.client + 2, 16, 0);
      open.splice(at, 1);
    }
    c.step++;
  }
  writeSync(out, Buffer.concat(buffered));
  closeSync(out);
  return written;
}

interface Measured {
  seconds: number;
  megabytes: number;
}

/** CPU seconds (user and system) and peak memory of a command, by GNU time. */
function measure(command: string[]): Measured | null {
  const run = spawnSync('/usr/bin/time', ['-f', '%U %S %M', ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1 << 28,
  });
  const last = run.stderr?.toString().trim().split('\n').at(-1) ?? '';
  const match = /^([\d.]+) ([\d.]+) (\d+)$/.exec(last);
  if (run.status !== 0 || match === null) return null;
  return { seconds: Number(match[1]) + Number(match[2]), megabytes: Number(match[3]) / 1024 };
}

const packets = generate();
const megabytes = statSync(file).size / 1e6;
const estab = [process.execPath, join(import.meta.dirname, '..', 'dist', 'bin', 'estab.js')];
const contenders: [string, string[]][] = [
  ['estab explain (full analysis)', [...estab, 'explain', file]],
  ['tshark text', ['tshark', '-n', '-r', file]],
  ['tcptrace -l -r', ['tcptrace', '-n', '-l', '-r', file]],
  ['estab dump', [...estab, 'dump', file]],
  ['tcpdump text', ['tcpdump', '-nr', file]],
];
console.log(`${packets.toLocaleString('en')} packets, ${megabytes.toFixed(0)} MB; the best of three runs each`);
const rates = new Map<string, number>();
for (const [name, command] of contenders) {
  const best = [1, 2, 3].map(() => measure(command)).filter((m): m is Measured => m !== null);
  if (best.length === 0) {
    console.log(`${name.padEnd(32)} not here`);
    continue;
  }
  const m = best.reduce((a, b) => (a.seconds < b.seconds ? a : b));
  const rate = packets / m.seconds / 1e6;
  rates.set(name, rate);
  console.log(
    `${name.padEnd(32)} ${m.seconds.toFixed(2).padStart(6)} CPU s  ${rate.toFixed(2).padStart(5)} M packets/s  ${m.megabytes.toFixed(0).padStart(4)} MB`,
  );
}
for (const [ours, theirs] of [
  [contenders[0][0], contenders[1][0]],
  [contenders[0][0], contenders[2][0]],
  [contenders[3][0], contenders[4][0]],
]) {
  const [a, b] = [rates.get(ours), rates.get(theirs)];
  if (a !== undefined && b !== undefined) console.log(`${ours}: ${(a / b).toFixed(1)} × the rate of ${theirs}`);
}
rmSync(directory, { recursive: true });
