/** What must not get in: cases E01 to E05, F01 to F08, F19, F20, and any bytes at all. */

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { seqAdd, seqToUint32 } from '../../src/base/seq.ts';
import type { CounterName } from '../../src/ip/counters.ts';
import { emitIpv4Header, IpPacket, setTransportChecksum } from '../../src/wire/ip.ts';
import { ACK, FIN, PSH, RST, SYN, URG } from '../../src/wire/tcp.ts';
import { pattern } from './apps.ts';
import { Node } from './pair.ts';
import { drain, flagsOf, inject, ip, type RawSegment, tcp } from './raw.ts';

function host(options = {}): Node {
  return new Node({ addresses: ['10.0.0.2/24', '2001:db8::2/64'], ...options });
}

/** What the host answers to a frame, as flags of segments; other packets count too. */
function answers(node: Node, frame: Uint8Array): number {
  node.stack.handleFrame(0, node.iface, frame);
  let count = 0;
  while (node.poll(0) !== null) count++;
  return count;
}

describe.each([
  ['a listener', true],
  ['nobody', false],
])('addresses that cannot be, on a port of %s (E03, E04, MUST-57, MUST-63)', (_name, listening) => {
  it.each([
    ['LAND', { from: '10.0.0.2', to: '10.0.0.2', sport: 80 }, 'InLand'],
    ['LAND with IPv6', { from: '2001:db8::2', to: '2001:db8::2', sport: 80 }, 'InLand'],
    ['from another address of ours', { from: 'fe80::2', to: '2001:db8::2' }, 'InMartianSource'],
    ['from the limited broadcast address', { from: '255.255.255.255' }, 'InMartianSource'],
    ['from the network broadcast address', { from: '10.0.0.255' }, 'InMartianSource'],
    ['from a group', { from: '224.0.0.1' }, 'InMartianSource'],
    ['from an IPv6 group', { from: 'ff02::1', to: '2001:db8::2' }, 'InMartianSource'],
    ['from nobody', { from: '0.0.0.0' }, 'InMartianSource'],
    ['from nobody, IPv6', { from: '::', to: '2001:db8::2' }, 'InMartianSource'],
    ['from 127/8', { from: '127.0.0.1' }, 'InLoopbackFromWire'],
    ['from ::1', { from: '::1', to: '2001:db8::2' }, 'InLoopbackFromWire'],
    ['to 127/8', { to: '127.0.0.1' }, 'InLoopbackFromWire'],
    ['to everybody', { to: '255.255.255.255' }, 'InBroadcastTcp'],
    ['to the network', { to: '10.0.0.255' }, 'InBroadcastTcp'],
    ['to all hosts', { to: '224.0.0.1' }, 'InBroadcastTcp'],
    ['to all nodes', { from: '2001:db8::9', to: 'ff02::1' }, 'InBroadcastTcp'],
    ['to somebody else', { to: '10.0.0.3' }, 'IpInAddrErrors'],
  ] as [string, Partial<RawSegment>, CounterName][])('%s', (_case, raw, counter) => {
    const node = host({ addresses: ['10.0.0.2/24', '2001:db8::2/64', 'fe80::2/64'] });
    const listener = listening ? node.stack.listen({ port: 80 }) : null;
    expect(answers(node, tcp({ flags: SYN, ...raw }))).toBe(0);
    expect(node.stack.counters.get(counter)).toBe(1);
    expect(listener?.halfOpen ?? 0).toBe(0);
  });
});

