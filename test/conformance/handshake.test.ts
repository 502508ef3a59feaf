/** RFC 9293 section 3.5: establishing a connection; its figures 6 to 11 as stories. */

import { describe, expect, test } from 'vitest';
import { seq, seqAdd } from '../../src/base/seq.ts';
import { replyToClosed, send, status } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';
import { buildSegment, describeSegment } from '../../src/testing/segments.ts';
import { Segment } from '../../src/wire/tcp.ts';
import { INITIAL, Pair } from './pair.ts';

describe('the figures', () => {
  test('figure 6: the three-way handshake, and text with the same number as the ACK before it', () => {
    const pair = new Pair();
    pair.listen('b');
    pair.connect('a');
    pair.states('SYN-SENT', 'LISTEN');
    pair.run(10);
    pair.states('SYN-SENT', 'SYN-RECEIVED');
    pair.run(10);
    pair.states('ESTABLISHED', 'SYN-RECEIVED');
    pair.call('a', (tcb, now) => send(tcb, now, new TextEncoder().encode('data')));
    pair.run(10);
    pair.states('ESTABLISHED', 'ESTABLISHED');
    expect(pair.take()).toEqual(['a S 0', 'b SA 0 1', 'a A 1 1', 'a PA 1 1 +4']);
    expect(pair.read('b')).toBe('data');
  });

  test('[MUST-10] figure 7: two SYNs that cross make one connection', () => {
    const pair = new Pair();
    pair.connect('a');
    pair.connect('b');
    pair.run(10);
    pair.states('SYN-RECEIVED', 'SYN-RECEIVED');
    pair.run(10);
    pair.states('ESTABLISHED', 'ESTABLISHED');
    expect(pair.take()).toEqual(['a S 0', 'b S 0', 'b SA 0 1', 'a SA 0 1']);
    pair.run(5000);
    expect(pair.take()).toEqual([]);
    pair.call('a', (tcb, now) => send(tcb, now, new TextEncoder().encode('to b')));
    pair.call('b', (tcb, now) => send(tcb, now, new TextEncoder().encode('to a')));
    pair.run(100);
    expect([pair.read('a'), pair.read('b')]).toEqual(['to a', 'to b']);
  });

  test('[MUST-10] simultaneous open ends well whichever of its first eight segments are lost', () => {
    for (let lost = 0; lost < 256; lost++) {
      const pair = new Pair();
      let count = 0;
      pair.passes = () => ((lost >> count++) & 1) === 0;
      pair.connect('a');
      pair.connect('b');
      pair.run(60_000);
      expect([lost, pair.state('a'), pair.state('b')]).toEqual([lost, 'ESTABLISHED', 'ESTABLISHED']);
      expect(pair.log.length).toBeLessThan(30);
    }
  });

  test('figure 8: an old duplicate SYN is undone by the RST it provokes', () => {
    const pair = new Pair();
    pair.listen('b');
    pair.latencyMs = 30;
    pair.connect('a');
    // The old SYN overtakes: ten numbers below A's.
    pair.latencyMs = 5;
    const old = buildSegment({ flags: 'S', seq: -10, mss: 1460 }, INITIAL.a, INITIAL.b);
    pair.inject('b', old);
    pair.states('SYN-SENT', 'SYN-RECEIVED');
    expect(pair.take()).toEqual(['a S 0', 'b SA 0 -9']);
    pair.latencyMs = 10;
    pair.run(2000);
    expect(pair.take().slice(0, 2)).toEqual(['a R -9', 'b SA 0 1']);
    pair.states('ESTABLISHED', 'ESTABLISHED');
  });

  test('figure 9: a restarted end finds the old connection half-open, resets it and opens a new one', () => {
    const pair = Pair.established();
    pair.crash('a');
    pair.restart('a', seqAdd(INITIAL.a, 100_000_000));
    pair.connect('a');
    pair.run(10);
    expect(pair.take()).toEqual(['a S 0', 'b A 1 -99999999']);
    pair.run(20);
    expect(pair.take()).toEqual(['a R -99999999']);
    pair.states('SYN-SENT', 'CLOSED');
    expect(pair.tcb.b.error).toBe('ECONNRESET');
    // B's application listens again; A's next SYN opens the new connection.
    pair.restart('b', seq(5000));
    pair.listen('b');
    pair.run(2000);
    pair.states('ESTABLISHED', 'ESTABLISHED');
  });

  test('figure 10: text for an end that lost its memory is answered by a RST', () => {
    const pair = Pair.established();
    pair.crash('a');
    pair.call('b', (tcb, now) => send(tcb, now, new Uint8Array(10)));
    pair.run(1000);
    expect(pair.take()).toEqual(['b PA 1 1 +10', 'a R 1']);
    expect(pair.state('b')).toBe('CLOSED');
    expect(pair.tcb.b.error).toBe('ECONNRESET');
  });

  test('figure 11: an old duplicate SYN between two listeners leaves both listening', () => {
    const pair = new Pair();
    pair.listen('a');
    pair.listen('b');
    pair.inject('b', buildSegment({ flags: 'S', seq: 0 }, INITIAL.a, INITIAL.b));
    pair.states('LISTEN', 'SYN-RECEIVED');
    pair.run(100);
    expect(pair.take()).toEqual(['b SA 0 1', 'a R 1']);
    pair.states('LISTEN', 'LISTEN');
    pair.run(300_000);
    expect(pair.take()).toEqual([]);
  });
});

