/** RFC 9293 section 3.1: the header's fields as the engine reads them. */

import { describe, expect, test } from 'vitest';
import { status } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

describe('the window field', () => {
  test('[MUST-1] a window with its top bit set is a large one: 58,400 octets go out unacknowledged', () => {
    const t = Scenario.established({ config: { initialWindow: 100 } });
    t.send(40 * 1460);
    const octets = t.takeSent().reduce((sum, segment) => sum + segment.length, 0);
    expect(octets).toBe(40 * 1460);
  });

  test('[REC-1] windows are kept in 32 bits: the largest field at the largest scale is nearly a gigabyte', () => {
    const t = Scenario.established({}, { windowScale: 14 });
    t.arrives({ seq: 1, ack: 1, window: 0xffff });
    expect(status(t.tcb).sndWnd).toBe(0xffff * 2 ** 14);
    t.arrives({ seq: 1, ack: 1, window: 0x8000 });
    expect(status(t.tcb).sndWnd).toBe(0x8000 * 2 ** 14);
  });

  test('the window of a SYN is not scaled (RFC 7323 2.2)', () => {
    const t = Scenario.connecting();
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460, window: 5000, windowScale: 7 });
    expect(status(t.tcb).sndWnd).toBe(5000);
    t.arrives({ seq: 1, ack: 1, window: 5000 });
    expect(status(t.tcb).sndWnd).toBe(5000 * 128);
  });

  test('a shift above 14 counts as 14 (RFC 7323 2.3)', () => {
    for (const windowScale of [15, 100, 255]) {
      const t = Scenario.established({}, { windowScale });
      expect(status(t.tcb).sndWscale).toBe(14);
    }
  });

  test('our own window is scaled down to 16 bits once both have agreed, and only then', () => {
    const t = Scenario.listening({ config: { receiveBuffer: 1 << 20, receiveBufferMax: 1 << 20 } });
    t.arrives({ flags: 'S', seq: 0, mss: 1460, windowScale: 3 });
    t.sends({ flags: 'SA', window: 0xffff, windowScale: 5 });
    t.arrives({ seq: 1, ack: 1 });
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'x' });
    t.advance(40);
    // 1 MiB less the octet that waits, in units of 32.
    t.sends({ window: ((1 << 20) - 1) >> 5 });
    const plain = Scenario.listening({ config: { receiveBuffer: 1 << 20 } });
    plain.arrives({ flags: 'S', seq: 0, mss: 1460 });
    plain.sends({ flags: 'SA', window: 0xffff, windowScale: -1 });
  });
});

describe('bits that mean nothing here', () => {
  test('AE, CWR and ECE on a connection without ECN change nothing', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PANWE', seq: 1, ack: 1, text: 'text' });
    expect(t.read()).toBe('text');
    t.advance(40);
    t.sends({ flags: 'A', seq: 1, ack: 5 });
    t.sendsNothing();
  });

  test('the acknowledgment number without the ACK flag is not looked at', () => {
    const t = Scenario.listening();
    t.arrives({ flags: 'S', seq: 0, ack: 12_345 });
    t.sends({ flags: 'SA', seq: 0, ack: 1 });
  });

  test('the urgent pointer without the URG flag is not looked at', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'x', urgentPointer: 100 });
    expect(t.takeEvents()).toEqual(['READABLE']);
    expect(status(t.tcb).urgent).toBe(0);
  });
});

test('every segment of a synchronized connection carries an ACK, and RCV.NXT in it', () => {
  const t = Scenario.established();
  t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'abc' });
  t.send('x');
  t.sends({ flags: 'PA', ack: 4 });
  t.close();
  t.sends({ flags: 'FA', ack: 4 });
  t.advance(5000);
  for (const segment of t.takeSent()) expect(segment).toMatchObject({ ack: 4, flags: expect.stringContaining('A') });
});
