/** SYN floods and cookies: cases A01 to A08. */

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { seqAdd, seqToUint32 } from '../../src/base/seq.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { ACK, CWR, ECE, RST, SYN } from '../../src/wire/tcp.ts';
import { App, pattern, Server, same } from './apps.ts';
import { flood, host, ISN, shake } from './flood.ts';
import { type Node, Pair } from './pair.ts';
import { drain, flagsOf, inject, type RawSegment, runAlone } from './raw.ts';

const B = IpAddress.parse('10.0.0.2');

describe('A01: tcp_syncookies=1', () => {
  it.each([128, 1024])('keeps half-open connections to the backlog of %i and answers every SYN', (backlog) => {
    const node = host();
    const listener = node.stack.listen({ port: 80, backlog });
    const answers = flood(node, 0, 5000);
    expect(listener.halfOpen).toBe(backlog);
    expect(answers.length).toBe(5000);
    expect(answers.every((a) => flagsOf(a.segment) === 'SA')).toBe(true);
    expect(node.stack.counters.get('SyncookiesSent')).toBe(5000 - backlog);
    expect(node.stack.counters.get('TCPReqQFullDoCookies')).toBe(5000 - backlog);
  });

  it('lets honest clients in all the while', () => {
    const pair = new Pair({}, { addresses: ['10.0.0.2/8'] });
    const server = new Server(pair, pair.b, { port: 80, backlog: 128 });
    const apps: App[] = [];
    for (let i = 0; i < 50; i++) {
      flood(pair.b, pair.now, 200, i);
      const app = new App(pair);
      apps.push(app);
      const client = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
      app.send(client, pattern(1000, i));
      pair.pass(10);
    }
    pair.pass(1000);
    expect(apps.every((app) => app.told[0] === 'opened')).toBe(true);
    expect(server.accepted.length).toBe(50);
    expect(server.accepted.every(({ app }, i) => same(app.bytes, pattern(1000, i)))).toBe(true);
  });
});

describe('A02: tcp_syncookies=2', () => {
  it('never keeps a half-open connection, nor repeats itself', () => {
    const node = host('tcp_syncookies=2');
    const listener = node.stack.listen({ port: 80 });
    expect(flood(node, 0, 1000).length).toBe(1000);
    expect(listener.halfOpen).toBe(0);
    expect(node.stack.usage.endpoints).toBe(1);
    expect(runAlone(node, 120_000)).toEqual([]);
  });
});

describe('A03: tcp_syncookies=0', () => {
  it('fills up, drops the rest in silence, and is free again seven seconds after the flood', () => {
    const pair = new Pair({}, { addresses: ['10.0.0.2/8'], settings: ['tcp_syncookies=0'] });
    const server = new Server(pair, pair.b, { port: 80, backlog: 128 });
    const early = new App(pair);
    const held = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: early });
    pair.pass(100);
    const answers = flood(pair.b, pair.now, 2000);
    expect(answers.length).toBe(128);
    expect(server.listener.halfOpen).toBe(128);
    expect(pair.b.stack.counters.get('ListenDrops')).toBe(2000 - 128);
    const late = new App(pair);
    pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: late });
    early.send(held, pattern(5000), false);
    pair.pass(1000);
    expect(late.told).toEqual([]);
    expect(server.accepted[0].app.received).toBe(5000);
    // A cold client that came too early finds room at one of its retransmissions, a new one at once.
    pair.pass(6010);
    expect(server.listener.halfOpen).toBeLessThan(128);
    const next = new App(pair);
    pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: next });
    pair.pass(20);
    expect(next.told).toEqual(['opened']);
    pair.pass(5000);
    expect(late.told).toEqual(['opened']);
    expect(pair.b.stack.counters.get('TCPSynRetransCut')).toBeGreaterThan(0);
  });
});

