/** Neighbours on Ethernet: ARP and neighbour discovery between two hosts, and what goes wrong there. */

import { describe, expect, it } from 'vitest';
import { IpAddress } from '../../src/wire/address.ts';
import { ArpOperation, ArpPacket, emitArp, parseArp } from '../../src/wire/arp.ts';
import { EthernetFrame, EtherType, parseEthernet } from '../../src/wire/ethernet.ts';
import { IpPacket, Protocol, parseIp } from '../../src/wire/ip.ts';
import { formatMac, parseMac } from '../../src/wire/mac.ts';
import { NeighbourDiscovery, parseNeighbourDiscovery } from '../../src/wire/neighbour-discovery.ts';
import { App, pattern, Server, same } from './apps.ts';
import { type Node, Pair } from './pair.ts';

const ETHERNET = { medium: 'ethernet' } as const;
const A_MAC = '02:00:00:00:00:01';
const B_MAC = '02:00:00:00:00:02';
const STRANGER = '02:00:00:00:00:99';
const address = (text: string): IpAddress => IpAddress.parse(text);

/** What a frame says, in words. */
function describeFrame(frame: Uint8Array): string {
  const e = new EthernetFrame();
  expect(parseEthernet(frame, 0, frame.length, e)).toBe(0);
  const to = formatMac(e.destination);
  if (e.etherType === EtherType.ARP) {
    const arp = new ArpPacket();
    expect(parseArp(frame, e.payloadOffset, e.payloadLength, arp)).toBe(0);
    const sender = IpAddress.v4(arp.senderAddress);
    const target = IpAddress.v4(arp.targetAddress);
    if (arp.operation === ArpOperation.REQUEST) return `${to} who has ${target}? tell ${sender}`;
    return `${to} ${sender} is at ${formatMac(arp.senderMac)}`;
  }
  const p = new IpPacket();
  expect(parseIp(frame, e.payloadOffset, e.payloadLength, p)).toBe(0);
  if (p.protocol === Protocol.ICMPV6) {
    const nd = new NeighbourDiscovery();
    if (parseNeighbourDiscovery(frame, p, nd) === 0) {
      if (nd.type === 135)
        return `${to} ${p.destination} who has ${nd.target}? tell ${p.source} at ${formatMac(nd.sourceLink)}`;
      return `${to} ${p.destination} ${nd.target} is at ${formatMac(nd.targetLink)}${nd.solicited ? ' solicited' : ''}`;
    }
  }
  return `${to} protocol ${p.protocol}`;
}

function arp(
  operation: number,
  sender: string,
  senderMac: string,
  target: string,
  to = 'ff:ff:ff:ff:ff:ff',
): Uint8Array {
  const frame = new Uint8Array(60);
  frame.set(parseMac(to));
  frame.set(parseMac(senderMac), 6);
  frame.set([8, 6], 12);
  const packet = new ArpPacket();
  packet.operation = operation;
  packet.senderMac.set(parseMac(senderMac));
  packet.senderAddress = address(sender).w3;
  packet.targetAddress = address(target).w3;
  emitArp(packet, frame, 14);
  return frame;
}

const framesOf = (pair: Pair, node: Node): string[] =>
  pair.log.filter(({ from }) => from === node).map(({ frame }) => describeFrame(frame));

describe('finding each other', () => {
  it('ARP: one question, one answer, and the answerer has learnt too', () => {
    const pair = new Pair(ETHERNET);
    new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: address('10.0.0.2'), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    expect(framesOf(pair, pair.a).slice(0, 2)).toEqual([
      'ff:ff:ff:ff:ff:ff who has 10.0.0.2? tell 10.0.0.1',
      `${B_MAC} protocol 6`,
    ]);
    expect(framesOf(pair, pair.b)).toEqual([`${A_MAC} 10.0.0.2 is at ${B_MAC}`, `${A_MAC} protocol 6`]);
  });

  it('neighbour discovery, to the solicited-node group', () => {
    const pair = new Pair(ETHERNET);
    new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: address('2001:db8::2'), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    expect(framesOf(pair, pair.a)[0]).toBe(
      `33:33:ff:00:00:02 ff02::1:ff00:2 who has 2001:db8::2? tell 2001:db8::1 at ${A_MAC}`,
    );
    expect(framesOf(pair, pair.b)[0]).toBe(`${A_MAC} 2001:db8::1 2001:db8::2 is at ${B_MAC} solicited`);
  });

  it.each(['10.0.0.9', '2001:db8::9'])('nobody has %s: three questions, then EHOSTUNREACH', (remote) => {
    const pair = new Pair(ETHERNET);
    const app = new App(pair);
    const started = pair.now;
    pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    expect(app.told).toEqual(['closed EHOSTUNREACH']);
    expect(pair.now - started).toBe(3000);
    expect(framesOf(pair, pair.a).length).toBe(3);
    expect(framesOf(pair, pair.b).length).toBe(0);
  });

  it('five hundred connects at once wait for one answer', () => {
    const pair = new Pair(ETHERNET);
    const server = new Server(pair, pair.b, { port: 80 });
    for (let i = 0; i < 500; i++) pair.a.stack.connect(pair.now, { remote: address('10.0.0.2'), port: 80 });
    pair.pass(500);
    expect(server.accepted.length).toBe(500);
    expect(framesOf(pair, pair.a).filter((line) => line.includes('who has')).length).toBe(1);
  });

  it('goes through a gateway to other networks', () => {
    const pair = new Pair(ETHERNET, { addresses: ['10.0.0.2/24', '203.0.113.1/24'] });
    pair.a.stack.addRoute('0.0.0.0/0', address('10.0.0.2'), pair.a.iface);
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: address('203.0.113.1'), port: 80, handler: app });
    app.send(client, pattern(10_000));
    pair.run(() => server.accepted[0]?.app.peerDone === true);
    expect(same(server.accepted[0].app.bytes, pattern(10_000))).toBe(true);
    expect(framesOf(pair, pair.a)[0]).toBe('ff:ff:ff:ff:ff:ff who has 10.0.0.2? tell 10.0.0.1');
  });
});

