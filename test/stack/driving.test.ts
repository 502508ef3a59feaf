/** How a host is driven: turns on the wire, events and calls, the same run from the same seed, gateways. */

import { describe, expect, it } from 'vitest';
import { seqAdd } from '../../src/base/seq.ts';
import type { Connection } from '../../src/stack/connection.ts';
import type { StackTrace } from '../../src/stack/trace.ts';
import { stateName } from '../../src/tcp/state.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { ACK, RST, SYN } from '../../src/wire/tcp.ts';
import { App, pattern, Server, same } from './apps.ts';
import { Node, Pair } from './pair.ts';
import { drain, flagsOf, inject, sentBy, tcp } from './raw.ts';

const B = IpAddress.parse('10.0.0.2');

describe('turns', () => {
  it('a bulk transfer does not hold up small requests', () => {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80 });
    const open = (): Connection => {
      const app = new App(pair);
      const connection = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
      pair.run(() => app.told.length > 0);
      return connection;
    };
    const bulk = open();
    const small = [open(), open(), open()];
    bulk.write(pair.now, pattern(1_000_000));
    pair.pass(300);
    const before = pair.log.length;
    bulk.write(pair.now, pattern(1_000_000));
    for (const c of small) c.write(pair.now, pattern(10));
    pair.settle();
    const ports = pair.log.slice(before).map(({ frame }) => (frame[20] << 8) | frame[21]);
    // Eight segments of the bulk at most, then one of each.
    for (const c of small) expect(ports.indexOf(c.localPort)).toBeLessThanOrEqual(8 + 2);
    pair.pass(10_000);
    expect(server.accepted.map(({ app }) => app.received).sort()).toEqual([10, 10, 10, 2_000_000]);
  });

  it('a flood of resets does not hold up a connection', () => {
    const pair = new Pair();
    const app = new App(pair);
    new Server(pair, pair.b, { port: 80 });
    const client = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    for (let i = 0; i < 500; i++)
      inject(pair.a, pair.now, { from: '10.0.0.9', to: '10.0.0.1', sport: i + 1, dport: 9, flags: SYN });
    client.write(pair.now, pattern(10));
    const first = drain(pair.a, pair.now).slice(0, 4);
    expect(first.some(({ segment }) => segment.sourcePort === client.localPort)).toBe(true);
  });
});

