/** What a peer can make us hold or do after the handshake: cases D07 … D20. */

import { describe, expect, it } from 'vitest';
import { ACK, FIN } from '../../src/wire/tcp.ts';
import { pattern, same } from '../stack/apps.ts';
import { flagsOf } from '../stack/raw.ts';
import { Lone } from './lone.ts';

describe('[D07] an application that never closes', () => {
  it('shows as CLOSE-WAIT for as long as it likes, and costs nothing else', () => {
    const lone = new Lone();
    const peer = lone.open();
    peer.says({ seq: 1, ack: 1, flags: FIN | ACK });
    expect(peer.connection.status().state).toBe('CLOSE-WAIT');
    expect(lone.pass(7 * 24 * 3_600_000)).toEqual([]);
    expect(peer.connection.status().state).toBe('CLOSE-WAIT');
    expect(lone.node.stack.usage).toMatchObject({ endpoints: 2, memory: 0 });
    peer.connection.close(lone.now);
    lone.pass(0);
    peer.says({ seq: 2, ack: 2, flags: ACK });
    expect(lone.node.stack.usage).toMatchObject({ endpoints: 1, memory: 0 });
  });
});

describe('[D09] text out of order that overlaps', () => {
  const whole = pattern(40_000);
  /** In which pieces it comes: [from, to), the first octet always last. */
  const shapes: Record<string, [number, number][]> = {
    staircase: Array.from({ length: 390 }, (_, i) => [1 + i * 100, Math.min(1 + i * 100 + 1400, 40_000)]),
    'staircase down': Array.from({ length: 390 }, (_, i) => [
      1 + (389 - i) * 100,
      Math.min(1 + (389 - i) * 100 + 1400, 40_000),
    ]),
    'the same again and again': Array.from({ length: 1000 }, () => [5000, 6000]),
    'small ones, then one that covers them': [
      ...Array.from({ length: 500 }, (_, i): [number, number] => [2 + 2 * i, 3 + 2 * i]),
      [1, 1400],
    ],
    'every second octet, then the others': [
      ...Array.from({ length: 500 }, (_, i): [number, number] => [2 + 2 * i, 3 + 2 * i]),
      ...Array.from({ length: 500 }, (_, i): [number, number] => [1 + 2 * i, 2 + 2 * i]),
    ],
  };

  it.each(Object.keys(shapes))('%s: held once, delivered right', (name) => {
    const lone = new Lone();
    const peer = lone.open({ sackPermitted: true });
    const covered = new Uint8Array(40_000);
    for (const [from, to] of shapes[name]) {
      covered.fill(1, from, to);
      peer.says({ seq: 1 + from, ack: 1, flags: ACK, text: whole.subarray(from, to) });
    }
    const octets = covered.reduce((sum, octet) => sum + octet, 0);
    expect(peer.connection.tcb.receiveBuffer.outOfOrder.total()).toBe(octets);
    expect(lone.node.stack.usage.memory).toBeLessThanOrEqual(2 * peer.connection.tcb.receiveBufferSize);
    peer.says({ seq: 1, ack: 1, flags: ACK, text: whole.subarray(0, 1) });
    const delivered = peer.read();
    expect(delivered.length).toBe(covered.indexOf(0, 1) < 0 ? 40_000 : covered.indexOf(0, 1));
    expect(same(delivered, whole.subarray(0, delivered.length))).toBe(true);
  });
});

describe('[D08] one-octet segments with holes, up to the window', () => {
  it('cost no more memory than the buffer (and no more time when they are many: bench:attacks)', () => {
    const lone = new Lone();
    const peer = lone.open({ sackPermitted: true });
    const text = Uint8Array.of(1);
    for (let i = 0; i < 20_000; i++) peer.says({ seq: 3 + 2 * i, ack: 1, flags: ACK, text });
    expect(lone.node.stack.usage.memory).toBeLessThanOrEqual(2 * peer.connection.tcb.receiveBufferSize);
    expect(peer.connection.tcb.receiveBuffer.outOfOrder.count).toBe(20_000);
  });
});

