/** RFC 9293 sections 3.9.1.1 (OPEN), 3.9.2 and 3.9.2.3: addresses, what TCP asks of IP, and whom it does not talk to. */

import { describe, expect, test } from 'vitest';
import { EstabError } from '../../src/base/errors.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { emitIpv4Header, IpPacket, Protocol, setTransportChecksum } from '../../src/wire/ip.ts';
import { ACK, FIN, RST, SYN } from '../../src/wire/tcp.ts';
import { App, Server } from '../stack/apps.ts';
import { Node, Pair } from '../stack/pair.ts';
import { drain, flagsOf, inject, type RawSegment, runAlone, type Seen, seen, tcp } from '../stack/raw.ts';

const ADDRESSES = ['10.0.0.2/24', '10.0.0.3/24', '2001:db8::2/64'];

/** A host with nobody at the other end, listening on port 80 unless told otherwise. */
function listening(address: string | null = null): Node {
  const node = new Node({ addresses: ADDRESSES });
  node.stack.listen({ port: 80, address: address === null ? null : IpAddress.parse(address) });
  return node;
}

const answers = (node: Node, raw: RawSegment): string[] => {
  inject(node, 1000, raw);
  return drain(node, 1000).map(({ from, to, segment }) => `${flagsOf(segment)} ${from} > ${to}`);
};

const codeOf = (action: () => unknown): string => {
  try {
    action();
    return 'ok';
  } catch (error) {
    if (error instanceof EstabError) return error.code;
    throw error;
  }
};

describe('OPEN and local addresses', () => {
  test('[MUST-43] a passive OPEN may name the address it listens on', () => {
    const node = listening('10.0.0.3');
    expect(answers(node, { to: '10.0.0.3', flags: SYN })).toEqual(['SA 10.0.0.3 > 10.0.0.77']);
    expect(answers(node, { to: '10.0.0.2', flags: SYN })).toEqual(['RA 10.0.0.2 > 10.0.0.77']);
    expect(codeOf(() => node.stack.listen({ port: 81, address: IpAddress.parse('10.0.0.9') }))).toBe('EADDRNOTAVAIL');
  });

  test('[MUST-43] an active OPEN may name the address it comes from', () => {
    const node = new Node({ addresses: ADDRESSES });
    const remote = IpAddress.parse('10.0.0.77');
    node.stack.connect(0, { remote, port: 80, local: IpAddress.parse('10.0.0.3') });
    expect(drain(node, 0)[0].from).toBe('10.0.0.3');
    const foreign = { remote, port: 80, local: IpAddress.parse('10.0.0.9') };
    expect(codeOf(() => node.stack.connect(0, foreign))).toBe('EADDRNOTAVAIL');
  });

  test('[MUST-44] without one, the route to the peer decides, before the first SYN', () => {
    const node = new Node({ addresses: ['10.0.0.2/24', '192.168.5.1/24', '2001:db8::2/64'] });
    for (const [remote, local] of [
      ['10.0.0.77', '10.0.0.2'],
      ['192.168.5.77', '192.168.5.1'],
      ['2001:db8::77', '2001:db8::2'],
    ]) {
      const connection = node.stack.connect(0, { remote: IpAddress.parse(remote), port: 80 });
      expect(connection.local.toString()).toBe(local);
      const syns = drain(node, 0);
      expect(syns.map(({ from, to, segment }) => [from, to, flagsOf(segment)])).toEqual([[local, remote, 'S']]);
    }
  });

  test('[MUST-45] a connection keeps its address: answers, retransmissions, FIN and RST come from it', () => {
    const node = listening();
    const sent: Seen[] = [];
    inject(node, 0, { to: '10.0.0.3', flags: SYN, seq: 99 });
    sent.push(...drain(node, 0), ...runAlone(node, 3500));
    const iss = sent[0].segment.seq;
    inject(node, 3500, { to: '10.0.0.3', flags: ACK, seq: 100, ack: iss + 1 });
    // A better route to the peer turns up in the meantime.
    const other = node.stack.addInterface({
      name: 'if1',
      mtu: 1500,
      medium: 'ip',
      addresses: ['172.16.0.1/24'],
    });
    node.stack.addRoute('10.0.0.128/25', null, other);
    inject(node, 3500, { to: '10.0.0.3', flags: FIN | ACK, seq: 100, ack: iss + 1 });
    sent.push(...drain(node, 3500));
    inject(node, 4500, { to: '10.0.0.3', flags: RST, seq: 105 });
    sent.push(...drain(node, 4500));
    expect(sent.length).toBeGreaterThanOrEqual(4);
    for (const { from, to } of sent) expect([from, to]).toEqual(['10.0.0.3', '10.0.0.77']);
  });

  test('[MUST-46] an OPEN to a broadcast or multicast address is refused with an error, and sends nothing', () => {
    const node = new Node({ addresses: ADDRESSES });
    for (const remote of ['224.0.0.1', '239.255.255.250', '255.255.255.255', '10.0.0.255', 'ff02::1', 'ff0e::5']) {
      expect([remote, codeOf(() => node.stack.connect(0, { remote: IpAddress.parse(remote), port: 80 }))]).toEqual([
        remote,
        'EINVAL',
      ]);
    }
    expect(drain(node, 0)).toEqual([]);
  });
});

