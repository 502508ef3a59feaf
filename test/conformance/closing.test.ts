/** RFC 9293 section 3.6: closing; figures 12 and 13, half-close, TIME-WAIT, RFC 1337, RFC 6191, orphans. */

import { describe, expect, test } from 'vitest';
import { close, orphan, reopensTimeWait, send } from '../../src/tcp/index.ts';
import { IRS, ISS, Scenario, type ScenarioOptions, type SegmentSpec } from '../../src/testing/index.ts';
import { buildSegment } from '../../src/testing/segments.ts';
import { Pair } from './pair.ts';

/** We closed first; everything is acknowledged, 2MSL runs. */
function inTimeWait(options?: ScenarioOptions, syn: SegmentSpec = {}): Scenario {
  const t = Scenario.established(options, syn);
  const stamp = syn.timestamps === undefined ? {} : { timestamps: [syn.timestamps[0] + 2, 0] as const };
  t.close();
  t.sends({ flags: 'FA', seq: 1 });
  t.arrives({ flags: 'FA', seq: 1, ack: 2, ...stamp });
  t.sends({ flags: 'A', seq: 2, ack: 2 });
  t.state('TIME-WAIT');
  t.takeEvents();
  return t;
}

describe('the figures', () => {
  test('figure 12: the normal close sequence', () => {
    const pair = Pair.established();
    pair.call('a', close);
    pair.run(20);
    pair.states('FIN-WAIT-2', 'CLOSE-WAIT');
    pair.call('b', close);
    pair.states('FIN-WAIT-2', 'LAST-ACK');
    pair.run(10);
    pair.states('TIME-WAIT', 'LAST-ACK');
    pair.run(10);
    pair.states('TIME-WAIT', 'CLOSED');
    expect(pair.take()).toEqual(['a FA 1 1', 'b A 1 2', 'b FA 1 2', 'a A 2 2']);
    pair.run(60_000);
    pair.states('CLOSED', 'CLOSED');
    expect(pair.take()).toEqual([]);
    expect([pair.tcb.a.error, pair.tcb.b.error]).toEqual([null, null]);
  });

  test('figure 13: the simultaneous close sequence', () => {
    const pair = Pair.established();
    pair.call('a', close);
    pair.call('b', close);
    pair.states('FIN-WAIT-1', 'FIN-WAIT-1');
    pair.run(10);
    pair.states('CLOSING', 'CLOSING');
    pair.run(10);
    pair.states('TIME-WAIT', 'TIME-WAIT');
    expect(pair.take()).toEqual(['a FA 1 1', 'b FA 1 1', 'b A 2 2', 'a A 2 2']);
    pair.run(60_000);
    pair.states('CLOSED', 'CLOSED');
  });

  test('both figures end well whichever of their first eight segments are lost', () => {
    for (const together of [false, true]) {
      for (let lost = 0; lost < 256; lost++) {
        const pair = Pair.established();
        let count = 0;
        pair.passes = () => ((lost >> count++) & 1) === 0;
        pair.call('a', close);
        if (together) pair.call('b', close);
        pair.run(15_000);
        if (!together) pair.call('b', close);
        pair.run(300_000);
        expect([lost, pair.state('a'), pair.state('b')]).toEqual([lost, 'CLOSED', 'CLOSED']);
        expect([pair.tcb.a.error, pair.tcb.b.error]).toEqual([null, null]);
        expect(pair.log.length).toBeLessThan(40);
      }
    }
  });
});

