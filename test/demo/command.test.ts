/** `estab demo` as a user runs it: its forms, its files, its complaints. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { captureOf } from '../../src/bin/demo/capture.ts';
import { SCENARIOS, scenarioNamed } from '../../src/bin/demo/catalogue.ts';
import { runFlood } from '../../src/bin/demo/flood.ts';
import { floodCapture } from '../../src/bin/demo/flood-report.ts';
import { type RawOptions, readOptions } from '../../src/bin/demo/options.ts';
import { perform } from '../../src/bin/demo/perform.ts';
import { CaptureReader } from '../../src/capture/reader.ts';
import { TcpdumpFormatter } from '../../src/dissect/tcpdump.ts';
import { unless } from '../unless.ts';

const directory = mkdtempSync(join(tmpdir(), 'estab-demo-'));
afterAll(() => rmSync(directory, { recursive: true }));

const command = join(import.meta.dirname, '..', '..', 'src', 'bin', 'estab.ts');
const tsx = import.meta.resolve('tsx');

function demo(args: string[], env: Record<string, string> = {}) {
  const run = spawnSync(process.execPath, ['--import', tsx, command, 'demo', ...args], {
    cwd: directory,
    env: { ...process.env, ...env },
  });
  return { status: run.status, out: run.stdout.toString(), err: run.stderr.toString() };
}

const CLASSIC = [
  'three-way-handshake',
  '--client',
  '192.168.1.116:3337',
  '--server',
  '192.168.1.123:7788',
  '--client-isn',
  '3626544836',
  '--server-isn',
  '1739326486',
  '--format',
  'tcpdump',
];

describe('estab demo', () => {
  it('shows the classic three lines in the form of tcpdump', () => {
    const { status, out } = demo(CLASSIC);
    expect(status).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    const up = 'IP 192.168.1.116.3337 > 192.168.1.123.7788';
    const down = 'IP 192.168.1.123.7788 > 192.168.1.116.3337';
    expect(lines[0]).toContain(`${up}: Flags [S], seq 3626544836, win `);
    expect(lines[1]).toContain(`${down}: Flags [S.], seq 1739326486, ack 3626544837, win `);
    expect(lines[2]).toContain(`${up}: Flags [.], ack 1, win `);
    expect(
      demo([...CLASSIC, '--absolute'])
        .out.trimEnd()
        .split('\n')[2],
    ).toContain(`${up}: Flags [.], ack 1739326487, win `);
  });

  it('gives the same bytes for the same seed, capture included, and no colour to a pipe', () => {
    const once = demo(['--seed', '7', '--loss', '10%', '--pcap', 'once.pcapng']);
    const again = demo(['--seed', '7', '--loss', '10%', '--pcap', 'once.pcapng']);
    expect(once.status).toBe(0);
    expect(again).toEqual(once);
    const bytes = readFileSync(join(directory, 'once.pcapng'));
    demo(['--seed', '7', '--loss', '10%', '--pcap', 'again.pcapng']);
    expect(readFileSync(join(directory, 'again.pcapng')).equals(bytes)).toBe(true);
    expect(once.out).not.toContain('\u001b');
    expect(demo(['--seed', '8', '--loss', '10%', '--pcap', 'other.pcapng']).out).not.toBe(once.out);
  });

  it('colours where it is told to, NO_COLOR above all', () => {
    const coloured = demo(['http'], { FORCE_COLOR: '1', NO_COLOR: '' });
    expect(coloured.out).toContain('\u001b[');
    const plain = demo(['http'], { FORCE_COLOR: '', NO_COLOR: '1' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
    expect(coloured.out.replace(/\u001b\[[0-9;]*m/g, '')).toBe(plain.out);
  });

  it('names every story in one line', () => {
    const { status, out } = demo(['--list']);
    expect(status).toBe(0);
    const lines = out.trimEnd().split('\n');
    const names = [...SCENARIOS.map(({ name }) => name), 'syn-flood'];
    expect(lines.map((line) => line.split(' ')[0])).toEqual(names);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('prints JSON and nothing else', () => {
    const { status, out, err } = demo(['four-way-close', '--json']);
    expect([status, err]).toEqual([0, '']);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(8);
  });

  it.each([
    [['--bogus'], /unknown option '--bogus'; "estab demo --help" names all options$/],
    [['one', 'two'], /too many arguments/],
    [['lost-sny'], /no story "lost-sny"; did you mean lost-syn\? "estab demo --list" names them all$/],
    [['--loss', '2'], /--loss 2: give a probability from 0 to 1/],
    [['--server', '10.0.0.1:80'], /give the two hosts different addresses$/],
    [['--seed'], /argument missing/],
  ])('complains of %j in one line and exits 2', (args, message) => {
    const { status, out, err } = demo(args);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err.trimEnd()).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('fails when the capture that was asked for cannot be written', () => {
    const { status, err } = demo(['refused', '--pcap', 'no/such/directory.pcapng']);
    expect(status).toBe(1);
    expect(err).toMatch(/^estab: demo: cannot write no\/such\/directory.pcapng \(ENOENT\); give --pcap/);
  });
});

describe('the SYN flood', () => {
  it('starves honest clients without cookies and none with them', () => {
    const { status, out } = demo(['syn-flood', '--json']);
    expect(status).toBe(0);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const flooded = rows.filter((row) => row.t >= 4 && row.t <= 12);
    const served = (cookies: boolean): number[] =>
      flooded.filter((row) => row.cookies === cookies).map((row) => row.callsServed);
    expect(Math.max(...served(false))).toBeLessThanOrEqual(1);
    expect(new Set(served(true))).toEqual(new Set([4]));
    expect(flooded.every((row) => row.halfOpen === row.backlog)).toBe(true);
    expect(rows.filter((row) => !row.cookies).every((row) => row.cookiesSent === 0)).toBe(true);
  });

  it('is a table that fits', () => {
    for (const width of ['60', '80', '100']) {
      const { out } = demo(['syn-flood'], { COLUMNS: width });
      expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(Number(width));
      expect(out.split('\n').filter((line) => /[✓✗]/.test(line)).length).toBeGreaterThanOrEqual(20);
    }
  });
});

const tshark = spawnSync('tshark', ['--version']).status === 0;

describe('tshark reads without a complaint', () => {
  beforeEach(unless(tshark, 'tshark is not installed'));
  const names = [...SCENARIOS.map(({ name }) => name), 'syn-flood'];
  it.each(names.flatMap((name) => [[name, 4] as const, [name, 6] as const]))('%s over IPv%i', (name, family) => {
    const file = `${name}-${family}.pcapng`;
    writeFileSync(join(directory, file), captured(name, { ipv6: family === 6 }));
    const bad = '_ws.malformed || _ws.expert.severity == error || tcp.checksum.status == 0 || ip.checksum.status == 0';
    const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
    const read = spawnSync('tshark', ['-r', file, ...checks, '-Y', bad], { cwd: directory });
    expect([read.status, read.stdout.toString()]).toEqual([0, '']);
    expect(read.stderr.toString()).not.toMatch(/cut short|damaged|error/i);
    const all = spawnSync('tshark', ['-r', file, '-T', 'fields', '-e', 'tcp.flags.str'], { cwd: directory });
    expect(all.stdout.toString().trimEnd().split('\n').length).toBeGreaterThanOrEqual(2);
  });
});

const tcpdump = spawnSync('tcpdump', ['--version']).status === 0;

describe('tcpdump reads the same as estab dump', () => {
  beforeEach(unless(tcpdump, 'tcpdump is not installed'));
  const names = [...SCENARIOS.map(({ name }) => name), 'syn-flood'];
  it.each(names.flatMap((name) => [[name, 4] as const, [name, 6] as const]))('%s over IPv%i', async (name, family) => {
    const file = join(directory, `tcpdump-${name}-${family}.pcapng`);
    const bytes = captured(name, { ipv6: family === 6 });
    writeFileSync(file, bytes);
    const read = spawnSync('tcpdump', ['-nr', file], { env: { ...process.env, TZ: 'UTC' }, maxBuffer: 1 << 24 });
    expect([read.status, read.stderr.toString()]).toEqual([0, expect.not.stringMatching(/pcap_loop|different/)]);
    const own: string[] = [];
    const formatter = new TcpdumpFormatter();
    const reader = new CaptureReader({
      packet: (r) =>
        own.push(formatter.lineAt(r.seconds, r.nanoseconds, r.linkType, r.data, r.offset, r.length, r.originalLength)),
    });
    reader.push(bytes);
    expect(reader.end()).toBeNull();
    expect(read.stdout.toString().trimEnd().split('\n')).toEqual(own);
  });
});

function captured(name: string, raw: RawOptions): Uint8Array {
  const scenario = scenarioNamed(name);
  const options = readOptions(raw, scenario?.port);
  if (scenario !== null) return captureOf(perform(scenario, options).record, name);
  return floodCapture({ without: runFlood(options, false), with: runFlood(options, true) });
}
