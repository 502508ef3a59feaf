/** RFC 3168 section 6.1: explicit congestion notification. */

import { describe, expect, test } from 'vitest';
import { status } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

const MSS = 1460;
const CE = 3;
const ECT_0 = 2;

/** An open connection that uses ECN: the peer asked for it. */
function withEcn(): Scenario {
  const t = Scenario.listening();
  t.arrives({ flags: 'SEW', seq: 0, mss: MSS, windowScale: 8 });
  t.sends({ flags: 'SAE', ecn: 0 });
  t.arrives({ seq: 1, ack: 1 });
  return t;
}

describe('[SHLD-8] the handshake', () => {
  test('a SYN with ECE and CWR is answered with ECE, and with nothing where ECN is off', () => {
    expect(status(withEcn().tcb).ecn).toBe(true);
    const off = Scenario.listening({ config: { ecn: 0 } });
    off.arrives({ flags: 'SEW', seq: 0 });
    off.sends({ flags: 'SA' });
    const halfAsked = Scenario.listening();
    halfAsked.arrives({ flags: 'SE', seq: 0 });
    halfAsked.sends({ flags: 'SA' });
  });

  test('we ask only where configured; a SYN,ACK with ECE alone agrees', () => {
    Scenario.connecting().sends({ flags: 'S' });
    for (const [answer, agreed] of [
      ['SAE', true],
      ['SA', false],
      ['SAEW', false],
    ] as const) {
      const t = Scenario.connecting({ config: { ecn: 1 } });
      t.sends({ flags: 'SEW', ecn: 0 });
      t.arrives({ flags: answer, seq: 0, ack: 1 });
      expect(status(t.tcb).ecn).toBe(agreed);
    }
  });

  test('a SYN that is sent again does not ask: the bits may be what was dropped', () => {
    const t = Scenario.connecting({ config: { ecn: 1 } });
    t.sends({ flags: 'SEW' });
    t.advance(1000);
    t.sends({ flags: 'S' });
  });
});

describe('[SHLD-8] the receiver', () => {
  test('echoes a mark on every ACK until the sender says CWR', () => {
    const t = withEcn();
    t.arrives({ seq: 1, ack: 1, length: MSS, ecn: ECT_0 });
    t.arrives({ seq: 1461, ack: 1, length: MSS, ecn: CE });
    t.sends({ flags: 'AE', ack: 2921 });
    t.arrives({ seq: 2921, ack: 1, length: MSS, ecn: ECT_0 });
    t.arrives({ seq: 4381, ack: 1, length: MSS, ecn: ECT_0 });
    t.sends({ flags: 'AE', ack: 5841 });
    t.arrives({ flags: 'AW', seq: 5841, ack: 1, length: MSS, ecn: ECT_0 });
    t.arrives({ seq: 7301, ack: 1, length: MSS, ecn: ECT_0 });
    t.sends({ flags: 'A', ack: 8761 });
  });

  test('a segment that says CWR and is marked itself begins a new echo', () => {
    const t = withEcn();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, length: MSS, ecn: CE });
    t.arrives({ flags: 'AW', seq: 1461, ack: 1, length: MSS, ecn: CE });
    t.sends({ flags: 'AE' });
  });

  test('marks mean nothing where ECN was not agreed', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, length: MSS, ecn: CE });
    t.arrives({ seq: 1461, ack: 1, length: MSS, ecn: CE });
    t.sends({ flags: 'A' });
  });
});

describe('[SHLD-8] the sender', () => {
  test('halves its window at an echo, once a window of data, and says CWR on the next new text', () => {
    const t = withEcn();
    t.send(100 * MSS);
    expect(t.takeSent().every((segment) => segment.ecn === ECT_0)).toBe(true);
    t.arrives({ flags: 'AE', seq: 1, ack: 1 + MSS });
    expect(status(t.tcb).ssthresh).toBe(5 * MSS);
    const { cwnd } = status(t.tcb);
    for (let i = 2; i <= 9; i++) t.arrives({ flags: 'AE', seq: 1, ack: 1 + MSS * i });
    expect(status(t.tcb).ssthresh).toBe(5 * MSS);
    expect(status(t.tcb).cwnd).toBeLessThanOrEqual(cwnd + 2 * MSS);
    const sent = t.takeSent();
    expect(sent.filter((segment) => segment.flags.includes('W')).length).toBe(1);
    expect(sent[0].flags).toContain('W');
    // What was sent after the reduction being marked is news.
    t.arrives({ flags: 'AE', seq: 1, ack: 1 + MSS * 12 });
    expect(status(t.tcb).ssthresh).toBeLessThan(5 * MSS);
  });

  test('marks only new text as capable: no pure ACK, no retransmission, no SYN, no FIN alone (6.1.4, 6.1.5)', () => {
    const t = withEcn();
    t.send('x');
    t.sends({ ecn: ECT_0 });
    t.advance(200);
    t.sends({ text: 'x', ecn: 0 });
    t.arrives({ seq: 1, ack: 2, length: 2 * MSS });
    t.sends({ flags: 'A', ecn: 0 });
    t.close();
    t.sends({ flags: 'FA', ecn: 0 });
  });

  test('an echo where ECN was not agreed changes nothing', () => {
    const t = Scenario.established();
    t.send(5 * MSS);
    t.arrives({ flags: 'AE', seq: 1, ack: 1 + MSS });
    expect(status(t.tcb).ssthresh).toBe(0x7fffffff);
  });
});
