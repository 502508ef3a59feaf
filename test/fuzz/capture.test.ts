/**
 * Damaged captures through reader, dissector, formatter, field tree and analysis: nothing throws, nothing hangs, nothing
 * grows. FUZZ_INPUTS sets how many packets; the tests take a few seconds' worth.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { CaptureReader, type CaptureRecord } from '../../src/capture/index.ts';
import { fieldTree, TcpdumpFormatter } from '../../src/dissect/index.ts';
import { PacketDecoder } from '../../src/dissect/packet.ts';

const directory = join(import.meta.dirname, '..', 'fixtures', 'captures');
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 200_000);
const LINK_TYPES = [0, 1, 12, 101, 105, 108, 113, 127, 228, 229, 276, 147];

function fixtures(): Uint8Array[] {
  return readdirSync(directory)
    .filter((name) => /\.pcap(\.gz)?$/.test(name) && !/flood|random|loss|reorder|dup/.test(name))
    .map((name) => {
      const bytes = readFileSync(join(directory, name));
      return name.endsWith('.gz') ? new Uint8Array(gunzipSync(bytes)) : new Uint8Array(bytes);
    });
}

function packets(file: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  const reader = new CaptureReader({
    packet: (r: CaptureRecord) => out.push(r.data.slice(r.offset, r.offset + r.length)),
  });
  reader.push(file);
  reader.end();
  return out;
}

/** Changes a few octets, sometimes to values that matter to lengths, and sometimes cuts. */
function mutate(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const out = bytes.slice();
  for (let n = 1 + (random.nextUint32() % 6); n > 0; n--) {
    const at = random.nextUint32() % out.length;
    const kind = random.nextUint32() % 4;
    out[at] =
      kind === 0 ? 0 : kind === 1 ? 255 : kind === 2 ? random.nextUint32() : out[at] ^ (1 << (random.nextUint32() % 8));
  }
  return random.nextUint32() % 3 === 0 ? out.subarray(0, 1 + (random.nextUint32() % out.length)) : out;
}

describe('fuzz', () => {
  it(`${INPUTS} damaged packets through decoder, formatter and field tree`, () => {
    const random = new SeededRandom(20_260_101);
    const corpus = fixtures()
      .flatMap(packets)
      .filter((p) => p.length > 0);
    const decoder = new PacketDecoder();
    const formatters = [new TcpdumpFormatter(), new TcpdumpFormatter({ verbose: 2 })];
    const began = process.cpuUsage().user;
    for (let n = 0; n < INPUTS; n++) {
      const packet = mutate(corpus[random.nextUint32() % corpus.length], random);
      const linkType = n % 3 === 0 ? LINK_TYPES[random.nextUint32() % LINK_TYPES.length] : 1;
      decoder.decode(linkType, packet, 0, packet.length);
      const line = formatters[n & 1].line(n, 0, linkType, packet, packet.length);
      if (line.length > 200_000) throw new Error(`a line of ${line.length} characters`);
      if (n % 4 === 0) fieldTree(linkType, packet);
    }
    const microseconds = (process.cpuUsage().user - began) / INPUTS;
    expect(microseconds).toBeLessThan(500);
  });

  it('damaged files in any chunks: read, analysed, and an error value at most (F32)', () => {
    const random = new SeededRandom(7);
    const files = fixtures();
    const rounds = Math.max(300, Math.floor(INPUTS / 500));
    for (let n = 0; n < rounds; n++) {
      const file = mutate(files[n % files.length], random);
      const analyser = new Analyser();
      const reader = new CaptureReader(analyser);
      const step = 1 + (random.nextUint32() % 5000);
      for (let at = 0; at < file.length; at += step) reader.push(file.subarray(at, at + step));
      const report = analyser.finish('fuzz', reader.end());
      expect(report.packets).toBeLessThanOrEqual(file.length / 16);
    }
  });

  it('damaged packets in sound files: the analysis says something and never throws', () => {
    const random = new SeededRandom(99);
    for (const file of fixtures()) {
      for (let n = 0; n < 10; n++) {
        // Half of the time connections are cut out in the smallest of parts.
        const analyser = n % 2 === 0 ? new Analyser() : new Analyser({ fold: { part: 32, margin: 16, opening: 16 } });
        let frame = 0;
        const reader = new CaptureReader({
          packet(r) {
            frame++;
            if (random.nextUint32() % 5 === 0 && r.length > 20) {
              const at = r.offset + (random.nextUint32() % r.length);
              r.data[at] ^= 1 << (random.nextUint32() % 8);
            }
            analyser.packet(r);
          },
        });
        reader.push(file.slice());
        const report = analyser.finish('fuzz', reader.end());
        expect(report.packets).toBe(frame);
        // A SYN into a live connection that begins another one is told of with both.
        expect(report.connections.reduce((sum, c) => sum + c.packets, 0)).toBeGreaterThanOrEqual(report.tcpPackets);
        JSON.stringify(report);
      }
    }
  });
});
