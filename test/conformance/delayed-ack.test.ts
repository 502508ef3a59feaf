/** RFC 9293 section 3.8.6.3 and RFC 5681 section 4.2: when to acknowledge. */

import { describe, expect, test } from 'vitest';
import { DEFAULT_TCP_CONFIG } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

describe('delayed acknowledgments', () => {
  test('[SHLD-18] one segment is not acknowledged at once', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, length: 1460 });
    t.sendsNothing();
    t.advance(39).sendsNothing();
    t.advance(1).sends({ flags: 'A', seq: 1, ack: 1461, length: 0 });
    t.advance(10_000).sendsNothing();
  });

  test('[MUST-40] but in less than half a second', () => {
    expect(DEFAULT_TCP_CONFIG.delayedAckMs).toBeLessThan(500);
    for (const length of [1, 100, 1460, 2919]) {
      const t = Scenario.established();
      t.arrives({ flags: 'A', seq: 1, ack: 1, length });
      t.advance(499);
      t.sends({ flags: 'A', ack: 1 + length });
    }
    // More small segments do not put it off.
    const t = Scenario.established();
    let at = 1;
    for (; t.takeSent().length === 0; at++) {
      expect(t.now).toBeLessThan(500);
      t.arrives({ flags: 'A', seq: at, ack: 1, length: 1 });
      t.advance(10);
    }
  });

  test('[SHLD-19] every second full-sized segment is acknowledged at once', () => {
    const t = Scenario.established();
    for (let i = 0; i < 10; i++) {
      t.arrives({ seq: 1 + 1460 * i, ack: 1, length: 1460 });
      if (i % 2 === 0) t.sendsNothing();
      else t.sends({ flags: 'A', ack: 1 + 1460 * (i + 1) });
    }
  });

  test('[SHLD-19] small segments too, once they are two full ones together', () => {
    const t = Scenario.established();
    for (let i = 0; i < 29; i++) t.arrives({ seq: 1 + 100 * i, ack: 1, length: 100 });
    t.sendsNothing();
    t.arrives({ seq: 2901, ack: 1, length: 100 });
    t.sends({ flags: 'A', ack: 3001 });
  });
});

describe('no delay', () => {
  test('for what fills a hole, wholly or in part', () => {
    const t = Scenario.established();
    t.arrives({ seq: 11, ack: 1, length: 10 });
    t.arrives({ seq: 31, ack: 1, length: 10 });
    t.takeSent();
    t.arrives({ seq: 1, ack: 1, length: 10 });
    t.sends({ flags: 'A', ack: 21 });
    t.arrives({ seq: 21, ack: 1, length: 10 });
    t.sends({ flags: 'A', ack: 41 });
  });

  test('for a duplicate', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, length: 10 });
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 1, length: 10 });
    t.sends({ flags: 'A', ack: 11 });
  });

  test('for a FIN', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'FPA', seq: 1, ack: 1, length: 10 });
    t.sends({ flags: 'A', ack: 12 });
  });

  test('and no ACK of an ACK, ever', () => {
    const t = Scenario.established();
    for (let i = 0; i < 10; i++) t.arrives({ seq: 1, ack: 1, window: 1000 * i });
    t.advance(1000).sendsNothing();
  });
});
