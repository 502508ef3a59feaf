/** Every capture whose truth is known: what must be said is said, what must not is not, and the counts agree. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Analyser, type CaptureReport } from '../../src/analyse/index.ts';
import { CaptureReader, PcapngWriter } from '../../src/capture/index.ts';
import { TRUTH } from './truth.ts';

const directory = join(import.meta.dirname, '..', 'fixtures', 'captures');

function load(name: string): Uint8Array {
  const bytes = readFileSync(join(directory, name));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

function analyse(bytes: Uint8Array): CaptureReport {
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  reader.push(bytes);
  return analyser.finish('capture', reader.end());
}

/** Kinds found anywhere in the report. */
function kinds(report: CaptureReport): Set<string> {
  return new Set([...report.findings, ...report.connections.flatMap((c) => c.findings)].map((f) => f.kind));
}

function texts(report: CaptureReport): string[] {
  return [...report.findings, ...report.connections.flatMap((c) => c.findings)].map((f) => f.text);
}

function check(name: string, report: CaptureReport): void {
  const truth = TRUTH[name];
  const found = kinds(report);
  expect(report.problem).toBeNull();
  for (const kind of truth.must) expect([...found], `${kind} must be found`).toContain(kind);
  for (const kind of truth.mustNot ?? []) expect([...found], `${kind} must not be said`).not.toContain(kind);
  for (const text of truth.says ?? []) {
    expect(
      texts(report).some((t) => text.test(t)),
      `${text} in\n${texts(report).slice(0, 12).join('\n')}`,
    ).toBe(true);
  }
  if (truth.connections !== undefined) expect(report.connections.length).toBe(truth.connections);
  for (const c of truth.connections !== undefined && truth.connections > 3 ? [] : report.connections.slice(0, 1)) {
    if (truth.handshake !== undefined) expect(c.handshake).toBe(truth.handshake);
    if (truth.close !== undefined) expect(c.close).toBe(truth.close);
    if (truth.firstCloser !== undefined) expect(c.firstCloser).toBe(truth.firstCloser);
    if (truth.timeWait !== undefined) expect(c.timeWaitHolder).toBe(truth.timeWait);
    if (truth.at !== undefined) expect(c.capturePoint).toBe(truth.at);
    if (truth.counts !== undefined) expect(c.counts).toMatchObject(truth.counts);
  }
}

/** The same capture with each side's sequence numbers moved by a constant: only numbers on the wire change. */
function shifted(bytes: Uint8Array, clientBy: number, serverBy: number): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PcapngWriter((part) => parts.push(part));
  const ids = new Map<number, number>();
  const reader = new CaptureReader({
    packet(r) {
      let id = ids.get(r.linkType);
      if (id === undefined) {
        id = writer.addInterface({ linkType: r.linkType });
        ids.set(r.linkType, id);
      }
      const packet = r.data.slice(r.offset, r.offset + r.length);
      move(packet, r.linkType === 1 ? 14 : 0, clientBy, serverBy);
      writer.packetAt(id, r.seconds, r.nanoseconds, packet, { originalLength: r.originalLength });
    },
  });
  reader.push(bytes);
  return Buffer.concat(parts);
}

/** In these captures the server is 10.77.0.2 or fd77::2, whoever the client. */
function move(packet: Uint8Array, ip: number, clientBy: number, serverBy: number): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const six = packet[ip] >>> 4 === 6;
  if (packet[ip + (six ? 6 : 9)] !== 6) return;
  const tcp = ip + (six ? 40 : (packet[ip] & 15) * 4);
  const fromServer = six
    ? view.getUint32(ip + 8) === 0xfd770000 && view.getUint32(ip + 20) === 2
    : view.getUint32(ip + 12) === 0x0a4d0002;
  const [own, peer] = fromServer ? [serverBy, clientBy] : [clientBy, serverBy];
  const add = (at: number, by: number): void => view.setUint32(at, (view.getUint32(at) + by) >>> 0);
  add(tcp + 4, own);
  if ((packet[tcp + 13] & 16) !== 0) add(tcp + 8, peer);
  for (let at = tcp + 20, end = tcp + (packet[tcp + 12] >>> 4) * 4; at < end; ) {
    if (packet[at] === 5) for (let k = at + 2; k < at + packet[at + 1]; k += 4) add(k, peer);
    at += packet[at] < 2 ? 1 : Math.max(2, packet[at + 1]);
  }
}

/** The same capture with each packet recorded again 8 µs later. */
function twice(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PcapngWriter((part) => parts.push(part));
  let id = -1;
  const reader = new CaptureReader({
    packet(r) {
      if (id < 0) id = writer.addInterface({ linkType: r.linkType });
      const packet = r.data.slice(r.offset, r.offset + r.length);
      for (const late of [0, 8000]) {
        writer.packetAt(id, r.seconds, Math.min(999_999_999, r.nanoseconds + late), packet, {
          originalLength: r.originalLength,
        });
      }
    },
  });
  reader.push(bytes);
  return Buffer.concat(parts);
}

describe('captures with known truth', () => {
  it('covers every capture that is here', () => {
    const files = readdirSync(directory).filter((name) => /\.pcap(\.gz)?$/.test(name));
    expect(files.sort()).toEqual(Object.keys(TRUTH).sort());
  });

  for (const name of Object.keys(TRUTH)) {
    it(name, () => check(name, analyse(load(name))));
  }

  it('a FIN that fell into a gap of the capture closes its end all the same', () => {
    const [c] = analyse(load('g26-pmtu-icmp.pcap')).connections;
    expect(c.states.at(-1)).toMatchObject({ client: 'TIME-WAIT', server: 'CLOSED' });
  });

  it('tells packets recorded twice from anything that happened to them', () => {
    const [c] = analyse(twice(load('g10-loss-sack-sender.pcap'))).connections;
    expect(c.counts).toMatchObject({ ...TRUTH['g10-loss-sack-sender.pcap'].counts, capturedTwice: 537 });
    expect(c.findings.map((f) => f.kind)).toEqual(['loss', 'captured-twice']);
  });

  it('tells them without identifications as well, also in recovery', () => {
    for (const name of Object.keys(TRUTH).filter((name) => name.startsWith('lab6-'))) {
      // Bare acknowledgments that say the same within microseconds are copies of one another, or not.
      const told = (bytes: Uint8Array) => ({
        ...analyse(bytes).connections[0].counts,
        duplicateAcks: 0,
        capturedTwice: 0,
      });
      expect({ name, ...told(twice(load(name))) }).toEqual({ name, ...told(load(name)) });
      const { counts, packets } = analyse(twice(load(name))).connections[0];
      expect(counts.capturedTwice, name).toBeGreaterThan(0.97 * (packets / 2));
    }
  });

  it('says the same whatever the initial sequence numbers are, wraps included', () => {
    for (const name of Object.keys(TRUTH)) {
      const bytes = load(name);
      const plain = verdicts(analyse(bytes));
      for (const [a, b] of [
        [0x7fffff00, 0xfffff000],
        [0xffffffff - 70_000, 0x12345678],
        [1_294_967_296, 3_000_000_000],
      ]) {
        // A checksum is right for its own numbers only; damage is told by it.
        if (name.includes('corrupt')) continue;
        expect(verdicts(analyse(shifted(bytes, a, b))), name).toEqual(plain);
      }
    }
  });
});

function verdicts(report: CaptureReport): unknown {
  const initial = (side: object): object => ({ ...side, initialSequence: null });
  return report.connections.map((c) => ({
    ...c,
    sides: { client: initial(c.sides.client), server: initial(c.sides.server) },
  }));
}
