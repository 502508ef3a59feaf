/** Half-open connections, accept queues and their ends: cases A09 to A18. */

import { describe, expect, it } from 'vitest';
import { seqAdd, seqToUint32 } from '../../src/base/seq.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/wire/tcp.ts';
import { pattern, same } from './apps.ts';
import { flood, host, ISN, shake } from './flood.ts';
import { drain, flagsOf, inject, runAlone, type Seen } from './raw.ts';

describe('A09, A10: a half-open connection and further SYNs', () => {
  it('the same SYN a hundred times: one entry, one ISN, an answer every half second', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    const answers: Seen[] = [];
    for (let i = 0; i < 100; i++) {
      inject(node, i * 5, { seq: ISN, flags: SYN });
      answers.push(...drain(node, i * 5));
    }
    expect(listener.halfOpen).toBe(1);
    expect(new Set(answers.map((a) => a.segment.seq)).size).toBe(1);
    expect(answers.length).toBeLessThanOrEqual(3);
    expect(answers.length).toBeGreaterThanOrEqual(1);
  });

  it('a SYN with another sequence number: a challenge ACK, and the entry stays', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN });
    const first = drain(node, 0)[0].segment;
    inject(node, 600, { seq: ISN + 5000, flags: SYN });
    const answers = drain(node, 600);
    expect(answers.map((a) => flagsOf(a.segment))).toEqual(['A']);
    expect(answers[0].segment.ack).toBe(first.ack);
    expect(listener.halfOpen).toBe(1);
    inject(node, 700, { seq: ISN + 1, ack: seqAdd(first.seq, 1), flags: ACK });
    expect(listener.waiting).toBe(1);
  });
});

describe('A11: a half-open connection that is never completed', () => {
  it('five more SYN,ACKs at 1, 3, 7, 15 and 31 s, and an end at 63 s', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN });
    expect(drain(node, 0).length).toBe(1);
    const answers = runAlone(node, 62_999);
    expect(answers.map((a) => a.at)).toEqual([1000, 3000, 7000, 15_000, 31_000]);
    expect(answers.every((a) => flagsOf(a.segment) === 'SA')).toBe(true);
    expect(listener.halfOpen).toBe(1);
    expect(runAlone(node, 63_000)).toEqual([]);
    expect(listener.halfOpen).toBe(0);
    expect(node.stack.usage.endpoints).toBe(1);
  });

  it('two more when the queue is more than half full of old ones', () => {
    const node = host('tcp_syncookies=0');
    const listener = node.stack.listen({ port: 80, backlog: 16 });
    for (let i = 0; i < 16; i++) inject(node, 0, { sport: 2000 + i, seq: ISN, flags: SYN });
    expect(drain(node, 0).length).toBe(16);
    const answers = runAlone(node, 7000);
    // The first to time out still see a queue of the young, and those at the end one of the old.
    expect(answers.length).toBeLessThanOrEqual(16 * 5);
    expect(listener.halfOpen).toBeLessThanOrEqual(8);
  });
});

describe('A12: text on a SYN', () => {
  it.each([
    ['with cookies', 'tcp_syncookies=2'],
    ['without', 'tcp_syncookies=0'],
  ])('is not delivered before the handshake is complete, %s', (_name, setting) => {
    const node = host(setting);
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN, text: pattern(100) });
    const reply = drain(node, 0)[0].segment;
    expect(seqToUint32(reply.ack)).toBe(ISN + 1);
    expect(listener.waiting).toBe(0);
    inject(node, 1, { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: ACK });
    const connection = listener.accept(1)!;
    expect(connection.readable).toBe(0);
    inject(node, 2, { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: ACK | PSH, text: pattern(100) });
    expect(same(connection.read(2)!, pattern(100))).toBe(true);
  });

  it('a SYN with a FIN opens nothing', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN | FIN, text: pattern(10) });
    expect(drain(node, 0)).toEqual([]);
    expect(listener.halfOpen).toBe(0);
  });
});

