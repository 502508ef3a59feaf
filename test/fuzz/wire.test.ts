/**
 * Every parser, on any bytes: never a throw, always a reason that has a name, never a place outside the bytes it was
 * given, and no more time than the length allows. Seeded: a failure names its round, and the same round fails again.
 * FUZZ_ROUNDS asks for more than the default.
 */
import { describe, expect, test } from 'vitest';
import { type RandomSource, randomBelow, randomFill, SeededRandom } from '../../src/base/random.ts';
import { ArpPacket, parseArp } from '../../src/wire/arp.ts';
import { checksumSet } from '../../src/wire/checksum.ts';
import { WIRE_DROP_COUNT, WireDrop } from '../../src/wire/drop.ts';
import { EthernetFrame, parseEthernet } from '../../src/wire/ethernet.ts';
import { IcmpMessage, parseIcmp } from '../../src/wire/icmp.ts';
import { EmbeddedPacket, parseEmbedded } from '../../src/wire/icmp-embedded.ts';
import { IpPacket, parseIp, transportChecksumOk } from '../../src/wire/ip.ts';
import { parseIpv4 } from '../../src/wire/ipv4.ts';
import { parseIpv6 } from '../../src/wire/ipv6.ts';
import { NeighbourDiscovery, parseNeighbourDiscovery } from '../../src/wire/neighbour-discovery.ts';
import { emitTcp, parseTcp, Segment } from '../../src/wire/tcp.ts';
import { parseUdp, UdpDatagram } from '../../src/wire/udp.ts';

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 40_000);

