/**
 * Reading, analysing and printing a large capture of many connections, and one of a single endless connection, beside tcpdump, tshark and tcptrace where they are
 * installed: packets per CPU second and memory of each, on the same file, in the same run.
 *
 * Usage: npm run bench:analyse [-- packets [packets of the long connection]]     (410,000 packets are about 300 MB)
 */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../src/base/random.ts';
import { checksumSet, pseudoHeaderSum } from '../src/wire/checksum.ts';

const COUNT = Number(process.argv[2] ?? 410_000);
const LONG = Number(process.argv[3] ?? 2_000_000);
const directory = mkdtempSync(join(tmpdir(), 'estab-bench-'));
const SERVER = 0x0a4d0002;
const HEADERS = 52;

/** A pcap file of TCP segments as they come from a wire: checksums right, timestamps, a packet every 3 µs. */
class TraceFile {
  readonly path: string;
  written = 0;
  private readonly descriptor: number;
  private readonly room = Buffer.alloc(1 << 22);
  private used = 0;
  private microseconds = 1_000_000_000_000;

  constructor(name: string) {
    this.path = join(directory, name);
    this.descriptor = openSync(this.path, 'w');
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(262_144, 16);
    header.writeUInt32LE(101, 20);
    writeSync(this.descriptor, header);
  }

  packet(
    c: { source: number; port: number },
    up: boolean,
    seq: number,
    ack: number,
    flags: number,
    length: number,
  ): void {
    if (this.used + 2000 > this.room.length) this.flush();
    const b = this.room.subarray(this.used, this.used + 16 + HEADERS + length).fill(0);
    this.used += b.length;
    this.microseconds += 3;
    b.writeUInt32LE(Math.floor(this.microseconds / 1e6), 0);
    b.writeUInt32LE(this.microseconds % 1e6, 4);
    b.writeUInt32LE(HEADERS + length, 8);
    b.writeUInt32LE(HEADERS + length, 12);
    b.writeUInt16BE(0x4500, 16);
    b.writeUInt16BE(HEADERS + length, 18);
    b.writeUInt16BE(this.written & 0xffff, 20);
    b.writeUInt16BE(0x4000, 22);
    b.writeUInt16BE(0x4006, 24);
    b.writeUInt32BE(up ? c.source : SERVER, 28);
    b.writeUInt32BE(up ? SERVER : c.source, 32);
    b.writeUInt16BE(up ? c.port : 5001, 36);
    b.writeUInt16BE(up ? 5001 : c.port, 38);
    b.writeUInt32BE(seq >>> 0, 40);
    b.writeUInt32BE(ack >>> 0, 44);
    b.writeUInt16BE(0x8000 | flags, 48);
    b.writeUInt16BE(64_240, 50);
    b.writeUInt32BE(0x0101080a, 56);
    b.writeUInt32BE(Math.floor(this.microseconds / 1000) >>> 0, 60);
    checksumSet(0, b, 16, 20, 26);
    const pseudo = pseudoHeaderSum(4, 0, 0, 0, c.source, 0, 0, 0, SERVER, 6, HEADERS - 20 + length);
    checksumSet(pseudo, b, 36, HEADERS - 20 + length, 52);
    this.written++;
  }

  end(): void {
    this.flush();
    closeSync(this.descriptor);
  }

  private flush(): void {
    writeSync(this.descriptor, this.room.subarray(0, this.used));
    this.used = 0;
  }
}

interface Conversation {
  source: number;
  port: number;
  client: number;
  server: number;
  step: number;
  left: number;
}

/** Two hundred connections at a time, each opened, used and closed, their packets mixed. */
function manyConnections(): TraceFile {
  const random = new SeededRandom(1);
  const file = new TraceFile('many.pcap');
  const open: Conversation[] = [];
  let made = 0;
  while (file.written < COUNT) {
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
    if (c.step === 0) file.packet(c, true, c.client, 0, 2, 0);
    else if (c.step === 1) file.packet(c, false, c.server++, c.client + 1, 18, 0);
    else if (c.step === 2) file.packet(c, true, c.client + 1, c.server, 16, 0);
    else if (c.step === 3) {
      file.packet(c, false, c.server, c.client + 1, 24, 1400);
      c.server += 1400;
      if (c.left % 2 === 1) file.packet(c, true, c.client + 1, c.server, 16, 0);
      if (--c.left > 0) continue;
    } else if (c.step === 4) file.packet(c, false, c.server++, c.client + 1, 17, 0);
    else if (c.step === 5) file.packet(c, true, c.client + 1, c.server, 17, 0);
    else {
      file.packet(c, false, c.server, c.client + 2, 16, 0);
      open.splice(at, 1);
    }
    c.step++;
  }
  file.end();
  return file;
}

