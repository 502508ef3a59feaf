import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { IpAddress } from '../wire/address.ts';
import { WireDrop } from '../wire/drop.ts';
import {
  emitIpHeader,
  emitIpv4Header,
  IpPacket,
  Protocol,
  parseIp,
  setTransportChecksum,
  transportChecksumOk,
} from '../wire/ip.ts';
import { counterName } from './counters.ts';
import { fragmentPayload, writeFragment } from './fragments.ts';
import { KeyedHash } from './keyed-hash.ts';
import { Reassembly, type ReassemblyLimits } from './reassembly.ts';

const LIMITS = { ipfrag_high_thresh: 4_194_304, ipfrag_time: 30 };

function make(limits: Partial<ReassemblyLimits> = {}): Reassembly {
  return new Reassembly({ ...LIMITS, ...limits }, new KeyedHash(new SeededRandom(1)));
}

function header(family: 4 | 6, id: number, protocol: number = Protocol.UDP): IpPacket {
  const packet = new IpPacket();
  packet.family = family;
  packet.setSource(IpAddress.parse(family === 4 ? '192.0.2.1' : '2001:db8::1'));
  packet.setDestination(IpAddress.parse(family === 4 ? '192.0.2.2' : '2001:db8::2'));
  packet.protocol = protocol;
  packet.hopLimit = 64;
  packet.id = id;
  return packet;
}

function content(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8)) & 255;
  return bytes;
}

/** The fragments of one datagram, each a packet of its own. */
function cut(family: 4 | 6, id: number, payload: Uint8Array, mtu: number): Uint8Array[] {
  const packet = header(family, id);
  const share = fragmentPayload(family, mtu);
  const list: Uint8Array[] = [];
  for (let from = 0; from < payload.length; from += share) {
    const out = new Uint8Array(mtu);
    list.push(out.slice(0, writeFragment(packet, payload, 0, payload.length, from, share, out, 0)));
  }
  return list;
}

/** One fragment made by hand. */
function piece(offset: number, length: number, more: boolean, id = 1, family: 4 | 6 = 4, fill = 1): Uint8Array {
  const packet = header(family, id);
  packet.isFragment = true;
  packet.fragmentOffset = offset;
  packet.moreFragments = more;
  packet.payloadLength = length;
  const out = new Uint8Array(48 + length);
  const headerLength = emitIpHeader(packet, out, 0);
  out.fill(fill, headerLength, headerLength + length);
  return out.slice(0, headerLength + length);
}

/** Feeds one fragment; 'kept', the counter that names the drop, or the whole packet. */
function feed(reassembly: Reassembly, bytes: Uint8Array, now = 0): string | Uint8Array {
  const packet = new IpPacket();
  expect(parseIp(bytes, 0, bytes.length, packet)).toBe(WireDrop.NONE);
  expect(packet.isFragment).toBe(true);
  const whole = reassembly.add(now, packet, bytes);
  if (whole !== null) return whole;
  return reassembly.dropped === 0 ? 'kept' : counterName(reassembly.dropped);
}

function payloadOf(whole: string | Uint8Array): Uint8Array {
  if (typeof whole === 'string') throw new Error(whole);
  const packet = new IpPacket();
  expect(parseIp(whole, 0, whole.length, packet)).toBe(WireDrop.NONE);
  expect(packet.isFragment).toBe(false);
  expect(packet.protocol).toBe(Protocol.UDP);
  return whole.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
}

