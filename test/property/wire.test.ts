/**
 * Codecs: what is written is read back the same, whatever it is and wherever it lies; checksums agree with RFC 1071
 * taken word for word.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seq } from '../../src/base/seq.ts';
import { ArpPacket, emitArp, parseArp } from '../../src/wire/arp.ts';
import { checksumAdd, checksumAdjust, checksumFold } from '../../src/wire/checksum.ts';
import { WireDrop } from '../../src/wire/drop.ts';
import { EthernetFrame, emitEthernet, parseEthernet } from '../../src/wire/ethernet.ts';
import { emitIcmp, IcmpMessage, parseIcmp } from '../../src/wire/icmp.ts';
import { Icmpv6Message } from '../../src/wire/icmpv6.ts';
import {
  emitIpHeader,
  emitIpv4Header,
  IpPacket,
  Protocol,
  parseIp,
  setTransportChecksum,
  transportChecksumOk,
} from '../../src/wire/ip.ts';
import { NeighbourDiscovery, parseNeighbourDiscovery } from '../../src/wire/neighbour-discovery.ts';
import { emitNeighbourDiscovery, neighbourDiscoveryLength } from '../../src/wire/neighbour-discovery-emit.ts';
import { emitTcp, parseTcp, Segment, SYN, tcpHeaderLength } from '../../src/wire/tcp.ts';
import { emitUdp, parseUdp, UdpDatagram } from '../../src/wire/udp.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const i32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
const place = fc.nat({ max: 70 });

/** Somewhere in a buffer full of something else. */
function room(at: number, length: number): Uint8Array {
  return new Uint8Array(at + length + 3).fill(0x5a);
}

/** Nothing before `at` and nothing from `end` on was written. */
function untouched(bytes: Uint8Array, at: number, end: number): boolean {
  return bytes.every((byte, i) => (i >= at && i < end) || byte === 0x5a);
}

function rfc1071(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = Math.floor(sum / 0x1_0000) + (sum % 0x1_0000);
  return 0xffff - sum;
}

describe('checksum', () => {
  test('is RFC 1071, in whatever parts it is summed', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(parts, place, (pieces, at) => {
        let sum = 0;
        for (const piece of pieces) {
          const bytes = room(at, piece.length);
          bytes.set(piece, at);
          sum = checksumAdd(sum, bytes, at, piece.length);
        }
        expect(checksumFold(sum)).toBe(rfc1071(Uint8Array.from(pieces.flatMap((piece) => Array.from(piece)))));
      }),
    );
  });

  test('adjusted for a changed word is the sum made again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 60 }), u16, u16, (bytes, from, to) => {
        bytes[0] = from >> 8;
        bytes[1] = from;
        // All zeros has two spellings of its checksum; RFC 1624 keeps clear of it, and so does every real header.
        bytes[2] |= 1;
        const before = rfc1071(bytes);
        bytes[0] = to >> 8;
        bytes[1] = to;
        expect(checksumAdjust(before, from, to)).toBe(rfc1071(bytes));
      }),
    );
  });
});

const segments = fc
  .record({
    sourcePort: u16,
    destinationPort: u16,
    seq: i32.map(seq),
    ack: i32.map(seq),
    flags: fc.integer({ min: 0, max: 0x1ff }),
    window: u16,
    urgentPointer: u16,
    mss: u16,
    windowScale: fc.integer({ min: -1, max: 255 }),
    sackPermitted: fc.boolean(),
    timestamps: fc.boolean(),
    tsVal: i32,
    tsEcr: i32,
    edges: fc.array(i32, { maxLength: 8 }),
    cookie: fc.option(
      fc.integer({ min: 2, max: 8 }).chain((n) => fc.uint8Array({ minLength: 2 * n, maxLength: 2 * n })),
    ),
    fastOpen: fc.boolean(),
    userTimeout: fc.integer({ min: -1, max: 0xffff }),
  })
  .map((fields) => {
    const { edges, cookie, ...plain } = fields;
    const segment = Object.assign(new Segment(), plain);
    segment.sackCount = edges.length >> 1;
    segment.sackEdges.set(edges.slice(0, 2 * segment.sackCount));
    if (segment.fastOpen) segment.fastOpenCookie = cookie;
    if (!segment.timestamps) segment.tsVal = segment.tsEcr = 0;
    if ((segment.flags & SYN) === 0) {
      segment.mss = 0;
      segment.windowScale = -1;
      segment.sackPermitted = false;
      segment.fastOpen = false;
      segment.fastOpenCookie = null;
    }
    return segment;
  });

