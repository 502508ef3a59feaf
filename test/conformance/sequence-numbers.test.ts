/** RFC 9293 section 3.4 and the first step of 3.10.7.4: which segments are acceptable, in what order text is taken. */

import { describe, expect, test } from 'vitest';
import { Scenario, type SegmentSpec } from '../../src/testing/index.ts';

/** An open connection whose receive window is `window` octets wide, and full of nothing. */
function withWindow(window: number): Scenario {
  return Scenario.established({ config: { receiveBuffer: window, moderateReceiveBuffer: false } });
}

/** An open connection with a closed receive window: eight octets wait to be read. RCV.NXT is 9. */
function withClosedWindow(): Scenario {
  const t = withWindow(8);
  t.arrives({ flags: 'PA', seq: 1, ack: 1, text: '12345678' });
  t.advance(40);
  t.sends({ flags: 'A', ack: 9, window: 0 });
  t.takeEvents();
  return t;
}

/** Whether a segment is taken for unacceptable: an ACK at once, and nothing of it read. */
function isRefused(t: Scenario, spec: SegmentSpec): boolean {
  t.advance(1000);
  t.arrives(spec);
  const answers = t.takeSent();
  return answers.length === 1 && t.read() === '' && answers[0].flags === 'A';
}

describe('table 6: the segment acceptability test', () => {
  test('no text, open window: RCV.NXT =< SEG.SEQ < RCV.NXT + RCV.WND', () => {
    for (const [seq, refused] of [
      [0, true],
      [1, false],
      [1000, false],
      [1001, true],
      [5000, true],
      [-2_000_000_000, true],
    ] as const) {
      expect([seq, isRefused(withWindow(1000), { flags: 'A', seq, ack: 1 })]).toEqual([seq, refused]);
    }
  });

  test('no text, closed window: SEG.SEQ = RCV.NXT only', () => {
    for (const [seq, refused] of [
      [8, true],
      [9, false],
      [10, true],
    ] as const) {
      const t = withClosedWindow();
      t.advance(1000);
      t.arrives({ flags: 'A', seq, ack: 1 });
      expect([seq, t.takeSent().length === 1]).toEqual([seq, refused]);
    }
  });

  test('text, open window: its first or its last octet lies in the window', () => {
    for (const [seq, length, taken] of [
      [1, 10, 10],
      [-4, 5, 0], // ends one before RCV.NXT
      [-4, 6, 1], // only the last octet is new
      [996, 10, 0], // begins in the window, held: only its first five octets fit
      [1001, 10, 0],
      [-100, 2000, 1000], // covers the whole window with both ends outside: beyond the table, the part inside is taken
    ] as const) {
      const t = withWindow(1000);
      t.arrives({ flags: 'A', seq, ack: 1, length });
      expect([seq, t.read().length]).toEqual([seq, taken]);
    }
  });

  test('text, closed window: not acceptable, answered by an ACK', () => {
    const t = withClosedWindow();
    t.arrives({ flags: 'A', seq: 9, ack: 1, text: 'x' });
    t.sends({ flags: 'A', seq: 1, ack: 9, window: 0 });
    expect(t.read()).toBe('12345678');
  });

  test('[MUST-66] a RST and an urgent pointer get through a closed window, text beside them or not', () => {
    const urgent = withClosedWindow();
    urgent.arrives({ flags: 'UA', seq: 9, ack: 1, urgentPointer: 5 });
    expect(urgent.takeEvents()).toContain('URGENT');
    const withText = withClosedWindow();
    withText.arrives({ flags: 'UPA', seq: 9, ack: 1, urgentPointer: 3, text: 'abc' });
    expect(withText.takeEvents()).toContain('URGENT');
    withText.sends({ flags: 'A', ack: 9 });
    const reset = withClosedWindow();
    reset.arrives({ flags: 'R', seq: 9 });
    reset.state('CLOSED');
    const resetWithText = withClosedWindow();
    resetWithText.arrives({ flags: 'R', seq: 9, text: 'because' });
    resetWithText.state('CLOSED');
  });

  test('an ACK gets through a closed window, even on text that is refused', () => {
    const t = withClosedWindow();
    t.send('abc');
    t.sends({ flags: 'PA', seq: 1, text: 'abc' });
    t.arrives({ flags: 'PA', seq: 9, ack: 4, text: 'probe' });
    t.sends({ flags: 'A', seq: 4, ack: 9, window: 0 });
    // Acknowledged: nothing is sent again.
    t.advance(10_000);
    t.sendsNothing();
  });
});

