/** The commands over captures as a user runs them: output, files made, exit codes. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { type Ladder, ladderOf } from '../../src/analyse/ladder.ts';
import { ladderText } from '../../src/analyse/ladder-text.ts';
import { CaptureReader } from '../../src/capture/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'estab-commands-'));
afterAll(() => rmSync(directory, { recursive: true }));

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'captures');
const command = join(import.meta.dirname, '..', '..', 'src', 'bin', 'estab.ts');

function estab(...args: string[]) {
  const run = spawnSync(process.execPath, ['--import', 'tsx', command, ...args], { maxBuffer: 1 << 26 });
  return { status: run.status, out: run.stdout.toString(), err: run.stderr.toString() };
}

const dist = join(import.meta.dirname, '..', '..', 'dist', 'bin');

/** The command as it is installed: only there it has workers. */
function compiled(...args: string[]) {
  const run = spawnSync(process.execPath, [join(dist, 'estab.js'), ...args], { maxBuffer: 1 << 26 });
  return { status: run.status, out: run.stdout.toString(), err: run.stderr.toString() };
}

const duckdb = await import('@duckdb/node-api').then(
  () => true,
  () => false,
);

const LOSS = join(fixtures, 'g10-loss-sack-sender.pcap');
const SCAN = join(fixtures, 'g22-connect-scan.pcap');
const CLEAN = join(fixtures, 'g01-client-closes.pcap');

