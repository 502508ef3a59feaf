import { describe, expect, it } from 'vitest';
import type { CaptureRecord } from './formats.ts';
import { type CaptureInterface, LinkType } from './formats.ts';
import { PcapWriter } from './pcap-writer.ts';
import { PcapngWriter } from './pcapng-writer.ts';
import { CaptureReader } from './reader.ts';
import { splitTicks } from './time.ts';

interface Seen {
  frame: number;
  seconds: number;
  nanoseconds: number;
  bytes: number[];
  originalLength: number;
  comment: string | null;
  direction: number;
  linkType: number;
}

function read(file: Uint8Array, chunk = file.length || 1) {
  const seen: Seen[] = [];
  const interfaces: CaptureInterface[] = [];
  const names: string[] = [];
  const secrets: number[][] = [];
  const reader = new CaptureReader({
    packet: (r: CaptureRecord) =>
      seen.push({
        frame: r.frame,
        seconds: r.seconds,
        nanoseconds: r.nanoseconds,
        bytes: [...r.data.subarray(r.offset, r.offset + r.length)],
        originalLength: r.originalLength,
        comment: r.comment,
        direction: r.direction,
        linkType: r.linkType,
      }),
    interface: (iface) => interfaces.push(iface),
    names: (list) => names.push(...list.flatMap((n) => n.names)),
    secrets: (s) => secrets.push([...s.data]),
  });
  for (let at = 0; at < file.length; at += chunk) {
    // A fresh copy that is wiped afterwards: the reader must not keep a view of it.
    const piece = file.slice(at, at + chunk);
    reader.push(piece);
    piece.fill(0xee);
  }
  const problem = reader.end();
  return { seen, interfaces, names, secrets, problem };
}

function gather(): { write: (bytes: Uint8Array) => void; file: () => Uint8Array } {
  const parts: Uint8Array[] = [];
  return {
    write: (bytes) => parts.push(bytes),
    file: () => {
      const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        out.set(part, at);
        at += part.length;
      }
      return out;
    },
  };
}

const packet = Uint8Array.from({ length: 61 }, (_, i) => i * 7);

function sample(kind: 'pcap' | 'pcapng', tsResolution: 'us' | 'ns'): Uint8Array {
  const out = gather();
  if (kind === 'pcap') {
    const writer = new PcapWriter(out.write, { linkType: LinkType.RAW, tsResolution });
    for (let i = 0; i < 3; i++) writer.packetAt(1_795_166_524 + i, 607_340_123 + i, packet.subarray(i));
  } else {
    const writer = new PcapngWriter(out.write);
    const id = writer.addInterface({ linkType: LinkType.RAW, name: 'wire', tsResolution });
    for (let i = 0; i < 3; i++) {
      const options = i === 1 ? { comment: 'dropped here', direction: 'inbound' as const } : {};
      writer.packetAt(id, 1_795_166_524 + i, 607_340_123 + i, packet.subarray(i), options);
    }
  }
  return out.file();
}

