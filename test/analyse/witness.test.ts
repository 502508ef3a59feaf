/**
 * The analysis as an independent witness: what it says of simulated connections it sees only as captures, beside what
 * the wire did; and of everything else this project plays, nothing may be found that nobody planted.
 */

import { describe, expect, it } from 'vitest';
import { Analyser, type CaptureReport, type ConnectionReport } from '../../src/analyse/index.ts';
import { captureOf } from '../../src/bin/demo/capture.ts';
import { SCENARIOS } from '../../src/bin/demo/catalogue.ts';
import { readOptions } from '../../src/bin/demo/options.ts';
import { perform } from '../../src/bin/demo/perform.ts';
import { CaptureReader, PcapngWriter } from '../../src/capture/index.ts';
import { playExchange, type WireOptions } from '../../src/sim/index.ts';
import { analyse, type End, type Played, playWorld, type Sent, type Truth, truthAt, type WorldPlan } from './worlds.ts';

const ENDS: readonly End[] = ['client', 'server'];
const SEEDS = 40;
/** Ways of closing, not faults. */
const CLOSES = ['clean', 'half-close', 'simultaneous-close'];

function plan(seed: number, forward: WireOptions): WorldPlan {
  const up = seed % 2 === 0;
  const closer = (['client', 'server', 'both'] as const)[(seed >> 1) % 3];
  return { seed, up: up ? 80_000 : 300, down: up ? 300 : 80_000, closer, forward };
}

interface Seen {
  name: string;
  played: Played;
  truth: Truth;
  c: ConnectionReport;
  lostText: number;
}

/** The worlds of all seeds with these faults, each as both ends saw it; what holds for all of them is checked here. */
function* worlds(
  forward: WireOptions,
  kinds: string[],
  change: (p: WorldPlan) => void = () => undefined,
): Generator<Seen> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const made = plan(seed, forward);
    change(made);
    const played = playWorld(made);
    for (const end of ENDS) {
      const name = `seed ${seed} at the ${end}`;
      const report = played.at[end];
      expect(report.connections.length, name).toBe(1);
      const [c] = report.connections;
      expect(c.firstCloser, name).toBe(made.closer);
      expect(c.timeWaitHolder, name).toBe(made.closer);
      expect(c.handshake, name).toBe('complete');
      expect([c.sides.client.bytes, c.sides.server.bytes], name).toEqual([made.up, made.down]);
      const { capturedTwice, captureGaps, keepAlives, corrupted, challengeAcks } = c.counts;
      expect({ capturedTwice, captureGaps, keepAlives, corrupted, challengeAcks }, name).toEqual({
        capturedTwice: 0,
        captureGaps: 0,
        keepAlives: 0,
        corrupted: 0,
        challengeAcks: 0,
      });
      expect(unplanted(c, [...CLOSES, ...kinds]), name).toEqual([]);
      yield { name, played, truth: truthAt(end, played.sent), c, lostText: c.counts.lost - c.counts.lostAcks };
    }
  }
}

function unplanted(c: ConnectionReport, kinds: string[]): string[] {
  return c.findings.filter((f) => !kinds.includes(f.kind)).map((f) => `${f.kind}: ${f.text}`);
}

/** Whether an opening segment was lost: what of it a capture can tell depends on where it was taken. */
function openingLost(sent: readonly Sent[]): boolean {
  return sent.some((s) => s.dropped && (s.flags & 2) !== 0);
}