describe('A13: an accept queue that nobody empties', () => {
  it('holds backlog + 1 connections, and further SYNs are dropped', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80, backlog: 128 });
    let answered = 0;
    for (let i = 0; i < 1000; i++) if (shake(node, i, { sport: 2000 + i }).reply !== null) answered++;
    expect(listener.waiting).toBe(129);
    expect(answered).toBe(129);
    expect(node.stack.counters.get('ListenOverflows')).toBe(1000 - 129);
    expect(node.stack.usage.endpoints).toBe(1 + 129);
    listener.accept(1000);
    expect(shake(node, 1001, { sport: 5000 }).reply).not.toBeNull();
    expect(listener.waiting).toBe(129);
  });

  it.each([
    ['tcp_abort_on_overflow=0', ''],
    ['tcp_abort_on_overflow=1', 'RA'],
  ])('a last ACK that finds it full, %s', (setting, answer) => {
    const node = host(setting);
    const listener = node.stack.listen({ port: 80, backlog: 0 });
    // Backlog 0 keeps no half-open connection without a cookie: let two handshakes overlap under a larger one.
    expect(listener.backlog).toBe(0);
    listener.close(0);
    const second = node.stack.listen({ port: 80, backlog: 2 });
    inject(node, 1, { sport: 2000, seq: ISN, flags: SYN });
    inject(node, 1, { sport: 2001, seq: ISN, flags: SYN });
    const acks = drain(node, 1).map((a) => ({ sport: a.segment.destinationPort, ack: seqAdd(a.segment.seq, 1) }));
    for (let i = 0; i < 2; i++) shake(node, 2, { sport: 3000 + i });
    // Two half open, two waiting; the third fills the queue (backlog + 1), the fourth finds it full.
    inject(node, 3, { ...acks[0], seq: ISN + 1, flags: ACK });
    expect(second.waiting).toBe(3);
    drain(node, 3);
    inject(node, 3, { ...acks[1], seq: ISN + 1, flags: ACK });
    expect(second.waiting).toBe(3);
    expect(
      drain(node, 3)
        .map((a) => flagsOf(a.segment))
        .join(),
    ).toBe(answer);
    expect(second.halfOpen).toBe(answer === '' ? 1 : 0);
    if (answer !== '') return;
    // The client tries again when there is room.
    second.accept(4);
    inject(node, 5, { ...acks[1], seq: ISN + 1, flags: ACK });
    expect(second.waiting).toBe(3);
  });
});

describe('A14: a cookie that comes back when the accept queue is full', () => {
  it('is dropped without a word, and good for another try', () => {
    const node = host('tcp_syncookies=2');
    const listener = node.stack.listen({ port: 80, backlog: 1 });
    inject(node, 0, { seq: ISN, flags: SYN });
    const reply = drain(node, 0)[0].segment;
    for (let i = 0; i < 2; i++) shake(node, 1, { sport: 3000 + i });
    expect(listener.waiting).toBe(2);
    const last = { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: ACK | PSH, text: pattern(500) };
    inject(node, 2, last);
    expect(drain(node, 2)).toEqual([]);
    expect(listener.waiting).toBe(2);
    listener.accept(3);
    listener.accept(3);
    inject(node, 4, last);
    const connection = listener.accept(4)!;
    expect(same(connection.read(4)!, pattern(500))).toBe(true);
  });
});

describe('A15: a RST in answer to our SYN,ACK', () => {
  it('removes the entry when its sequence number is exact, and only then', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80 });
    inject(node, 0, { seq: ISN, flags: SYN });
    const reply = drain(node, 0)[0].segment;
    inject(node, 600, { seq: ISN + 2, flags: RST });
    inject(node, 600, { seq: ISN - 100_000, flags: RST });
    expect(listener.halfOpen).toBe(1);
    expect(drain(node, 600).every((a) => flagsOf(a.segment) === 'A')).toBe(true);
    inject(node, 601, { seq: ISN + 1, ack: seqAdd(reply.seq, 1), flags: RST | ACK });
    expect(listener.halfOpen).toBe(0);
    expect(drain(node, 601)).toEqual([]);
    expect(node.stack.usage.endpoints).toBe(1);
  });
});

describe('A17: a listener that closes in the middle of it', () => {
  it('resets what is half open or not accepted, and leaves no trace for its successor', () => {
    const node = host();
    const listener = node.stack.listen({ port: 80, backlog: 64 });
    for (let i = 0; i < 10; i++) shake(node, 0, { sport: 2000 + i });
    const kept = listener.accept(0)!;
    flood(node, 1, 1000);
    expect([listener.halfOpen, listener.waiting]).toEqual([64, 9]);
    listener.close(2);
    const answers = drain(node, 2);
    expect(answers.filter((a) => (a.segment.flags & RST) !== 0).length).toBe(64 + 9);
    expect(node.stack.usage.endpoints).toBe(1);
    expect(kept.state).toBe('ESTABLISHED');
    const next = node.stack.listen({ port: 80 });
    shake(node, 3, { sport: 7000 });
    expect(next.waiting).toBe(1);
    expect(runAlone(node, 200_000)).toEqual([]);
  });
});

describe('A18: two listeners, one flooded', () => {
  it('the other one does not notice', () => {
    const node = host('tcp_syncookies=0');
    node.stack.listen({ port: 80, backlog: 128 });
    const quiet = node.stack.listen({ port: 443, backlog: 128 });
    flood(node, 0, 3000);
    for (let i = 0; i < 100; i++) {
      expect(shake(node, 1, { sport: 2000 + i, dport: 443 }).reply).not.toBeNull();
    }
    expect(quiet.waiting).toBe(100);
  });
});