describe('text in and out of order', () => {
  test('[SHLD-31] what arrives early is held and delivered in order, nothing has to be sent again', () => {
    const t = Scenario.established();
    t.arrives({ seq: 9, ack: 1, text: '89AB' });
    t.arrives({ seq: 17, ack: 1, text: 'GH' });
    expect(t.read()).toBe('');
    t.arrives({ seq: 1, ack: 1, text: '01234567' });
    expect(t.read()).toBe('0123456789AB');
    t.arrives({ seq: 13, ack: 1, text: 'CDEF' });
    expect(t.read()).toBe('CDEFGH');
    expect(t.takeSent().at(-1)).toMatchObject({ flags: 'A', ack: 19 });
  });

  test('[MAY-13] text that arrives early is answered at once, with what is still expected', () => {
    const t = Scenario.established();
    t.arrives({ seq: 9, ack: 1, text: 'x' });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    t.arrives({ seq: 11, ack: 1, text: 'y' });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    t.sendsNothing();
  });

  test('of a segment that straddles old and new only the new part is read', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, text: 'abcd' });
    t.arrives({ seq: 3, ack: 1, text: 'CDef' });
    expect(t.read()).toBe('abcdef');
  });

  test('text beyond the window is cut off, and not acknowledged', () => {
    const t = withWindow(4);
    t.arrives({ seq: 1, ack: 1, text: 'abcdefgh' });
    expect(t.takeSent().at(-1) ?? { ack: 5 }).toMatchObject({ ack: 5 });
    t.advance(40);
    expect(t.read()).toBe('abcd');
    expect(t.takeSent().at(-1)).toMatchObject({ ack: 5 });
  });

  test('F27: the first copy of an octet wins, in order and out of order, whichever came first', () => {
    const inOrder = Scenario.established();
    inOrder.arrives({ seq: 1, ack: 1, text: 'good' });
    inOrder.arrives({ seq: 1, ack: 1, text: 'EVIL!' });
    expect(inOrder.read()).toBe('good!');
    const early = Scenario.established();
    early.arrives({ seq: 3, ack: 1, text: 'od' });
    early.arrives({ seq: 3, ack: 1, text: 'IL' });
    early.arrives({ seq: 2, ack: 1, text: 'VILE' });
    early.arrives({ seq: 1, ack: 1, text: 'gO' });
    expect(early.read()).toBe('gVodE');
    const covering = Scenario.established();
    covering.arrives({ seq: 4, ack: 1, text: 'd' });
    covering.arrives({ seq: 1, ack: 1, text: 'abcXef' });
    expect(covering.read()).toBe('abcdef');
  });

  test('F21: numbers wrap at 2^31 and 2^32 in both directions without a trace', () => {
    const t = Scenario.established();
    let expected = '';
    for (let i = 0; i < 40; i++) {
      t.arrives({ flags: 'PA', seq: 1 + i, ack: 1 + i, text: String.fromCharCode(65 + (i % 26)) });
      expected += String.fromCharCode(65 + (i % 26));
      t.send('z');
      const sent = t.takeSent();
      expect(sent.at(-1)).toMatchObject({ flags: 'PA', seq: 1 + i, ack: 2 + i, text: 'z' });
    }
    expect(t.read()).toBe(expected);
  });
});

describe('acknowledgments are aggregated', () => {
  test('[MUST-59] segments that arrive together are all processed before one ACK answers them', () => {
    const t = Scenario.established();
    const segments = Array.from({ length: 10 }, (_, i) => ({ flags: 'A', seq: 1 + 1460 * i, ack: 1, length: 1460 }));
    t.arriveTogether(...segments);
    t.sends({ flags: 'A', ack: 14_601 });
    t.sendsNothing();
  });

  test('[MUST-58] an ACK rides on text when there is some, and none follows it', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'request' });
    t.sendsNothing();
    t.send('answer');
    t.sends({ flags: 'PA', seq: 1, ack: 8, text: 'answer' });
    t.advance(150);
    t.sendsNothing();
  });

  test('[MUST-58] a hole and its filling that arrive together are answered once', () => {
    const t = Scenario.established();
    t.arriveTogether({ seq: 5, ack: 1, text: 'efgh' }, { seq: 1, ack: 1, text: 'abcd' });
    t.sends({ flags: 'A', ack: 9 });
    t.sendsNothing();
  });
});

describe('F17: text and FIN in odd company', () => {
  test('a FIN twice counts once', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'FA', seq: 1, ack: 1 });
    t.sends({ flags: 'A', ack: 2 });
    t.takeEvents();
    t.advance(1000);
    t.arrives({ flags: 'FA', seq: 1, ack: 1 });
    t.sends({ flags: 'A', ack: 2 });
    t.state('CLOSE-WAIT');
    expect(t.takeEvents()).toEqual([]);
  });

  test('text on a FIN is read before the end is told; text beyond a FIN never', () => {
    const t = Scenario.established();
    t.arrives({ seq: 6, ack: 1, text: 'beyond' });
    t.takeSent();
    const other = Scenario.established();
    other.arrives({ flags: 'FPA', seq: 1, ack: 1, text: 'last' });
    other.sends({ flags: 'A', ack: 6 });
    other.arrives({ flags: 'PA', seq: 6, ack: 1, text: 'beyond' });
    expect(other.read()).toBe('last');
    other.state('CLOSE-WAIT');
  });

  test('a FIN that arrives before the text before it waits for it', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'FA', seq: 5, ack: 1 });
    t.state('ESTABLISHED');
    t.sends({ flags: 'A', ack: 1 });
    t.arrives({ seq: 1, ack: 1, text: 'last' });
    t.state('CLOSE-WAIT');
    t.sends({ flags: 'A', ack: 6 });
    expect(t.takeEvents()).toEqual(['READABLE', 'PEER_CLOSED']);
  });

  test('a FIN before text that has already arrived is not believed', () => {
    const t = Scenario.established();
    t.arrives({ seq: 5, ack: 1, text: 'efgh' });
    t.arrives({ flags: 'FA', seq: 3, ack: 1 });
    t.arrives({ seq: 1, ack: 1, text: 'abcd' });
    t.state('ESTABLISHED');
    expect(t.read()).toBe('abcdefgh');
  });
});
