/**
 * The analysis beside the kernel: two kernels talk over a wire of test/analyse/lab that loses, delays, doubles, marks and
 * injects. What is said of the captures at both ends and in the middle is what the wire did and the kernels counted.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Analyser, type CaptureReport, type ConnectionReport } from '../../src/analyse/index.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import { type LabTruth, labTruth } from '../analyse/lab/truth.ts';
import { canInterop, needs, ROOT } from './namespace.ts';

type Place = 'a' | 'm' | 'b';

interface Expected {
  /** Kinds that must be found wherever the capture was taken, or at the places named. */
  must?: string[];
  at?: Partial<Record<Place, string[]>>;
  /** Further kinds that may be. */
  may?: string[];
  firstCloser?: 'client' | 'server' | 'both';
  close?: string;
  /** Where nothing is counted. */
  uncounted?: boolean;
  /** Which end gets the text; the server's if left out. What was lost on the way there can only be inferred there. */
  receiver?: Place;
}

const LOSS = { must: ['loss'], may: ['window-full'] };
const SPURIOUS = ['needless-retransmission', 'tail-probe', 'window-full', 'ack-loss'];

/** Probes that a busy machine makes needless may come on top everywhere: {@link SPURIOUS}. */
const PLAYS: Readonly<Record<string, Expected>> = {
  'server-closes': { firstCloser: 'server', close: 'fin-both' },
  'client-closes-4': { firstCloser: 'client', close: 'fin-both' },
  simclose: { must: ['simultaneous-close'], firstCloser: 'both', close: 'fin-both' },
  'half-close': { must: ['half-close'], firstCloser: 'client' },
  loss: LOSS,
  'loss-early': LOSS,
  'loss-download': { ...LOSS, receiver: 'a' },
  'loss-retransmission': LOSS,
  'tail-loss': { at: { a: ['loss'], m: ['loss'] }, may: ['loss'] },
  dup: { must: ['network-duplicate'] },
  reorder: { must: ['reordering'], may: ['window-full'] },
  'zero-window-short': { must: ['zero-window'], may: ['window-full'] },
  abort: { must: ['abort'], close: 'rst', firstCloser: 'client' },
  'unread-server': { must: ['unread-data-reset'], close: 'rst', firstCloser: 'server' },
  'inject-b': { at: { m: ['injected-reset'], b: ['injected-reset'], a: ['half-open'] }, close: 'rst' },
  'ecn-ce': { must: ['ecn'], may: ['window-full'] },
  'pmtu-icmp': { at: { a: ['path-mtu'], m: ['path-mtu'] }, uncounted: true },
  'half-open': { must: ['half-open'], may: ['abort'], close: 'rst' },
  gap: { must: ['capture-gap'], may: ['window-full'] },
};
const SIX = ['loss', 'reorder', 'pmtu-icmp', 'inject-b', 'abort'];
const JOBS = 3;
const ATTEMPTS = 3;

const directory = mkdtempSync(path.join(tmpdir(), 'estab-lab-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill();
  rmSync(directory, { recursive: true });
});

describe('what two kernels did over a wire with faults', () => {
  beforeEach(needs('python3', 'nstat'));
  beforeAll(async () => {
    if (!canInterop('python3', 'nstat').ok) return;
    const plays = [...Object.keys(PLAYS).map((name) => [name]), ...SIX.map((name) => [name, '--six'])];
    const next = async (): Promise<void> => {
      for (let play = plays.shift(); play !== undefined; play = plays.shift()) await perform(play);
    };
    await Promise.all(Array.from({ length: JOBS }, next));
  }, 180_000);

  for (const [name, expected] of Object.entries(PLAYS)) {
    it(name, () => judgeOrPlayAgain(name, 'four', expected), 60_000);
    if (SIX.includes(name)) it(`${name}, IPv6`, () => judgeOrPlayAgain(name, 'six', expected), 60_000);
  }
});

function perform([name, ...more]: string[]): Promise<void> {
  const script = path.join(ROOT, 'test', 'analyse', 'lab', 'scenarios.py');
  const child = spawn('python3', [script, path.join(directory, more.length > 0 ? 'six' : 'four'), name, ...more]);
  running.add(child);
  return new Promise((resolve) => {
    child.on('close', () => {
      running.delete(child);
      resolve();
    });
  });
}

/** A busy machine may hold the wire up for longer than the kernels' timers: then something else happened than was planned. */
async function judgeOrPlayAgain(name: string, folder: string, expected: Expected): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      judge(name, folder, expected);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await perform(folder === 'six' ? [name, '--six'] : [name]);
    }
  }
}

function judge(name: string, folder: string, expected: Expected): void {
  const file = path.join(directory, folder, name);
  const truth = labTruth(`${file}.json`);
  for (const place of ['a', 'm', 'b'] as const) {
    const report = analyse(`${file}.${place}.pcap`);
    const where = `${name} at ${place}, ${JSON.stringify(truth)}`;
    expect(report.connections.length, where).toBe(1);
    const [c] = report.connections;
    const kinds = c.findings.map((f) => f.kind);
    const must = [...(expected.must ?? []), ...(expected.at?.[place] ?? [])];
    for (const kind of must) expect(kinds, where).toContain(kind);
    const allowed = [...must, ...(expected.may ?? []), 'clean', ...(truth.retransmitted > 0 ? SPURIOUS : [])];
    expect(
      kinds.filter((kind) => !allowed.includes(kind)),
      where,
    ).toEqual([]);
    expect(c.handshake, where).toBe('complete');
    if (expected.close !== undefined) expect(c.close, where).toBe(expected.close);
    if (expected.firstCloser !== undefined) expect(c.firstCloser, where).toBe(expected.firstCloser);
    if (expected.uncounted !== true) counted(c, truth, place === (expected.receiver ?? 'b'), where);
  }
}

/** Exact, save where the text is received: lost copies of which nothing came are inferred from a clock a busy host bends. */
function counted(c: ConnectionReport, truth: LabTruth, received: boolean, where: string): void {
  const { counts } = c;
  const lost = counts.lost - counts.lostAcks;
  if (!received) expect([lost, counts.retransmitted], where).toEqual([truth.lost, truth.retransmitted]);
  expect(lost, where).toBeLessThanOrEqual(truth.lost);
  expect(lost, where).toBeGreaterThanOrEqual(0.5 * (truth.lost - 2));
  expect(counts.needless, where).toBeLessThanOrEqual(truth.needless);
  expect(counts.networkDuplicates, where).toBe(truth.doubled);
  expect(counts.reordered, where).toBeLessThanOrEqual(truth.late + truth.needless);
  expect(counts.capturedTwice, where).toBe(0);
}

function analyse(file: string): CaptureReport {
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  reader.push(readFileSync(file));
  return analyser.finish(file, reader.end());
}