describe('commands over captures', () => {
  it('explain: the answer first, no colour in a pipe; --json whole; a cut file told and read', () => {
    const { status, out } = estab('explain', SCAN);
    expect(status).toBe(0);
    expect(out.split('\n')[1]).toMatch(/^● Port scan by 10\.77\.0\.1 on 10\.77\.0\.2: 42 ports, 3 open/);
    expect(out).not.toContain('\u001b');
    const json = JSON.parse(estab('explain', '--json', '--connection', '1', LOSS).out);
    expect(json.connections[0].counts).toMatchObject({ lost: 9, retransmitted: 9 });
    const cut = join(directory, 'cut.pcap');
    writeFileSync(cut, readFileSync(LOSS).subarray(0, 20_000));
    const damaged = estab('explain', '--json', cut);
    expect(damaged.status).toBe(1);
    expect(damaged.err).toMatch(/^estab: .*cut inside packet \d+/);
    expect(JSON.parse(damaged.out).packets).toBeGreaterThan(100);
    expect(estab('explain', '--connection', '9', CLEAN)).toMatchObject({ status: 1 });
    expect(estab('explain').status).toBe(2);
  });

  it('ladder and graph: text within its width, SVG that stands alone', () => {
    const text = estab('ladder', CLEAN).out;
    expect(text).toMatch(/SYN-SENT +── \[S\] seq 451251888 ─+▶ SYN-RECEIVED/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(estab('ladder', '--mermaid', CLEAN).out).toMatch(/^sequenceDiagram\n/);
    for (const [name, file] of [
      ['ladder', LOSS],
      ['graph', LOSS],
    ]) {
      const svg = join(directory, `${name}.svg`);
      expect(estab(name, file, '--svg', svg).status).toBe(0);
      const drawn = readFileSync(svg, 'utf8');
      expect(drawn).toMatch(/^<svg xmlns/);
      expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('the pictures of the documents are what the commands draw', () => {
    for (const [name, capture, picture] of [
      ['ladder', 'g05-simultaneous-open', 'ladder-simultaneous-open'],
      ['ladder', 'g17-rto-backoff', 'ladder-outage'],
      ['graph', 'g10-loss-sack-sender', 'graph-loss'],
    ]) {
      const svg = join(directory, `${picture}.svg`);
      expect(estab(name, join(fixtures, `${capture}.pcap`), '--svg', svg).status).toBe(0);
      const documented = join(import.meta.dirname, '..', '..', 'docs', 'pictures', `${picture}.svg`);
      expect(readFileSync(svg, 'utf8'), picture).toBe(readFileSync(documented, 'utf8'));
    }
  });

  it('a ladder fits 80 columns, whatever it shows', async () => {
    for (const name of ['g10-loss-sack-sender', 'g12-reorder', 'g14-zero-window', 'g31-challenge-ack']) {
      const drawn = await ladderOfFile(join(fixtures, `${name}.pcap`));
      for (const line of ladderText(drawn, { width: 80, keep: 0 }).split('\n')) {
        expect(line.length, line).toBeLessThanOrEqual(80);
      }
    }
  });

  it('extract and follow: one connection of many, its text once and in order', () => {
    const one = join(directory, 'one.pcapng');
    expect(estab('extract', SCAN, '-n', '3', '-o', one).status).toBe(0);
    const report = JSON.parse(estab('explain', '--json', one).out);
    expect(report.connections.length).toBe(1);
    expect(report.connections[0].server.port).toBe(22);
    const page = estab('follow', CLEAN, '--from', 'server', '--as', 'raw');
    expect(page.out.length).toBe(8041);
    expect(page.out.startsWith('HTTP/1.1 200 OK')).toBe(true);
    expect(estab('extract', CLEAN, '-n', '7', '-o', one).status).toBe(1);
  });

  it('flows: a row a connection', () => {
    const { out } = estab('flows', CLEAN, SCAN);
    const lines = out.trim().split('\n');
    expect(lines.length).toBe(1 + 1 + 42);
    expect(lines[0].split(',').slice(0, 4)).toEqual(['file', 'connection', 'client_address', 'client_port']);
    for (const line of lines) expect(line.split(',').length).toBe(lines[0].split(',').length);
    expect(estab('flows', CLEAN, '-o', join(directory, 'x.txt')).status).toBe(2);
    const rows = join(directory, 'rows.ndjson');
    expect(estab('flows', CLEAN, LOSS, '-o', rows).status).toBe(0);
    const parsed = readFileSync(rows, 'utf8').trim().split('\n');
    expect(parsed.map((line) => JSON.parse(line).lost)).toEqual([0, 9]);
  });

  it('flows of many files: workers, rows in the order of the files, what is wrong with one said, the others done', () => {
    const cut = join(directory, 'flows-cut.pcap');
    writeFileSync(cut, readFileSync(LOSS).subarray(0, 20_000));
    const files = [SCAN, CLEAN, cut, join(directory, 'missing.pcap'), LOSS, CLEAN];
    const alone = files.map((file) => compiled('flows', file).out.split('\n').slice(1, -1));
    const { out, err, status } = compiled('flows', ...files);
    expect(out.split('\n').slice(1, -1)).toEqual(alone.flat());
    expect(alone.map((rows) => rows.length)).toEqual([42, 1, 1, 0, 1, 1]);
    expect(err.split('\n').map((line) => line.replace(/^estab: .*\/([^/]+): /, '$1: '))).toEqual([
      expect.stringMatching(/^flows-cut\.pcap: the file is cut inside packet \d+/),
      'missing.pcap: cannot open the file: there is no such file',
      '',
    ]);
    expect(status).toBe(1);
  });

  it('flows in a terminal: a bar that grows with the files, and is gone in the end', () => {
    const line = `'${process.execPath}' '${join(dist, 'estab.js')}' flows '${CLEAN}' '${SCAN}' '${LOSS}' > /dev/null`;
    const run = spawnSync('script', ['-qec', line, '/dev/null']);
    const steps = [...run.stdout.toString().matchAll(/(█*)(░*) (\d) of 3 files/g)].map((m) => [
      m[1].length,
      Number(m[3]),
    ]);
    expect(steps).toEqual([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
    expect(run.stdout.toString().endsWith('\r\u001b[K')).toBe(true);
  });

  it.skipIf(!duckdb)(`flows with DuckDB${duckdb ? '' : ' (skipped: @duckdb/node-api is not here)'}`, () => {
    const table = join(directory, 'rows.parquet');
    const { out, status } = estab(...['flows', CLEAN, SCAN, '-o', table], '--sql', 'select count(*) as n from flows');
    expect({ out, status }).toEqual({ out: 'n\n43\n', status: 0 });
    expect(readFileSync(table).subarray(0, 4).toString()).toBe('PAR1');
    expect(estab('flows', CLEAN, '--sql', 'select nothing').err).toMatch(/^estab: DuckDB: /);
  });
});

async function ladderOfFile(file: string): Promise<Ladder> {
  const ladders: Ladder[] = [];
  const analyser = new Analyser({ inspect: (facts, report) => void ladders.push(ladderOf(facts, report)) });
  const reader = new CaptureReader(analyser);
  reader.push(readFileSync(file));
  analyser.finish(file, reader.end());
  return ladders[0];
}
