/** RFC 9293 sections 3.8.1 and 3.8.3, RFC 6298: the retransmission timer, and a peer that stays silent. */

import { describe, expect, test } from 'vitest';
import { DEFAULT_TCP_CONFIG, Event, openActive, status, type Tcb } from '../../src/tcp/index.ts';
import { ISS, Scenario, type SegmentSpec } from '../../src/testing/index.ts';

/** An open connection whose handshake took `rttMs`. */
function withRtt(rttMs: number): Scenario {
  const t = Scenario.connecting();
  t.takeSent();
  t.advance(rttMs);
  t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460 });
  t.takeSent();
  t.takeEvents();
  return t;
}

/** At which times (relative to the call) segments go out while `ms` pass without an answer. */
function sendTimes(t: Scenario, ms: number): number[] {
  const start = t.now;
  const times: number[] = [];
  for (let step = 0; step < ms; step += 10) {
    t.advance(10);
    for (const _ of t.takeSent()) times.push(t.now - start);
  }
  return times;
}

/** One segment out, its ACK after `rttMs`. */
function exchange(t: Scenario, at: number, rttMs: number): void {
  t.send(1);
  t.sends({ seq: at });
  t.advance(rttMs);
  t.arrives({ seq: 1, ack: at + 1 });
}

const rtt = (tcb: Tcb) => {
  const { srttMs, rttvarMs, rtoMs } = status(tcb);
  return { srttMs, rttvarMs, rtoMs };
};

describe('[MUST-18] RFC 6298', () => {
  test('(2.1) before any sample the RTO is 1 s', () => {
    const t = Scenario.connecting();
    expect(rtt(t.tcb)).toEqual({ srttMs: null, rttvarMs: null, rtoMs: 1000 });
    t.sends({ flags: 'S' });
    t.advance(999).sendsNothing();
    t.advance(1).sends({ flags: 'S' });
  });

  test('(2.2) the first sample R: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR', () => {
    expect(rtt(withRtt(200).tcb)).toEqual({ srttMs: 200, rttvarMs: 100, rtoMs: 600 });
  });

  test("(2.3) later ones: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT = 7/8 SRTT + 1/8 R'", () => {
    const t = withRtt(200);
    exchange(t, 1, 280);
    expect(rtt(t.tcb)).toEqual({ srttMs: 210, rttvarMs: 95, rtoMs: 590 });
  });

  test('(2.4) with the floor at 200 ms over the SRTT, (2.5) and the ceiling at 120 s', () => {
    const t = withRtt(100);
    for (let i = 0; i < 60; i++) exchange(t, 1 + i, 100);
    expect(status(t.tcb).rtoMs).toBe(300);
    const slow = withRtt(0);
    slow.send(1);
    slow.takeSent();
    const times = sendTimes(slow, 800_000);
    expect(Math.max(...times.slice(1).map((time, i) => time - times[i]))).toBe(120_000);
  });

  test('(3) Karn: an ACK of what was sent twice is no sample', () => {
    const t = withRtt(100);
    t.send(1);
    t.takeSent();
    t.advance(300);
    t.sends({ seq: 1 });
    t.advance(1);
    t.arrives({ seq: 1, ack: 2 });
    expect(status(t.tcb).srttMs).toBe(100);
    // Nor is one that covers a retransmitted segment among others.
    t.send(3000);
    t.takeSent();
    t.advance(400);
    t.takeSent();
    t.arrives({ seq: 1, ack: 3002 });
    expect(status(t.tcb).srttMs).toBe(100);
  });

  test('(3) unless timestamps say which copy it answers', () => {
    const t = Scenario.connecting();
    const tsVal = t.sends({ flags: 'S' }).timestamps[0];
    t.advance(100);
    t.arrives({ flags: 'SA', seq: 0, ack: 1, timestamps: [1, tsVal] });
    t.takeSent();
    t.send(1);
    t.takeSent();
    t.advance(300);
    const again = t.sends({ seq: 1 }).timestamps[0];
    t.advance(60);
    t.arrives({ seq: 1, ack: 2, timestamps: [2, again] });
    // 7/8 of 100 and 1/8 of 60
    expect(status(t.tcb).srttMs).toBe(95);
  });

  test('(5.1) (5.2) the timer runs while something is outstanding, and stops when nothing is', () => {
    const t = withRtt(100);
    t.send(1);
    t.takeSent();
    t.advance(100);
    t.arrives({ seq: 1, ack: 2 });
    t.advance(1_000_000).sendsNothing();
  });

  test('(5.3) an ACK of something new starts it again', () => {
    const t = withRtt(100);
    t.send(1460 * 4);
    t.takeSent();
    t.advance(250);
    t.arrives({ seq: 1, ack: 1461 });
    const rto = status(t.tcb).rtoMs;
    t.advance(rto - 1).sendsNothing();
    t.advance(1).sends({ seq: 1461, length: 1460 });
  });

  test('(5.4) it is the earliest outstanding segment that is sent again', () => {
    const t = withRtt(100);
    t.send(1460 * 4);
    t.takeSent();
    t.advance(300);
    t.sends({ seq: 1, length: 1460 });
    t.sendsNothing();
  });

  test('(5.7) after a lost SYN the RTO begins at 3 s where no sample could be taken', () => {
    const t = Scenario.connecting();
    t.advance(1000);
    t.takeSent();
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460 });
    t.takeSent();
    expect(status(t.tcb).srttMs).toBeNull();
    t.send(1);
    t.takeSent();
    t.advance(2999).sendsNothing();
    t.advance(1).sends({ seq: 1 });
  });
});

