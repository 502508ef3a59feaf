/** RFC 9293 section 3.8.5 and RFC 6093: the urgent mechanism, which has to work and should not be used. */

import { describe, expect, test } from 'vitest';
import { receive, urgentRemaining } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

describe('sending', () => {
  test('[MUST-30] [MUST-62] URG, and a pointer to the octet after the last urgent one', () => {
    const t = Scenario.established();
    t.send('now', { urgent: true });
    t.sends({ flags: 'PAU', seq: 1, text: 'now', urgentPointer: 3 });
  });

  test('[MUST-62] tcp_stdurg makes it point to the last one, as RFC 1122 had it', () => {
    const t = Scenario.established({ config: { stdUrg: true } });
    t.send('now', { urgent: true });
    t.sends({ urgentPointer: 2 });
  });

  test('[MUST-31] urgent text of any length: the pointer spans segments, and 16 bits', () => {
    const t = Scenario.established({ config: { initialWindow: 1000 } }, { windowScale: 7 });
    t.arrives({ seq: 1, ack: 1, window: 0xffff });
    t.send(100 * 1460, { urgent: true });
    let at = 1;
    for (const segment of t.takeSent()) {
      expect(segment.seq).toBe(at);
      expect(segment.flags).toContain('U');
      expect(segment.urgentPointer).toBe(Math.min(146_001 - at, 0xffff));
      at += segment.length;
    }
    expect(at).toBe(146_001);
  });

  test('normal text before it is urgent as well, text after it is not', () => {
    const t = Scenario.connecting();
    t.takeSent();
    t.send(2000);
    t.send('!', { urgent: true });
    t.send(3000);
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460 });
    const urgent = t.takeSent().map((segment) => [segment.flags.includes('U'), segment.urgentPointer]);
    expect(urgent).toEqual([
      [true, 2001],
      [true, 541],
      [false, 0],
      [false, 0],
    ]);
  });

  test('is told even through a closed window, on whatever is sent', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, window: 0 });
    t.send('help', { urgent: true });
    t.advance(1000);
    expect(t.takeSent()[0]).toMatchObject({ length: 1, urgentPointer: 4 });
  });

  test('once it is acknowledged the mode is over', () => {
    const t = Scenario.established();
    t.send('now', { urgent: true });
    t.takeSent();
    t.arrives({ seq: 1, ack: 4 });
    t.send('later');
    t.sends({ flags: 'PA', text: 'later' });
  });
});

describe('receiving', () => {
  test('[MUST-32] the application is told when a pointer arrives, and again when it advances', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'UA', seq: 1, ack: 1, urgentPointer: 10 });
    expect(t.takeEvents()).toEqual(['URGENT']);
    t.arrives({ flags: 'UA', seq: 1, ack: 1, urgentPointer: 10 });
    t.arrives({ flags: 'UA', seq: 1, ack: 1, urgentPointer: 4 });
    expect(t.takeEvents()).toEqual([]);
    t.arrives({ flags: 'UA', seq: 1, ack: 1, urgentPointer: 20 });
    expect(t.takeEvents()).toEqual(['URGENT']);
  });

  test('[MUST-33] and can ask how much of it remains', () => {
    const t = Scenario.established();
    expect(urgentRemaining(t.tcb)).toBe(0);
    t.arrives({ flags: 'UPA', seq: 1, ack: 1, text: 'abc', urgentPointer: 5 });
    expect(urgentRemaining(t.tcb)).toBe(5);
    receive(t.tcb, t.now, 2);
    expect(urgentRemaining(t.tcb)).toBe(3);
    t.arrives({ flags: 'PA', seq: 4, ack: 1, text: 'defg' });
    t.read();
    expect(urgentRemaining(t.tcb)).toBe(0);
  });

  test('[MUST-62] a pointer of 3 at the third octet: two octets before it, and it, none after', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'UPA', seq: 1, ack: 1, text: 'abcdef', urgentPointer: 3 });
    expect(urgentRemaining(t.tcb)).toBe(3);
    const standard = Scenario.established({ config: { stdUrg: true } });
    standard.arrives({ flags: 'UPA', seq: 1, ack: 1, text: 'abcdef', urgentPointer: 3 });
    expect(urgentRemaining(standard.tcb)).toBe(4);
  });

  test('[MUST-30] [MUST-31] urgent text stays in line, of any length, none of it is lost or doubled', () => {
    const t = Scenario.established();
    let expected = '';
    for (let i = 0; i < 20; i++) {
      const text = `${i}`.padStart(100, '.');
      t.arrives({ flags: 'UPA', seq: 1 + 100 * i, ack: 1, text, urgentPointer: 60_000 });
      expected += text;
    }
    expect(t.read()).toBe(expected);
    expect(urgentRemaining(t.tcb)).toBe(1900 + 60_000 - 2000);
  });

  test("after the peer's FIN an urgent pointer is ignored", () => {
    const t = Scenario.established();
    t.arrives({ flags: 'FA', seq: 1, ack: 1 });
    t.takeEvents();
    t.arrives({ flags: 'UA', seq: 2, ack: 1, urgentPointer: 10 });
    expect(t.takeEvents()).toEqual([]);
    expect(urgentRemaining(t.tcb)).toBe(0);
  });
});

describe('F16: pointers that make no sense do no harm', () => {
  test('0, beyond the text, beyond the window, on SYN and FIN', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'UPA', seq: 1, ack: 1, text: 'abc', urgentPointer: 0 });
    expect(urgentRemaining(t.tcb)).toBe(0);
    t.arrives({ flags: 'UPA', seq: 4, ack: 1, text: 'def', urgentPointer: 0xffff });
    t.arrives({ flags: 'UPA', seq: 7, ack: 1, text: 'ghi', urgentPointer: 1 });
    expect(t.read()).toBe('abcdefghi');
    t.arrives({ flags: 'UFA', seq: 10, ack: 1, urgentPointer: 0xffff });
    t.state('CLOSE-WAIT');
    expect(t.read()).toBe('');
    const syn = Scenario.listening();
    syn.arrives({ flags: 'SU', seq: 0, urgentPointer: 0xffff });
    syn.sends({ flags: 'SA', ack: 1 });
    syn.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'x' });
    expect(syn.takeEvents()).toEqual(['OPENED', 'READABLE']);
    expect(urgentRemaining(syn.tcb)).toBe(0);
  });

  test('across the wrap of the sequence numbers', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'UPA', seq: 1, ack: 1, text: '0123456789', urgentPointer: 20 });
    expect(urgentRemaining(t.tcb)).toBe(20);
    t.arrives({ flags: 'UPA', seq: 11, ack: 1, text: '0123456789', urgentPointer: 10 });
    expect(t.read().length).toBe(20);
    expect(urgentRemaining(t.tcb)).toBe(0);
  });
});
