/** A peer whose SACK blocks are made to hurt: D10, D11, D16 of the attack cases. Text is freed by the cumulative ACK alone. */

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { brokenInvariant } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

type Block = [left: number, right: number];

/** A stream in which no octet can stand for its neighbours: what is sent again is told from what should have been. */
const stream = (length: number): string =>
  Array.from({ length }, (_, at) => String.fromCharCode(97 + (at % 23))).join('');

/** A sender with `length` octets queued, as many of them in flight as it may, and a receiver that keeps what it sees. */
class Victim {
  readonly t: Scenario;
  readonly mss: number;
  private readonly length: number;
  private readonly text: string;
  private readonly arrived: Uint8Array;

  constructor(length: number, mss: number) {
    this.t = Scenario.established({}, { sackPermitted: true, mss });
    this.mss = mss;
    this.length = length;
    this.text = stream(length);
    this.arrived = new Uint8Array(length);
    this.t.send(this.text);
  }

  /** Takes what was sent, checks each octet of it, returns the octets of all segments together. */
  take(): number {
    let octets = 0;
    for (const { seq = 0, text = '' } of this.t.takeSent()) {
      expect(text.length).toBeLessThanOrEqual(this.mss);
      expect(text).toBe(this.text.slice(seq - 1, seq - 1 + text.length));
      this.arrived.fill(1, seq - 1, seq - 1 + text.length);
      octets += text.length;
    }
    return octets;
  }

  /** An ACK from the peer; what must hold holds after it. */
  says(ack: number, sack: Block[] = []): number {
    this.t.arrives({ seq: 1, ack, sack });
    expect(brokenInvariant(this.t.tcb)).toBeNull();
    return this.take();
  }

  /** From here on the peer is honest: all of the stream reaches it. */
  finishesFrom(ack: number): void {
    for (let round = 0, edge = ack; round < 10_000 && edge <= this.length; round++) {
      while (this.arrived[edge - 1] === 1) edge++;
      if (this.says(edge) === 0) {
        this.t.advance(500);
        this.take();
      }
    }
    expect(this.t.tcb.sendBuffer.length).toBe(0);
  }
}

describe('[D10] SACK Panic (CVE-2019-11477): segments of 48 octets, blocks that join and part them', () => {
  it('breaks no count and loses nothing', () => {
    const victim = new Victim(20_000, 48);
    victim.take();
    for (let i = 0; i < 500; i++) {
      const left = 49 + 48 * (i % 9);
      victim.says(1, [
        [left, left + 48],
        [left + 17, left + 48 * 40],
        [left + 48 * 2, left + 48 * 3],
      ]);
    }
    victim.finishesFrom(1);
  });
});

describe('[D11] SACK slowness (CVE-2019-11478, CVE-2019-5599): blocks that cut the queue into pieces', () => {
  it('leave no trace that grows, and one retransmission a round trip at most', () => {
    const victim = new Victim(200_000, 1460);
    const inFlight = victim.take();
    let again = 0;
    for (let i = 0; i < 10_000; i++) {
      const left = 2 + ((i * 97) % inFlight);
      again += victim.says(1, [
        [left, left + 1],
        [left + 3, left + 4],
        [left + 6, left + 7],
      ]);
    }
    // The hole once; beyond that what each of the bare ACKs frees by RFC 5681 3.2 (3), one flight at most.
    expect(again).toBeLessThanOrEqual(inFlight + 2 * 1460);
    expect(victim.t.tcb.sendBuffer.length).toBe(200_000);
    victim.finishesFrom(1);
  });
});

describe('[D16] a peer that takes back what it has selectively acknowledged, or never had it', () => {
  it('gets everything again after the timeout: blocks free nothing (RFC 2018 section 8)', () => {
    const victim = new Victim(10 * 1460, 1460);
    victim.take();
    for (let i = 2; i <= 10; i++) victim.says(1, [[1 + 1460, 1 + i * 1460]]);
    expect(victim.t.tcb.sendBuffer.length).toBe(10 * 1460);
    // The retransmission of the hole is "lost", and at the timeout the peer knows nothing of what it had.
    victim.t.advance(1500);
    let again = victim.take();
    for (let ack = 1 + 1460; again < 10 * 1460 && ack <= 10 * 1460; ack += 1460) again += victim.says(ack);
    expect(again).toBeGreaterThanOrEqual(10 * 1460);
    victim.says(1 + 10 * 1460);
    expect(victim.t.tcb.sendBuffer.length).toBe(0);
  });

  it('that reports everything as doubled (DSACK) changes neither window nor threshold', () => {
    const victim = new Victim(100_000, 1460);
    let ack = 1 + victim.take();
    victim.says(ack);
    const { ssthresh } = victim.t.tcb;
    for (let i = 0; i < 20; i++) {
      const sent = victim.says(ack, [[Math.max(1, ack - 1460), ack]]);
      ack += sent;
      victim.says(ack, [[1, ack]]);
    }
    expect(victim.t.tcb.ssthresh).toBe(ssthresh);
    victim.finishesFrom(ack);
  });

  it('whatever it says: 300 peers with random blocks get every octet', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new SeededRandom(seed);
      const upTo = (n: number): number => random.nextUint32() % n;
      const victim = new Victim(30_000, 536);
      victim.take();
      for (let i = 0; i < 40; i++) {
        const blocks = Array.from({ length: upTo(4) }, (): Block => {
          const left = upTo(40_000);
          return [left, left + upTo(20_000) - 1000];
        });
        victim.says(1, blocks);
        if (upTo(5) === 0) {
          victim.t.advance(upTo(400));
          victim.take();
        }
      }
      victim.finishesFrom(1);
    }
  });
});