describe('half-close', () => {
  test('after our FIN the peer may still send, and we read and acknowledge it', () => {
    const t = Scenario.established();
    t.close();
    t.sends({ flags: 'FA', seq: 1, ack: 1 });
    t.arrives({ seq: 1, ack: 2 });
    t.state('FIN-WAIT-2');
    for (let i = 0; i < 10; i++) {
      t.arrives({ flags: 'PA', seq: 1 + 2 * i, ack: 2, text: 'ab' });
      t.advance(40);
      t.sends({ flags: 'A', seq: 2, ack: 3 + 2 * i });
    }
    expect(t.read()).toBe('ab'.repeat(10));
    // For as long as the application keeps it: nobody's timer ends FIN-WAIT-2.
    t.advance(10 * 3_600_000);
    t.state('FIN-WAIT-2');
    t.arrives({ flags: 'FA', seq: 21, ack: 2 });
    t.state('TIME-WAIT');
  });

  test("after the peer's FIN we may still send", () => {
    const t = Scenario.established();
    t.arrives({ flags: 'FA', seq: 1, ack: 1 });
    t.sends({ flags: 'A', ack: 2 });
    t.send('still here');
    t.sends({ flags: 'PA', seq: 1, ack: 2, text: 'still here' });
    t.state('CLOSE-WAIT');
    t.close();
    t.sends({ flags: 'FA', seq: 11, ack: 2 });
    t.state('LAST-ACK');
    t.arrives({ seq: 2, ack: 11 });
    t.state('LAST-ACK');
    t.arrives({ seq: 2, ack: 12 });
    t.state('CLOSED');
  });

  test('a FIN follows the text that was queued before it, however long that takes', () => {
    const t = Scenario.established({ config: { initialWindow: 1 } });
    t.send(3000);
    t.close();
    t.state('FIN-WAIT-1');
    t.sends({ flags: 'A', seq: 1, length: 1460 });
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 1461 });
    t.sends({ flags: 'A', seq: 1461, length: 1460 });
    t.sends({ flags: 'FPA', seq: 2921, length: 80 });
    t.sendsNothing();
  });

  test('a second CLOSE is harmless and makes no second FIN', () => {
    const t = Scenario.established();
    t.close();
    t.sends({ flags: 'FA', seq: 1 });
    t.close();
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 2 });
    t.close();
    t.sendsNothing();
    t.state('FIN-WAIT-2');
  });
});

describe('TIME-WAIT', () => {
  test('[MUST-13] the active closer stays 2 MSL, the passive one does not', () => {
    const t = inTimeWait();
    t.advance(59_999);
    t.state('TIME-WAIT');
    t.advance(1);
    t.state('CLOSED');
    expect(t.tcb.error).toBeNull();
    t.sendsNothing();
    const configured = inTimeWait({ config: { timeWaitMs: 240_000 } });
    configured.advance(239_999);
    configured.state('TIME-WAIT');
    configured.advance(1);
    configured.state('CLOSED');
    const passive = Scenario.established();
    passive.arrives({ flags: 'FA', seq: 1, ack: 1 });
    passive.close();
    passive.arrives({ seq: 2, ack: 2 });
    passive.state('CLOSED');
  });

  test('a retransmitted FIN is acknowledged and starts 2 MSL again: the last ACK was lost', () => {
    const t = inTimeWait();
    t.advance(50_000);
    t.arrives({ flags: 'FA', seq: 1, ack: 2 });
    t.sends({ flags: 'A', seq: 2, ack: 2 });
    t.advance(59_999);
    t.state('TIME-WAIT');
    t.advance(1);
    t.state('CLOSED');
  });

  test('old duplicates are acknowledged, not read, and do not prolong it', () => {
    const t = inTimeWait();
    t.advance(30_000);
    t.arrives({ flags: 'PA', seq: -3, ack: 1, text: 'old' });
    t.sends({ flags: 'A', seq: 2, ack: 2 });
    expect(t.read()).toBe('');
    t.advance(30_000);
    t.state('CLOSED');
  });

  test('RFC 1337: a RST ends TIME-WAIT, or does not where that is configured', () => {
    const assassinated = inTimeWait();
    assassinated.arrives({ flags: 'R', seq: 2 });
    assassinated.state('CLOSED');
    expect(assassinated.tcb.error).toBeNull();
    const protectedOne = inTimeWait({ config: { rfc1337: true } });
    protectedOne.arrives({ flags: 'R', seq: 2 });
    protectedOne.state('TIME-WAIT');
  });

  const reopens = (t: Scenario, spec: SegmentSpec): boolean =>
    reopensTimeWait(t.tcb, buildSegment({ flags: 'S', ...spec }, IRS, ISS));

  test('[MAY-2] a SYN with a number beyond the old connection opens a new one, an older SYN does not', () => {
    const t = inTimeWait();
    expect(reopens(t, { seq: 2 })).toBe(true);
    expect(reopens(t, { seq: 100_000 })).toBe(true);
    expect(reopens(t, { seq: 1 })).toBe(false);
    expect(reopens(t, { seq: -5000 })).toBe(false);
    // The refused one is answered by an ACK, at which its sender, if real, sends a RST.
    t.arrives({ flags: 'S', seq: -5000 });
    t.sends({ flags: 'A', seq: 2, ack: 2 });
    t.state('TIME-WAIT');
    for (const flags of ['SA', 'SF', 'SR']) expect(reopens(t, { flags, seq: 100 })).toBe(false);
    expect(reopensTimeWait(Scenario.established().tcb, buildSegment({ flags: 'S', seq: 100 }, IRS, ISS))).toBe(false);
  });

  test('[SHLD-4] RFC 6191: with timestamps a newer one opens a new connection even at a lower number', () => {
    const t = inTimeWait({}, { timestamps: [500, 0] });
    expect(reopens(t, { seq: -5000, timestamps: [503, 0] })).toBe(true);
    expect(reopens(t, { seq: 5000, timestamps: [501, 0] })).toBe(false);
    // The same tick: the number decides.
    expect(reopens(t, { seq: 5000, timestamps: [502, 0] })).toBe(true);
    expect(reopens(t, { seq: -5000, timestamps: [502, 0] })).toBe(false);
    // A SYN without timestamps: the number again.
    expect(reopens(t, { seq: 2 })).toBe(true);
    expect(reopens(t, { seq: 1 })).toBe(false);
  });
});