describe('events', () => {
  it('are told in deliverEvents alone, never within a call or a frame', () => {
    const told: string[] = [];
    const node = new Node({ addresses: ['10.0.0.2/24'] });
    const listener = node.stack.listen({ port: 80, handler: { acceptable: () => told.push('acceptable') } });
    inject(node, 0, { seq: 9, flags: SYN });
    const iss = drain(node, 0)[0].segment.seq;
    inject(node, 1, { seq: 10, ack: seqAdd(iss, 1), flags: ACK, text: pattern(10) });
    expect(told).toEqual([]);
    expect(node.stack.nextDeadline()).toBeLessThanOrEqual(1);
    expect(node.stack.deliverEvents()).toBe(true);
    expect(told).toEqual(['acceptable']);
    const connection = listener.accept(2)!;
    connection.handler = {
      opened: () => told.push('opened'),
      readable: () => told.push('readable'),
      closed: (_c, error) => told.push(`closed ${error}`),
    };
    expect(told.length).toBe(1);
    node.stack.deliverEvents();
    expect(told).toEqual(['acceptable', 'readable']);
    connection.abort(3);
    expect(told.length).toBe(2);
    node.stack.deliverEvents();
    expect(told.at(-1)).toBe('closed ECONNABORTED');
    expect(node.stack.deliverEvents()).toBe(false);
  });

  it('what a handler causes waits for the next round', () => {
    const pair = new Pair();
    let count = 0;
    const connect = (): void => {
      pair.a.stack
        .connect(pair.now, { remote: B, port: 80, handler: { closed: () => count++ < 5 && connect() } })
        .abort(pair.now);
    };
    connect();
    for (let round = 1; round <= 6; round++) {
      expect(pair.a.stack.deliverEvents()).toBe(true);
      expect(count).toBe(round);
    }
    expect(pair.a.stack.deliverEvents()).toBe(false);
  });

  it('a connection that was reset before it was accepted can be accepted, and says so', () => {
    const node = new Node({ addresses: ['10.0.0.2/24'] });
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: 9, flags: SYN });
    const iss = drain(node, 0)[0].segment.seq;
    inject(node, 1, { seq: 10, ack: seqAdd(iss, 1), flags: ACK, text: pattern(5) });
    inject(node, 1, { seq: 15, flags: RST });
    expect(listener.waiting).toBe(1);
    const told: (string | null)[] = [];
    const connection = listener.accept(2)!;
    connection.handler = { closed: (_c, error) => told.push(error) };
    node.stack.deliverEvents();
    expect(told).toEqual(['ECONNRESET']);
    expect(same(connection.read(2)!, pattern(5))).toBe(true);
  });

  it('TTL, Diffserv field and the rest are chosen at a listener or a connection, and can be changed (MUST-48, MUST-49)', () => {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80, options: { noDelay: true, hopLimit: 7, trafficClass: 0x2b } });
    pair.a.stack.connect(pair.now, { remote: B, port: 80, options: { hopLimit: 9 } });
    pair.pass(100);
    const packets = sentBy(pair, pair.b);
    expect(packets.every(({ packet }) => packet.hopLimit === 7 && packet.trafficClass === 0x28)).toBe(true);
    expect(sentBy(pair, pair.a).every(({ packet }) => packet.hopLimit === 9)).toBe(true);
    const { connection } = server.accepted[0];
    expect(connection.tcb.nagle).toBe(false);
    connection.configure(pair.now, { noDelay: false, hopLimit: 8 });
    expect(connection.tcb.nagle).toBe(true);
    expect(() => connection.configure(pair.now, { noDelay: true, hopLimit: 256 })).toThrow(/hopLimit/);
    expect(connection.tcb.nagle).toBe(true);
  });
});

describe('determinism', () => {
  const run = (seed: number): string => {
    const pair = new Pair({ medium: 'ethernet', seed }, { medium: 'ethernet', seed: seed + 1 });
    const server = new Server(pair, pair.b, { port: 80 });
    server.onAccept = (connection, app) => app.send(connection, pattern(50_000, 3));
    let n = 0;
    pair.filter = () => ++n % 13 !== 0;
    for (let i = 0; i < 5; i++) {
      const app = new App(pair);
      const remote = IpAddress.parse(i % 2 === 0 ? '10.0.0.2' : '2001:db8::2');
      const client = pair.a.stack.connect(pair.now, { remote, port: 80, handler: app });
      app.send(client, pattern(20_000, i));
    }
    pair.a.stack.udp({ port: 9 }).send(pair.now, pattern(4000), { address: B, port: 10 });
    pair.pass(200_000);
    return pair.log
      .map(({ at, from, frame }) => `${at} ${from === pair.a} ${Buffer.from(frame).toString('hex')}`)
      .join('\n');
  };

  it('the same seed gives the same bytes, another one others', () => {
    const first = run(5);
    expect(run(5) === first).toBe(true);
    expect(run(6) === first).toBe(false);
    expect(first.length).toBeGreaterThan(100_000);
  });
});