describe('SYN-RECEIVED remembers where it came from', () => {
  test('[MUST-11] a RST after a passive open leads back to LISTEN, and nobody is told', () => {
    const t = Scenario.synReceived();
    t.arrives({ flags: 'R', seq: 1 });
    t.state('LISTEN');
    expect(t.takeEvents()).toEqual([]);
    t.advance(300_000);
    t.sendsNothing();
    // It listens for real: the next SYN opens.
    t.arrives({ flags: 'S', seq: 1000 });
    t.sends({ flags: 'SA', seq: 0, ack: 1001 });
    t.arrives({ seq: 1001, ack: 1 });
    t.state('ESTABLISHED');
  });

  test('[MUST-11] a RST after an active open (crossed SYNs) means refused', () => {
    const t = Scenario.connecting();
    t.sends({ flags: 'S' });
    t.arrives({ flags: 'S', seq: 0 });
    t.sends({ flags: 'SA', seq: 0, ack: 1 });
    t.state('SYN-RECEIVED');
    t.arrives({ flags: 'R', seq: 1 });
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ECONNREFUSED');
    expect(t.takeEvents()).toContain('CLOSED');
  });
});

describe('LISTEN', () => {
  test('a RST is ignored, an ACK earns <SEQ=SEG.ACK><CTL=RST>, a RST,ACK nothing', () => {
    const t = Scenario.listening();
    for (const flags of ['R', 'RA', 'RS', 'RSA', 'RFPUA']) t.arrives({ flags, seq: 5, ack: 77 });
    t.sendsNothing();
    for (const flags of ['A', 'SA', 'FA', 'PA', 'FPUA']) {
      t.arrives({ flags, seq: 5, ack: 77 });
      const reset = t.sends({ flags: 'R', seq: 77, ack: 0 });
      expect(reset.length).toBe(0);
    }
    t.state('LISTEN');
  });

  test('F01 F02 F03: christmas trees, empty flags and SYN with FIN are dropped without a word', () => {
    const t = Scenario.listening();
    for (const flags of ['FPU', '', 'SF', 'SFPU', 'F', 'P', 'U']) t.arrives({ flags, seq: 5 });
    t.sendsNothing();
    t.state('LISTEN');
  });

  test('text on a SYN is not delivered before the handshake is complete, nor acknowledged', () => {
    const t = Scenario.listening();
    t.arrives({ flags: 'S', seq: 0, text: 'early', mss: 1460 });
    t.sends({ flags: 'SA', seq: 0, ack: 1 });
    expect(t.read()).toBe('');
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'early' });
    expect(t.read()).toBe('early');
  });
});

describe('SYN-SENT', () => {
  test('an ACK of nothing we sent earns a RST, and the open goes on', () => {
    for (const ack of [0, -5, 2, 1000]) {
      const t = Scenario.connecting();
      t.sends({ flags: 'S' });
      t.arrives({ flags: 'SA', seq: 0, ack });
      t.sends({ flags: 'R', seq: ack, ack: 0 });
      t.state('SYN-SENT');
      t.arrives({ flags: 'SA', seq: 0, ack: 1 });
      t.state('ESTABLISHED');
    }
  });

  test('an ACK of our SYN without a SYN is dropped', () => {
    const t = Scenario.connecting();
    t.sends({ flags: 'S' });
    t.arrives({ flags: 'A', seq: 1, ack: 1 });
    t.arrives({ flags: 'FA', seq: 1, ack: 1 });
    t.sendsNothing();
    t.state('SYN-SENT');
  });

  test('text and a FIN on the SYN,ACK are processed', () => {
    const t = Scenario.connecting();
    t.sends({ flags: 'S' });
    t.arrives({ flags: 'SFPA', seq: 0, ack: 1, text: 'all of it' });
    expect(t.read()).toBe('all of it');
    t.state('CLOSE-WAIT');
    t.sends({ flags: 'A', seq: 1, ack: 11 });
    t.sendsNothing();
  });
});