describe('[D12, F15] a peer that names a tiny MSS, or a huge one', () => {
  it.each([
    [0, 536],
    [1, 48],
    [8, 48],
    [48, 48],
    [88, 88],
    [65_535, 1460],
  ])('%i: segments of %i octets', (mss, expected) => {
    const lone = new Lone('tcp_timestamps=0');
    const peer = lone.open({ mss });
    peer.connection.write(lone.now, pattern(5000));
    const [first] = lone.pass(0);
    expect(first.text.length).toBe(expected);
  });

  it('with timestamps the options come off, and some text is left', () => {
    const lone = new Lone();
    const peer = lone.open({ mss: 1, timestamps: [1, 0] });
    peer.connection.write(lone.now, pattern(5000));
    const [first] = lone.pass(0);
    expect(first.text.length).toBeGreaterThanOrEqual(48 - 12);
  });
});

describe('[D19] an application that does not read', () => {
  it('closes the window at the end of its buffer; a peer that goes on sending fills nothing', () => {
    const lone = new Lone();
    const peer = lone.open({ windowScale: 7, timestamps: [1, 0] });
    const text = pattern(1448);
    let next = 1;
    for (let i = 0; i < 20_000; i++) {
      peer.says({ seq: next, ack: 1, flags: ACK, text });
      next = peer.theirs(peer.connection.tcb.rcvNxt);
      if (i % 100 === 0) lone.pass(1);
    }
    const size = peer.connection.tcb.receiveBufferSize;
    expect(peer.connection.readable).toBeLessThanOrEqual(size);
    expect(lone.node.stack.usage.memory).toBeLessThanOrEqual(2 * size);
    expect(size).toBeLessThanOrEqual(6_291_456);
    const [answer] = peer.says({ seq: next, ack: 1, flags: ACK, text });
    expect([flagsOf(answer.segment), answer.segment.window]).toEqual(['A', 0]);
    // The window opens again when there is room for a segment or half the buffer, and not before.
    peer.connection.read(lone.now, 1);
    expect(lone.pass(0)).toEqual([]);
    peer.read();
    const [update] = lone.pass(0);
    expect(update.segment.window).toBeGreaterThan(0);
  });
});

describe('[D20] a peer that acknowledges nothing', () => {
  it('write says stop, what waits is bounded, and after tcp_retries2 it is over', () => {
    const lone = new Lone('tcp_wmem=4096 16384 65536');
    const peer = lone.open();
    const told: string[] = [];
    peer.connection.handler = { closed: (_connection, error) => told.push(String(error)) };
    let written = 0;
    while (peer.connection.write(lone.now, pattern(1000))) {
      written += 1000;
      expect(written).toBeLessThan(1_000_000);
    }
    expect(lone.node.stack.usage.memory).toBeLessThanOrEqual(4 * 65_536);
    lone.pass(900_000);
    expect(told).toEqual([]);
    lone.pass(100_000);
    expect(told).toEqual(['ETIMEDOUT']);
    expect(lone.node.stack.usage).toMatchObject({ endpoints: 1, memory: 0 });
  });
});

describe('[D18] ten thousand idle connections with keep-alives', () => {
  it('probe once each, and cost nothing in between', () => {
    const lone = new Lone('tcp_keepalive_time=60');
    const peers = Array.from({ length: 10_000 }, (_, i) => {
      lone.now = i * 0.5;
      const peer = lone.open({ sport: 1024 + i });
      peer.connection.configure(lone.now, { keepAlive: true });
      return peer;
    });
    const probes = lone.pass(61_000);
    expect(probes.length).toBe(10_000);
    // No two at one moment that were not opened at one moment.
    const moments = new Set(probes.map(({ at }) => at.toFixed(1)));
    expect(moments.size).toBeGreaterThan(9000);
    for (const peer of peers) expect(peer.connection.status().state).toBe('ESTABLISHED');
  });
});
