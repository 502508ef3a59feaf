/** RFC 9293 section 3.8.6: the windows; probes, shrinking, silly-window avoidance on both sides. */

import { describe, expect, test } from 'vitest';
import { receive, status } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

const MSS = 1460;
const DAY = 24 * 3_600_000;

/** Open, the peer's window closed, text waiting. */
function blocked(text = 'blocked'): Scenario {
  const t = Scenario.established();
  t.arrives({ seq: 1, ack: 1, window: 0 });
  t.send(text);
  t.sendsNothing();
  return t;
}

/** Lets time pass in steps until something is sent; takes it. */
function untilSent(t: Scenario, stepMs: number): void {
  for (let i = 0; i < 10_000; i++) {
    if (t.takeSent().length > 0) return;
    t.advance(stepMs);
  }
  throw new Error(`nothing was sent up to ${t.now} ms`);
}

describe('probing a closed window', () => {
  test('[MUST-36] [SHLD-29] the first probe goes after one RTO, with one octet of text', () => {
    const t = blocked();
    const rto = status(t.tcb).rtoMs;
    t.advance(rto - 1).sendsNothing();
    t.advance(1).sends({ seq: 1, length: 1, text: 'b' });
    t.sendsNothing();
  });

  test('[SHLD-30] the gaps between probes double, up to a limit', () => {
    const t = blocked();
    const times: number[] = [];
    for (let i = 0; i < 14; i++) {
      untilSent(t, 100);
      times.push(t.now);
      t.arrives({ seq: 1, ack: 1, window: 0 });
    }
    const gaps = times.map((time, i) => time - (i === 0 ? 0 : times[i - 1]));
    expect(gaps.slice(0, 9)).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200]);
    expect(gaps.at(-1)).toBe(120_000);
  });

  test('[MUST-37] the connection stays open for as long as probes are answered', () => {
    const t = blocked();
    for (let i = 0; i < 800; i++) {
      untilSent(t, 1000);
      t.arrives({ seq: 1, ack: 1, window: 0 });
    }
    expect(t.now).toBeGreaterThan(DAY);
    t.state('ESTABLISHED');
    // And goes on where it stopped: the octet that probed, and what is behind it in the same segment.
    t.arrives({ seq: 1, ack: 1, window: 5000 });
    t.sends({ seq: 1, text: 'blocked' });
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 8, window: 5000 });
  });

  test('RFC 6429: one that does not answer any more is given up like any other', () => {
    const t = blocked();
    t.advance(DAY);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
  });

  test("D02: a window that is never opened holds text for ever, or for as long as the application's limit says", () => {
    const t = Scenario.established();
    t.tcb.userTimeoutMs = 60_000;
    t.arrives({ seq: 1, ack: 1, window: 0 });
    t.send('blocked');
    for (let i = 0; i < 55; i++) {
      t.advance(1000);
      if (t.takeSent().length > 0) t.arrives({ seq: 1, ack: 1, window: 0 });
    }
    t.state('ESTABLISHED');
    t.advance(5000);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ETIMEDOUT');
    expect(t.takeSent().at(-1)).toMatchObject({ flags: 'RA', seq: 1 });
  });

  test('a probe whose octet was taken counts as sent', () => {
    const t = blocked();
    t.advance(200);
    t.sends({ seq: 1, text: 'b' });
    t.arrives({ seq: 1, ack: 2, window: 5000 });
    t.sends({ seq: 2, text: 'locked' });
    t.sendsNothing();
  });

  test('a FIN waits behind a closed window too, and probes when it is all there is', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, window: 0 });
    t.close();
    t.sendsNothing();
    t.advance(200);
    t.sends({ flags: 'FA', seq: 1, length: 0 });
    t.arrives({ seq: 1, ack: 2, window: 0 });
    t.state('FIN-WAIT-2');
    t.advance(DAY).sendsNothing();
  });

  test('[MAY-8] our own window may stay closed for days; every probe is answered', () => {
    const t = Scenario.established({ config: { receiveBuffer: 2000, moderateReceiveBuffer: false } });
    t.arrives({ seq: 1, ack: 1, length: 2000 });
    t.advance(100);
    t.takeSent();
    for (let i = 0; i < 100; i++) {
      t.advance(DAY / 24);
      t.arrives({ seq: 2001, ack: 1, length: 1 });
      t.sends({ flags: 'A', ack: 2001, window: 0 });
    }
    expect(t.read().length).toBe(2000);
    t.sends({ flags: 'A', ack: 2001, window: 2000 });
  });
});