describe('the application lets go', () => {
  test('[SHLD-3] with text unread: a RST tells the peer that it was lost', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'unread' });
    t.orphan();
    t.sends({ flags: 'RA', seq: 1, ack: 7 });
    t.state('CLOSED');
  });

  test('[SHLD-3] text that arrives afterwards is answered by a RST', () => {
    for (const finAcked of [false, true]) {
      const t = Scenario.established();
      t.orphan();
      t.sends({ flags: 'FA', seq: 1 });
      if (finAcked) t.arrives({ seq: 1, ack: 2 });
      t.arrives({ flags: 'PA', seq: 1, ack: finAcked ? 2 : 1, text: 'late' });
      t.sends({ flags: 'RA', seq: 2, ack: 1 });
      t.state('CLOSED');
      t.sendsNothing();
    }
  });

  test('[MAY-1] and cannot read any more, while an orderly close goes on to its end', () => {
    const t = Scenario.established();
    t.send('answer');
    t.takeSent();
    t.orphan();
    t.sends({ flags: 'FA', seq: 7 });
    t.arrives({ seq: 1, ack: 8 });
    t.arrives({ flags: 'FA', seq: 1, ack: 8 });
    t.sends({ flags: 'A', seq: 8, ack: 2 });
    t.state('TIME-WAIT');
    expect(t.read()).toBe('');
  });

  test('a retransmission of text that was read is no reason for a RST', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'read' });
    expect(t.read()).toBe('read');
    t.takeSent();
    t.orphan();
    t.sends({ flags: 'FA', ack: 5 });
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'read' });
    t.sends({ flags: 'A', ack: 5 });
    t.state('FIN-WAIT-1');
    // Nor when the peer's FIN has come to stand behind it.
    t.arrives({ flags: 'FPA', seq: 1, ack: 1, text: 'read' });
    t.sends({ flags: 'A', ack: 6 });
    t.state('CLOSING');
  });

  test('D04: an orphan does not wait in FIN-WAIT-2 for ever, an owned connection does', () => {
    const t = Scenario.established();
    t.orphan();
    t.takeSent();
    t.arrives({ seq: 1, ack: 2 });
    t.state('FIN-WAIT-2');
    t.advance(59_999);
    t.state('FIN-WAIT-2');
    t.advance(1);
    t.state('CLOSED');
    const late = Scenario.established();
    late.close();
    late.arrives({ seq: 1, ack: 2 });
    late.advance(1_000_000);
    late.state('FIN-WAIT-2');
    late.orphan();
    late.advance(60_000);
    late.state('CLOSED');
  });

  test('D06: an orphan whose peer is gone is given up after tcp_orphan_retries, in every closing state', () => {
    const gone = (t: Scenario): number => {
      t.takeSent();
      t.advance(3_600_000);
      t.state('CLOSED');
      return t.takeSent().filter((segment) => segment.flags.includes('F')).length;
    };
    const finWait1 = Scenario.established();
    finWait1.orphan();
    expect(gone(finWait1)).toBe(8);
    const lastAck = Scenario.established();
    lastAck.arrives({ flags: 'FA', seq: 1, ack: 1 });
    lastAck.orphan();
    lastAck.state('LAST-ACK');
    expect(gone(lastAck)).toBe(8);
    const closing = Scenario.established();
    closing.orphan();
    closing.arrives({ flags: 'FA', seq: 1, ack: 1 });
    closing.state('CLOSING');
    expect(gone(closing)).toBe(8);
  });

  test('D06: an orphan whose peer keeps its window shut is given up too', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, window: 0 });
    t.send('unsendable');
    t.orphan();
    t.state('FIN-WAIT-1');
    t.takeSent();
    t.advance(3_600_000);
    t.state('CLOSED');
  });
});

