/** IP below TCP: ping, UDP, fragments, ICMP errors, path MTU, neighbours. */

import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { fragmentPayload, writeFragment } from '../../src/ip/fragments.ts';
import { KeyedHash } from '../../src/ip/keyed-hash.ts';
import { Reassembly } from '../../src/ip/reassembly.ts';
import { defaultSettings } from '../../src/stack/settings.ts';
import type { UdpSocket } from '../../src/stack/udp.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { emitIcmp, IcmpMessage, IcmpType, IcmpUnreachable, parseIcmp } from '../../src/wire/icmp.ts';
import { Icmpv6Type, Icmpv6Unreachable } from '../../src/wire/icmpv6.ts';
import { IpPacket, Protocol, parseIp, transportChecksumOk } from '../../src/wire/ip.ts';
import { App, pattern, Server, same } from './apps.ts';
import { type Node, Pair } from './pair.ts';
import { ip, seen, sentBy } from './raw.ts';

const A4 = '10.0.0.1';
const B4 = '10.0.0.2';
const A6 = '2001:db8::1';
const B6 = '2001:db8::2';
const address = (text: string): IpAddress => IpAddress.parse(text);

/** An ICMP or ICMPv6 message as a packet. */
function icmp(from: string, to: string, type: number, code: number, rest: number, body: Uint8Array): Uint8Array {
  const message = new IcmpMessage();
  message.type = type;
  message.code = code;
  message.rest = rest;
  return ip(from, to, to.includes(':') ? Protocol.ICMPV6 : Protocol.ICMP, (out, at) => {
    emitIcmp(message, out, at);
    out.set(body, at + 8);
    return 8 + body.length;
  });
}

/** A packet in fragments. */
function cut(whole: Uint8Array, mtu: number): Uint8Array[] {
  const packet = new IpPacket();
  parseIp(whole, 0, whole.length, packet);
  const { payloadOffset, payloadLength, family } = packet;
  packet.id = 77;
  const share = fragmentPayload(family, mtu);
  const list: Uint8Array[] = [];
  for (let at = 0; at < payloadLength; at += share) {
    const out = new Uint8Array(mtu);
    list.push(out.slice(0, writeFragment(packet, whole, payloadOffset, payloadLength, at, share, out, 0)));
  }
  return list;
}

