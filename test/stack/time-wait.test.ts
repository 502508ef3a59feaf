/** TIME-WAIT: what stays of a connection, what it answers, and who may take its place (F26, D05, RFC 6191, RFC 1337). */

import { describe, expect, it } from 'vitest';
import { type Seq, seqAdd, seqDiff } from '../../src/base/seq.ts';
import type { Connection } from '../../src/stack/connection.ts';
import type { Listener } from '../../src/stack/listener.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { ACK, FIN, RST, SYN } from '../../src/wire/tcp.ts';
import { App, pattern, Server } from './apps.ts';
import { Node, Pair } from './pair.ts';
import { drain, flagsOf, inject, type RawSegment, runAlone } from './raw.ts';

const ISN = 0xffff_fff0;

interface Waiting {
  readonly node: Node;
  readonly listener: Listener;
  readonly connection: Connection;
  /** The peer's next sequence number, and ours. */
  readonly rcvNxt: Seq;
  readonly sndNxt: Seq;
  say(now: number, raw: Partial<RawSegment>): string[];
}

/** A host whose connection to a hand-made peer has gone into TIME-WAIT: the host closed first. */
function waiting(
  settings: string[] = [],
  timestamps = false,
  node = new Node({ addresses: ['10.0.0.2/24'], settings }),
): Waiting {
  const listener = node.stack.listen({ port: 80 });
  let clock = 1000;
  const ts = (echo: number): Partial<RawSegment> => (timestamps ? { timestamps: [clock++, echo] } : {});
  inject(node, 0, { seq: ISN, flags: SYN, mss: 1460, ...ts(0) });
  const reply = drain(node, 0)[0].segment;
  const sndNxt = seqAdd(reply.seq, 2);
  inject(node, 1, { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: ACK, ...ts(reply.tsVal) });
  const connection = listener.accept(1)!;
  connection.shutdown(2);
  const fin = drain(node, 2)[0].segment;
  inject(node, 3, { seq: ISN + 1, ack: sndNxt, flags: FIN | ACK, ...ts(fin.tsVal) });
  expect(drain(node, 3).map((a) => flagsOf(a.segment))).toEqual(['A']);
  expect(connection.state).toBe('TIME-WAIT');
  return {
    node,
    listener,
    connection,
    rcvNxt: seqAdd(reply.ack, 1),
    sndNxt,
    say: (now, raw) => {
      inject(node, now, { flags: ACK, ack: sndNxt, ...raw });
      return drain(node, now).map((a) => flagsOf(a.segment));
    },
  };
}

describe('TIME-WAIT', () => {
  it('lasts 2 MSL and leaves nothing', () => {
    const { node, connection } = waiting(['tcp_msl_ms=15000']);
    expect(node.stack.usage).toMatchObject({ endpoints: 2, timeWait: 1, memory: 0 });
    expect(runAlone(node, 30_002)).toEqual([]);
    expect(connection.state).toBe('TIME-WAIT');
    runAlone(node, 30_003);
    expect(connection.state).toBe('CLOSED');
    expect(node.stack.usage).toMatchObject({ endpoints: 1, timeWait: 0 });
  });

  it('keeps no TCB, and no way back to the connection', () => {
    const { node, connection } = waiting();
    expect(connection.detached).toBe(true);
    const remains = connection.remains!;
    expect(Object.values(remains)).not.toContain(connection);
    expect(Object.values(remains)).not.toContain(connection.tcb);
    // 256 bytes on a 64-bit platform: header of three words, a word each, and the boxed deadline.
    const fields = Object.keys(remains).length;
    expect((3 + fields) * 8 + 16).toBeLessThanOrEqual(256);
    expect(node.stack.usage.timeWait).toBe(1);
  });

  it('acknowledges a FIN that comes again, and starts over', () => {
    const { node, say } = waiting();
    expect(say(10_000, { seq: ISN + 1, flags: FIN | ACK })).toEqual(['A']);
    runAlone(node, 69_999);
    expect(node.stack.usage.timeWait).toBe(1);
    runAlone(node, 70_000);
    expect(node.stack.usage.timeWait).toBe(0);
  });

  it('answers old duplicates with one ACK in half a second (E08)', () => {
    const { say } = waiting();
    let count = 0;
    for (let i = 0; i < 100; i++) count += say(10_000 + i, { seq: ISN - 5000 }).length;
    expect(count).toBe(1);
    expect(say(10_600, { seq: ISN - 5000 })).toEqual(['A']);
  });

  it('ends with an exact RST, but not with tcp_rfc1337', () => {
    const plain = waiting();
    expect(plain.say(10_000, { seq: plain.rcvNxt, flags: RST })).toEqual([]);
    expect(plain.connection.state).toBe('CLOSED');
    expect(plain.node.stack.usage.timeWait).toBe(0);
    const careful = waiting(['tcp_rfc1337=1']);
    expect(careful.say(10_000, { seq: careful.rcvNxt, flags: RST })).toEqual([]);
    expect(careful.connection.state).toBe('TIME-WAIT');
  });
});