describe('conflicts and forgeries', () => {
  const heard = (pair: Pair, frame: Uint8Array): string[] => {
    const before = pair.log.length;
    pair.b.stack.handleFrame(pair.now, pair.b.iface, frame);
    pair.settle();
    return pair.log.slice(before).map(({ frame: f }) => describeFrame(f));
  };

  it('our address used by another host: kept and defended, but not in a war', () => {
    const pair = new Pair(ETHERNET);
    const claim = arp(ArpOperation.REPLY, '10.0.0.2', STRANGER, '10.0.0.2');
    expect(heard(pair, claim)).toEqual(['ff:ff:ff:ff:ff:ff who has 10.0.0.2? tell 10.0.0.2']);
    expect(heard(pair, claim)).toEqual([]);
    pair.pass(10_000);
    expect(heard(pair, claim).length).toBe(1);
    expect(pair.b.stack.counters.get('ArpConflicts')).toBe(3);
  });

  it('an answer nobody asked for teaches nothing', () => {
    const pair = new Pair(ETHERNET);
    heard(pair, arp(ArpOperation.REPLY, '10.0.0.7', STRANGER, '10.0.0.2', B_MAC));
    heard(pair, arp(ArpOperation.REQUEST, '10.0.0.7', STRANGER, '10.0.0.8'));
    const socket = pair.b.stack.udp();
    socket.send(pair.now, pattern(1), { address: address('10.0.0.7'), port: 9 });
    pair.settle();
    expect(framesOf(pair, pair.b)).toEqual(['ff:ff:ff:ff:ff:ff who has 10.0.0.7? tell 10.0.0.2']);
  });

  it('a question from outside our networks is answered and teaches nothing', () => {
    const pair = new Pair(ETHERNET);
    pair.b.stack.addRoute('192.0.2.0/24', null, pair.b.iface);
    const answer = heard(pair, arp(ArpOperation.REQUEST, '192.0.2.7', STRANGER, '10.0.0.2'));
    expect(answer).toEqual([`${STRANGER} 10.0.0.2 is at ${B_MAC}`]);
    pair.b.stack.udp().send(pair.now, pattern(1), { address: address('192.0.2.7'), port: 9 });
    pair.settle();
    expect(framesOf(pair, pair.b).at(-1)).toMatch(/who has 192.0.2.7/);
  });

  it('a probe for our address is answered (RFC 5227)', () => {
    const pair = new Pair(ETHERNET);
    expect(heard(pair, arp(ArpOperation.REQUEST, '0.0.0.0', STRANGER, '10.0.0.2'))).toEqual([
      `${STRANGER} 10.0.0.2 is at ${B_MAC}`,
    ]);
  });

  it('frames for other hosts, with VLAN tags or unknown types are counted and dropped', () => {
    const pair = new Pair(ETHERNET);
    const frame = arp(ArpOperation.REQUEST, '10.0.0.1', A_MAC, '10.0.0.2', STRANGER);
    expect(heard(pair, frame)).toEqual([]);
    frame.set(parseMac(B_MAC));
    frame.set([0x81, 0x00], 12);
    expect(heard(pair, frame)).toEqual([]);
    frame.set([0x88, 0xcc], 12);
    expect(heard(pair, frame)).toEqual([]);
    const { counters } = pair.b.stack;
    expect([counters.get('EthOtherHost'), counters.get('EthVlan'), counters.get('EthUnknownType')]).toEqual([1, 1, 1]);
  });

  it('a host that moved says so, and is found again', () => {
    const pair = new Pair(ETHERNET);
    new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: address('10.0.0.2'), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    pair.pass(2000);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, arp(ArpOperation.REQUEST, '10.0.0.2', STRANGER, '10.0.0.2'));
    const before = pair.log.length;
    client.write(pair.now, pattern(10));
    pair.settle();
    expect(describeFrame(pair.log[before].frame)).toBe(`${STRANGER} protocol 6`);
  });

  it('a neighbour that fell silent is asked for again by those who still talk to it', () => {
    const pair = new Pair(ETHERNET);
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: address('10.0.0.2'), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    pair.pass(60_000);
    pair.filter = (_frame, from) => from !== pair.a;
    client.write(pair.now, pattern(100));
    pair.pass(20_000);
    const questions = framesOf(pair, pair.a).filter((line) => line.includes('who has'));
    expect(questions).toContain(`${B_MAC} who has 10.0.0.2? tell 10.0.0.1`);
    expect(questions.at(-1)).toBe('ff:ff:ff:ff:ff:ff who has 10.0.0.2? tell 10.0.0.1');
    pair.filter = () => true;
    pair.pass(60_000);
    expect(same(server.accepted[0].app.bytes, pattern(100))).toBe(true);
  });

  it('announces its addresses when told to', () => {
    const pair = new Pair(ETHERNET);
    pair.b.stack.announceAddresses(pair.now, pair.b.iface);
    pair.settle();
    expect(framesOf(pair, pair.b)).toEqual([
      'ff:ff:ff:ff:ff:ff who has 10.0.0.2? tell 10.0.0.2',
      `33:33:00:00:00:01 ff02::1 2001:db8::2 is at ${B_MAC}`,
      `33:33:00:00:00:01 ff02::1 fe80::ff:fe00:2 is at ${B_MAC}`,
    ]);
  });
});