describe('a peer that shrinks its window', () => {
  /** Four segments out, the first acknowledged with a window that covers half of the second. */
  function shrunk(window: number): Scenario {
    const t = Scenario.established();
    t.send(10 * MSS);
    expect(t.takeSent().length).toBe(10);
    t.send(5 * MSS);
    t.arrives({ seq: 1, ack: 1 + MSS, window });
    return t;
  }

  test('[MUST-34] [SHLD-15] a usable window below zero is no harm: nothing new is sent', () => {
    const t = shrunk(700);
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 1 + 2 * MSS, window: 700 });
    t.sendsNothing();
    t.arrives({ seq: 1, ack: 1 + 2 * MSS, window: 60_000 });
    expect(t.takeSent()[0].seq).toBe(1 + 10 * MSS);
    t.state('ESTABLISHED');
  });

  test('[SHLD-16] old text is still sent again, within SND.UNA + SND.WND', () => {
    const t = shrunk(700);
    t.advance(200);
    t.sends({ seq: 1 + MSS, length: 700 });
    t.sendsNothing();
  });

  test('[SHLD-17] text beyond the new right edge does not time the connection out', () => {
    const t = shrunk(700);
    t.advance(200);
    t.sends({ length: 700 });
    // The peer takes what its window holds, and shuts.
    t.arrives({ seq: 1, ack: 1 + MSS + 700, window: 0 });
    for (let i = 0; i < 100; i++) {
      untilSent(t, 1000);
      t.arrives({ seq: 1, ack: 1 + MSS + 700, window: 0 });
    }
    expect(t.now).toBeGreaterThan(3 * 3_600_000);
    t.state('ESTABLISHED');
  });

  test('[MUST-35] shrunk to nothing, it is probed with one octet of what is outstanding', () => {
    const t = shrunk(0);
    t.sendsNothing();
    t.advance(200);
    t.sends({ seq: 1 + MSS, length: 1 });
    t.arrives({ seq: 1, ack: 1 + MSS, window: 0 });
    t.advance(399).sendsNothing();
    t.advance(1).sends({ seq: 1 + MSS, length: 1 });
    // Open again: everything that was outstanding is sent again, nothing is forgotten.
    t.arrives({ seq: 1, ack: 1 + MSS, window: 60_000 });
    let acked = 1 + MSS;
    for (let i = 0; i < 100 && acked < 1 + 15 * MSS; i++) {
      for (const { seq, length } of t.takeSent()) if (seq <= acked) acked = Math.max(acked, seq + length);
      t.arrives({ seq: 1, ack: acked, window: 60_000 });
    }
    expect(acked).toBe(1 + 15 * MSS);
  });

  test('D17: no text beyond the right edge while the window flips between 0 and 1', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, window: 1 });
    t.send(100);
    let acked = 1;
    for (let i = 0; i < 60; i++) {
      const window = i % 2;
      t.advance(3000);
      for (const { seq, length } of t.takeSent()) {
        expect(length).toBeLessThanOrEqual(1);
        expect(seq).toBeLessThanOrEqual(acked + 1);
        if (window === 1 && seq === acked) acked += length;
      }
      t.arrives({ seq: 1, ack: acked, window });
    }
    expect(acked).toBeGreaterThan(10);
    t.state('ESTABLISHED');
  });
});

describe('an old segment does not set the window', () => {
  test('SND.WL1 and SND.WL2: one that was sent earlier and comes later says nothing of the window', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, length: 2, window: 5000 });
    expect(status(t.tcb).sndWnd).toBe(5000);
    // The window has shrunk since; this one overtook the segment before it.
    t.arrives({ seq: 103, ack: 1, length: 10, window: 4000 });
    t.arrives({ seq: 3, ack: 1, length: 100, window: 9000 });
    expect(status(t.tcb).sndWnd).toBe(4000);
    expect(t.read().length).toBe(112);
    // The same number, and no older an acknowledgment: news.
    t.arrives({ seq: 113, ack: 1, window: 7000 });
    t.arrives({ seq: 113, ack: 1, window: 6000 });
    expect(status(t.tcb).sndWnd).toBe(6000);
    // An acknowledgment older than SND.UNA sets nothing.
    t.send(MSS);
    t.arrives({ seq: 113, ack: 1 + MSS, window: 6000 });
    t.arrives({ seq: 113, ack: 1, window: 100 });
    expect(status(t.tcb).sndWnd).toBe(6000);
  });
});

