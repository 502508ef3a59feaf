/**
 * Packet wars: two ends that answer each other for ever (RFC 9293 appendix A.2, draft-gont-tcpm-tcp-seq-validation,
 * RFC 5961 section 7). Whatever one strange segment does to two connections of ours, the exchange comes to an end.
 */

import { describe, expect, test } from 'vitest';
import { seqAdd } from '../../src/base/seq.ts';
import { abort, close, send, status, type Tcb } from '../../src/tcp/index.ts';
import { buildSegment, flagLetters } from '../../src/testing/segments.ts';
import { INITIAL, Pair } from './pair.ts';
import { STATES } from './states.ts';

/** Both have text for the other, neither reads, both windows are closed, and the queues are full. */
function bothBlocked(): Pair {
  const pair = Pair.established({ receiveBuffer: 10_000, moderateReceiveBuffer: false });
  const text = (): Uint8Array => new Uint8Array(30_000).fill(0x41);
  pair.call('a', (tcb, now) => send(tcb, now, text()));
  pair.call('b', (tcb, now) => send(tcb, now, text()));
  pair.run(3000);
  for (const end of ['a', 'b'] as const) expect(status(pair.tcb[end])).toMatchObject({ sndWnd: 0, rcvWnd: 0 });
  pair.take();
  return pair;
}

describe('E06: the three of draft-gont-tcpm-tcp-seq-validation', () => {
  test('simultaneous open: quiet after four segments', () => {
    const pair = new Pair();
    pair.connect('a');
    pair.connect('b');
    pair.run(3_600_000);
    expect(pair.take().length).toBe(4);
  });

  test('simultaneous close: quiet after four, also when both FINs have to be sent again', () => {
    const pair = Pair.established();
    let lost = 2;
    pair.passes = () => lost-- <= 0;
    pair.call('a', close);
    pair.call('b', close);
    pair.run(3_600_000);
    pair.states('CLOSED', 'CLOSED');
    expect(pair.take().length).toBeLessThanOrEqual(8);
  });

  test('window probes that cross: each is answered once, neither end gives up', () => {
    const pair = bothBlocked();
    const hour = 3_600_000;
    pair.run(hour);
    pair.states('ESTABLISHED', 'ESTABLISHED');
    // A probe and its answer each way, at most every two minutes once the back-off has grown.
    expect(pair.take().length).toBeLessThan(4 * (hour / 120_000 + 10));
  });

  test('and the window that opens after them is believed, although its ACK lies beyond a closed window', () => {
    const pair = bothBlocked();
    pair.run(60_000);
    const before = pair.now;
    const read = pair.read('b').length;
    pair.run(500);
    // A's text comes at once, not with A's next probe.
    expect(read).toBe(10_000);
    expect(pair.read('b').length).toBeGreaterThan(0);
    expect(pair.now - before).toBe(500);
  });
});

test('an ABORT after such probes is believed too', () => {
  const pair = bothBlocked();
  pair.run(60_000);
  pair.call('a', abort);
  pair.run(100);
  pair.states('CLOSED', 'CLOSED');
  expect(pair.tcb.b.error).toBe('ECONNRESET');
});

test('E07: challenge ACKs do not challenge each other', () => {
  const pair = Pair.established();
  for (let i = 0; i < 20; i++) {
    pair.inject('a', buildSegment({ flags: 'S', seq: 1000 * i }, INITIAL.b, INITIAL.a));
    pair.inject('b', buildSegment({ flags: 'R', seq: 5 + i }, INITIAL.a, INITIAL.b));
  }
  pair.run(200);
  expect(pair.take()).toEqual(['a A 1 1', 'b A 1 1']);
});

test('E01: two ends whose numbers have come apart stay below four segments a second', () => {
  const pair = Pair.established();
  // Text that only B believes to have been sent, and only A to have: an injector gave it to both.
  const forge = (to: 'a' | 'b'): void => {
    const from = to === 'a' ? 'b' : 'a';
    pair.inject(to, buildSegment({ flags: 'PA', seq: 1, ack: 1, length: 100 }, INITIAL[from], INITIAL[to]));
  };
  forge('a');
  forge('b');
  pair.run(10_000);
  expect(pair.take().length).toBeLessThanOrEqual(40);
});

test('E08: FINs again and again in TIME-WAIT on both sides', () => {
  const pair = Pair.inStates('TIME-WAIT', 'TIME-WAIT');
  for (const end of ['a', 'b'] as const) {
    const other = end === 'a' ? 'b' : 'a';
    pair.inject(end, buildSegment({ flags: 'FA', seq: 1, ack: 2 }, INITIAL[other], INITIAL[end]));
  }
  pair.run(59_000);
  expect(pair.take().length).toBeLessThanOrEqual(4);
});

describe('E09: any pair of states, any one segment', () => {
  const ACK = 16;
  const SEQS = { 'RCV.NXT': 0, old: -5, 'in window': 40, 'beyond window': 200_000 };
  const ACKS = { 'SND.NXT': 0, old: -3, ahead: 7 };

  /** Before the first retransmission (200 ms) everything on the wire is an answer to something. */
  const QUIET_AFTER_MS = 190;

  function exchange(pair: Pair, flags: number, seq: number, ack: number, length: number): void {
    const tcb: Tcb = pair.tcb.a;
    const segment = buildSegment({ flags: flagLetters(flags).replace('-', ''), length }, INITIAL.b, INITIAL.a);
    segment.seq = seqAdd(tcb.rcvNxt, seq);
    segment.ack = seqAdd(tcb.sndNxt, ack);
    pair.inject('a', segment);
    pair.run(QUIET_AFTER_MS);
  }

  for (const a of STATES) {
    test(`${a} and each other state`, () => {
      let longest = 0;
      for (const b of STATES) {
        for (let flags = 0; flags < 64; flags++) {
          for (const [seqName, seq] of Object.entries(SEQS)) {
            for (const [ackName, ack] of Object.entries(ACKS)) {
              if ((flags & ACK) === 0 && ack !== 0) continue;
              for (const length of [0, 10]) {
                const pair = Pair.inStates(a, b);
                pair.latencyMs = 1;
                exchange(pair, flags, seq, ack, length);
                if (pair.log.length > 20) {
                  const which = `${a}, ${b}, ${flagLetters(flags)}, seq ${seqName}, ack ${ackName}, ${length} octets`;
                  throw new Error(`${which}: ${pair.log.length} segments\n${pair.take().slice(0, 30).join('\n')}`);
                }
                longest = Math.max(longest, pair.log.length);
              }
            }
          }
        }
      }
      expect(longest).toBeLessThanOrEqual(20);
    });
  }
});
