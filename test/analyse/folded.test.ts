/** A connection cut out part by part is told of as if it had been looked at whole, in memory that does not grow with it. */

import { describe, expect, it } from 'vitest';
import { analyseFlow } from '../../src/analyse/connection.ts';
import { FlowTable } from '../../src/analyse/flow-table.ts';
import { fold } from '../../src/analyse/folded.ts';
import { Analyser, type CaptureReport } from '../../src/analyse/index.ts';
import type { ConnectionReport } from '../../src/analyse/report.ts';
import { SegmentLog } from '../../src/analyse/segment-log.ts';
import { writeU16, writeU32 } from '../../src/base/bytes.ts';
import { CaptureReader, LinkType } from '../../src/capture/index.ts';
import { PacketDecoder } from '../../src/dissect/packet.ts';
import { playWorld, type WorldPlan } from './worlds.ts';

const WHOLE = { part: Number.POSITIVE_INFINITY, margin: 0, opening: 4 };

function analyse(bytes: Uint8Array, fold: { part: number; margin: number; opening: number }): CaptureReport {
  const analyser = new Analyser({ fold });
  const reader = new CaptureReader(analyser);
  reader.push(bytes);
  return analyser.finish('capture', reader.end());
}

/** Round trips of folded connections are counted in steps of one percent. */
function roughly(median: number | undefined, exact: number | undefined): void {
  if (exact === undefined || median === undefined) expect(median).toBe(exact);
  else expect(Math.abs(median - exact)).toBeLessThanOrEqual(0.02 * exact + 0.001);
}

/** Expects the same of both but for the medians; returns how often parts were cut out. */
function compare(bytes: Uint8Array, sizes: { part: number; margin: number; opening: number }, name: string): number {
  let folds = 0;
  const counted = {
    part: sizes.part,
    margin: sizes.margin,
    get opening(): number {
      folds++;
      return sizes.opening;
    },
  };
  const whole = analyse(bytes, WHOLE);
  const folded = analyse(bytes, counted);
  for (const [k, c] of folded.connections.entries()) {
    const other = whole.connections[k];
    for (const side of ['client', 'server'] as const) {
      roughly(c.rtt[side]?.median, other.rtt[side]?.median);
      for (const r of [c.rtt[side], c.sides[side].rtt]) if (r !== null) r.median = other.rtt[side]?.median ?? 0;
    }
  }
  expect(folded, name).toEqual(whole);
  return folds;
}

describe('long connections', () => {
  // Flights that are shorter than the margin.
  const NARROW = { tcp_rmem: [4096, 65_536, 65_536] as [number, number, number], tcp_moderate_rcvbuf: 0 };
  const SIZES = { part: 512, margin: 256, opening: 256 };
  const plans: [string, Partial<WorldPlan>][] = [
    ['without faults', {}],
    ['with losses', { forward: { loss: 0.01 } }],
    ['with losses of acknowledgments', { backward: { loss: 0.05 } }],
    ['with doubled segments', { forward: { duplicate: 0.01 } }],
    ['with segments out of order', { forward: { reorder: { probability: 0.01, extraMs: 15 } } }],
    ['with damaged segments', { forward: { corrupt: { probability: 0.002 } }, backward: {} }],
    ['with a reader that sleeps', { serverReadsAt: 6000 }],
    ['both ways', { down: 1_500_000, forward: { loss: 0.005 } }],
    ['with an outage', { forward: { blackholes: [{ from: 400, until: 2600 }] } }],
  ];

  it.each(plans)('%s: the same report, cut out or whole', (name, plan) => {
    let folds = 0;
    for (let seed = 1; seed <= 2; seed++) {
      const { captures } = playWorld({ seed, up: 3_000_000, down: 0, closer: 'client', settings: NARROW, ...plan });
      for (const end of ['client', 'server'] as const) {
        folds += compare(captures[end], SIZES, `${name}, seed ${seed}, at the ${end}`);
      }
    }
    expect(folds).toBeGreaterThan(8);
  });

  it('twice round the sequence space: every octet counted, nothing found, the log no longer than a part', () => {
    const total = 140_000;
    const text = 65_000;
    const log = new SegmentLog();
    const sizes = { part: 8192, margin: 1024, opening: 512 };
    const reports: ConnectionReport[] = [];
    let most = 0;
    const table = new FlowTable(
      log,
      (flow) => {
        const { report } = analyseFlow(flow, log, 'whole');
        if (report !== null) reports.push(report);
        log.release(flow.head, flow.tail, flow.count, flow.sackSeen);
      },
      (flow) => {
        flow.foldAt = sizes.part + 2 * sizes.margin;
      },
      (flow) => fold(flow, log, sizes),
    );
    const decoder = new PacketDecoder();
    endlessConnection(total, text, (bytes, frame, time) => {
      decoder.decode(LinkType.RAW, bytes, 0, bytes.length);
      table.add(decoder.packet, frame, time);
      most = Math.max(most, log.used);
    });
    table.finish();
    const [report] = reports;
    expect(report.packets).toBe(2 * total + 6);
    expect(report.sides.client.bytes).toBe(total * text);
    expect(report.findings.map((f) => f.kind)).toEqual(['clean']);
    // The FIN's as well.
    expect(report.rtt.client?.samples).toBe(total + 1);
    expect(most).toBeLessThan(12_000);
    expect(log.used).toBe(0);
  });
});

/** Opened, `count` segments of `length` octets, each acknowledged, closed. Only the headers were captured. */
function endlessConnection(
  count: number,
  length: number,
  packet: (bytes: Uint8Array, frame: number, time: number) => void,
): void {
  const bytes = new Uint8Array(40);
  let frame = 0;
  const send = (up: boolean, flags: number, seq: number, ack: number, text: number): void => {
    bytes.set([
      0x45,
      0,
      (40 + text) >>> 8,
      (40 + text) & 255,
      0,
      0,
      0x40,
      0,
      64,
      6,
      0,
      0,
      10,
      0,
      0,
      up ? 1 : 2,
      10,
      0,
      0,
    ]);
    bytes[19] = up ? 2 : 1;
    writeU16(bytes, 20, up ? 40_000 : 80);
    writeU16(bytes, 22, up ? 80 : 40_000);
    writeU32(bytes, 24, seq | 0);
    writeU32(bytes, 28, ack | 0);
    bytes[32] = 0x50;
    bytes[33] = flags;
    writeU16(bytes, 34, 65_535);
    frame++;
    packet(bytes, frame, frame / 1e5);
  };
  let client = 0x7ffffff0;
  let server = -16;
  send(true, 2, client++, 0, 0);
  send(false, 18, server++, client, 0);
  send(true, 16, client, server, 0);
  for (let n = 0; n < count; n++) {
    send(true, 16, client, server, length);
    client = (client + length) | 0;
    send(false, 16, server, client, 0);
  }
  send(true, 17, client++, server, 0);
  send(false, 17, server++, client, 0);
  send(true, 16, client, server, 0);
}