describe('a gateway: any address, any port', () => {
  it.each(['198.51.100.7', '2001:db8:99::7'])('ends connections to %s as its own', (text) => {
    const pair = new Pair({}, { acceptAny: true });
    pair.a.stack.addRoute('0.0.0.0/0', null, pair.a.iface);
    pair.a.stack.addRoute('::/0', null, pair.a.iface);
    const server = new Server(pair, pair.b, { port: 'any' });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: IpAddress.parse(text), port: 4433, handler: app });
    app.send(client, pattern(10_000));
    pair.run(() => server.accepted[0]?.app.peerDone === true);
    const { connection } = server.accepted[0];
    expect([connection.local.toString(), connection.localPort]).toEqual([text, 4433]);
    expect(same(server.accepted[0].app.bytes, pattern(10_000))).toBe(true);
  });

  it('leaves a port to the listener that is for it alone', () => {
    const pair = new Pair();
    const all = new Server(pair, pair.b, { port: 'any' });
    const http = new Server(pair, pair.b, { port: 80 });
    for (const port of [80, 81]) pair.a.stack.connect(pair.now, { remote: B, port });
    pair.pass(100);
    expect([all.accepted.length, http.accepted.length]).toEqual([1, 1]);
    expect(all.accepted[0].connection.localPort).toBe(81);
  });
});

describe('the trace', () => {
  it('tells every segment and every state, in order', () => {
    const lines: string[] = [];
    const trace: StackTrace = {
      segmentReceived: (_now, _iface, _endpoint, segment) => lines.push(`< ${flagsOf(segment)}`),
      segmentSent: (_now, _iface, _endpoint, segment) => lines.push(`> ${flagsOf(segment)}`),
      stateChanged: (_now, _endpoint, from, to) => lines.push(`${stateName(from)} → ${stateName(to)}`),
      dropped: (_now, _iface, reason) => lines.push(`dropped ${reason}`),
    };
    const pair = new Pair({ trace, settings: ['tcp_msl_ms=1000'] });
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
    pair.pass(100);
    client.shutdown(pair.now);
    pair.pass(100);
    server.accepted[0].connection.shutdown(pair.now);
    pair.pass(3000);
    expect(lines).toEqual([
      'CLOSED → SYN-SENT',
      '> S',
      '< SA',
      'SYN-SENT → ESTABLISHED',
      '> A',
      'ESTABLISHED → FIN-WAIT-1',
      '> FA',
      '< A',
      'FIN-WAIT-1 → FIN-WAIT-2',
      '< FA',
      'FIN-WAIT-2 → TIME-WAIT',
      '> A',
      'TIME-WAIT → CLOSED',
    ]);
    lines.length = 0;
    inject(pair.a, pair.now, { from: '127.0.0.1', to: '10.0.0.1', flags: SYN });
    expect(lines).toEqual(['dropped InLoopbackFromWire']);
  });
});

describe('local addresses', () => {
  it('a listener may be on one of them alone (MUST-43)', () => {
    const pair = new Pair({}, { addresses: ['10.0.0.2/24', '10.0.0.3/24'] });
    const server = new Server(pair, pair.b, { port: 80, address: IpAddress.parse('10.0.0.3') });
    const apps = ['10.0.0.2', '10.0.0.3'].map((text) => {
      const app = new App(pair);
      pair.a.stack.connect(pair.now, { remote: IpAddress.parse(text), port: 80, handler: app });
      return app;
    });
    pair.pass(100);
    expect(apps.map((app) => app.told)).toEqual([['closed ECONNREFUSED'], ['opened']]);
    expect(server.accepted[0].connection.local.toString()).toBe('10.0.0.3');
  });

  it('are chosen by the route before the first SYN (MUST-44), and kept (MUST-45)', () => {
    const pair = new Pair({ addresses: ['192.0.2.1/24', '10.0.0.1/24'] });
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
    expect(client.local.toString()).toBe('10.0.0.1');
    pair.run(() => app.told.length > 0);
    // A route that now would suggest another source changes nothing for an open connection.
    pair.a.stack.addRoute('10.0.0.2/32', IpAddress.parse('192.0.2.9'), pair.a.iface);
    app.send(client, pattern(1000));
    pair.run(() => server.accepted[0]?.app.peerDone === true);
    expect(new Set(sentBy(pair, pair.a).map(({ from }) => from))).toEqual(new Set(['10.0.0.1']));
    expect(
      pair.a.stack.connect(pair.now, { remote: B, port: 80, local: IpAddress.parse('192.0.2.1') }).local.toString(),
    ).toBe('192.0.2.1');
  });
});