describe.each([4, 6] as const)('reassembly of IPv%i', (family) => {
  it('puts fragments together in any order, with duplicates of each', () => {
    const payload = content(9001);
    const random = new SeededRandom(5);
    for (let round = 0; round < 50; round++) {
      const reassembly = make();
      const pieces = cut(family, round, payload, 1280);
      // One piece comes once: with every piece twice, the duplicates would make a second whole.
      const deck = [...pieces, ...pieces.slice(1)].sort(() => random.nextUint32() - 0x8000_0000);
      const results = deck.map((bytes) => feed(reassembly, bytes));
      const whole = results.filter((result) => typeof result !== 'string');
      expect(whole.length).toBe(1);
      expect(Buffer.compare(payloadOf(whole[0]), payload)).toBe(0);
    }
  });

  it('keeps datagrams with other identifications apart', () => {
    const reassembly = make();
    const a = cut(family, 1, content(2000), 1280);
    const b = cut(family, 2, content(2000), 1280);
    expect(feed(reassembly, a[0])).toBe('kept');
    expect(feed(reassembly, b[1])).toBe('kept');
    expect(payloadOf(feed(reassembly, a[1])).length).toBe(2000);
    expect(reassembly.size).toBe(1);
  });

  it.each([
    [
      'covers the tail of one and the head of the next',
      [
        [0, 16, true],
        [24, 16, true],
        [8, 24, true],
      ],
    ],
    [
      'lies within another',
      [
        [0, 32, true],
        [8, 8, true],
      ],
    ],
    [
      'has the same start and another length',
      [
        [0, 32, true],
        [0, 16, true],
      ],
    ],
    [
      'has the same end and another start',
      [
        [0, 32, true],
        [16, 16, true],
      ],
    ],
    [
      'covers two others exactly',
      [
        [0, 16, true],
        [16, 16, true],
        [0, 32, true],
      ],
    ],
    [
      'goes past the end',
      [
        [16, 10, false],
        [24, 16, true],
      ],
    ],
    [
      'says the end is elsewhere',
      [
        [16, 10, false],
        [32, 3, false],
      ],
    ],
    [
      'ends before what is there',
      [
        [32, 16, true],
        [16, 8, false],
      ],
    ],
  ] as [string, [number, number, boolean][]][])('drops the whole datagram when a fragment %s (D22)', (_name, list) => {
    const reassembly = make();
    const results = list.map(([offset, length, more]) => feed(reassembly, piece(offset, length, more, 1, family)));
    expect(results.at(-1)).toBe('IpReasmOverlaps');
    expect(reassembly.size).toBe(0);
    expect(reassembly.memory).toBe(0);
  });

  it('ignores an exact duplicate, and keeps the first copy', () => {
    const reassembly = make();
    expect(feed(reassembly, piece(0, 16, true, 1, family, 1))).toBe('kept');
    expect(feed(reassembly, piece(0, 16, true, 1, family, 2))).toBe('kept');
    const payload = payloadOf(feed(reassembly, piece(16, 3, false, 1, family, 3)));
    expect([...payload]).toEqual([...new Array(16).fill(1), 3, 3, 3]);
  });

  it('gives up after ipfrag_time, and hands out the first fragment if it came', () => {
    const reassembly = make();
    const first = piece(0, 16, true, 1, family);
    feed(reassembly, first, 1000);
    feed(reassembly, piece(16, 16, true, 2, family), 2000);
    expect(reassembly.nextDeadline()).toBe(31_000);
    expect(reassembly.expire(30_999)).toBeNull();
    expect(reassembly.expire(31_000)).toEqual(first);
    expect(reassembly.expire(31_000)).toBeNull();
    expect(reassembly.expire(32_000)).toEqual(new Uint8Array(0));
    expect(reassembly.memory).toBe(0);
    expect(reassembly.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('reassembly under attack', () => {
  it('holds no more memory than ipfrag_high_thresh and drops what is new (D21)', () => {
    const reassembly = make();
    let kept = 0;
    for (let id = 0; id < 20_000; id++) {
      const result = feed(reassembly, piece(0, 8, true, id & 0xffff), 0);
      if (result === 'kept') kept++;
      else expect(result).toBe('IpReasmOverflows');
      expect(reassembly.memory).toBeLessThanOrEqual(4_194_304 + 1024);
    }
    expect(kept).toBeGreaterThan(3000);
    for (let n = 0; reassembly.expire(30_000) !== null; n++) expect(n).toBeLessThan(kept);
    expect(reassembly.memory).toBe(0);
    expect(typeof feed(reassembly, piece(0, 8, true, 1), 30_001)).toBe('string');
  });

  it('refuses TCP headers cut in two (RFC 1858, RFC 3128)', () => {
    const reassembly = make();
    const fragment = (offset: number, length: number): string | Uint8Array => {
      const bytes = piece(offset, length, true);
      bytes[9] = Protocol.TCP;
      const packet = new IpPacket();
      packet.isFragment = true;
      packet.fragmentOffset = offset;
      packet.payloadLength = length;
      packet.moreFragments = true;
      packet.protocol = Protocol.TCP;
      packet.payloadOffset = 20;
      reassembly.add(0, packet, bytes);
      return counterName(reassembly.dropped);
    };
    expect(fragment(0, 16)).toBe('InTinyFragment');
    expect(fragment(8, 64)).toBe('InTinyFragment');
    expect(fragment(16, 64)).toBe('InTinyFragment');
    expect(reassembly.size).toBe(0);
  });

  it('refuses a whole that passes 65535 with the header of its first fragment', () => {
    const reassembly = make();
    // 20 bytes of header with the last fragment, 60 with the first.
    const packet = header(4, 1);
    packet.isFragment = true;
    packet.moreFragments = true;
    packet.payloadLength = 65_472;
    const first = new Uint8Array(65_535);
    const headerLength = emitIpv4WithOptions(packet, first);
    expect(feed(reassembly, first.slice(0, headerLength + 65_472))).toBe('kept');
    expect(feed(reassembly, piece(65_472, 43, false))).toBe('IpReasmFails');
    expect(reassembly.memory).toBe(0);
  });
});

function emitIpv4WithOptions(packet: IpPacket, out: Uint8Array): number {
  return emitIpv4Header(packet, out, 0, new Uint8Array(40).fill(1));
}

describe('ECN of the whole (RFC 3168 section 5.3)', () => {
  const run = (...codepoints: number[]): number | string => {
    const reassembly = make();
    let result: string | Uint8Array = '';
    codepoints.forEach((ecn, i) => {
      const packet = header(4, 1);
      packet.isFragment = true;
      packet.fragmentOffset = i * 8;
      packet.moreFragments = i < codepoints.length - 1;
      packet.payloadLength = 8;
      packet.trafficClass = 0x28 | ecn;
      const out = new Uint8Array(28);
      emitIpHeader(packet, out, 0);
      result = feed(reassembly, out);
    });
    return typeof result === 'string' ? result : (result as Uint8Array)[1];
  };
  it('is marked when one fragment is, and refuses a mixture with unable ones', () => {
    expect(run(2, 3, 2)).toBe(0x28 | 3);
    expect(run(2, 2)).toBe(0x28 | 2);
    expect(run(0, 0)).toBe(0x28);
    expect(run(2, 0)).toBe('IpReasmFails');
    expect(run(0, 3)).toBe('IpReasmFails');
  });
});

describe('cutting', () => {
  it('keeps the transport checksum right through a round trip', () => {
    const packet = header(6, 7);
    const datagram = content(5000);
    datagram[4] = 5000 >> 8;
    datagram[5] = 5000 & 255;
    setTransportChecksum(datagram, 0, datagram.length, packet);
    const reassembly = make();
    const results = cut(6, 7, datagram, 1280).map((bytes) => feed(reassembly, bytes));
    const whole = results.at(-1) as Uint8Array;
    parseIp(whole, 0, whole.length, packet);
    expect(transportChecksumOk(whole, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
  });

  it('makes fragments as large as the path allows and no larger', () => {
    for (const family of [4, 6] as const) {
      const sizes = cut(family, 1, content(10_000), 1284).map((bytes) => bytes.length);
      for (const size of sizes.slice(0, -1)) expect(1284 - size).toBeLessThan(8);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1284);
    }
  });
});