describe('SYN-RECEIVED', () => {
  test('an ACK of nothing we sent earns a RST, and the entry stays', () => {
    for (const ack of [0, -7, 2, 99]) {
      const t = Scenario.synReceived();
      t.arrives({ seq: 1, ack });
      t.sends({ flags: 'R', seq: ack });
      t.state('SYN-RECEIVED');
      t.arrives({ seq: 1, ack: 1 });
      t.state('ESTABLISHED');
    }
  });

  test('the SYN again means that the SYN,ACK was lost: it goes again, with the same numbers, not without limit', () => {
    const t = Scenario.synReceived();
    t.advance(500);
    for (let i = 0; i < 100; i++) t.arrives({ flags: 'S', seq: 0 });
    expect(t.takeSent()).toMatchObject([{ flags: 'SA', seq: 0, ack: 1 }]);
    t.state('SYN-RECEIVED');
  });

  test('another SYN is no reason to forget the first (A10): a challenge ACK', () => {
    const t = Scenario.synReceived();
    t.arrives({ flags: 'S', seq: 500 });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    t.state('SYN-RECEIVED');
  });

  test('text and FIN on the ACK that completes the handshake are processed', () => {
    const t = Scenario.synReceived();
    t.arrives({ flags: 'FPA', seq: 1, ack: 1, text: 'bye' });
    t.state('CLOSE-WAIT');
    expect(t.read()).toBe('bye');
    t.sends({ flags: 'A', ack: 5 });
  });
});

describe('text queued before the connection is open', () => {
  test('goes out once it is', () => {
    const t = Scenario.connecting();
    t.sends({ flags: 'S', length: 0 });
    t.send('early');
    t.sendsNothing();
    t.arrives({ flags: 'SA', seq: 0, ack: 1 });
    t.sends({ flags: 'PA', seq: 1, ack: 1, text: 'early' });
    t.sendsNothing();
  });

  test('and a CLOSE behind it puts a FIN there', () => {
    const t = Scenario.synReceived();
    t.send('early');
    t.close();
    t.state('SYN-RECEIVED');
    t.arrives({ seq: 1, ack: 1 });
    t.state('FIN-WAIT-1');
    t.sends({ flags: 'FPA', seq: 1, text: 'early' });
  });
});

describe('a segment without a connection (3.10.7.1)', () => {
  function answer(spec: Parameters<typeof buildSegment>[0]): object | null {
    const reply = new Segment();
    const arrived = buildSegment(spec, seq(0), seq(0));
    arrived.sourcePort = 1000;
    arrived.destinationPort = 80;
    if (!replyToClosed(arrived, reply)) return null;
    expect([reply.sourcePort, reply.destinationPort]).toEqual([80, 1000]);
    const { flags, seq: number, ack, length } = describeSegment(reply, new Uint8Array(0), seq(0), seq(0));
    return { flags, seq: number, ack, length };
  }

  test('with an ACK: <SEQ=SEG.ACK><CTL=RST>', () => {
    expect(answer({ flags: 'A', seq: 7, ack: 99 })).toEqual({ flags: 'R', seq: 99, ack: 0, length: 0 });
    expect(answer({ flags: 'FPA', seq: 7, ack: 99, text: 'x' })).toEqual({ flags: 'R', seq: 99, ack: 0, length: 0 });
  });

  test('without: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>, SYN and FIN counted', () => {
    expect(answer({ flags: 'S', seq: 7 })).toEqual({ flags: 'RA', seq: 0, ack: 8, length: 0 });
    expect(answer({ flags: 'SF', seq: 7, text: 'abc' })).toEqual({ flags: 'RA', seq: 0, ack: 12, length: 0 });
    expect(answer({ flags: '', seq: 7 })).toEqual({ flags: 'RA', seq: 0, ack: 7, length: 0 });
    expect(answer({ flags: 'FPU', seq: 7 })).toEqual({ flags: 'RA', seq: 0, ack: 8, length: 0 });
  });

  test('a RST is never answered (E02)', () => {
    for (const flags of ['R', 'RA', 'RS', 'RSFPUA']) expect(answer({ flags, seq: 7, ack: 9 })).toBeNull();
  });
});

test('the handshake itself is a round-trip sample', () => {
  const t = Scenario.connecting();
  t.sends({ flags: 'S' });
  t.advance(80);
  t.arrives({ flags: 'SA', seq: 0, ack: 1 });
  expect(status(t.tcb).srttMs).toBe(80);
});