describe('a passive OPEN leaves what exists alone', () => {
  test('[MUST-41] connections of the same port go on undisturbed', () => {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const connection = pair.a.stack.connect(pair.now, {
      remote: IpAddress.parse('10.0.0.2'),
      port: 80,
      localPort: 5000,
      handler: app,
    });
    pair.pass(100);
    expect(connection.state).toBe('ESTABLISHED');
    // On the client's port, and again on the server's.
    pair.a.stack.listen({ port: 5000 });
    server.listener.close(pair.now);
    new Server(pair, pair.b, { port: 80 });
    pair.pass(100);
    const [{ connection: accepted, app: acceptedApp }] = server.accepted;
    expect([connection.state, accepted.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
    connection.write(pair.now, new TextEncoder().encode('still'));
    accepted.write(pair.now, new TextEncoder().encode('here'));
    pair.pass(100);
    expect([new TextDecoder().decode(acceptedApp.bytes), new TextDecoder().decode(app.bytes)]).toEqual([
      'still',
      'here',
    ]);
  });

  test('[MUST-42] LISTEN is possible on a port from which a connection is in SYN-SENT', () => {
    const node = new Node({ addresses: ADDRESSES });
    const remote = IpAddress.parse('10.0.0.88');
    const opening = node.stack.connect(0, { remote, port: 80, localPort: 5000 });
    const iss = drain(node, 0)[0].segment.seq;
    const listener = node.stack.listen({ port: 5000 });
    // Somebody else gets the listener, the peer of the SYN-SENT its answer.
    expect(answers(node, { dport: 5000, flags: SYN })).toEqual(['SA 10.0.0.2 > 10.0.0.77']);
    expect(opening.state).toBe('SYN-SENT');
    expect(listener.halfOpen).toBe(1);
    const synAck = { from: '10.0.0.88', sport: 80, dport: 5000, flags: SYN | ACK, seq: 7, ack: iss + 1 };
    expect(answers(node, synAck)).toEqual(['A 10.0.0.2 > 10.0.0.88']);
    expect(opening.state).toBe('ESTABLISHED');
  });

  test('[MUST-42] or in SYN-RECEIVED, from a crossed open or from another listener', () => {
    const node = new Node({ addresses: ADDRESSES });
    const crossed = node.stack.connect(0, { remote: IpAddress.parse('10.0.0.88'), port: 80, localPort: 5000 });
    const iss = drain(node, 0)[0].segment.seq;
    const syn = { from: '10.0.0.88', sport: 80, dport: 5000, flags: SYN, seq: 7 };
    expect(answers(node, syn)).toEqual(['SA 10.0.0.2 > 10.0.0.88']);
    expect(crossed.state).toBe('SYN-RECEIVED');
    node.stack.listen({ port: 5000, address: IpAddress.parse('10.0.0.2') });
    expect(answers(node, { to: '10.0.0.2', dport: 5000, flags: SYN })).toEqual(['SA 10.0.0.2 > 10.0.0.77']);
    node.stack.listen({ port: 5000, address: IpAddress.parse('10.0.0.3') });
    expect(answers(node, { to: '10.0.0.3', dport: 5000, flags: SYN })).toEqual(['SA 10.0.0.3 > 10.0.0.77']);
    answers(node, { ...syn, flags: ACK, seq: 8, ack: iss + 1 });
    expect(crossed.state).toBe('ESTABLISHED');
  });
});

describe('whom TCP does not talk to', () => {
  test('[MUST-57] a SYN to a broadcast or multicast address is dropped without a word', () => {
    const node = listening();
    for (const to of ['10.0.0.255', '255.255.255.255', '224.0.0.1', 'ff02::1']) {
      const from = to.includes(':') ? '2001:db8::77' : '10.0.0.77';
      expect([to, answers(node, { from, to, flags: SYN })]).toEqual([to, []]);
      expect(answers(node, { from, to, flags: ACK })).toEqual([]);
    }
    expect(answers(node, { flags: SYN }).length).toBe(1);
  });

  test("[MUST-57] nor is one to our own address in a frame to everybody's", () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    const node = new Node({ addresses: ADDRESSES, medium: 'ethernet', mac });
    node.stack.listen({ port: 80 });
    const packet = tcp({ flags: SYN });
    const frame = (destination: number): Uint8Array => {
      const bytes = new Uint8Array(14 + packet.length);
      bytes.fill(destination, 0, 6);
      if (destination !== 0xff) bytes.set(mac);
      bytes.set([2, 0, 0, 0, 0, 77, 0x08, 0x00], 6);
      bytes.set(packet, 14);
      return bytes;
    };
    node.stack.handleFrame(0, node.iface, frame(0xff));
    expect(node.poll(0)).toBeNull();
    node.stack.handleFrame(0, node.iface, frame(2));
    // The answer waits for the neighbour's address: an ARP request goes first.
    expect(node.poll(0)).not.toBeNull();
  });

  test('[MUST-63] SYNs from addresses that cannot be are ignored', () => {
    const node = listening();
    for (const from of [
      '224.0.0.5',
      '255.255.255.255',
      '10.0.0.255',
      '0.0.0.0',
      '127.0.0.1',
      '10.0.0.2', // LAND: from ourselves
      '10.0.0.3',
      'ff02::5',
      '::',
      '::1',
      '2001:db8::2',
    ]) {
      const to = from.includes(':') ? '2001:db8::2' : '10.0.0.2';
      expect([from, answers(node, { from, to, flags: SYN })]).toEqual([from, []]);
      // Nor is a RST sent to them, for a port where nobody listens.
      expect([from, answers(node, { from, to, dport: 9, flags: SYN })]).toEqual([from, []]);
    }
  });
});

describe('what an application chooses about packets', () => {
  /** Every packet of a short connection; `act` is called half-way. */
  function packetsOf(
    options: { trafficClass?: number; hopLimit?: number },
    act: (connection: ReturnType<Node['stack']['connect']>, now: number) => void = () => undefined,
    to = '10.0.0.2',
  ): { ours: IpPacket[]; half: number; pair: Pair } {
    const pair = new Pair();
    new Server(pair, pair.b, { port: 80 });
    const connection = pair.a.stack.connect(pair.now, { remote: IpAddress.parse(to), port: 80, options });
    pair.pass(100);
    const own = (): IpPacket[] =>
      pair.log.flatMap(({ from, frame }) => (from === pair.a ? [seen(frame)?.packet ?? new IpPacket()] : []));
    const half = own().length;
    act(connection, pair.now);
    connection.write(pair.now, new Uint8Array(5000));
    connection.shutdown(pair.now);
    pair.pass(1000);
    return { ours: own(), half, pair };
  }

  test('[MUST-48] [SHLD-22] the Diffserv field is as asked for, on every segment, for IPv4 and IPv6', () => {
    for (const to of ['10.0.0.2', '2001:db8::2']) {
      const { ours } = packetsOf({ trafficClass: 0xb8 }, undefined, to);
      expect(ours.length).toBeGreaterThan(4);
      for (const packet of ours) expect(packet.trafficClass & 0xfc).toBe(0xb8);
      for (const packet of packetsOf({}, undefined, to).ours) expect(packet.trafficClass & 0xfc).toBe(0);
    }
  });

  test('[SHLD-21] and may be changed while the connection is open', () => {
    const { ours, half } = packetsOf({ trafficClass: 0xb8 }, (connection, now) =>
      connection.configure(now, { trafficClass: 0x20 }),
    );
    for (const packet of ours.slice(0, half)) expect(packet.trafficClass & 0xfc).toBe(0xb8);
    for (const packet of ours.slice(half)) expect(packet.trafficClass & 0xfc).toBe(0x20);
  });

  test('[MAY-9] that of the last packet received can be looked at', () => {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80 });
    const options = { trafficClass: 0x48 };
    pair.a.stack.connect(pair.now, { remote: IpAddress.parse('10.0.0.2'), port: 80, options });
    pair.pass(100);
    expect(server.accepted[0].connection.tcb.receivedTrafficClass & 0xfc).toBe(0x48);
  });

  test('[MUST-49] TTL and hop limit are as asked for; 64 otherwise', () => {
    for (const to of ['10.0.0.2', '2001:db8::2']) {
      const { ours, half } = packetsOf(
        { hopLimit: 5 },
        (connection, now) => connection.configure(now, { hopLimit: 200 }),
        to,
      );
      for (const packet of ours.slice(0, half)) expect(packet.hopLimit).toBe(5);
      for (const packet of ours.slice(half)) expect(packet.hopLimit).toBe(200);
      for (const packet of packetsOf({}, undefined, to).ours) expect(packet.hopLimit).toBe(64);
    }
  });

  test('[MAY-4] a segment that is sent again goes with the same IPv4 identification', () => {
    const node = new Node({ addresses: ADDRESSES });
    node.stack.connect(0, { remote: IpAddress.parse('10.0.0.77'), port: 80 });
    const syns = [...drain(node, 0), ...runAlone(node, 4500)];
    expect(syns.length).toBeGreaterThan(3);
    // Not to be fragmented, so the field means nothing (RFC 6864) and gives nothing away.
    for (const { packet } of syns) expect([packet.id, packet.dontFragment]).toEqual([0, true]);
  });
});

