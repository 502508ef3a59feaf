/** RFC 7323: the timestamps option, what it says of round trips, and protection against wrapped numbers (PAWS). */

import { describe, expect, test } from 'vitest';
import { Scenario, type SegmentSpec } from '../../src/testing/index.ts';

const DAY = 24 * 3_600_000;

/** An open connection with timestamps; the peer's clock stands at `at`, TS.Recent is there too. */
function stamped(at = 1000): Scenario {
  return Scenario.established({}, { timestamps: [at - 1, 0] });
}

const text = (seq: number, tsVal: number, body: string): SegmentSpec => ({
  flags: 'PA',
  seq,
  ack: 1,
  text: body,
  timestamps: [tsVal, 0],
});

describe('the option', () => {
  test('is on every segment once agreed, and its echo is 0 without an ACK (3.2)', () => {
    const t = Scenario.connecting();
    expect(t.sends({ flags: 'S' }).timestamps[1]).toBe(0);
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460, timestamps: [777, 1000] });
    t.send(5000);
    t.advance(3000);
    t.close();
    t.advance(100);
    const sent = t.takeSent();
    expect(sent.length).toBeGreaterThan(5);
    for (const segment of sent) expect(segment.timestamps[1]).toBe(777);
  });

  test('is not looked at where it was not agreed', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'a', timestamps: [500, 0] });
    t.arrives({ flags: 'PA', seq: 2, ack: 1, text: 'b', timestamps: [400, 0] });
    expect(t.read()).toBe('ab');
  });

  test('its clock runs in milliseconds from a place of its own', () => {
    const t = stamped();
    t.send('x');
    const first = t.sends({}).timestamps[0];
    t.arrives({ seq: 1, ack: 2, timestamps: [1000, first] });
    t.advance(12_345);
    t.send('y');
    expect(t.sends({}).timestamps[0] - first).toBe(12_345);
  });
});

describe('which timestamp is echoed (4.3)', () => {
  test('that of the segment that is next in order when the last ACK was sent: delayed ACKs echo the older one', () => {
    const t = stamped();
    t.arrives(text(1, 1010, 'a'));
    t.arrives(text(2, 1020, 'b'));
    t.advance(40);
    expect(t.sends({ ack: 3 }).timestamps[1]).toBe(1010);
  });

  test('of a segment out of order not, of the one that fills the hole yes', () => {
    const t = stamped();
    t.arrives(text(5, 1020, 'later'));
    expect(t.sends({ ack: 1 }).timestamps[1]).toBe(1000);
    t.arrives(text(1, 1030, 'hole'));
    expect(t.sends({ ack: 10 }).timestamps[1]).toBe(1030);
  });

  test('F23: a forged future one that is not at the left edge poisons nothing', () => {
    const t = stamped();
    t.arrives({ seq: 2, ack: 1, timestamps: [0x70000000, 0] });
    t.arrives({ seq: 30_000, ack: 1, timestamps: [0x70000000, 0], text: 'x' });
    t.takeSent();
    t.arrives(text(1, 1001, 'a'));
    expect(t.read()).toBe('a');
    expect(t.tcb.tsRecent).toBe(1001);
  });
});

describe('PAWS (5)', () => {
  test('F22: an older timestamp is refused and acknowledged, nothing of it is read', () => {
    const t = stamped();
    t.arrives(text(1, 999, 'old'));
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    expect(t.read()).toBe('');
    t.arrives(text(1, 1000, 'new'));
    expect(t.read()).toBe('new');
  });

  test('across the wrap of the clock', () => {
    const t = stamped(0x7fffffff);
    t.arrives(text(1, -0x80000000, 'a'));
    expect(t.read()).toBe('a');
    t.advance(100);
    t.takeSent();
    t.arrives(text(2, 0x7ffffffe, 'old'));
    expect(t.read()).toBe('');
    const zero = stamped(-1);
    zero.arrives(text(1, 0, 'b'));
    expect(zero.read()).toBe('b');
  });

  test('F22: a RST is exempt, and its timestamp changes nothing (3.2)', () => {
    const t = stamped();
    t.arrives({ flags: 'R', seq: 5, timestamps: [5000, 0] });
    t.sends({ flags: 'A' });
    expect(t.tcb.tsRecent).toBe(1000);
    t.arrives({ flags: 'R', seq: 1, timestamps: [1, 0] });
    t.state('CLOSED');
    const kept = Scenario.established({ config: { rfc1337: true } }, { timestamps: [999, 0] });
    kept.close();
    kept.arrives({ flags: 'FA', seq: 1, ack: 2, timestamps: [1001, 0] });
    kept.state('TIME-WAIT');
    kept.arrives({ flags: 'R', seq: 2, timestamps: [0x70000000, 0] });
    expect(kept.tcb.tsRecent).toBe(1001);
  });

  test('F24: a segment without the agreed option is dropped without a word, a RST without it is not', () => {
    const t = stamped();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'bare' });
    t.arrives({ flags: 'FA', seq: 1, ack: 1 });
    t.sendsNothing();
    expect(t.read()).toBe('');
    t.state('ESTABLISHED');
    t.arrives({ flags: 'R', seq: 1 });
    t.state('CLOSED');
  });

  test('a SYN without it is challenged all the same: a restarted peer must be able to find the old connection', () => {
    const t = stamped();
    t.arrives({ flags: 'S', seq: -50_000 });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    t.state('ESTABLISHED');
  });

  test('F25: after 24 days of silence TS.Recent is no measure any more (5.5)', () => {
    const t = stamped();
    t.advance(24 * DAY - 1);
    t.arrives(text(1, 999, 'old'));
    expect(t.read()).toBe('');
    t.advance(DAY);
    t.arrives(text(1, 999, 'after a month'));
    expect(t.read()).toBe('after a month');
    t.advance(100);
    t.takeSent();
    // And from here on the new clock counts.
    t.arrives(text(14, 998, 'old'));
    expect(t.read()).toBe('');
  });

  test('the order of the checks: an old duplicate that is out of the window too is answered once', () => {
    const t = stamped();
    t.arrives(text(-100, 5, 'old'));
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    t.sendsNothing();
  });
});