describe('a FIN is retransmitted like text', () => {
  test('until it is acknowledged', () => {
    const t = Scenario.established();
    t.close();
    t.sends({ flags: 'FA', seq: 1 });
    t.advance(199).sendsNothing();
    t.advance(1);
    t.sends({ flags: 'FA', seq: 1 });
    t.advance(400);
    t.sends({ flags: 'FA', seq: 1 });
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 2 });
    t.state('FIN-WAIT-2');
    t.advance(100_000);
    t.sendsNothing();
  });

  test('together with the text before it when both were lost', () => {
    const t = Scenario.established();
    t.send('bye');
    t.close();
    t.takeSent();
    t.advance(1000);
    t.sends({ flags: 'FPA', seq: 1, text: 'bye' });
  });

  test('when the text was acknowledged and the FIN was not, the FIN alone', () => {
    const t = Scenario.established();
    t.send('bye');
    t.close();
    t.takeSent();
    t.arrives({ seq: 1, ack: 4 });
    t.state('FIN-WAIT-1');
    t.advance(5000);
    t.sends({ flags: 'FA', seq: 4, length: 0 });
  });
});

describe('CLOSE in SYN-RECEIVED (3.10.4)', () => {
  test('with nothing queued: a FIN at once, FIN-WAIT-1', () => {
    const t = Scenario.synReceived();
    t.close();
    t.sends({ flags: 'FA', seq: 1, ack: 1 });
    t.state('FIN-WAIT-1');
    t.arrives({ seq: 1, ack: 2 });
    t.state('FIN-WAIT-2');
    t.advance(3_600_000).sendsNothing();
  });

  test('the FIN is sent again when only the SYN was acknowledged', () => {
    const t = Scenario.synReceived();
    t.close();
    t.sends({ flags: 'FA', seq: 1 });
    t.arrives({ seq: 1, ack: 1 });
    t.state('FIN-WAIT-1');
    t.advance(200).sends({ flags: 'FA', seq: 1 });
    t.arrives({ seq: 1, ack: 2 });
    t.state('FIN-WAIT-2');
  });

  test('ends well whichever of eight segments are lost, on both sides of a simultaneous open', () => {
    for (let lost = 0; lost < 256; lost++) {
      const pair = new Pair();
      pair.connect('a');
      pair.connect('b');
      pair.run(10);
      pair.states('SYN-RECEIVED', 'SYN-RECEIVED');
      let count = 0;
      pair.passes = () => ((lost >> count++) & 1) === 0;
      pair.call('a', close);
      pair.run(60_000);
      pair.call('b', close);
      pair.run(300_000);
      expect([lost, pair.state('a'), pair.state('b')]).toEqual([lost, 'CLOSED', 'CLOSED']);
      expect([pair.tcb.a.error, pair.tcb.b.error]).toEqual([null, null]);
    }
  });
});

test('closing both ways while both still have text to send loses none of it', () => {
  const pair = Pair.established();
  pair.call('a', (tcb, now) => send(tcb, now, new Uint8Array(200_000).fill(65)));
  pair.call('b', (tcb, now) => send(tcb, now, new Uint8Array(100_000).fill(66)));
  pair.call('a', close);
  pair.call('b', close);
  let a = '';
  let b = '';
  for (let i = 0; i < 100; i++) {
    pair.run(50);
    a += pair.read('a');
    b += pair.read('b');
  }
  expect([a.length, b.length]).toEqual([100_000, 200_000]);
  pair.call('a', orphan);
  pair.run(200_000);
  pair.states('CLOSED', 'CLOSED');
  expect([pair.tcb.a.error, pair.tcb.b.error]).toEqual([null, null]);
});