describe('text that is never acknowledged', () => {
  /** Open, one octet out, and silence. */
  function silence(): Scenario {
    const t = withRtt(0);
    t.send(1);
    t.takeSent();
    return t;
  }

  test('[MUST-19] (5.5) the gaps between retransmissions double', () => {
    expect(sendTimes(silence(), 13_000)).toEqual([200, 600, 1400, 3000, 6200, 12_600]);
  });

  test('[MUST-20] [SHLD-9] at R1 the application is told, at R2 the connection closes', () => {
    const t = silence();
    t.advance(599);
    expect(t.takeEvents()).toEqual([]);
    t.advance(1001);
    expect(t.takeEvents()).toEqual(['NOT_RESPONDING']);
    t.state('ESTABLISHED');
    t.advance(1_000_000);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
    expect(t.takeEvents()).toEqual(['CLOSED']);
  });

  test('[SHLD-10] R1 is three retransmissions', () => {
    expect(DEFAULT_TCP_CONFIG.retries1).toBeGreaterThanOrEqual(3);
    const t = silence();
    let before = 0;
    for (let i = 0; i < 1000 && (t.tcb.events & Event.NOT_RESPONDING) === 0; i++) before += sendTimes(t, 10).length;
    expect(t.takeEvents()).toContain('NOT_RESPONDING');
    expect(before).toBe(3);
  });

  test('[SHLD-11] R2 is 100 s or more: 924.6 s as Linux counts it', () => {
    const t = silence();
    t.advance(100_000);
    t.state('ESTABLISHED');
    t.advance(824_000);
    t.state('ESTABLISHED');
    // The next timeout after 924.6 s finds it.
    t.advance(121_000);
    t.state('CLOSED');
  });

  test('[MUST-21] the application may set R2 for its connection, shorter', () => {
    const t = withRtt(0);
    t.tcb.userTimeoutMs = 5000;
    t.send(1);
    t.takeSent();
    t.advance(4999);
    t.state('ESTABLISHED');
    t.advance(1);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
  });

  test('[MUST-21] or infinite', () => {
    const t = withRtt(0);
    t.tcb.userTimeoutMs = Number.POSITIVE_INFINITY;
    t.send(1);
    t.advance(100 * 3_600_000);
    t.state('ESTABLISHED');
    t.takeSent();
    // It goes on trying, too.
    t.advance(120_000);
    t.sends({ seq: 1, length: 1 });
    t.arrives({ seq: 1, ack: 2 });
    t.state('ESTABLISHED');
  });

  test('an answer in between starts the count anew', () => {
    const t = silence();
    t.advance(800_000);
    t.takeSent();
    t.arrives({ seq: 1, ack: 2 });
    t.send(1);
    t.advance(800_000);
    t.state('ESTABLISHED');
    t.advance(300_000);
    t.state('CLOSED');
  });
});

describe('a SYN that is never answered', () => {
  test('[MUST-22] [MUST-23] is sent again for at least three minutes, then the open fails and the application knows', () => {
    const t = Scenario.connecting();
    t.takeSent();
    t.advance(179_999);
    t.state('SYN-SENT');
    expect(t.takeEvents()).toContain('NOT_RESPONDING');
    const times = t.takeSent();
    expect(times.length).toBeGreaterThanOrEqual(6);
    for (const segment of times) expect(segment).toMatchObject({ flags: 'S', seq: 0 });
    t.advance(120_000);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
    expect(t.takeEvents()).toEqual(['CLOSED']);
  });

  test('[MUST-23] even where fewer retries are configured', () => {
    const t = Scenario.connecting({ config: { synRetries: 1, synLinearTimeouts: 0 } });
    t.advance(179_999);
    t.state('SYN-SENT');
  });

  test('[MUST-22] an R2 of the application holds for the SYN too', () => {
    const t = new Scenario();
    t.tcb.userTimeoutMs = 10_000;
    t.call((tcb, now) => openActive(tcb, now, ISS, 0));
    t.advance(9999);
    t.state('SYN-SENT');
    t.advance(1);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
  });

  test('a SYN,ACK goes five times more: 1, 2, 4, 8, 16 s apart, given up after 63 s (A11)', () => {
    const t = Scenario.listening();
    t.arrives({ flags: 'S', seq: 0 });
    t.takeSent();
    expect(sendTimes(t, 62_990)).toEqual([1000, 3000, 7000, 15_000, 31_000]);
    t.state('SYN-RECEIVED');
    t.advance(10);
    t.state('CLOSED');
    t.sendsNothing();
  });
});

describe('go-back-N after a timeout', () => {
  test('what is still missing is sent again in slow start, what the peer had already is skipped', () => {
    const t = Scenario.established();
    t.send(1460 * 10);
    expect(t.takeSent().length).toBe(10);
    // All lost but the third to fifth.
    t.advance(200);
    t.sends({ seq: 1, length: 1460 });
    t.sendsNothing();
    const ack = (n: number): SegmentSpec => ({ seq: 1, ack: 1 + 1460 * n });
    t.arrives(ack(1));
    t.sends({ seq: 1461, length: 1460 });
    t.sends({ seq: 2921, length: 1460 });
    t.sendsNothing();
    t.arrives(ack(5));
    const rest = t.takeSent();
    expect(rest[0].seq).toBe(1 + 1460 * 5);
    for (const segment of rest) expect(segment.seq).toBeGreaterThanOrEqual(1 + 1460 * 5);
    t.arrives(ack(10));
    t.takeSent();
    t.advance(1_000_000);
    t.sendsNothing();
  });
});