describe('link-local addresses on two links', () => {
  it('an answer leaves by the link the question came from', () => {
    const node = new Node({ medium: 'ip', addresses: ['fe80::1/64'] });
    const second = node.stack.addInterface({ name: 'if1', mtu: 1500, medium: 'ip', addresses: ['fe80::2/64'] });
    const listener = node.stack.listen({ port: 80 });
    const syn = (to: string, sport: number): Uint8Array => tcp({ from: 'fe80::99', to, sport, flags: SYN });
    node.stack.handleFrame(0, node.iface, syn('fe80::1', 1));
    expect(drain(node, 0).map((a) => flagsOf(a.segment))).toEqual(['SA']);
    node.stack.handleFrame(0, second, syn('fe80::2', 2));
    expect(drain(node, 0)).toEqual([]);
    expect(node.stack.pollTransmit(0, second, new Uint8Array(1500))).toBeGreaterThan(0);
    node.stack.handleFrame(0, node.iface, tcp({ from: 'fe80::99', to: 'fe80::1', sport: 3, dport: 81, flags: SYN }));
    expect(drain(node, 0).map((a) => flagsOf(a.segment))).toEqual(['RA']);
    expect(listener.halfOpen).toBe(2);
  });

  it('a connect says which link it means', () => {
    const node = new Node({ medium: 'ip', addresses: ['fe80::1/64'] });
    node.stack.addInterface({ name: 'if1', mtu: 1500, medium: 'ip', addresses: ['fe80::2/64'] });
    const connection = node.stack.connect(0, { remote: IpAddress.parse('fe80::99'), port: 80, scope: node.iface });
    expect(drain(node, 0).length).toBe(1);
    expect(connection.local.toString()).toBe('fe80::1');
  });
});

describe('routes that change', () => {
  it('to a link with a smaller MTU shrink what a connection sends', () => {
    const pair = new Pair({ mtu: 9000 }, { mtu: 9000 });
    const app = new App(pair);
    new Server(pair, pair.b, { port: 80 });
    const client = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    pair.pass(100);
    const narrow = pair.a.stack.addInterface({ name: 'if1', mtu: 576, medium: 'ip', addresses: ['10.9.0.1/24'] });
    client.write(pair.now, pattern(20_000));
    pair.a.stack.addRoute('10.0.0.2/32', null, narrow);
    const out = new Uint8Array(576);
    const sizes: number[] = [];
    expect(pair.a.stack.pollTransmit(pair.now, pair.a.iface, new Uint8Array(9000))).toBe(0);
    for (let n = 1; n > 0; ) {
      n = pair.a.stack.pollTransmit(pair.now, narrow, out);
      if (n > 0) sizes.push(n);
    }
    expect(Math.max(...sizes)).toBe(576);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  it('move a connection to the other interface', () => {
    const node = new Node({ addresses: ['10.0.0.2/24'] });
    const second = node.stack.addInterface({ name: 'if1', mtu: 1500, medium: 'ip', addresses: ['10.1.0.2/24'] });
    node.stack.addRoute('192.0.2.0/24', null, node.iface);
    const connection = node.stack.connect(0, { remote: IpAddress.parse('192.0.2.9'), port: 80 });
    expect(drain(node, 0).length).toBe(1);
    node.stack.addRoute('192.0.2.0/24', null, second);
    node.stack.handleTimeout(1000);
    expect(drain(node, 1000)).toEqual([]);
    const out = new Uint8Array(1500);
    expect(node.stack.pollTransmit(1000, second, out)).toBeGreaterThan(0);
    expect(connection.local.toString()).toBe('10.0.0.2');
    node.stack.deleteRoute('192.0.2.0/24');
    node.stack.handleTimeout(2000);
    expect(node.stack.pollTransmit(2000, second, out)).toBe(0);
    expect(node.stack.counters.get('IpOutNoRoutes')).toBe(1);
  });
});