/** The ICMP messages a pair's node sent. */
function icmpSent(
  pair: Pair,
  node: Node,
): { type: number; code: number; rest: number; body: Uint8Array; to: string }[] {
  return pair.log.flatMap(({ from, frame }) => {
    const packet = new IpPacket();
    if (from !== node || parseIp(frame, 0, frame.length, packet) !== 0 || packet.isFragment) return [];
    if (packet.protocol !== Protocol.ICMP && packet.protocol !== Protocol.ICMPV6) return [];
    expect(transportChecksumOk(frame, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
    const m = new IcmpMessage();
    parseIcmp(frame, packet.payloadOffset, packet.payloadLength, m);
    const body = frame.slice(m.bodyOffset, m.bodyOffset + m.bodyLength);
    return [{ type: m.type, code: m.code, rest: m.rest, body, to: packet.destination.toString() }];
  });
}

describe('ping', () => {
  it.each([
    [A4, B4, IcmpType.ECHO, IcmpType.ECHO_REPLY],
    [A6, B6, Icmpv6Type.ECHO_REQUEST, Icmpv6Type.ECHO_REPLY],
  ])('from %s to %s is answered with the same data', (from, to, request, reply) => {
    const pair = new Pair();
    pair.b.stack.handleFrame(pair.now, pair.b.iface, icmp(from, to, request, 0, 0x1234_0001, pattern(56)));
    pair.settle();
    const [answer, ...more] = icmpSent(pair, pair.b);
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ type: reply, code: 0, rest: 0x1234_0001, to: from });
    expect(same(answer.body, pattern(56))).toBe(true);
  });

  it('may be switched off', () => {
    const pair = new Pair({}, { settings: ['icmp_echo_ignore_all=1'] });
    pair.b.stack.handleFrame(pair.now, pair.b.iface, icmp(A4, B4, IcmpType.ECHO, 0, 1, pattern(8)));
    pair.settle();
    expect(icmpSent(pair, pair.b)).toEqual([]);
    expect(pair.b.stack.counters.get('IcmpInEchoIgnored')).toBe(1);
  });

  it('to a broadcast address is not answered, to all IPv6 nodes it is', () => {
    const pair = new Pair();
    pair.b.stack.handleFrame(pair.now, pair.b.iface, icmp(A4, '10.0.0.255', IcmpType.ECHO, 0, 1, pattern(8)));
    pair.settle();
    expect(icmpSent(pair, pair.b)).toEqual([]);
    pair.b.stack.handleFrame(pair.now, pair.b.iface, icmp(A6, 'ff02::1', Icmpv6Type.ECHO_REQUEST, 0, 1, pattern(8)));
    pair.settle();
    expect(icmpSent(pair, pair.b).length).toBe(1);
  });

  it.each([
    [A4, B4, IcmpType.ECHO],
    [A6, B6, Icmpv6Type.ECHO_REQUEST],
  ])('of 5000 bytes from %s comes to %s in fragments and goes back in fragments', (from, to, type) => {
    const pair = new Pair();
    const request = icmp(from, to, type, 0, 1, pattern(5000));
    for (const fragment of cut(request, 1500)) pair.b.stack.handleFrame(pair.now, pair.b.iface, fragment);
    pair.settle();
    const reassembly = new Reassembly(defaultSettings(), new KeyedHash(new SeededRandom(1)));
    const packet = new IpPacket();
    let whole: Uint8Array | null = null;
    for (const { frame } of pair.log) {
      expect(frame.length).toBeLessThanOrEqual(1500);
      expect(parseIp(frame, 0, frame.length, packet)).toBe(0);
      whole = reassembly.add(0, packet, frame);
    }
    expect(pair.log.length).toBe(4);
    parseIp(whole!, 0, whole!.length, packet);
    expect(transportChecksumOk(whole!, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
    expect(same(whole!.subarray(packet.payloadOffset + 8), pattern(5000))).toBe(true);
  });
});

describe('UDP', () => {
  function heard(pair: Pair, socket: UdpSocket): string[] {
    const list: string[] = [];
    pair.run(pair.now + 50);
    for (let d = socket.receive(); d !== null; d = socket.receive()) {
      list.push(`${d.address}:${d.port} ${Buffer.from(d.bytes).toString()}`);
    }
    return list;
  }

  it.each([B4, B6])('goes to %s and back', (to) => {
    const pair = new Pair();
    const server = pair.b.stack.udp({ port: 53 });
    const client = pair.a.stack.udp({ remote: address(to), remotePort: 53 });
    expect(client.localPort).toBeGreaterThanOrEqual(32_768);
    expect(client.send(pair.now, Buffer.from('hello'))).toBe(true);
    expect(heard(pair, server)).toEqual([`${client.local}:${client.localPort} hello`]);
    server.send(pair.now, Buffer.from('world'), { address: client.local, port: client.localPort });
    expect(heard(pair, client)).toEqual([`${to}:53 world`]);
  });

  it('tells the handler once for several datagrams, and only in deliverEvents', () => {
    const pair = new Pair();
    let calls = 0;
    const server = pair.b.stack.udp({ port: 53, handler: { readable: () => calls++ } });
    const client = pair.a.stack.udp({ remote: address(B4), remotePort: 53 });
    for (let i = 0; i < 3; i++) client.send(pair.now, Buffer.from([i]));
    pair.pass(10);
    expect(calls).toBe(1);
    expect([0, 1, 2].map(() => server.receive()?.bytes[0])).toEqual([0, 1, 2]);
    expect(server.receive()).toBeNull();
  });

  it.each([
    [B4, 65_507],
    [B6, 65_527],
    [B4, 1473],
    [B6, 1453],
  ])('to %s with %i bytes goes in fragments and arrives whole', (to, length) => {
    const pair = new Pair();
    const server = pair.b.stack.udp({ port: 53 });
    const client = pair.a.stack.udp({ remote: address(to), remotePort: 53 });
    client.send(pair.now, pattern(length));
    pair.pass(50);
    expect(same(server.receive()!.bytes, pattern(length))).toBe(true);
    const sizes = pair.log.map(({ frame }) => frame.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1500);
    expect(sizes.length).toBe(Math.ceil((length + 8) / (to === B4 ? 1480 : 1448)));
    expect(pair.b.stack.usage.fragmentMemory).toBe(0);
  });

  it('gives each datagram in fragments an identification of its own, no counter (B16)', () => {
    const pair = new Pair();
    const client = pair.a.stack.udp({ remote: address(B4), remotePort: 53 });
    for (let i = 0; i < 50; i++) client.send(pair.now, pattern(2000));
    pair.settle();
    const packet = new IpPacket();
    const ids = pair.log.flatMap(({ from, frame }) => {
      parseIp(frame, 0, frame.length, packet);
      return from === pair.a && packet.fragmentOffset === 0 ? [packet.id] : [];
    });
    expect(ids.length).toBe(50);
    expect(new Set(ids).size).toBeGreaterThan(45);
    const steps = ids.slice(1).map((id, i) => (id - ids[i]) & 0xffff);
    expect(new Set(steps).size).toBeGreaterThan(45);
  });

  it('refuses more than a datagram holds, and what has no target', () => {
    const pair = new Pair();
    const client = pair.a.stack.udp({ remote: address(B4), remotePort: 53 });
    expect(() => client.send(0, new Uint8Array(65_508))).toThrowError(expect.objectContaining({ code: 'EMSGSIZE' }));
    const loose = pair.a.stack.udp();
    expect(() => loose.send(0, new Uint8Array(1))).toThrowError(expect.objectContaining({ code: 'ENOTCONN' }));
    expect(loose.send(0, new Uint8Array(1), { address: address('192.0.2.1'), port: 9 })).toBe(false);
    expect(() => pair.a.stack.udp({ port: loose.localPort })).toThrowError(
      expect.objectContaining({ code: 'EADDRINUSE' }),
    );
    loose.close();
    expect(pair.a.stack.udp({ port: loose.localPort }).localPort).toBe(loose.localPort);
  });

  it.each([
    [B4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PORT],
    [B6, Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.PORT],
  ])('to a port of %s that nobody has: port unreachable, and a connected socket hears of it', (to, type, code) => {
    const pair = new Pair();
    const errors: ErrorCode[] = [];
    const handler = { error: (_socket: UdpSocket, error: ErrorCode) => errors.push(error) };
    const client = pair.a.stack.udp({ remote: address(to), remotePort: 9, handler });
    client.send(pair.now, pattern(100));
    pair.pass(50);
    expect(icmpSent(pair, pair.b)).toMatchObject([{ type, code, rest: 0 }]);
    expect(errors).toEqual(['ECONNREFUSED']);
    expect(pair.b.stack.counters.get('UdpNoPorts')).toBe(1);
  });

  it('to a broadcast address is delivered, and never answered with an error', () => {
    const pair = new Pair();
    const server = pair.b.stack.udp({ port: 67 });
    const client = pair.a.stack.udp({ port: 68 });
    client.send(pair.now, Buffer.from('discover'), { address: address('10.0.0.255'), port: 67 });
    client.send(pair.now, Buffer.from('nobody'), { address: address('10.0.0.255'), port: 69 });
    client.send(pair.now, Buffer.from('everybody'), { address: address('255.255.255.255'), port: 67 });
    expect(heard(pair, server)).toEqual(['10.0.0.1:68 discover', '10.0.0.1:68 everybody']);
    expect(icmpSent(pair, pair.b)).toEqual([]);
  });

  it('holds no more than a receive buffer for one who does not read', () => {
    const pair = new Pair();
    const server = pair.b.stack.udp({ port: 53 });
    const client = pair.a.stack.udp({ remote: address(B4), remotePort: 53 });
    for (let i = 0; i < 1000; i++) {
      client.send(pair.now, pattern(1000));
      pair.pass(1);
    }
    pair.pass(50);
    let count = 0;
    while (server.receive() !== null) count++;
    expect(count).toBe(Math.floor(212_992 / 1256));
    expect(pair.b.stack.counters.get('UdpRcvbufErrors')).toBe(1000 - count);
  });

  it('takes datagrams to any port and address for a gateway', () => {
    const pair = new Pair({}, { acceptAny: true });
    pair.a.stack.addRoute('0.0.0.0/0', null, pair.a.iface);
    const gateway = pair.b.stack.udp({ port: 'any' });
    const client = pair.a.stack.udp({ remote: address('198.51.100.7'), remotePort: 5353 });
    client.send(pair.now, Buffer.from('q'));
    pair.pass(20);
    const datagram = gateway.receive()!;
    expect([datagram.localAddress.toString(), datagram.localPort]).toEqual(['198.51.100.7', 5353]);
    gateway.send(pair.now, Buffer.from('r'), {
      address: datagram.address,
      port: datagram.port,
      localAddress: datagram.localAddress,
      localPort: datagram.localPort,
    });
    expect(heard(pair, client)).toEqual(['198.51.100.7:5353 r']);
  });
});

describe('ICMP errors sent', () => {
  const unknown = (from: string, to: string): Uint8Array =>
    ip(from, to, 200, (out, at) => {
      out.fill(7, at, at + 40);
      return 40;
    });

  it('protocol unreachable for IPv4, parameter problem for IPv6', () => {
    const pair = new Pair();
    // setTransportChecksum writes into bytes 2 and 3 of an unknown protocol's payload; that is as good as any.
    pair.b.stack.handleFrame(0, pair.b.iface, unknown(A4, B4));
    pair.b.stack.handleFrame(0, pair.b.iface, unknown(A6, B6));
    pair.settle();
    expect(icmpSent(pair, pair.b)).toMatchObject([
      { type: IcmpType.DESTINATION_UNREACHABLE, code: IcmpUnreachable.PROTOCOL },
      { type: Icmpv6Type.PARAMETER_PROBLEM, code: 1, rest: 6 },
    ]);
  });

  it('quotes what fits in 576 bytes', () => {
    const pair = new Pair();
    pair.a.stack.udp({ remote: address(B4), remotePort: 9 }).send(pair.now, pattern(1400));
    pair.pass(50);
    expect(icmpSent(pair, pair.b)[0].body.length).toBe(576 - 28);
  });

  it('at a bounded rate: six to one host at once, and one a second', () => {
    const pair = new Pair();
    const client = pair.a.stack.udp({ remote: address(B4), remotePort: 9 });
    for (let i = 0; i < 100; i++) client.send(pair.now, pattern(10));
    pair.pass(100);
    expect(icmpSent(pair, pair.b).length).toBe(6);
    expect(pair.b.stack.counters.get('IcmpOutRateLimitHost')).toBe(94);
    pair.pass(1000);
    client.send(pair.now, pattern(10));
    pair.pass(100);
    expect(icmpSent(pair, pair.b).length).toBe(7);
  });

  it('never about an ICMP error', () => {
    const pair = new Pair();
    const about = unknown(B4, A4);
    // An error with a protocol inside that nobody speaks, itself sent as an unknown protocol's neighbour: no answer.
    pair.b.stack.handleFrame(0, pair.b.iface, icmp(A4, B4, IcmpType.DESTINATION_UNREACHABLE, 2, 0, about));
    pair.settle();
    expect(icmpSent(pair, pair.b)).toEqual([]);
  });

  it('time exceeded when the rest of a datagram does not come, if its beginning did', () => {
    const pair = new Pair();
    let dropped = 0;
    pair.filter = (_frame, from) => from !== pair.a || dropped++ !== 1;
    const client = pair.a.stack.udp({ remote: address(B4), remotePort: 9 });
    client.send(pair.now, pattern(4000));
    pair.pass(29_000);
    expect(icmpSent(pair, pair.b)).toEqual([]);
    pair.pass(2000);
    expect(icmpSent(pair, pair.b)).toMatchObject([{ type: IcmpType.TIME_EXCEEDED, code: 1 }]);
    expect(pair.b.stack.counters.get('IpReasmTimeout')).toBe(1);
    expect(pair.b.stack.usage.fragmentMemory).toBe(0);
  });
});

describe('ICMP errors received, about TCP (RFC 5927)', () => {
  /** An open connection from a to b, and a's last segment on the wire. */
  function open(
    remote: string,
    settings: string[] = [],
  ): { pair: Pair; app: App; server: Server; quoted: Uint8Array; state: () => string } {
    const pair = new Pair({ settings });
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    pair.pass(100);
    pair.filter = (_frame, from) => from !== pair.a;
    client.write(pair.now, pattern(1000));
    pair.settle();
    return { pair, app, server, quoted: pair.log.at(-1)!.frame.slice(0, 60), state: () => client.state };
  }

  it('port unreachable is a soft error for an open connection (B11, MUST-47, MUST-54, SHLD-25)', () => {
    const { pair, app, quoted, state } = open(B4);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, 3, 0, quoted));
    pair.settle();
    expect(app.told).toEqual(['opened', 'soft ECONNREFUSED']);
    expect(state()).toBe('ESTABLISHED');
  });

  it('a quoted sequence number that is not outstanding is not believed (B12)', () => {
    const { pair, app, quoted } = open(B4);
    quoted[24] ^= 0x80;
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, 3, 0, quoted));
    pair.settle();
    expect(app.told).toEqual(['opened']);
    expect(pair.a.stack.counters.get('OutOfWindowIcmps')).toBe(1);
  });

  it('source quench is ignored (B15, MUST-55)', () => {
    const { pair, app, quoted } = open(B4);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(B4, A4, IcmpType.SOURCE_QUENCH, 0, 0, quoted));
    pair.settle();
    expect(app.told).toEqual(['opened']);
    expect(pair.a.stack.counters.get('SourceQuenchIgnored')).toBe(1);
  });

  it.each([
    [B4, A4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PORT, 'ECONNREFUSED'],
    [B4, A4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PROTOCOL, 'EPROTO'],
    [B6, A6, Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.PORT, 'ECONNREFUSED'],
  ])('a hard error ends an open to %s at once (SHLD-26)', (remote, us, type, code, error) => {
    const pair = new Pair();
    pair.filter = () => false;
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
    pair.settle();
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(remote, us, type, code, 0, pair.log[0].frame));
    pair.settle();
    expect(app.told).toEqual([`closed ${error}`]);
  });

  it.each([0, 1, 5])('unreachable code %i is soft even then (MUST-56)', (code) => {
    const pair = new Pair();
    pair.filter = () => false;
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: address(B4), port: 80, handler: app });
    pair.settle();
    pair.a.stack.handleFrame(
      pair.now,
      pair.a.iface,
      icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, code, 0, pair.log[0].frame),
    );
    pair.settle();
    expect(app.told[0]).toMatch(/^soft/);
  });

  it.each([
    [B4, A4, 0, 1492],
    [B4, A4, 1, 552],
    [B4, A4, 67, 552],
    [B4, A4, 551, 552],
    [B4, A4, 1000, 1000],
    [B4, A4, 1500, 1500],
    [B4, A4, 9000, 1500],
    [B6, A6, 0, 1280],
    [B6, A6, 1279, 1280],
    [B6, A6, 1400, 1400],
  ])(
    'too big, about a packet to %s, told to %s, MTU %i: the path is taken for %i (B13)',
    (remote, us, told, expected) => {
      const pair = new Pair();
      const server = new Server(pair, pair.b, { port: 80 });
      const app = new App(pair);
      const client = pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
      pair.run(() => app.told.length > 0);
      pair.pass(100);
      let lost = false;
      pair.filter = (frame, from) => {
        if (lost || from !== pair.a || frame.length < 1000) return true;
        lost = true;
        const six = remote === B6;
        const type = six ? Icmpv6Type.PACKET_TOO_BIG : IcmpType.DESTINATION_UNREACHABLE;
        const code = six ? 0 : IcmpUnreachable.FRAGMENTATION_NEEDED;
        const error = icmp(remote, us, type, code, told, frame.slice(0, 60));
        pair.a.stack.handleFrame(pair.now, pair.a.iface, error);
        return false;
      };
      client.write(pair.now, pattern(20_000));
      pair.pass(5000);
      expect(same(server.accepted[0].app.bytes, pattern(20_000))).toBe(true);
      const later = sentBy(pair, pair.a).slice(-3);
      const size = Math.max(...later.map(({ packet }) => packet.payloadLength + (remote === B6 ? 40 : 20)));
      expect(size).toBeLessThanOrEqual(expected);
      const { sndMss } = client.status();
      expect(sndMss).toBe(expected - (remote === B6 ? 60 : 40) - 12);
      // A new connection knows at once; DF stays set (B16).
      const next = pair.a.stack.connect(pair.now, { remote: address(remote), port: 80 });
      expect(next.tcb.mtu).toBe(expected);
      if (remote === B4)
        expect(sentBy(pair, pair.a).every(({ packet }) => packet.dontFragment && packet.id === 0)).toBe(true);
      pair.pass(10 * 60_000);
      client.write(pair.now, pattern(10));
      pair.pass(100);
      expect(client.tcb.mtu).toBe(1500);
    },
  );

  it.each([
    ['ip_no_pmtu_disc=1', 552, false],
    ['ip_no_pmtu_disc=2', 1500, false],
    ['ip_no_pmtu_disc=3', 1000, true],
  ])('with %s the path is taken for %i, DF %s', (setting, expected, df) => {
    const { pair, quoted } = open(B4, [setting]);
    expect(seen(pair.log.at(-1)!.frame)!.packet.dontFragment).toBe(df);
    const error = icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.FRAGMENTATION_NEEDED, 1000, quoted);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, error);
    const next = pair.a.stack.connect(pair.now, { remote: address(B4), port: 80 });
    expect(next.tcb.mtu).toBe(expected);
  });
});