describe('IP packets that are not right (F19)', () => {
  const good = tcp({ flags: SYN });
  const change = (edit: (bytes: Uint8Array) => void, fixChecksum = true): Uint8Array => {
    const bytes = good.slice();
    edit(bytes);
    if (fixChecksum) {
      bytes[10] = 0;
      bytes[11] = 0;
      let sum = 0;
      const length = Math.min((bytes[0] & 15) * 4, bytes.length);
      for (let i = 0; i < length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
      sum = (sum & 0xffff) + (sum >>> 16);
      sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
      bytes[10] = sum >>> 8;
      bytes[11] = sum;
    }
    return bytes;
  };

  it.each([
    ['total length below the header', change((b) => b.set([0, 19], 2)), 'IpInTruncatedPkts'],
    ['total length above the frame', change((b) => b.set([0, 41], 2)), 'IpInTruncatedPkts'],
    ['IHL 4', change((b) => b.set([0x44])), 'IpInHdrErrors'],
    ['IHL past the end', change((b) => b.set([0x4f])), 'IpInHdrErrors'],
    ['version 5', change((b) => b.set([0x55])), 'IpInHdrErrors'],
    ['a wrong header checksum', change((b) => b.set([1], 8), false), 'IpInCsumErrors'],
    ['nothing', new Uint8Array(0), 'IpInTruncatedPkts'],
    ['a header cut short', good.slice(0, 19), 'IpInTruncatedPkts'],
  ] as [string, Uint8Array, CounterName][])('%s', (_name, frame, counter) => {
    const node = host();
    node.stack.listen({ port: 80 });
    expect(answers(node, frame)).toBe(0);
    expect(node.stack.counters.get(counter)).toBe(1);
  });

  it('padding behind the packet is not part of it', () => {
    const node = host();
    node.stack.listen({ port: 80 });
    const padded = new Uint8Array(60).fill(0xee);
    padded.set(good);
    expect(answers(node, padded)).toBe(1);
  });

  it.each([0, 1])('TTL %i is no reason to drop what is for us (RFC 1122 3.2.1.7)', (ttl) => {
    const node = host();
    node.stack.listen({ port: 80 });
    expect(
      answers(
        node,
        change((b) => b.set([ttl], 8)),
      ),
    ).toBe(1);
  });

  it.each([131, 137])('source route option %i', (type) => {
    const node = host();
    node.stack.listen({ port: 80 });
    const packet = new IpPacket();
    packet.setSourceV4(0x0a00_004d);
    packet.setDestinationV4(0x0a00_0002);
    packet.protocol = 6;
    packet.hopLimit = 64;
    packet.payloadLength = 20;
    const out = new Uint8Array(48);
    const headerLength = emitIpv4Header(packet, out, 0, Uint8Array.of(type, 7, 8, 10, 0, 0, 9));
    out.set(good.subarray(20), headerLength);
    expect(answers(node, out)).toBe(0);
    expect(node.stack.counters.get('InSourceRoute')).toBe(1);
  });

  it('an unknown IP option is ignored (MUST-50)', () => {
    const node = host();
    node.stack.listen({ port: 80 });
    const packet = new IpPacket();
    packet.setSourceV4(0x0a00_004d);
    packet.setDestinationV4(0x0a00_0002);
    packet.protocol = 6;
    packet.hopLimit = 64;
    packet.payloadLength = 20;
    const out = new Uint8Array(44);
    const headerLength = emitIpv4Header(packet, out, 0, Uint8Array.of(0x9e, 4, 1, 2));
    out.set(good.subarray(20), headerLength);
    setTransportChecksum(out, headerLength, 20, packet);
    expect(answers(node, out)).toBe(1);
  });
});

describe('segments that are not right (F01 to F08, F20)', () => {
  it.each([
    ['a Christmas tree', FIN | PSH | URG],
    ['no flags', 0],
    ['SYN and FIN', SYN | FIN],
    ['SYN and RST', SYN | RST],
    ['RST and ACK', RST | ACK],
    ['FIN', FIN],
  ])('%s, to a listener: silence', (_name, flags) => {
    const node = host();
    node.stack.listen({ port: 80 });
    inject(node, 0, { flags });
    expect(drain(node, 0)).toEqual([]);
    expect(node.stack.counters.get('ListenNotSyn')).toBe(1);
  });

  it.each([
    ['a Christmas tree', FIN | PSH | URG, 'RA'],
    ['no flags', 0, 'RA'],
    ['SYN and FIN', SYN | FIN, 'RA'],
    ['an ACK', ACK, 'R'],
    ['SYN and RST', SYN | RST, ''],
    ['RST', RST, ''],
    ['RST and ACK', RST | ACK, ''],
  ])('%s, to a closed port: %s', (_name, flags, expected) => {
    const node = host();
    inject(node, 0, { flags, seq: 5, ack: 9 });
    expect(
      drain(node, 0)
        .map((a) => flagsOf(a.segment))
        .join(),
    ).toBe(expected);
  });

  it.each([0, 80])('port 0 to port %i is handled', (dport) => {
    const node = host();
    inject(node, 0, { sport: 0, dport, flags: SYN });
    expect(drain(node, 0).map((a) => flagsOf(a.segment))).toEqual(['RA']);
  });

  it.each([
    ['data offset 4', (b: Uint8Array) => b.set([0x40], 32), 'TcpInErrs'],
    ['data offset past the end', (b: Uint8Array) => b.set([0x60], 32), 'TcpInErrs'],
    ['a wrong checksum', (b: Uint8Array) => b.set([b[36] ^ 1], 36), 'TcpInCsumErrors'],
    ['checksum 0', (b: Uint8Array) => b.set([0, 0], 36), 'TcpInCsumErrors'],
    ['checksum 0xffff', (b: Uint8Array) => b.set([255, 255], 36), 'TcpInCsumErrors'],
  ] as [string, (bytes: Uint8Array) => void, CounterName][])('%s', (_name, edit, counter) => {
    const node = host();
    node.stack.listen({ port: 80 });
    const frame = tcp({ flags: SYN });
    edit(frame);
    expect(answers(node, frame)).toBe(0);
    expect(node.stack.counters.get(counter)).toBe(1);
  });

  it.each([0, 1, 8, 19])('a header cut to %i bytes', (length) => {
    const node = host();
    const whole = tcp({ flags: SYN });
    const cut = ip('10.0.0.77', '10.0.0.2', 6, (out, at) => {
      out.set(whole.subarray(20, 20 + length), at);
      return length;
    });
    // The checksum that ip() makes lies past a short header: cut the frame's tail to what was said.
    node.stack.handleFrame(0, node.iface, cut);
    expect(drain(node, 0)).toEqual([]);
    expect(node.stack.counters.get('TcpInErrs')).toBe(1);
  });
});

describe('any bytes at all', () => {
  it.each(['ip', 'ethernet'] as const)('on %s: no exception, no connection, nothing kept', (medium) => {
    const node = host(medium === 'ethernet' ? { medium, mac: Uint8Array.of(2, 0, 0, 0, 0, 2) } : {});
    const listener = node.stack.listen({ port: 'any' });
    const random = new SeededRandom(11);
    const seeds = [
      tcp({ flags: SYN, mss: 1460, timestamps: [1, 2], windowScale: 7, sackPermitted: true }),
      tcp({ from: '2001:db8::9', to: '2001:db8::2', flags: ACK, text: pattern(100) }),
      ip('10.0.0.9', '10.0.0.2', 1, (out, at) => {
        out.set([3, 4, 0, 0, 0, 0, 0, 0], at);
        out.set(tcp({ from: '10.0.0.2', to: '10.0.0.9', flags: ACK }), at + 8);
        return 48;
      }),
      ip('2001:db8::9', '2001:db8::2', 58, (out, at) => {
        out.set([135, 0], at);
        return 32;
      }),
      ip('10.0.0.9', '10.0.0.2', 17, (_out, _at) => 40),
    ];
    const header = medium === 'ethernet' ? 14 : 0;
    for (let round = 0; round < 20_000; round++) {
      let frame: Uint8Array;
      if (round % 3 === 0) {
        frame = new Uint8Array(random.nextUint32() % 200);
        for (let i = 0; i < frame.length; i++) frame[i] = random.nextUint32();
      } else {
        const seed = seeds[random.nextUint32() % seeds.length];
        frame = new Uint8Array(header + seed.length);
        frame.set(seed, header);
        if (header > 0)
          frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 9, ...(seed[0] >> 4 === 4 ? [8, 0] : [0x86, 0xdd])]);
        for (let i = random.nextUint32() % 6; i > 0; i--)
          frame[random.nextUint32() % frame.length] = random.nextUint32();
        if (random.nextUint32() % 4 === 0) frame = frame.slice(0, random.nextUint32() % frame.length);
      }
      node.stack.handleFrame(round, node.iface, frame);
      if (round % 50 === 0) {
        node.stack.handleTimeout(round);
        while (node.poll(round) !== null);
        while (node.stack.deliverEvents());
      }
    }
    expect(listener.waiting).toBe(0);
    expect(node.stack.usage.memory).toBe(0);
  });
});

describe('segments for an open connection, from a peer that answers by hand', () => {
  it('a whole burst is processed before one ACK is sent (MUST-58, MUST-59)', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: 99, flags: SYN, mss: 1000 });
    const iss = drain(node, 0)[0].segment.seq;
    inject(node, 1, { seq: 100, ack: seqAdd(iss, 1), flags: ACK });
    const connection = listener.accept(1)!;
    for (let i = 0; i < 20; i++) {
      inject(node, 2, { seq: 100 + i * 1000, ack: seqAdd(iss, 1), flags: ACK, text: pattern(1000) });
    }
    const acks = drain(node, 2);
    expect(acks.length).toBe(1);
    expect(seqToUint32(acks[0].segment.ack)).toBe(100 + 20_000);
    expect(connection.readable).toBe(20_000);
  });
});