describe("[MUST-38] the sender's silly-window avoidance (3.8.6.2.1)", () => {
  test('a sliver of window is not used while the override timer has not fired', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, window: 100 });
    t.send(1000);
    t.sendsNothing();
    t.advance(199).sendsNothing();
    t.advance(1).sends({ seq: 1, length: 100 });
    t.sendsNothing();
  });

  test('(1) a full segment goes, (2) all there is goes, (3) half of the largest window ever goes', () => {
    const full = Scenario.established();
    full.arrives({ seq: 1, ack: 1, window: 2000 });
    full.send(5000);
    full.sends({ length: MSS });
    full.sendsNothing();
    const all = Scenario.established();
    all.arrives({ seq: 1, ack: 1, window: 100 });
    all.send(100);
    all.sends({ flags: 'PA', length: 100 });
    const half = Scenario.established({}, { window: 1000 });
    half.arrives({ seq: 1, ack: 1, window: 500 });
    half.send(5000);
    half.sends({ length: 500 });
    const less = Scenario.established({}, { window: 1000 });
    less.arrives({ seq: 1, ack: 1, window: 499 });
    less.send(5000);
    less.sendsNothing();
  });

  test('what the override sent is sent again when it is lost', () => {
    const t = Scenario.established();
    t.arrives({ seq: 1, ack: 1, window: 100 });
    t.send(1000);
    t.advance(200);
    t.sends({ seq: 1, length: 100 });
    t.advance(3000);
    const again = t.takeSent();
    expect(again.length).toBeGreaterThan(0);
    for (const segment of again) expect(segment).toMatchObject({ seq: 1, length: 100 });
    t.arrives({ seq: 1, ack: 101, window: 5000 });
    t.sends({ seq: 101, length: 900 });
  });

  test('D03: a peer that opens ten octets at a time gets few segments, not one for each', () => {
    const t = Scenario.established();
    // A full congestion window keeps the small rest back until the peer's window is closed.
    t.send(10 * MSS);
    t.send(1000);
    expect(t.takeSent()).toHaveLength(10);
    let acked = 1 + 10 * MSS;
    t.arrives({ seq: 1, ack: acked, window: 0 });
    let segments = 0;
    for (let window = 10; window <= 1000; window += 10) {
      t.arrives({ seq: 1, ack: acked, window });
      for (const { length } of t.takeSent()) {
        segments++;
        acked += length;
      }
    }
    expect(segments).toBe(1);
  });
});

describe("[MUST-39] the receiver's silly-window avoidance (3.8.6.2.2)", () => {
  /** A full buffer of `size` octets; RCV.NXT is size + 1. */
  function full(size: number): Scenario {
    const t = Scenario.established({ config: { receiveBuffer: size, moderateReceiveBuffer: false } });
    for (let at = 0; at < size; at += 1000) t.arrives({ seq: 1 + at, ack: 1, length: 1000 });
    t.advance(100);
    expect(t.takeSent().at(-1)).toMatchObject({ ack: size + 1, window: 0 });
    return t;
  }

  test('a window is opened by a full segment or half the buffer, the smaller of both, not by crumbs', () => {
    for (const [size, step] of [
      [20_000, MSS],
      [2000, 1000],
    ] as const) {
      const t = full(size);
      for (let taken = 0; taken < step - 1; taken++) {
        t.call((tcb, now) => receive(tcb, now, 1));
        t.sendsNothing();
      }
      // Asked in between, it is still closed.
      t.arrives({ seq: size + 1, ack: 1, length: 1 });
      t.sends({ flags: 'A', window: 0 });
      t.call((tcb, now) => receive(tcb, now, 1));
      t.sends({ flags: 'A', ack: size + 1, window: step });
    }
  });

  test('[SHLD-14] its right edge never moves to the left, whatever is read and received', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const t = Scenario.established(
        { config: { receiveBuffer: 10_000, receiveBufferMax: 40_000 } },
        seed % 2 === 0 ? { windowScale: 3 } : {},
      );
      const shift = t.tcb.wscaleOk ? t.tcb.rcvWscale : 0;
      let random = seed * 7919;
      const next = (below: number): number => {
        random = (Math.imul(random, 1103515245) + 12345) >>> 0;
        return Math.floor((random / 2 ** 32) * below);
      };
      let at = 1;
      let edge = 0;
      for (let i = 0; i < 400; i++) {
        t.advance(next(60));
        if (next(3) > 0) {
          const length = Math.min(1 + next(1460), status(t.tcb).rcvWnd);
          if (length > 0) t.arrives({ seq: at, ack: 1, length });
          at += Math.max(length, 0);
        } else {
          t.call((tcb, now) => receive(tcb, now, 1 + next(4000)));
        }
        for (const { ack, window } of t.takeSent()) {
          expect(ack + window * 2 ** shift).toBeGreaterThanOrEqual(edge);
          edge = ack + window * 2 ** shift;
        }
      }
      expect(edge).toBeGreaterThan(20_000);
    }
  });
});