/** What of the segment's options fits in 40 bytes, by the precedence that emit promises. */
function trimmed(segment: Segment): Segment {
  const fixed = (segment.mss > 0 ? 4 : 0) + (segment.timestamps ? 12 : segment.sackPermitted ? 4 : 0);
  let used = fixed + (segment.windowScale >= 0 ? 4 : 0);
  const fastOpen = segment.fastOpen ? 4 * Math.ceil((2 + (segment.fastOpenCookie?.length ?? 0)) / 4) : 0;
  if (used + fastOpen > 40) {
    segment.fastOpen = false;
    segment.fastOpenCookie = null;
  } else {
    used += fastOpen;
  }
  if (segment.userTimeout >= 0) {
    if (used + 4 > 40) segment.userTimeout = -1;
    else used += 4;
  }
  segment.sackCount = Math.min(segment.sackCount, Math.max(0, Math.floor((36 - used) / 8)));
  segment.sackEdges.fill(0, 2 * segment.sackCount);
  return segment;
}

describe('TCP', () => {
  test('a segment with any options comes back, those that fit', () => {
    fc.assert(
      fc.property(segments, place, fc.nat({ max: 9 }), (segment, at, text) => {
        const length = tcpHeaderLength(segment);
        expect(length <= 60 && length % 4 === 0).toBe(true);
        const bytes = room(at, length + text);
        expect(emitTcp(segment, bytes, at)).toBe(length);
        expect(untouched(bytes, at, at + length)).toBe(true);
        const again = new Segment();
        expect(parseTcp(bytes, at, length + text, again)).toBe(WireDrop.NONE);
        const expected = trimmed(segment);
        expected.payload = bytes;
        expected.payloadOffset = at + length;
        expected.payloadLength = text;
        expect(again).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

const addresses = fc.oneof(
  fc.record({ family: fc.constant(4 as const), s3: i32, d3: i32 }),
  fc
    .record({ family: fc.constant(6 as const), s0: i32, s1: i32, s2: i32, s3: i32, d0: i32, d1: i32, d2: i32, d3: i32 })
    // An IPv4-mapped address must not come out of an IPv6 header, and doesn't.
    .filter((a) => (a.s0 | a.s1) !== 0 && (a.d0 | a.d1) !== 0),
);

const packets = fc
  .record({
    addresses,
    protocol: fc.constantFrom(Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6, Protocol.ESP, 255),
    trafficClass: u8,
    flowLabel: fc.integer({ min: 0, max: 0xf_ffff }),
    hopLimit: u8,
    id: u32,
    dontFragment: fc.boolean(),
    fragment: fc.option(fc.record({ more: fc.boolean(), offset: fc.integer({ min: 0, max: 8000 }) })),
    payloadLength: fc.integer({ min: 0, max: 200 }),
  })
  .map(({ addresses: ends, fragment, ...plain }) => {
    const packet = Object.assign(new IpPacket(), plain, ends);
    packet.isFragment = fragment !== null && (fragment.more || fragment.offset > 0);
    if (packet.isFragment && fragment !== null) {
      packet.moreFragments = fragment.more;
      packet.fragmentOffset = 8 * fragment.offset;
      packet.payloadLength = 8 + (packet.payloadLength & ~7);
    }
    if (packet.family === 4) {
      packet.flowLabel = 0;
      packet.id &= 0xffff;
    } else {
      packet.dontFragment = false;
      packet.id = packet.isFragment ? packet.id | 0 : 0;
    }
    return packet;
  });

describe('IP', () => {
  test('a packet of either family comes back, piece or whole, padding behind it', () => {
    fc.assert(
      fc.property(packets, place, fc.nat({ max: 40 }), (packet, at, padding) => {
        const bytes = room(at, 60 + packet.payloadLength + padding);
        const length = emitIpHeader(packet, bytes, at);
        expect(untouched(bytes, at, at + length)).toBe(true);
        const again = new IpPacket();
        expect(parseIp(bytes, at, length + packet.payloadLength + padding, again)).toBe(WireDrop.NONE);
        packet.headerOffset = at;
        packet.payloadOffset = at + length;
        packet.nextHeaderOffset = packet.family === 4 ? at + 9 : packet.isFragment ? at + 40 : at + 6;
        if (packet.family === 6 && packet.isFragment) {
          packet.fragmentHeaderOffset = at + 40;
          packet.fragmentLinkOffset = at + 6;
        }
        expect(again).toEqual(packet);
      }),
      { numRuns: 500 },
    );
  });

  test('IPv4 options come back, and are never in the payload', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), i32, (options, address) => {
        const packet = new IpPacket();
        packet.payloadLength = 7;
        packet.s3 = address;
        const bytes = room(0, 80);
        const length = emitIpv4Header(packet, bytes, 0, options);
        expect(Array.from(bytes.subarray(20, 20 + options.length))).toEqual(Array.from(options));
        const again = new IpPacket();
        expect(parseIp(bytes, 0, 80, again)).toBe(WireDrop.NONE);
        expect([again.payloadOffset, again.payloadLength]).toEqual([length, 7]);
      }),
    );
  });

  test('a transport checksum that was made is right, and any changed byte of it or of the text makes it wrong', () => {
    const protocol = fc.constantFrom(Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6);
    const text = fc.uint8Array({ minLength: 20, maxLength: 300 });
    fc.assert(
      fc.property(
        packets,
        protocol,
        text,
        place,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (packet, p, body, at, where, by) => {
          packet.protocol = p;
          const bytes = room(at, body.length);
          bytes.set(body, at);
          setTransportChecksum(bytes, at, body.length, packet);
          expect(transportChecksumOk(bytes, at, body.length, packet)).toBe(true);
          bytes[at + (where % body.length)] ^= by;
          if (p === Protocol.UDP && bytes[at + 6] === 0 && bytes[at + 7] === 0) return;
          expect(transportChecksumOk(bytes, at, body.length, packet)).toBe(false);
        },
      ),
    );
  });
});

describe('what IP carries, and what carries IP', () => {
  test('UDP', () => {
    fc.assert(
      fc.property(u16, u16, fc.nat({ max: 90 }), place, fc.nat({ max: 9 }), (from, to, text, at, padding) => {
        const datagram = Object.assign(new UdpDatagram(), {
          sourcePort: from,
          destinationPort: to,
          payloadLength: text,
        });
        const bytes = room(at, 8 + text + padding);
        expect(emitUdp(datagram, bytes, at)).toBe(8);
        expect(untouched(bytes, at, at + 8)).toBe(true);
        const again = new UdpDatagram();
        expect(parseUdp(bytes, at, 8 + text + padding, again)).toBe(WireDrop.NONE);
        expect(again).toEqual(Object.assign(datagram, { payloadOffset: at + 8 }));
      }),
    );
  });

  test('ICMP and ICMPv6', () => {
    const make = fc.constantFrom(IcmpMessage, Icmpv6Message);
    fc.assert(
      fc.property(make, u8, u8, i32, fc.nat({ max: 90 }), place, (Message, type, code, rest, body, at) => {
        const message = Object.assign(new Message(), { type, code, rest });
        const bytes = room(at, 8 + body);
        expect(emitIcmp(message, bytes, at)).toBe(8);
        expect(untouched(bytes, at, at + 8)).toBe(true);
        const again = new Message();
        expect(parseIcmp(bytes, at, 8 + body, again)).toBe(WireDrop.NONE);
        expect(again).toEqual(Object.assign(message, { bodyOffset: at + 8, bodyLength: body }));
      }),
    );
  });

  test('ARP', () => {
    fc.assert(
      fc.property(
        u16,
        mac,
        i32,
        mac,
        i32,
        place,
        (operation, senderMac, senderAddress, targetMac, targetAddress, at) => {
          const packet = Object.assign(new ArpPacket(), { operation, senderAddress, targetAddress });
          packet.senderMac.set(senderMac);
          packet.targetMac.set(targetMac);
          const bytes = room(at, 28);
          expect(emitArp(packet, bytes, at)).toBe(28);
          expect(untouched(bytes, at, at + 28)).toBe(true);
          const again = new ArpPacket();
          expect(parseArp(bytes, at, 28, again)).toBe(WireDrop.NONE);
          expect(again).toEqual(packet);
        },
      ),
    );
  });

  test('Ethernet, with up to four tags', () => {
    const tags = fc.array(fc.tuple(fc.constantFrom(0x8100, 0x88a8, 0x9100), u16), { maxLength: 4 });
    const type = fc.integer({ min: 0x600, max: 0xffff }).filter((t) => ![0x8100, 0x88a8, 0x9100].includes(t));
    fc.assert(
      fc.property(mac, mac, tags, type, place, fc.nat({ max: 60 }), (to, from, vlans, etherType, at, body) => {
        const frame = Object.assign(new EthernetFrame(), { etherType, vlanCount: vlans.length });
        frame.destination.set(to);
        frame.source.set(from);
        frame.vlanTypes.set(vlans.map(([vlanType]) => vlanType));
        frame.vlanTags.set(vlans.map(([, tag]) => tag));
        const bytes = room(at, 14 + 4 * vlans.length + body);
        const length = emitEthernet(frame, bytes, at);
        expect(untouched(bytes, at, at + length)).toBe(true);
        const again = new EthernetFrame();
        expect(parseEthernet(bytes, at, length + body, again)).toBe(WireDrop.NONE);
        expect(again).toEqual(Object.assign(frame, { payloadOffset: at + length, payloadLength: body }));
      }),
    );
  });
});

const prefix = fc.record({
  length: u8,
  onLink: fc.boolean(),
  autonomous: fc.boolean(),
  validLifetime: u32,
  preferredLifetime: u32,
  w0: i32,
  w1: i32,
  w2: i32,
  w3: i32,
});

const discoveries = fc
  .record({
    fields: fc.record({
      type: fc.integer({ min: 133, max: 136 }),
      // Not multicast, which is discarded.
      t0: fc.integer({ min: 0, max: 0x7fff_ffff }),
      t3: i32,
      router: fc.boolean(),
      solicited: fc.boolean(),
      override: fc.boolean(),
      hopLimit: u8,
      managed: fc.boolean(),
      otherConfiguration: fc.boolean(),
      routerLifetime: u16,
      reachableTime: u32,
      retransTimer: u32,
      mtu: u32,
      hasSourceLink: fc.boolean(),
      hasTargetLink: fc.boolean(),
    }),
    link: mac,
    prefixes: fc.array(prefix, { maxLength: 8 }),
  })
  .map(({ fields, link, prefixes }) => {
    const message = new NeighbourDiscovery();
    const { t0, t3, router, solicited, override, hopLimit, managed, otherConfiguration, ...rest } = fields;
    const { routerLifetime, reachableTime, retransTimer, ...options } = rest;
    Object.assign(message, options);
    if (message.type >= 135) Object.assign(message, { t0, t3 });
    if (message.type === 136) Object.assign(message, { router, solicited, override });
    const times = { routerLifetime, reachableTime, retransTimer };
    if (message.type === 134) Object.assign(message, { hopLimit, managed, otherConfiguration, ...times });
    if (message.hasSourceLink) message.sourceLink.set(link);
    if (message.hasTargetLink) message.targetLink.set(link);
    message.prefixCount = prefixes.length;
    for (const [i, fieldsOf] of prefixes.entries()) Object.assign(message.prefixes[i], fieldsOf);
    return message;
  });

test('neighbour discovery, all four messages with any options', () => {
  fc.assert(
    fc.property(discoveries, place, (message, at) => {
      const length = neighbourDiscoveryLength(message);
      const bytes = room(at, length);
      expect(emitNeighbourDiscovery(message, bytes, at)).toBe(length);
      expect(untouched(bytes, at, at + length)).toBe(true);
      const packet = Object.assign(new IpPacket(), { family: 6, hopLimit: 255, protocol: Protocol.ICMPV6 });
      Object.assign(packet, { s0: 0xfe80_0000 | 0, d0: 0x20010db8, payloadOffset: at, payloadLength: length });
      const again = new NeighbourDiscovery();
      expect(parseNeighbourDiscovery(bytes, packet, again)).toBe(WireDrop.NONE);
      expect(again).toEqual(message);
    }),
    { numRuns: 500 },
  );
});
