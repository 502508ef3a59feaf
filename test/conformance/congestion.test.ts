/** RFC 9293 section 3.8.2: slow start, congestion avoidance, fast retransmit and recovery (RFC 5681, 6582, 3042, 6928). */

import { describe, expect, test } from 'vitest';
import { status } from '../../src/tcp/index.ts';
import { Scenario, type SegmentSpec } from '../../src/testing/index.ts';

const MSS = 1460;
const WINDOW = 0xffff;

/** An open connection with a window far larger than anything cwnd allows, and a million octets to send. */
function sender(initialWindow = 10): Scenario {
  const t = Scenario.established({ config: { initialWindow } }, { windowScale: 8, window: WINDOW });
  t.send(1_000_000);
  return t;
}

/** An ACK of the first `count` segments. */
const ack = (count: number): SegmentSpec => ({ seq: 1, ack: 1 + MSS * count, window: WINDOW });

/** Which segments (0 is the first) were sent. */
const numbers = (t: Scenario): number[] => t.takeSent().map((segment) => (segment.seq - 1) / MSS);

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('[MUST-19] slow start and congestion avoidance', () => {
  test('RFC 6928: the initial window is ten segments', () => {
    expect(numbers(sender())).toEqual(range(0, 10));
  });

  test('RFC 5681 3.1: after a lost SYN it is one', () => {
    const t = Scenario.connecting();
    t.advance(1000);
    t.takeSent();
    t.send(100_000);
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: MSS });
    expect(t.takeSent().length).toBe(1);
  });

  test('slow start: each segment acknowledged lets two go', () => {
    const t = sender();
    t.takeSent();
    t.arrives(ack(1));
    expect(numbers(t)).toEqual([10, 11]);
    t.arrives(ack(2));
    expect(numbers(t)).toEqual([12, 13]);
  });

  test('RFC 3465: an ACK of many segments counts as two of them', () => {
    const t = sender();
    t.takeSent();
    t.arrives(ack(10));
    expect(status(t.tcb).cwnd).toBe(12 * MSS);
    expect(numbers(t)).toEqual(range(10, 22));
  });

  test('congestion avoidance: one segment a round trip above ssthresh', () => {
    const t = sender();
    t.takeSent();
    t.tcb.ssthresh = 10 * MSS;
    let sent = 10;
    for (let round = 0; round < 5; round++) {
      const flight = 10 + round;
      expect(status(t.tcb).cwnd).toBe(flight * MSS);
      const acked = sent - flight;
      for (let i = 1; i <= flight; i++) {
        t.arrives(ack(acked + i));
        sent += t.takeSent().length;
      }
    }
  });

  test('a window that is not used does not grow (RFC 7661)', () => {
    const t = Scenario.established();
    for (let i = 0; i < 50; i++) {
      t.send(100);
      t.takeSent();
      t.arrives({ seq: 1, ack: 101 + 100 * i });
    }
    expect(status(t.tcb).cwnd).toBe(10 * MSS);
  });

  test('a timeout halves ssthresh, cwnd starts from one, and slow start grows it again', () => {
    const t = sender();
    t.takeSent();
    t.advance(200);
    expect(numbers(t)).toEqual([0]);
    expect(status(t.tcb)).toMatchObject({ cwnd: MSS, ssthresh: 5 * MSS });
    // The second timeout in a row does not halve again.
    t.advance(400);
    expect(numbers(t)).toEqual([0]);
    expect(status(t.tcb).ssthresh).toBe(5 * MSS);
    t.arrives(ack(1));
    expect(numbers(t)).toEqual([1, 2]);
    t.arrives(ack(2));
    expect(numbers(t)).toEqual([3, 4]);
  });

  test('RFC 5681 4.1: after an RTO of idling the window starts from the initial one', () => {
    const t = Scenario.established({}, { windowScale: 8, window: WINDOW });
    t.send(30 * MSS);
    t.takeSent();
    t.arrives(ack(5));
    t.arrives(ack(10));
    t.arrives(ack(20));
    t.arrives(ack(30));
    t.takeSent();
    expect(status(t.tcb).cwnd).toBeGreaterThan(10 * MSS);
    t.advance(10_000);
    t.send(100 * MSS);
    expect(t.takeSent().length).toBe(10);
  });
});