describe('capture files', () => {
  for (const kind of ['pcap', 'pcapng'] as const) {
    for (const resolution of ['us', 'ns'] as const) {
      it(`come back as written: ${kind}, ${resolution}, in chunks of every size`, () => {
        const file = sample(kind, resolution);
        const whole = read(file);
        expect(whole.problem).toBeNull();
        expect(whole.seen.length).toBe(3);
        expect(whole.seen[2]).toMatchObject({
          frame: 3,
          seconds: 1_795_166_526,
          nanoseconds: resolution === 'ns' ? 607_340_125 : 607_340_000,
          originalLength: 59,
          linkType: LinkType.RAW,
        });
        expect(whole.seen[2].bytes).toEqual([...packet.subarray(2)]);
        if (kind === 'pcapng') {
          expect(whole.interfaces[0]).toMatchObject({ name: 'wire', linkType: LinkType.RAW });
          expect(whole.seen[1]).toMatchObject({ comment: 'dropped here', direction: 1 });
          expect(whole.seen[2]).toMatchObject({ comment: null, direction: 0 });
        }
        for (const chunk of [1, 2, 3, 5, 17, 64, 100]) expect(read(file, chunk)).toEqual(whole);
      });
    }

    it(`cut anywhere, hand out what is whole and say what is missing: ${kind}`, () => {
      const file = sample(kind, 'us');
      const offsets: number[] = [];
      for (let length = 0; length < file.length; length++) {
        const { seen, problem } = read(file.subarray(0, length));
        if (problem === null) offsets.push(length);
        else expect(problem.message).toMatch(/cut|empty|too few|ends inside/);
        expect(seen.length).toBeLessThanOrEqual(3);
      }
      // Only at record boundaries does a cut file look whole.
      expect(offsets.length).toBe(kind === 'pcap' ? 3 : 4);
    });
  }

  it('reads simulated milliseconds exactly', () => {
    const out = gather();
    const writer = new PcapngWriter(out.write);
    const id = writer.addInterface({ linkType: LinkType.ETHERNET });
    for (const ms of [0, 0.001, 10.000001, 70.5, 999.9999999]) writer.packet(id, ms, packet);
    const times = read(out.file()).seen.map((r) => [r.seconds, r.nanoseconds]);
    expect(times).toEqual([
      [0, 0],
      [0, 1000],
      [0, 10_000_001],
      [0, 70_500_000],
      [1, 0],
    ]);
  });

  it('skips unknown blocks without keeping them, and refuses lengths that lie', () => {
    const file = sample('pcapng', 'us');
    const unknown = new Uint8Array(1012);
    unknown.set([0xef, 0xbe, 0, 0, 0xf4, 3, 0, 0]);
    unknown.set([0xf4, 3, 0, 0], 1008);
    const joined = new Uint8Array(file.length + unknown.length);
    const sectionLength = file[4] + file[5] * 256;
    joined.set(file.subarray(0, sectionLength));
    joined.set(unknown, sectionLength);
    joined.set(file.subarray(sectionLength), sectionLength + unknown.length);
    expect(read(joined).seen.length).toBe(3);
    expect(read(joined, 7).problem).toBeNull();
    expect(read(joined.subarray(0, sectionLength + 500)).problem?.message).toMatch(/cut inside a block/);
    const lying = file.slice();
    lying.set([0xff, 0xff, 0xff, 0x7c], sectionLength + 4);
    expect(read(lying).problem?.message).toMatch(/length|bytes/);
  });

  it('names what is no capture at all', () => {
    expect(read(new TextEncoder().encode('hello, world, how are you')).problem?.message).toMatch(/neither/);
    expect(read(new Uint8Array(0)).problem?.message).toMatch(/empty/);
    const damaged = sample('pcap', 'us');
    damaged[24 + 8 + 3] = 0x7f;
    const { seen, problem } = read(damaged);
    expect(seen.length).toBe(0);
    expect(problem).toMatchObject({ offset: 24 });
  });

  it('keeps decryption secrets', () => {
    const out = gather();
    const writer = new PcapngWriter(out.write);
    writer.secrets(0x544c534b, Uint8Array.of(1, 2, 3, 4, 5));
    expect(read(out.file(), 3).secrets).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('splits 64-bit ticks exactly at every resolution', () => {
    const into = { seconds: 0, nanoseconds: 0 };
    const ticks = 1_795_166_524_607_340_123n;
    splitTicks(Number(ticks >> 32n), Number(ticks & 0xffffffffn), 1e9, into);
    expect(into).toEqual({ seconds: 1_795_166_524, nanoseconds: 607_340_123 });
    const pico = 1_700_000_123_456_789_000n;
    splitTicks(Number(pico >> 32n), Number(pico & 0xffffffffn), 1e12, into);
    expect(into).toEqual({ seconds: 1_700_000, nanoseconds: 123_456_789 });
    splitTicks(0, 3, 2, into);
    expect(into).toEqual({ seconds: 1, nanoseconds: 500_000_000 });
  });
});
