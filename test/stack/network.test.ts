/** IP beside TCP: ping, UDP, fragments, the ICMP errors that we send. */

import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { KeyedHash } from '../../src/ip/keyed-hash.ts';
import { Reassembly } from '../../src/ip/reassembly.ts';
import { defaultSettings } from '../../src/stack/settings.ts';
import type { UdpSocket } from '../../src/stack/udp.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { IcmpType, IcmpUnreachable } from '../../src/wire/icmp.ts';
import { Icmpv6Type, Icmpv6Unreachable } from '../../src/wire/icmpv6.ts';
import { IpPacket, parseIp, transportChecksumOk } from '../../src/wire/ip.ts';
import { pattern, same } from './apps.ts';
import { cut, icmp, icmpSent } from './icmp.ts';
import { Pair } from './pair.ts';
import { ip } from './raw.ts';

const A4 = '10.0.0.1';
const B4 = '10.0.0.2';
const A6 = '2001:db8::1';
const B6 = '2001:db8::2';
const address = (text: string): IpAddress => IpAddress.parse(text);

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