describe('A04: without cookies, the last quarter is for proven peers', () => {
  it('keeps tcp_max_syn_backlog/4 places for them', () => {
    const node = host('tcp_syncookies=0', 'tcp_max_syn_backlog=256');
    const listener = node.stack.listen({ port: 80, backlog: 1000 });
    const proven = { from: '10.0.0.50', sport: 5000 };
    // A whole connection, which measures a round trip and ends.
    const { reply } = shake(node, 0, proven);
    expect(listener.waiting).toBe(1);
    inject(node, 10, { ...proven, seq: ISN + 1, ack: seqAdd(reply!.seq, 1), flags: RST | ACK });
    listener.accept(11);
    expect(flood(node, 20, 1000).length).toBe(256 - 64 + 1);
    expect(node.stack.counters.get('TCPReqUnproven')).toBe(1000 - 193);
    inject(node, 30, { from: '10.0.0.51', sport: 5001, flags: SYN, seq: ISN });
    expect(drain(node, 30)).toEqual([]);
    inject(node, 30, { from: '10.0.0.50', sport: 5001, flags: SYN, seq: ISN });
    expect(drain(node, 30).map((a) => flagsOf(a.segment))).toEqual(['SA']);
  });
});

describe('A05: what a cookie remembers', () => {
  const MSS4 = [48, 256, 536, 1300, 1440, 1460];
  const cookies = (): Node => host('tcp_syncookies=2', 'tcp_ecn=2');

  it.each([1, 47, 48, 255, 256, 535, 536, 1299, 1300, 1459, 1460, 9000, 65_535])('MSS %i, rounded down', (mss) => {
    const node = cookies();
    const listener = node.stack.listen({ port: 80 });
    shake(node, 0, { mss });
    const rounded = MSS4.filter((m) => m <= mss).at(-1) ?? 48;
    expect(listener.accept(0)?.status().peerMss).toBe(rounded);
  });

  it('536 when the SYN names none', () => {
    const node = cookies();
    const listener = node.stack.listen({ port: 80 });
    shake(node, 0, { mss: 0 });
    expect(listener.accept(0)?.status().peerMss).toBe(536);
  });

  it.each([0, 1, 7, 13, 14, -1])('window scale %i, SACK and ECN with timestamps, and none of them without', (scale) => {
    for (const sack of [true, false]) {
      for (const ecn of [true, false]) {
        const node = cookies();
        const listener = node.stack.listen({ port: 80 });
        const syn = { windowScale: scale, sackPermitted: sack, flags: SYN | (ecn ? ECE | CWR : 0) };
        const at = 1_234_567;
        inject(node, at, { seq: ISN, mss: 1460, timestamps: [77, 0], ...syn });
        const reply = drain(node, at)[0].segment;
        expect(reply.sackPermitted).toBe(sack);
        expect(reply.windowScale >= 0).toBe(scale >= 0);
        expect((reply.flags & ECE) !== 0).toBe(ecn);
        inject(node, at + 50, { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: ACK, timestamps: [80, reply.tsVal] });
        const status = listener.accept(at + 50)?.status();
        expect(status).toMatchObject({ timestamps: true, sack, ecn, sndWscale: Math.max(scale, 0) });

        inject(node, at, { sport: 4001, seq: ISN, mss: 1460, ...syn });
        const bare = drain(node, at)[0].segment;
        expect([bare.sackPermitted, bare.windowScale, bare.timestamps, bare.flags & ECE]).toEqual([
          false,
          -1,
          false,
          0,
        ]);
        inject(node, at, { sport: 4001, seq: ISN + 1, ack: seqAdd(bare.seq, 1), flags: ACK });
        expect(listener.accept(at)?.status()).toMatchObject({
          timestamps: false,
          sack: false,
          ecn: false,
          sndWscale: 0,
        });
      }
    }
  });

  it('carries on as any other connection', () => {
    const pair = new Pair({}, { settings: ['tcp_syncookies=2'] });
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    for (const remote of ['10.0.0.2', '2001:db8::2']) {
      const client = pair.a.stack.connect(pair.now, { remote: IpAddress.parse(remote), port: 80, handler: app });
      app.send(client, pattern(300_000));
      pair.run(() => server.accepted.at(-1)?.app.peerDone === true, 20_000);
      expect(same(server.accepted.at(-1)!.app.bytes, pattern(300_000))).toBe(true);
    }
  });
});

