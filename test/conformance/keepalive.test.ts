/** RFC 9293 section 3.8.4: keep-alives. */

import { describe, expect, test } from 'vitest';
import { DEFAULT_TCP_CONFIG, setKeepAlive } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

const HOUR = 3_600_000;

function kept(config: Partial<typeof DEFAULT_TCP_CONFIG> = {}): Scenario {
  const t = Scenario.established({ config });
  t.call((tcb, now) => setKeepAlive(tcb, now, true));
  return t;
}

test('[MUST-25] keep-alives are off unless asked for', () => {
  const t = Scenario.established();
  t.advance(1000 * HOUR);
  t.sendsNothing();
  t.state('ESTABLISHED');
});

test('[MAY-5] asked for, an idle connection is probed with a number the peer has already acknowledged', () => {
  const t = kept();
  t.advance(2 * HOUR - 1).sendsNothing();
  t.advance(1).sends({ flags: 'A', seq: 0, ack: 1 });
});

test('[SHLD-12] probes carry no text', () => {
  const t = kept();
  t.advance(2 * HOUR);
  t.sends({ length: 0 });
});

test('[MAY-6] but may carry one octet of garbage where that is configured', () => {
  const t = kept({ keepAliveGarbage: true });
  t.advance(2 * HOUR);
  t.sends({ flags: 'A', seq: 0, length: 1 });
  // It is no text: our numbers stand where they stood.
  t.arrives({ seq: 1, ack: 1 });
  t.send('x');
  t.sends({ seq: 1, text: 'x' });
});

test('[MUST-24] an application switches them on and off for each connection', () => {
  const t = kept();
  t.call((tcb, now) => setKeepAlive(tcb, now, false));
  t.advance(5 * HOUR).sendsNothing();
  t.call((tcb, now) => setKeepAlive(tcb, now, true));
  t.advance(2 * HOUR).sends({ flags: 'A', seq: 0 });
  // Off in the middle of probing: no probe follows, and nobody dies.
  t.call((tcb, now) => setKeepAlive(tcb, now, false));
  t.advance(100 * HOUR).sendsNothing();
  t.state('ESTABLISHED');
  // Switched on before the connection is open, it counts from then.
  const early = Scenario.connecting();
  early.call((tcb, now) => setKeepAlive(tcb, now, true));
  early.arrives({ flags: 'SA', seq: 0, ack: 1 });
  early.takeSent();
  early.advance(2 * HOUR).sends({ flags: 'A', seq: 0 });
});

describe('[MUST-26] probes only go when', () => {
  test('nothing was received for the whole interval', () => {
    const t = kept();
    t.advance(HOUR);
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'x' });
    t.read();
    t.advance(100);
    t.takeSent();
    t.advance(2 * HOUR - 101).sendsNothing();
    t.advance(1).sends({ flags: 'A', seq: 0 });
    // A bare ACK is something received too.
    const other = kept();
    other.advance(2 * HOUR - 1);
    other.arrives({ seq: 1, ack: 1 });
    other.advance(2 * HOUR - 1).sendsNothing();
    other.advance(1).sends({ flags: 'A', seq: 0 });
  });

  test('nothing is outstanding: text is retransmitted instead', () => {
    const t = kept({ keepAliveTimeMs: 1000, keepAliveIntervalMs: 1000 });
    t.send('x');
    t.takeSent();
    t.advance(20_000);
    for (const segment of t.takeSent()) expect(segment).toMatchObject({ seq: 1, text: 'x' });
    t.state('ESTABLISHED');
  });
});

test('[MUST-27] the interval can be set, for all connections and for one', () => {
  const all = kept({ keepAliveTimeMs: 30_000 });
  all.advance(29_999).sendsNothing();
  all.advance(1).sends({ seq: 0 });
  const one = Scenario.established();
  one.tcb.keepAliveTimeMs = 10_000;
  one.tcb.keepAliveIntervalMs = 2000;
  one.call((tcb, now) => setKeepAlive(tcb, now, true));
  one.advance(10_000).sends({ seq: 0 });
  one.advance(2000).sends({ seq: 0 });
});

test('[MUST-28] the interval is two hours unless set', () => {
  expect(DEFAULT_TCP_CONFIG.keepAliveTimeMs).toBeGreaterThanOrEqual(2 * HOUR);
  const t = kept();
  t.advance(2 * HOUR - 1).sendsNothing();
});

describe('[MUST-29] one unanswered probe kills nobody', () => {
  test('nine in a row do, 75 s apart, with a RST', () => {
    const t = kept();
    t.advance(2 * HOUR);
    for (let i = 1; i < 9; i++) {
      t.sends({ flags: 'A', seq: 0 });
      t.state('ESTABLISHED');
      t.advance(75_000);
    }
    t.sends({ flags: 'A', seq: 0 });
    t.state('ESTABLISHED');
    t.advance(75_000);
    t.sends({ flags: 'RA', seq: 1 });
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
  });

  test('an answer to any of them starts from the beginning', () => {
    const t = kept();
    t.advance(2 * HOUR + 8 * 75_000);
    expect(t.takeSent().length).toBe(9);
    t.arrives({ seq: 1, ack: 1 });
    t.advance(2 * HOUR - 1).sendsNothing();
    t.advance(1).sends({ seq: 0 });
    t.state('ESTABLISHED');
  });
});

test("a peer's probe is answered with an ACK, with garbage or without", () => {
  const t = Scenario.established();
  t.arrives({ flags: 'A', seq: 0, ack: 1 });
  t.sends({ flags: 'A', seq: 1, ack: 1 });
  t.advance(75_000);
  t.arrives({ flags: 'A', seq: 0, ack: 1, length: 1 });
  t.sends({ flags: 'A', seq: 1, ack: 1 });
  expect(t.read()).toBe('');
});

test('a forged segment outside the window is no sign of life', () => {
  const t = kept();
  t.advance(HOUR);
  t.arrives({ flags: 'A', seq: 500_000, ack: 1 });
  t.arrives({ flags: 'A', seq: 1, ack: 500_000 });
  t.takeSent();
  t.advance(HOUR);
  t.sends({ flags: 'A', seq: 0, ack: 1 });
});