/** One connection that has no end, and loses one segment in a thousand before the capture's place. */
function oneConnection(): TraceFile {
  const file = new TraceFile('one.pcap');
  const c = { source: 0x0a000001, port: 7000 };
  const text = 100;
  let seq = 1;
  file.packet(c, true, 0, 0, 2, 0);
  file.packet(c, false, 0, 1, 18, 0);
  file.packet(c, true, 1, 1, 16, 0);
  for (let n = 1; file.written < LONG; n++) {
    if (n % 500 === 0) {
      const lost = seq;
      for (let k = 1; k <= 3; k++) {
        file.packet(c, false, lost + k * text, 1, 24, text);
        file.packet(c, true, 1, lost, 16, 0);
      }
      file.packet(c, false, lost, 1, 24, text);
      seq += 4 * text;
    } else {
      file.packet(c, false, seq, 1, 24, text);
      file.packet(c, false, seq + text, 1, 24, text);
      seq += 2 * text;
    }
    file.packet(c, true, 1, seq, 16, 0);
  }
  file.end();
  return file;
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

const estab = [process.execPath, join(import.meta.dirname, '..', 'dist', 'bin', 'estab.js')];

/** The best of three runs of each; packets a CPU second by contender, of those that are here. */
function race(file: TraceFile, contenders: readonly [string, string[]][]): Map<string, number> {
  const rates = new Map<string, number>();
  for (const [name, command] of contenders) {
    const runs = [1, 2, 3].map(() => measure(command)).filter((m): m is Measured => m !== null);
    if (runs.length === 0) {
      console.log(`${name.padEnd(32)} not here`);
      continue;
    }
    const m = runs.reduce((a, b) => (a.seconds < b.seconds ? a : b));
    const rate = file.written / m.seconds / 1e6;
    rates.set(name, rate);
    console.log(
      `${name.padEnd(32)} ${m.seconds.toFixed(2).padStart(6)} CPU s  ${rate.toFixed(2).padStart(5)} M packets/s  ${m.megabytes.toFixed(0).padStart(4)} MB`,
    );
  }
  return rates;
}

function say(rates: Map<string, number>, ours: string, theirs: string): void {
  const [a, b] = [rates.get(ours), rates.get(theirs)];
  if (a === undefined || b === undefined) return;
  console.log(`${ours}: ${(a / b).toFixed(1)} times as many packets a CPU second as ${theirs}`);
}

function head(file: TraceFile, what: string): void {
  const megabytes = statSync(file.path).size / 1e6;
  console.log(
    `\n${what}: ${file.written.toLocaleString('en')} packets, ${megabytes.toFixed(0)} MB; the best of three runs each`,
  );
}

const EXPLAIN = 'estab explain (full analysis)';
const many = manyConnections();
head(many, 'many connections');
const rates = race(many, [
  [EXPLAIN, [...estab, 'explain', many.path]],
  ['tshark text', ['tshark', '-n', '-r', many.path]],
  ['tcptrace -l -r', ['tcptrace', '-n', '-l', '-r', many.path]],
  ['estab dump', [...estab, 'dump', many.path]],
  ['tcpdump text', ['tcpdump', '-nr', many.path]],
]);
say(rates, EXPLAIN, 'tshark text');
say(rates, EXPLAIN, 'tcptrace -l -r');
say(rates, 'estab dump', 'tcpdump text');

const one = oneConnection();
head(one, 'one connection (tcpdump finds a connection in a list: of many, that is most of its time)');
const long = race(one, [
  [EXPLAIN, [...estab, 'explain', one.path]],
  ['estab dump', [...estab, 'dump', one.path]],
  ['tcpdump text', ['tcpdump', '-nr', one.path]],
]);
say(long, 'estab dump', 'tcpdump text');
rmSync(directory, { recursive: true });
