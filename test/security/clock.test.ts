/** Case G10: clocks that leap, as in a browser tab that slept, and timers that come late. */

import { describe, expect, it } from 'vitest';
import { IpAddress } from '../../src/wire/address.ts';
import { ACK, FIN, RST } from '../../src/wire/tcp.ts';
import { App, pattern, Server, same } from '../stack/apps.ts';
import { Pair } from '../stack/pair.ts';
import { sentBy } from '../stack/raw.ts';
import { Lone } from './lone.ts';

const B = IpAddress.parse('10.0.0.2');

describe('[G10] everything stands still for a while, in the middle of a transfer', () => {
  it.each([1000, 60_000, 3_600_000])('for %i ms, at any moment: it goes on where it was', (leap) => {
    for (let moment = 0; moment < 60; moment += 3) {
      const pair = new Pair();
      const server = new Server(pair, pair.b, { port: 80 });
      server.onAccept = (connection, app) => app.send(connection, pattern(100_000, 2));
      const app = new App(pair);
      const connection = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
      app.send(connection, pattern(100_000, 1));
      pair.run(pair.now + moment);
      pair.now += leap;
      expect({ moment, ended: pair.run(() => app.peerDone && server.accepted[0]?.app.peerDone === true) }).toEqual({
        moment,
        ended: true,
      });
      expect(same(app.bytes, pattern(100_000, 2))).toBe(true);
      expect(same(server.accepted[0].app.bytes, pattern(100_000, 1))).toBe(true);
      const segments = [...sentBy(pair, pair.a), ...sentBy(pair, pair.b)];
      expect(segments.filter(({ segment }) => (segment.flags & RST) !== 0)).toEqual([]);
      // Late timers may send again what was under way, once.
      expect(segments.length).toBeLessThan(400);
      pair.pass(500_000);
      expect(pair.a.stack.usage).toMatchObject({ endpoints: 0, memory: 0, timeWait: 0 });
    }
  });

  it('timers that only come every ten seconds: probes and retransmissions are fewer, never in a burst', () => {
    const lone = new Lone();
    const peer = lone.open();
    const told: string[] = [];
    peer.connection.handler = { closed: (_connection, error) => told.push(String(error)) };
    peer.connection.write(lone.now, pattern(1000));
    lone.pass(0);
    let most = 0;
    for (let i = 0; i < 200 && told.length === 0; i++) {
      lone.now += 10_000;
      lone.node.stack.handleTimeout(lone.now);
      most = Math.max(most, lone.pass(0).length);
    }
    expect(most).toBe(1);
    expect(told).toEqual(['ETIMEDOUT']);
  });

  it('a window that is closed when the machine falls asleep is probed on, not given up', () => {
    const lone = new Lone();
    const peer = lone.open();
    peer.connection.write(lone.now, pattern(1000));
    lone.pass(0);
    peer.says({ seq: 1, ack: 1, flags: ACK, window: 0 });
    expect(lone.pass(1000).length).toBeGreaterThan(0);
    lone.now += 3_600_000;
    lone.node.stack.handleTimeout(lone.now);
    expect(lone.pass(0).length).toBe(1);
    lone.pass(60_000);
    expect(peer.connection.status().state).toBe('ESTABLISHED');
  });

  it('keep-alives unanswered when the machine falls asleep: one more is sent before the peer counts as dead', () => {
    const lone = new Lone();
    const peer = lone.open();
    const keepAlive = { keepAlive: true, keepAliveTimeMs: 10_000, keepAliveIntervalMs: 1000, keepAliveProbes: 1 };
    peer.connection.configure(lone.now, keepAlive);
    expect(lone.pass(10_500).length).toBe(1);
    lone.now += 3_600_000;
    lone.node.stack.handleTimeout(lone.now);
    expect(lone.pass(0).length).toBe(1);
    expect(peer.connection.status().state).toBe('ESTABLISHED');
    lone.pass(1000);
    expect(peer.connection.status()).toMatchObject({ state: 'CLOSED', error: 'ETIMEDOUT' });
  });

  it('an hour of sleep in TIME-WAIT ends it; in ESTABLISHED it ends nothing', () => {
    const lone = new Lone();
    const waiting = lone.open();
    waiting.connection.shutdown(lone.now);
    lone.pass(0);
    waiting.says({ seq: 1, ack: 2, flags: FIN | ACK });
    const idle = lone.open({ sport: 4001 });
    expect(lone.node.stack.usage.timeWait).toBe(1);
    lone.now += 3_600_000;
    lone.node.stack.handleTimeout(lone.now);
    expect(lone.pass(0)).toEqual([]);
    expect(lone.node.stack.usage).toMatchObject({ endpoints: 2, timeWait: 0 });
    idle.says({ seq: 1, ack: 1, flags: ACK, text: pattern(10) });
    expect(idle.read().length).toBe(10);
  });
});

describe('options that grow', () => {
  it('text that goes with SACK blocks still fits the MTU', () => {
    for (const stamps of [true, false]) {
      const lone = new Lone();
      const peer = lone.open({ sackPermitted: true, ...(stamps ? { timestamps: [1, 0] as const } : {}) });
      for (const seq of [3000, 6000, 9000, 12_000]) peer.says({ seq, ack: 1, flags: ACK, text: pattern(100) });
      peer.connection.write(lone.now, pattern(10_000));
      const sent = lone.pass(0).filter(({ text }) => text.length > 0);
      expect(sent.length).toBeGreaterThan(5);
      for (const { packet } of sent) expect(20 + packet.payloadLength).toBeLessThanOrEqual(1500);
    }
  });
});