describe('IPv4 options', () => {
  /** The SYN with IP options before it. */
  function synWith(options: readonly number[]): Uint8Array {
    const bare = tcp({ flags: SYN });
    const packet = new IpPacket();
    packet.setSource(IpAddress.parse('10.0.0.77'));
    packet.setDestination(IpAddress.parse('10.0.0.2'));
    packet.family = 4;
    packet.protocol = Protocol.TCP;
    packet.hopLimit = 64;
    packet.payloadLength = bare.length - 20;
    const bytes = new Uint8Array(bare.length + options.length);
    const headerLength = emitIpv4Header(packet, bytes, 0, Uint8Array.from(options));
    bytes.set(bare.subarray(20), headerLength);
    setTransportChecksum(bytes, headerLength, packet.payloadLength, packet);
    return bytes;
  }

  test('[MUST-50] those that mean nothing to us are ignored, the segment is not', () => {
    for (const options of [
      [94, 4, 0, 0], // experimental
      [148, 4, 0, 0], // router alert
      [7, 7, 4, 0, 0, 0, 0, 0], // record route
      [68, 8, 5, 0, 0, 0, 0, 0], // timestamp
      [130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // security
      [1, 1, 1, 0],
      [94, 0, 0, 0], // a length that cannot be
    ]) {
      const node = listening();
      node.stack.handleFrame(0, node.iface, synWith(options));
      expect([options, drain(node, 0).map(({ segment }) => flagsOf(segment))]).toEqual([options, ['SA']]);
    }
  });

  test('a packet with a source route is dropped (RFC 7126 4.3, 4.4; why MUST-51 to 53 are excepted)', () => {
    for (const type of [131, 137]) {
      const node = listening();
      node.stack.handleFrame(0, node.iface, synWith([type, 7, 4, 10, 0, 0, 9, 0]));
      expect(drain(node, 0)).toEqual([]);
    }
  });
});

describe('a new connection out of TIME-WAIT', () => {
  /** A connection we closed first; returns its numbers. */
  function timeWait(node: Node, timestamps: boolean): { iss: number; next: number } {
    const stamp = (value: number): Partial<RawSegment> => (timestamps ? { timestamps: [value, 0] } : {});
    inject(node, 0, { flags: SYN, seq: 99, ...stamp(10) });
    const iss = drain(node, 0)[0].segment.seq;
    inject(node, 0, { flags: ACK, seq: 100, ack: iss + 1, ...stamp(11) });
    node.stack.deliverEvents();
    expect(accepted.length).toBe(1);
    accepted[0](0);
    expect(flagsOf(drain(node, 0)[0].segment)).toBe('FA');
    inject(node, 0, { flags: FIN | ACK, seq: 100, ack: iss + 2, ...stamp(12) });
    expect(flagsOf(drain(node, 0)[0].segment)).toBe('A');
    return { iss, next: iss + 2 };
  }

  let accepted: Array<(now: number) => void> = [];
  function server(): Node {
    accepted = [];
    const node = new Node({ addresses: ADDRESSES });
    node.stack.listen({
      port: 80,
      handler: {
        acceptable: (listener) => {
          const connection = listener.accept(0);
          if (connection !== null) accepted.push((now) => connection.shutdown(now));
        },
      },
    });
    return node;
  }

  test('[MAY-2] a SYN with a newer number gets a SYN,ACK whose number lies beyond the old connection', () => {
    const node = server();
    const { next } = timeWait(node, false);
    inject(node, 100, { flags: SYN, seq: 5000 });
    const [{ segment }] = drain(node, 100);
    expect(flagsOf(segment)).toBe('SA');
    expect((segment.seq - next) | 0).toBeGreaterThan(0);
    const old = server();
    timeWait(old, false);
    inject(old, 100, { flags: SYN, seq: 50 });
    expect(drain(old, 100).map((one) => flagsOf(one.segment))).toEqual(['A']);
  });

  test('[SHLD-4] with timestamps a newer one is enough, whatever the number', () => {
    const node = server();
    timeWait(node, true);
    inject(node, 100, { flags: SYN, seq: 50, timestamps: [500, 0] });
    expect(drain(node, 100).map((one) => flagsOf(one.segment))).toEqual(['SA']);
    const old = server();
    timeWait(old, true);
    inject(old, 100, { flags: SYN, seq: 5000, timestamps: [5, 0] });
    expect(drain(old, 100).map((one) => flagsOf(one.segment))).toEqual(['A']);
  });
});