/** Packets to mutate: each reaches some parser's far corners. */
const SEEDS = [
  // SYN with all of Linux's options; SACK of three blocks beside timestamps; fast open; user timeout
  '4500003c91984000400694870a4d00010a4d0002df5c00501ae58eb000000000a002faf09b380000020405b40402080a8ca38751000000000103030a',
  '4500004891984000400694870a4d00010a4d0002df5c00501ae58eb000000000f010faf09b3800000101080a8ca38751000000000101051a000000010000000200000003000000040000000500000006',
  '4500004091984000400694870a4d00010a4d0002df5c00501ae58eb000000000b002faf09b380000220a01020304050607081c04800501010101fe04f98900000000',
  // UDP with record route, and with a source route
  '470000285e0140004011ad9e0a0900010a0900020707080a0900010093ed270e000c14326f707473',
  '470000285e0140004011ad9e0a0900010a0900028307040a0900010093ed270e000c14326f707473',
  // ICMP and ICMPv6 errors with their packets
  '45c0003e4697000040011f540a0900020a0900010303ba4c00000000450000225dfd40004011c8b90a0900010a090002c382270f000e143468656c6c6f0a',
  '60008dc1003e3a40fd090000000000000000000000000002fd09000000000000000000000000000101048c69000000006004d16d000e1140fd090000000000000000000000000001fd090000000000000000000000000002d5fc270f000efa3568656c6c6f0a',
  // a chain of extension headers, a fragment among them
  '6000000000300040fd090000000000000000000000000001fd0900000000000000000000000000023c000502000001002b000104000000002c00010400000000 3c000009deadbeef1100010400000000d5fc270f000efa35',
  // neighbour discovery
  '6000000000203afffd090000000000000000000000000002fd09000000000000000000000000000188001c7660000000fd090000000000000000000000000002020102000000000b',
  '6000cde900403afffe80000000000000000000fffe00000aff0200000000000000000000000000018600e39c40c0070800007530000003e8010102000000000a05010000000005dc030440c0000151800000384000000000fd090001000000000000000000000000',
].map((text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex')));

/** A link header in front, plain or tagged, so that the Ethernet parser has something to find. */
const LINKS = ['0200000000010200000000020800', '020000000001020000000002810000 0188a800020800', ''].map((text) =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex')),
);

const segment = new Segment();
const packet = new IpPacket();
const embedded = new EmbeddedPacket();
const discovery = new NeighbourDiscovery();
const frame = new EthernetFrame();
const datagram = new UdpDatagram();
const message = new IcmpMessage();
const arp = new ArpPacket();

function within(offset: number, length: number, start: number, end: number): boolean {
  return length >= 0 && offset >= start && offset + length <= end;
}

/** All parsers over [start, start + length) of `bytes`; what comes back is what went wrong, null for nothing. */
function complaint(bytes: Uint8Array, start: number, length: number): string | null {
  const end = start + length;
  const bad = (drop: number): boolean => !(drop >= 0 && drop < WIRE_DROP_COUNT);
  if (bad(parseEthernet(bytes, start, length, frame))) return 'Ethernet: no reason';
  if (!within(frame.payloadOffset, frame.payloadLength, start, end)) return 'Ethernet: payload outside';
  if (bad(parseArp(bytes, start, length, arp))) return 'ARP: no reason';
  if (bad(parseUdp(bytes, start, length, datagram))) return 'UDP: no reason';
  if (!within(datagram.payloadOffset, datagram.payloadLength, start, end)) return 'UDP: payload outside';
  if (bad(parseIcmp(bytes, start, length, message))) return 'ICMP: no reason';
  if (!within(message.bodyOffset, message.bodyLength, start, end)) return 'ICMP: body outside';
  if (bad(parseEmbedded(bytes, start, length, embedded))) return 'embedded: no reason';
  if (embedded.sourcePort >= 0 && !within(embedded.ip.payloadOffset, 8, start, end)) return 'embedded: ports outside';
  return tcpComplaint(bytes, start, length) ?? ipComplaint(bytes, start, length);
}

function tcpComplaint(bytes: Uint8Array, start: number, length: number): string | null {
  const drop = parseTcp(bytes, start, length, segment);
  if (!(drop >= 0 && drop < WIRE_DROP_COUNT)) return 'TCP: no reason';
  if (!within(segment.payloadOffset, segment.payloadLength, start, start + length)) return 'TCP: text outside';
  if (segment.sackCount < 0 || segment.sackCount > 4) return 'TCP: SACK count';
  if (segment.windowScale < -1 || segment.windowScale > 255) return 'TCP: window scale';
  const cookie = segment.fastOpenCookie;
  if (cookie !== null && (cookie.length < 4 || cookie.length > 16)) return 'TCP: cookie length';
  if (drop !== 0) return segment.payloadLength === 0 ? null : 'TCP: text after a drop';
  // What was read can be written, and reads the same: nothing it holds is out of range.
  const header = new Uint8Array(60);
  const again = new Segment();
  if (parseTcp(header, 0, emitTcp(segment, header, 0), again) !== 0) return 'TCP: written, not readable';
  if (again.flags !== segment.flags || again.seq !== segment.seq || again.mss !== segment.mss) return 'TCP: changed';
  return again.tsVal === segment.tsVal && again.windowScale === segment.windowScale ? null : 'TCP: options changed';
}

function ipComplaint(bytes: Uint8Array, start: number, length: number): string | null {
  for (const parse of [parseIpv4, parseIpv6, parseIp]) {
    const drop = parse(bytes, start, length, packet);
    if (!(drop >= 0 && drop < WIRE_DROP_COUNT)) return 'IP: no reason';
    if (!within(packet.payloadOffset, packet.payloadLength, start, start + length)) return 'IP: payload outside';
    if (packet.fragmentOffset < 0 || packet.fragmentOffset > 65_528) return 'IP: fragment offset';
    if (packet.problemCode >= 0 && !within(packet.problemOffset, 1, start, start + length))
      return 'IP: pointer outside';
    if (drop !== 0) continue;
    if (packet.isFragment && packet.fragmentOffset + packet.payloadLength > 65_535) return 'IP: fragment past 65535';
    packet.hopLimit = 255;
    const found = parseNeighbourDiscovery(bytes, packet, discovery);
    if (!(found >= 0 && found < WIRE_DROP_COUNT)) return 'ND: no reason';
    if (discovery.prefixCount > discovery.prefixes.length) return 'ND: prefix count';
    transportChecksumOk(bytes, packet.payloadOffset, packet.payloadLength, packet);
  }
  return null;
}

function mutate(random: RandomSource, bytes: Uint8Array): void {
  for (let n = 1 + randomBelow(random, 4); n > 0; n--) {
    const at = randomBelow(random, bytes.length);
    const kind = randomBelow(random, 4);
    if (kind === 0) bytes[at] = random.nextUint32();
    else if (kind === 1) bytes[at] ^= 1 << randomBelow(random, 8);
    else if (kind === 2) bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][randomBelow(random, 6)];
    else bytes.copyWithin(at, randomBelow(random, bytes.length), randomBelow(random, bytes.length));
  }
}

function run(name: string, make: (random: RandomSource) => [Uint8Array, number, number]): void {
  test(name, () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [bytes, start, length] = make(new SeededRandom(round));
      const wrong = complaint(bytes, start, length);
      if (wrong !== null) expect.fail(`round ${round}: ${wrong} in ${Buffer.from(bytes).toString('hex')}`);
    }
  });
}