describe('the end of a connection', () => {
  it('is told once, though a RST comes right after it', () => {
    const node = new Node({ addresses: ['10.0.0.2/24'] });
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN });
    const reply = drain(node, 0)[0].segment;
    inject(node, 1, { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: ACK });
    const connection = listener.accept(1)!;
    const told: (string | null)[] = [];
    connection.handler = { closed: (_c, error) => told.push(error) };
    connection.shutdown(2);
    drain(node, 2);
    inject(node, 3, { seq: ISN + 1, ack: seqAdd(reply.seq, 2), flags: FIN | ACK });
    while (node.stack.deliverEvents());
    expect(told).toEqual([null]);
    // The last ACK has not left yet.
    inject(node, 4, { seq: ISN + 2, flags: RST });
    while (node.stack.deliverEvents());
    expect(connection.state).toBe('CLOSED');
    expect(told).toEqual([null]);
    expect(node.stack.usage).toMatchObject({ endpoints: 1, timeWait: 0 });
  });
});

describe('a new SYN for a connection in TIME-WAIT', () => {
  it('with a higher sequence number opens a new one, whose numbers lie beyond the old', () => {
    const { node, sndNxt, connection } = waiting();
    inject(node, 10_000, { seq: ISN + 1000, flags: SYN });
    const [reply] = drain(node, 10_000);
    expect(flagsOf(reply.segment)).toBe('SA');
    expect(seqDiff(reply.segment.seq, sndNxt)).toBe(65_537);
    expect(connection.state).toBe('CLOSED');
    expect(node.stack.counters.get('TWRecycled')).toBe(1);
    expect(node.stack.usage.timeWait).toBe(0);
  });

  it.each([
    ['with a lower sequence number', false, { seq: ISN - 1000 }],
    [
      'with an older timestamp, whatever its sequence number',
      true,
      { seq: ISN + 100_000, timestamps: [1, 0] as const },
    ],
  ])('%s is answered with an ACK', (_name, timestamps, raw) => {
    const { node, rcvNxt, connection } = waiting([], timestamps);
    inject(node, 10_000, { flags: SYN, ...raw });
    const [reply] = drain(node, 10_000);
    expect(flagsOf(reply.segment)).toBe('A');
    expect(reply.segment.ack).toBe(rcvNxt);
    expect(connection.state).toBe('TIME-WAIT');
  });

  it('with a newer timestamp opens, even with a lower sequence number (RFC 6191)', () => {
    const { node } = waiting([], true);
    inject(node, 10_000, { seq: ISN - 100_000, flags: SYN, timestamps: [500_000, 0] });
    expect(drain(node, 10_000).map((a) => flagsOf(a.segment))).toEqual(['SA']);
  });

  it('finds the old one still there when nobody listens any more', () => {
    const { node, connection, listener } = waiting();
    listener.close(5);
    inject(node, 10_000, { seq: ISN + 1000, flags: SYN });
    expect(drain(node, 10_000).map((a) => flagsOf(a.segment))).toEqual(['A']);
    expect(connection.state).toBe('TIME-WAIT');
  });
});

describe('tcp_tw_reuse: an open from a port in TIME-WAIT', () => {
  const B = IpAddress.parse('10.0.0.2');
  const used = (pair: Pair, remote: IpAddress): void => {
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote, port: 80, localPort: 5000, handler: app });
    app.send(client, pattern(10));
    pair.run(() => client.state === 'TIME-WAIT', 10_000);
  };
  const again = (pair: Pair, remote: IpAddress): string => {
    try {
      return pair.a.stack.connect(pair.now, { remote, port: 80, localPort: 5000 }).state;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it.each([
    ['tcp_tw_reuse=0', 'EADDRINUSE'],
    ['tcp_tw_reuse=1', 'SYN-SENT'],
    ['tcp_tw_reuse=2', 'EADDRINUSE'],
  ])('%s, over the wire: %s', (setting, expected) => {
    const pair = new Pair({ settings: [setting] });
    const server = new Server(pair, pair.b, { port: 80 });
    server.onAccept = (connection, app) => app.send(connection, pattern(1));
    used(pair, B);
    expect(again(pair, B)).toBe('EADDRINUSE');
    pair.pass(1001);
    expect(again(pair, B)).toBe(expected);
  });

  it('2 allows it on the loopback', () => {
    const pair = new Pair();
    const self = IpAddress.parse('127.0.0.1');
    const server = new Server(pair, pair.a, { port: 80 });
    server.onAccept = (connection, app) => app.send(connection, pattern(1));
    used(pair, self);
    pair.pass(1001);
    expect(again(pair, self)).toBe('SYN-SENT');
    expect(pair.a.stack.counters.get('TWReused')).toBe(1);
  });
});

describe('tcp_max_tw_buckets (D05)', () => {
  it('above it connections are freed at once', () => {
    const pair = new Pair({ settings: ['tcp_max_tw_buckets=10'] });
    const server = new Server(pair, pair.b, { port: 80 });
    server.onAccept = (connection, app) => app.send(connection, pattern(1));
    const apps: App[] = [];
    for (let i = 0; i < 25; i++) {
      const app = new App(pair);
      apps.push(app);
      const client = pair.a.stack.connect(pair.now, { remote: IpAddress.parse('10.0.0.2'), port: 80, handler: app });
      app.send(client, pattern(1));
      pair.pass(200);
    }
    expect(apps.every((app) => app.error === null)).toBe(true);
    expect(pair.a.stack.usage.timeWait).toBe(10);
    expect(pair.a.stack.counters.get('TCPTimeWaitOverflow')).toBe(15);
    expect(pair.a.stack.usage.endpoints).toBe(10);
  });
});