describe('fast retransmit and recovery', () => {
  /** Ten segments out, the first lost, three duplicates back. */
  function recovering(): Scenario {
    const t = sender();
    t.takeSent();
    for (let i = 0; i < 3; i++) t.arrives(ack(0));
    return t;
  }

  test('RFC 5681 3.2: the third duplicate ACK sends the first outstanding segment again', () => {
    const t = sender();
    t.takeSent();
    t.arrives(ack(0));
    t.arrives(ack(0));
    expect(numbers(t)).not.toContain(0);
    t.arrives(ack(0));
    expect(numbers(t)).toContain(0);
    t.arrives(ack(0));
    expect(numbers(t)).not.toContain(0);
  });

  test('RFC 3042: the first two let a new segment go each', () => {
    const t = sender();
    t.takeSent();
    t.arrives(ack(0));
    expect(numbers(t)).toEqual([10]);
    t.arrives(ack(0));
    expect(numbers(t)).toEqual([11]);
    expect(status(t.tcb).cwnd).toBe(10 * MSS);
  });

  test('ssthresh is half of what was in flight, without what limited transmit added to it', () => {
    expect(status(recovering().tcb).ssthresh).toBe(5 * MSS);
  });

  test('each further duplicate lets one more go, once half of the flight has left', () => {
    const t = recovering();
    expect(numbers(t)).toEqual([10, 11, 0]);
    // cwnd is 5 + 3 with 12 in flight: four duplicates make no room, each one after them does.
    for (let i = 0; i < 4; i++) t.arrives(ack(0));
    expect(numbers(t)).toEqual([]);
    t.arrives(ack(0));
    expect(numbers(t)).toEqual([12]);
    t.arrives(ack(0));
    expect(numbers(t)).toEqual([13]);
  });

  test('RFC 6582: the ACK of all that was outstanding ends it, at half the window', () => {
    const t = recovering();
    t.takeSent();
    t.arrives(ack(12));
    expect(status(t.tcb).cwnd).toBeLessThanOrEqual(5 * MSS);
    expect(t.tcb.inRecovery).toBe(false);
    expect(numbers(t)[0]).toBe(12);
  });

  test('RFC 6582: a partial ACK sends the next hole, without waiting for duplicates or the timer', () => {
    const t = recovering();
    t.takeSent();
    // Segments 0, 3 and 7 were lost.
    t.arrives(ack(3));
    expect(numbers(t)).toContain(3);
    t.arrives(ack(7));
    expect(numbers(t)).toContain(7);
    expect(t.tcb.inRecovery).toBe(true);
    t.arrives(ack(12));
    expect(t.tcb.inRecovery).toBe(false);
    expect(status(t.tcb).retransmits).toBe(3);
  });

  test('RFC 6582: duplicates of what a recovery or a timeout sent again begin no second recovery', () => {
    const t = sender();
    t.takeSent();
    t.advance(200);
    expect(numbers(t)).toEqual([0]);
    t.arrives(ack(3));
    t.takeSent();
    for (let i = 0; i < 5; i++) t.arrives(ack(3));
    expect(t.tcb.inRecovery).toBe(false);
    expect(numbers(t)).not.toContain(3);
  });

  test('window updates, text, and ACKs while nothing is outstanding are no duplicates', () => {
    const t = sender();
    t.takeSent();
    for (let i = 1; i < 10; i++) t.arrives({ ...ack(0), window: WINDOW - i });
    for (let i = 0; i < 10; i++) t.arrives({ ...ack(0), seq: 1 + i, length: 1, window: WINDOW - 9 });
    expect(status(t.tcb).retransmits).toBe(0);
    expect(t.tcb.dupAcks).toBe(0);
  });
});

describe('what a cheating receiver gets', () => {
  test('D14: an ACK divided into 1,460 opens the window no further than the whole', () => {
    const divided = sender();
    for (let i = 1; i <= MSS; i++) divided.arrives({ seq: 1, ack: 1 + i, window: WINDOW });
    const whole = sender();
    whole.arrives(ack(1));
    expect(status(divided.tcb).cwnd).toBe(status(whole.tcb).cwnd);
  });

  test('D15: a hundred thousand made-up duplicates release no more than was in flight', () => {
    const t = sender();
    t.takeSent();
    for (let i = 0; i < 100_000; i++) t.arrives(ack(0));
    const released = t.takeSent().reduce((sum, segment) => sum + segment.length, 0);
    expect(released).toBeLessThanOrEqual(10 * MSS);
    expect(status(t.tcb).cwnd).toBeLessThanOrEqual(17 * MSS);
  });

  test('D13: an ACK ahead of what was sent is not believed', () => {
    const t = sender();
    t.takeSent();
    t.arrives(ack(11));
    expect(status(t.tcb)).toMatchObject({ cwnd: 10 * MSS, inFlight: 10 * MSS });
  });
});