describe('parsers are total', () => {
  run('on noise of any length, any place, lengths that lie among them', (random) => {
    const bytes = new Uint8Array(randomBelow(random, 200));
    randomFill(random, bytes);
    const start = randomBelow(random, 20) === 0 ? randomBelow(random, 300) - 50 : randomBelow(random, bytes.length + 1);
    const honest = start >= 0 && start <= bytes.length;
    // A place outside the bytes has no "inside" to check against, so then nothing is there to be read.
    return honest ? [bytes, start, randomBelow(random, bytes.length - start + 1)] : [bytes, bytes.length, 0];
  });

  run('on packets with some bytes changed, cut anywhere', (random) => {
    const link = LINKS[randomBelow(random, LINKS.length)];
    const seed = SEEDS[randomBelow(random, SEEDS.length)];
    const bytes = new Uint8Array(link.length + seed.length);
    bytes.set(link);
    bytes.set(seed, link.length);
    mutate(random, bytes);
    // Half of the IPv4 headers are made good again, or the checksum would hide all that comes behind it.
    if (bytes[link.length] >> 4 === 4 && randomBelow(random, 2) === 0) {
      checksumSet(0, bytes, link.length, (bytes[link.length] & 15) << 2, link.length + 10);
    }
    const start = randomBelow(random, 2) === 0 ? link.length : [20, 40, 0][randomBelow(random, 3)];
    const length = bytes.length - start;
    return [bytes, start, randomBelow(random, 3) === 0 ? randomBelow(random, length + 1) : length];
  });

  test('on lengths and places that lie', () => {
    const random = new SeededRandom(1);
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = SEEDS[round % SEEDS.length];
      const start = randomBelow(random, 400) - 200;
      const length = randomBelow(random, 400) - 100;
      if (start >= 0 && length >= 0 && start + length <= bytes.length) continue;
      const drops = [
        parseEthernet(bytes, start, length, frame),
        parseArp(bytes, start, length, arp),
        parseIp(bytes, start, length, packet),
        parseIpv4(bytes, start, length, packet),
        parseIpv6(bytes, start, length, packet),
        parseTcp(bytes, start, length, segment),
        parseUdp(bytes, start, length, datagram),
        parseIcmp(bytes, start, length, message),
        parseEmbedded(bytes, start, length, embedded),
      ];
      if (drops.includes(0)) expect.fail(`round ${round}: start ${start} length ${length}: ${drops}`);
    }
  });

  test('a packet of 64 KiB of extension headers is given up after a few of them', () => {
    // Destination options headers of 2048 bytes of Pad1, as many as fit. TCP's and IPv4's options are short anyway.
    const bytes = new Uint8Array(65_575);
    bytes[0] = 0x60;
    bytes.fill(0xff, 4, 6);
    bytes[6] = 60;
    bytes[24] = 0xfd;
    for (let at = 40; at + 2048 <= bytes.length; at += 2048) bytes.set([60, 255], at);
    expect(parseIp(bytes, 0, bytes.length, packet)).toBe(WireDrop.IP_EXTENSION_LIMIT);
  });
});