describe('A06: cookies that are none', () => {
  const sequence = (ack: number): Partial<RawSegment> => ({ seq: ISN + 1, ack, flags: ACK });

  it('are answered with <SEQ=SEG.ACK><CTL=RST>, and leave nothing', () => {
    const node = host('tcp_syncookies=2');
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN });
    const good = seqToUint32(seqAdd(drain(node, 0)[0].segment.seq, 1));
    const wrong: Partial<RawSegment>[] = [
      { ...sequence(good + 100) },
      { ...sequence(good), seq: ISN + 2 },
      { ...sequence(good), sport: 4001 },
      { ...sequence(good), from: '10.0.0.78' },
      { ...sequence(good ^ 0x40_0000) },
    ];
    for (const raw of wrong) {
      inject(node, 1, { flags: ACK, ...raw });
      const [answer, ...more] = drain(node, 1);
      expect(flagsOf(answer.segment)).toBe('R');
      expect(seqToUint32(answer.segment.seq)).toBe((raw.ack as number) >>> 0);
      expect(more).toEqual([]);
    }
    expect(listener.waiting).toBe(0);
    expect(node.stack.counters.get('SyncookiesFailed')).toBe(wrong.length);
    inject(node, 1, { flags: ACK, ...sequence(good) });
    expect(listener.waiting).toBe(1);
    expect(node.stack.counters.get('SyncookiesRecv')).toBe(1);
  });

  it('are too old after two periods', () => {
    for (const [age, good] of [
      [60_000, true],
      [128_000, false],
      [300_000, false],
    ] as const) {
      const node = host('tcp_syncookies=2');
      const listener = node.stack.listen({ port: 80 });
      inject(node, 0, { seq: ISN, flags: SYN });
      const ack = seqAdd(drain(node, 0)[0].segment.seq, 1);
      // Another SYN keeps the listener looking for cookies.
      inject(node, age, { from: '10.0.0.99', seq: ISN, flags: SYN });
      drain(node, age);
      inject(node, age, { seq: ISN + 1, ack, flags: ACK });
      expect(listener.waiting).toBe(good ? 1 : 0);
    }
  });

  it('cannot be guessed: none of a hundred thousand', () => {
    const node = host('tcp_syncookies=2');
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN });
    const random = new SeededRandom(3);
    for (let i = 0; i < 100_000; i++) {
      inject(node, 1, { seq: ISN + 1, ack: random.nextUint32(), flags: ACK, sport: 4000 + (i & 1023) });
      if ((i & 1023) === 0) drain(node, 1);
    }
    expect(listener.waiting).toBe(0);
    expect(node.stack.usage.endpoints).toBe(1);
  });
});

describe('A07, A08: floods that only want an answer', () => {
  it('one RST for an ACK to a listener, no state', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    for (let i = 0; i < 500; i++) inject(node, i, { sport: 2000 + i, seq: i, ack: i * 7, flags: ACK });
    const answers = drain(node, 500);
    expect(answers.length).toBe(500);
    expect(answers.every((a) => flagsOf(a.segment) === 'R')).toBe(true);
    expect([listener.halfOpen, listener.waiting, node.stack.usage.endpoints]).toEqual([0, 0, 1]);
    // No cookie was sent, so none is looked for.
    expect(node.stack.counters.get('SyncookiesFailed')).toBe(0);
  });

  it('one RST,ACK for a SYN to a closed port, no more bytes out than in', () => {
    const node = host();
    let bytesIn = 0;
    for (let i = 0; i < 500; i++) {
      inject(node, i, { sport: 2000 + i, seq: i, flags: SYN, dport: 81 });
      bytesIn += 40;
    }
    const answers = drain(node, 500);
    expect(answers.length).toBe(500);
    expect(
      answers.every(
        (a) => flagsOf(a.segment) === 'RA' && a.segment.ack === ((a.segment.destinationPort - 1999) as number),
      ),
    ).toBe(true);
    expect(answers.length * 40).toBeLessThanOrEqual(bytesIn);
  });

  it('no more resets than ten thousand a second', () => {
    const node = host();
    let answered = 0;
    for (let i = 0; i < 30_000; i++) {
      inject(node, 1000, { sport: 2000 + (i % 60_000), flags: SYN, dport: 81 });
      answered += drain(node, 1000).length;
    }
    expect(answered).toBeLessThanOrEqual(10_000);
    expect(answered).toBeGreaterThan(5000);
    expect(node.stack.counters.get('TcpOutRstsLimited')).toBe(30_000 - answered);
  });
});
