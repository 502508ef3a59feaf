/** RFC 9293 sections 3.7.4 (Nagle), 3.9.1.2 and 3.9.1.3 (PUSH): how text is cut into segments. */

import { describe, expect, test } from 'vitest';
import { Scenario } from '../../src/testing/index.ts';

describe("Nagle's algorithm", () => {
  test('[SHLD-7] small text waits while something is outstanding, and goes together when it is acknowledged', () => {
    const t = Scenario.established();
    t.send('a');
    t.sends({ flags: 'PA', seq: 1, text: 'a' });
    for (const letter of 'bcdefg') t.send(letter);
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 2 });
    t.sends({ flags: 'PA', seq: 2, text: 'bcdefg' });
    t.sendsNothing();
  });

  test('[SHLD-7] a full segment does not wait', () => {
    const t = Scenario.established();
    t.send('a');
    t.sends({ text: 'a' });
    t.send(1459);
    t.sendsNothing();
    t.send('x');
    t.sends({ seq: 2, length: 1460 });
  });

  test('the small end of a long write goes at once, a second small segment waits for it (Minshall)', () => {
    const t = Scenario.established();
    t.send(1460 + 40);
    t.sends({ flags: 'A', seq: 1, length: 1460 });
    t.sends({ flags: 'PA', seq: 1461, length: 40 });
    t.send('x');
    t.sendsNothing();
    // The full segment is acknowledged: the small one is what counts.
    t.arrives({ seq: 1, ack: 1461 });
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 1501 });
    t.sends({ flags: 'PA', seq: 1501, text: 'x' });
  });

  test('[MUST-17] an application can switch it off for its connection', () => {
    const t = Scenario.established();
    t.tcb.nagle = false;
    t.send('a');
    t.send('b');
    t.send('c');
    t.sends({ flags: 'PA', seq: 1, text: 'a' });
    t.sends({ flags: 'PA', seq: 2, text: 'b' });
    t.sends({ flags: 'PA', seq: 3, text: 'c' });
    // And on again.
    t.tcb.nagle = true;
    t.send('d');
    t.sendsNothing();
  });

  test('a FIN behind small text does not let it wait', () => {
    const t = Scenario.established();
    t.send('a');
    t.takeSent();
    t.send('b');
    t.sendsNothing();
    t.close();
    t.sends({ flags: 'FPA', seq: 2, text: 'b' });
  });
});

describe('PUSH', () => {
  test('[MUST-61] the last segment of what was queued carries PSH, those before it do not', () => {
    const t = Scenario.established();
    t.send(1460 * 3 + 100);
    expect(t.takeSent().map((segment) => segment.flags)).toEqual(['A', 'A', 'A', 'PA']);
  });

  test('[MUST-60] text without a PUSH is not kept back: it goes as soon as nothing is outstanding', () => {
    const t = Scenario.established();
    t.send('x');
    t.sends({ flags: 'PA', text: 'x' });
    t.arrives({ seq: 1, ack: 2 });
    t.send('y');
    t.sends({ flags: 'PA', text: 'y' });
  });

  test('[SHLD-27] writes that each would have been pushed are joined, and pushed once', () => {
    const t = Scenario.established();
    t.send('first');
    t.takeSent();
    for (let i = 0; i < 20; i++) t.send(100);
    t.takeSent();
    t.arrives({ seq: 1, ack: 6 });
    t.arrives({ seq: 1, ack: 1466 });
    const rest = t.takeSent();
    expect(rest.filter((segment) => segment.flags === 'PA').length).toBe(1);
  });

  test('[SHLD-28] segments are as large as they may be', () => {
    const t = Scenario.connecting({ config: { initialWindow: 100 } });
    t.sends({ flags: 'S' });
    for (let i = 0; i < 146; i++) t.send(100);
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460, window: 65_535 });
    expect(t.takeSent().map((segment) => segment.length)).toEqual(Array(10).fill(1460));
  });

  test('[MAY-16] writes are gathered inside until there is a segment of them', () => {
    const t = Scenario.established();
    t.send('x');
    t.takeSent();
    for (let i = 0; i < 1459; i++) t.send('.');
    t.sendsNothing();
    t.send('.');
    t.sends({ seq: 2, length: 1460 });
    t.sendsNothing();
  });

  test('[MAY-17] a received PSH is shown to the application', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'A', seq: 1, ack: 1, text: 'not yet' });
    expect(t.tcb.pushSeen).toBe(false);
    t.arrives({ flags: 'PA', seq: 8, ack: 1, text: 'now' });
    expect(t.tcb.pushSeen).toBe(true);
    expect(t.read()).toBe('not yetnow');
  });

  test('text is delivered whether it was pushed or not', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'A', seq: 1, ack: 1, text: 'plain' });
    expect(t.takeEvents()).toEqual(['READABLE']);
    expect(t.read()).toBe('plain');
  });
});