describe('what the wire did is what the analysis says', () => {
  it.each([
    ['a perfect wire', {}],
    ['a slow wire with jitter', { jitterMs: 15, rate: 8e6 }],
  ])('%s: no finding at all', (_, faults) => {
    for (const { name, c, truth } of worlds(faults, [])) {
      expect({ ...truth, lostBare: 0 }, name).toMatchObject({ lost: 0, retransmitted: 0, reordered: 0 });
      const { duplicateAcks: _acks, ...faultsCounted } = c.counts;
      expect(
        Object.values(faultsCounted).every((n) => n === 0),
        name,
      ).toBe(true);
    }
  });

  it('loss: each lost segment, each retransmission, each needless one', () => {
    let lost = 0;
    for (const { name, played, truth, c, lostText } of worlds({ loss: 0.04 }, LOSS)) {
      if (openingLost(played.sent)) continue;
      expect({ lostText, retransmitted: c.counts.retransmitted, needless: c.counts.needless }, name).toEqual({
        lostText: truth.lost,
        retransmitted: truth.retransmitted,
        needless: truth.needless,
      });
      expect(c.counts.lostAcks, name).toBeLessThanOrEqual(truth.lostBare);
      lost += lostText;
    }
    expect(lost).toBeGreaterThan(50);
  });

  it('duplication: copies the network made are not the sender’s', () => {
    let doubled = 0;
    for (const { name, truth, c, lostText } of worlds({ duplicate: 0.05 }, [
      'network-duplicate',
      'reset-after-close',
    ])) {
      expect(lostText, name).toBe(0);
      expect(c.counts.needless, name).toBe(0);
      expect(c.counts.networkDuplicates, name).toBeGreaterThanOrEqual(truth.duplicatedHere);
      // A doubled SYN is answered twice, in the same instant.
      const most = truth.duplicatedHere + truth.duplicatedThere + truth.retransmitted;
      expect(c.counts.networkDuplicates, name).toBeLessThanOrEqual(most);
      doubled += c.counts.networkDuplicates;
    }
    expect(doubled).toBeGreaterThan(30);
  });

  it('reordering: nothing was lost, and what was sent again was sent needlessly', () => {
    let reordered = 0;
    const kinds = ['reordering', 'needless-retransmission', 'reset-after-close'];
    for (const { name, truth, c, lostText } of worlds({ reorder: { probability: 0.05, extraMs: 8 } }, kinds)) {
      expect([lostText, c.counts.lostAcks], name).toEqual([0, 0]);
      expect([c.counts.retransmitted, c.counts.needless], name).toEqual([truth.retransmitted, truth.needless]);
      // A late FIN or late copy is not told from an early one; a needless copy vouches for a late original.
      expect(c.counts.reordered, name).toBeLessThanOrEqual(truth.reordered + truth.needless);
      if (truth.reorderedHere > 2) expect(c.counts.reordered, name).toBeGreaterThan(0);
      reordered += c.counts.reordered;
    }
    expect(reordered).toBeGreaterThan(30);
  });

  it('an outage: back-off is told, and losses one way from losses of the answers', () => {
    let backOffs = 0;
    const faults = { blackholes: [{ from: 150, until: 2500 }] };
    for (const { name, truth, c, lostText } of worlds(faults, [...LOSS, 'idle'])) {
      expect(lostText, name).toBeLessThanOrEqual(truth.lost);
      expect(c.counts.retransmitted, name).toBeLessThanOrEqual(truth.retransmitted + 1);
      if (c.findings.some((f) => f.kind === 'rto-backoff')) backOffs++;
    }
    expect(backOffs).toBeGreaterThan(SEEDS / 2);
  });

  it('a reader that sleeps: zero windows and probes, nothing lost', () => {
    const kinds = ['zero-window', 'window-full'];
    const sleepy = (p: WorldPlan): void => {
      p.up = 300_000;
      p.serverReadsAt = 4000;
      if (p.closer === 'both') p.closer = 'client';
    };
    for (const { name, c } of worlds({}, kinds, sleepy)) {
      expect(c.counts.zeroWindows, name).toBeGreaterThan(0);
      expect(c.counts.windowProbes, name).toBeGreaterThan(0);
      expect(c.counts.lost + c.counts.retransmitted, name).toBe(0);
    }
  });
});

const LOSS = [
  'loss',
  'needless-retransmission',
  'ack-loss',
  'synack-lost',
  'rto-backoff',
  'outage',
  'reset-after-close',
];
/** What no fault of the simulated wire can bring about. */
const IMPOSSIBLE = [
  ...['syn-flood', 'port-scan', 'split-handshake', 'mid-stream', 'fast-open', 'urgent', 'overlap', 'one-sided'],
  ...['port-reuse', 'injected-reset', 'injected-syn', 'captured-twice', 'simultaneous-open', 'refused', 'path-mtu'],
];

/** What each story is about; ways of closing come on top. */
const STORIES: Readonly<Record<string, string[]>> = {
  'half-close': ['nagle-delayed-ack'],
  'simultaneous-open': ['simultaneous-open'],
  'lost-syn': ['loss'],
  'lost-synack': ['synack-lost'],
  'lost-last-ack': ['needless-retransmission', 'ack-loss'],
  'old-duplicate-syn': ['old-duplicate-syn'],
  'two-way-handshake': ['rto-backoff', 'half-open', 'port-reuse'],
  refused: ['refused'],
  abort: ['abort'],
  'half-open': ['half-open', 'challenge-ack', 'port-reuse'],
  'zero-window': ['zero-window', 'window-full'],
  retransmission: ['loss', 'needless-retransmission'],
  urgent: ['urgent'],
  keepalive: ['keepalive-dead'],
  reordering: ['reordering'],
};

describe('the stories of the demo', () => {
  it.each(SCENARIOS.map((scenario) => ({ scenario })))('$scenario.name', ({ scenario }) => {
    const { record } = perform(scenario, readOptions({}, scenario.port));
    const report = analyse(captureOf(record, scenario.name), scenario.name);
    const found = new Set<string>(report.connections.flatMap((c) => c.findings.map((f) => f.kind)));
    for (const close of CLOSES) found.delete(close);
    expect([...found].sort()).toEqual([...(STORIES[scenario.name] ?? [])].sort());
  });
});

describe('the simulations of the stack', () => {
  it('nothing is found that nobody planted', () => {
    for (let seed = 1; seed <= 120; seed++) {
      const blocks: Uint8Array[] = [];
      const played = playExchange(seed, new PcapngWriter((bytes) => blocks.push(bytes.slice())));
      const damaged = /corrupt/.test(played.faults);
      for (const id of [0, 1]) {
        const report = ofInterface(Buffer.concat(blocks), id);
        expect(report.problem).toBe(null);
        // A damaged port number is a packet of another connection.
        if (damaged) continue;
        expect(report.connections.length, `seed ${seed}`).toBe(played.connections);
        for (const c of report.connections) {
          const found = c.findings.filter((f) => IMPOSSIBLE.includes(f.kind));
          expect(found, `seed ${seed}, end ${id}, connection ${c.id}: ${played.faults}`).toEqual([]);
        }
      }
    }
  });
});

/** What one of the two hosts saw. */
function ofInterface(bytes: Uint8Array, id: number): CaptureReport {
  const analyser = new Analyser();
  const reader = new CaptureReader({ packet: (r) => void (r.interfaceId === id && analyser.packet(r)) });
  reader.push(bytes);
  return analyser.finish(`interface ${id}`, reader.end());
}
