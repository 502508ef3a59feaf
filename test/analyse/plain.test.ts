/** Where the first look at a connection sees nothing, everything that searches for something finds nothing. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { findCopies } from '../../src/analyse/copies.ts';
import { followDelivery } from '../../src/analyse/delivery.ts';
import { countHiddenCopies, type Facts, judgeFacts } from '../../src/analyse/facts.ts';
import { connectionFindings } from '../../src/analyse/findings.ts';
import { Analyser } from '../../src/analyse/index.ts';
import { findProbes } from '../../src/analyse/probes.ts';
import { emptyCounts } from '../../src/analyse/report.ts';
import { WHOLE } from '../../src/analyse/trace.ts';
import { wiresharkView } from '../../src/analyse/wireshark.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import { collectionFiles, readCollection } from '../captures.ts';
import { playWorld } from './worlds.ts';

/**
 * Searches again in what was taken for plain; returns how many connections that were, and how many not.
 * @param without the number of a frame to leave out.
 */
function searchAgain(bytes: Uint8Array, name: string, without = 0): [number, number] {
  const seen: [number, number] = [0, 0];
  const analyser = new Analyser({
    inspect: (facts) => {
      const { trace, place, copies, probes, delivery } = facts;
      seen[facts.plain ? 0 : 1]++;
      if (!facts.plain) return;
      const where = `${name}, frame ${trace.frame(0)}`;
      expect(wiresharkView(trace), where).toEqual(wiresharkView(trace, true));
      const searched: Facts = { ...facts, plain: false, counts: emptyCounts(), lost: new Set() };
      judgeFacts(searched, WHOLE);
      countHiddenCopies(searched);
      expect(searched.counts, where).toEqual(facts.counts);
      expect(connectionFindings(searched), where).toEqual(connectionFindings(facts));
      expect(findCopies(trace), where).toEqual(copies);
      expect(findProbes(trace), where).toEqual(probes);
      for (const [side, d] of followDelivery(trace, place, false).entries()) {
        // Identifications skipped say something only where something was sent again.
        const { skips: _, ...nothing } = delivery[side];
        expect(d, where).toMatchObject(nothing);
      }
    },
  });
  const reader = new CaptureReader({ packet: (r) => void (r.frame !== without && analyser.packet(r)) });
  reader.push(bytes);
  analyser.finish(name, reader.end());
  return seen;
}

describe('the first look', () => {
  it('misses nothing in the fixtures and the collection', () => {
    const directory = join(import.meta.dirname, '..', 'fixtures', 'captures');
    let plain = 0;
    let eventful = 0;
    const look = (bytes: Uint8Array, name: string): void => {
      const seen = searchAgain(bytes, name);
      plain += seen[0];
      eventful += seen[1];
    };
    for (const name of readdirSync(directory).filter((n) => /\.pcap(\.gz)?$/.test(n))) {
      const bytes = readFileSync(join(directory, name));
      look(name.endsWith('.gz') ? gunzipSync(bytes) : bytes, name);
    }
    for (const name of collectionFiles()) look(readCollection(name), name);
    expect(plain).toBeGreaterThan(5);
    expect(eventful).toBeGreaterThan(20);
  });

  it('misses nothing on wires that lose, double and reorder now and then', () => {
    let plain = 0;
    let eventful = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const loss = seed % 3 === 0 ? 0 : 0.01;
      const reorder = { probability: seed % 5 === 0 ? 0.02 : 0, extraMs: 15 };
      const faults = { loss, duplicate: seed % 4 === 0 ? 0.02 : 0, reorder };
      const closer = (['client', 'server', 'both'] as const)[seed % 3];
      const up = 1 + (seed % 7) * 9000;
      const { captures } = playWorld({ seed, up, down: (seed % 2) * 20_000, closer, forward: faults });
      for (const end of ['client', 'server'] as const) {
        const seen = searchAgain(captures[end], `seed ${seed} at the ${end}`);
        plain += seen[0];
        eventful += seen[1];
      }
    }
    expect(plain).toBeGreaterThan(10);
    expect(eventful).toBeGreaterThan(10);
  });

  it('misses nothing where the capture misses a frame, or the receiver sleeps', () => {
    const worlds = [
      playWorld({ seed: 1, up: 9000, down: 5000, closer: 'client' }),
      playWorld({ seed: 2, up: 70_000, down: 0, closer: 'server', serverReadsAt: 3000 }),
      playWorld({ seed: 3, up: 65_535, down: 10, closer: 'both', serverReadsAt: 40 }),
    ];
    let eventful = 0;
    for (const { captures } of worlds) {
      for (let frame = 0; frame < 40; frame++) {
        eventful += searchAgain(captures.client, `without frame ${frame}`, frame)[1];
        eventful += searchAgain(captures.server, `without frame ${frame}`, frame)[1];
      }
    }
    expect(eventful).toBeGreaterThan(60);
  });
});
