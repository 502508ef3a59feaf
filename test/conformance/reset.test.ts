/** RFC 9293 section 3.5.2, 3.5.3 and RFC 5961: resets, and what an attacker who cannot see the path may not do. */

import { describe, expect, test } from 'vitest';
import { status } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

describe('RFC 5961: blind attacks on an open connection', () => {
  test('B01: a RST outside the window is dropped without an answer', () => {
    const t = Scenario.established();
    for (const seq of [0, -1, 65_536, 1_000_000, -1_000_000_000]) t.arrives({ flags: 'R', seq });
    t.sendsNothing();
    t.state('ESTABLISHED');
  });

  test('B02: a RST in the window that is not exact is challenged, then throttled', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'R', seq: 2 });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    for (let seq = 3; seq < 100; seq++) t.arrives({ flags: 'R', seq });
    t.sendsNothing();
    t.state('ESTABLISHED');
    t.advance(500);
    t.arrives({ flags: 'R', seq: 65_535 });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
  });

  test('B03: a RST at RCV.NXT ends the connection', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'R', seq: 1 });
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ECONNRESET');
    expect(t.takeEvents()).toEqual(['CLOSED']);
    t.sendsNothing();
  });

  test('B04: a SYN, whatever its number, is challenged; a peer that did restart answers the challenge with a RST', () => {
    for (const seq of [0, 1, 500, 100_000, -100_000]) {
      const t = Scenario.established();
      t.arrives({ flags: 'S', seq });
      t.sends({ flags: 'A', seq: 1, ack: 1 });
      t.state('ESTABLISHED');
      t.arrives({ flags: 'R', seq: 1 });
      t.state('CLOSED');
    }
  });

  test('[MAY-12] B05: text whose ACK is older than the largest window, or ahead of all we sent, is not taken', () => {
    const t = Scenario.established({}, { window: 1000 });
    t.send(500);
    t.takeSent();
    t.arrives({ seq: 1, ack: 501, window: 1000 });
    for (const ack of [-500, -100_000, 502, 100_000, 2_000_000_000]) {
      t.advance(1000);
      t.arrives({ flags: 'PA', seq: 1, ack, text: 'EVIL', window: 1000 });
      t.sends({ flags: 'A', seq: 501, ack: 1 });
    }
    expect(t.read()).toBe('');
    // SND.UNA - MAX.SND.WND is the oldest that counts.
    t.arrives({ flags: 'PA', seq: 1, ack: -499, text: 'fine', window: 1000 });
    expect(t.read()).toBe('fine');
  });

  test('B06: an ACK of what was never sent moves nothing', () => {
    const t = Scenario.established();
    t.send(1460);
    t.takeSent();
    const before = status(t.tcb);
    t.arrives({ seq: 1, ack: 1462 });
    t.sends({ flags: 'A', seq: 1461, ack: 1 });
    // Nothing but the counts of segments.
    const { segsIn, segsOut } = before;
    expect(status(t.tcb)).toEqual({ ...before, segsIn: segsIn + 1, segsOut: segsOut + 1 });
  });

  test('B07: a hundred thousand forged segments in a second draw two challenge ACKs', () => {
    const t = Scenario.established();
    let sent = 0;
    for (let i = 0; i < 100_000; i++) {
      t.now = i / 100;
      if (i % 3 === 0) t.arrives({ flags: 'R', seq: 2 + (i % 60_000) });
      else if (i % 3 === 1) t.arrives({ flags: 'S', seq: i * 40_000 });
      else t.arrives({ flags: 'A', seq: 1, ack: 5000 + i });
      sent += t.takeSent().length;
    }
    expect(sent).toBe(2);
    t.state('ESTABLISHED');
  });

  test('B08: in SYN-SENT a RST without the right ACK is ignored', () => {
    const t = Scenario.connecting();
    t.sends({ flags: 'S' });
    t.arrives({ flags: 'R', seq: 0 });
    for (const ack of [0, 2, 500, -3]) t.arrives({ flags: 'RA', seq: 0, ack });
    t.sendsNothing();
    t.state('SYN-SENT');
  });

  test('B09: in SYN-SENT a RST that acknowledges our SYN means refused', () => {
    const t = Scenario.connecting();
    t.arrives({ flags: 'RA', seq: 0, ack: 1 });
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ECONNREFUSED');
  });

  test('B10: RSTs one window apart around the whole number space draw one challenge, and reset nothing', () => {
    const t = Scenario.established();
    const window = status(t.tcb).rcvWnd;
    for (let seq = 2; seq < 2 ** 32; seq += window) t.arrives({ flags: 'R', seq: seq | 0 });
    expect(t.takeSent().length).toBe(1);
    t.state('ESTABLISHED');
  });
});

describe('what a RST does in each state', () => {
  test('[SHLD-2] text on a RST does not keep it from being one, and is not delivered', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'RA', seq: 1, ack: 1, text: 'too many connections' });
    t.state('CLOSED');
    expect(t.read()).toBe('');
    t.sendsNothing();
    const refused = Scenario.connecting();
    refused.arrives({ flags: 'RA', seq: 0, ack: 1, text: 'no such service' });
    expect(refused.tcb.error).toBe('ECONNREFUSED');
  });

  test('[MUST-12] the application can tell a normal close from a reset', () => {
    const normal = Scenario.established();
    normal.arrives({ flags: 'FA', seq: 1, ack: 1 });
    expect(normal.takeEvents()).toEqual(['PEER_CLOSED']);
    normal.close();
    normal.arrives({ seq: 2, ack: 2 });
    normal.state('CLOSED');
    expect(normal.tcb.error).toBeNull();
    const aborted = Scenario.established();
    aborted.arrives({ flags: 'R', seq: 1 });
    expect(aborted.takeEvents()).toEqual(['CLOSED']);
    expect(aborted.tcb.error).toBe('ECONNRESET');
    // Also after the peer's FIN, and after our own.
    const later = Scenario.established();
    later.arrives({ flags: 'FA', seq: 1, ack: 1 });
    later.arrives({ flags: 'R', seq: 2 });
    expect(later.tcb.error).toBe('ECONNRESET');
    const closing = Scenario.established();
    closing.close();
    closing.arrives({ flags: 'R', seq: 1 });
    expect(closing.tcb.error).toBe('ECONNRESET');
  });

  test('text that arrived before the RST can still be read', () => {
    const t = Scenario.established();
    t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'complete' });
    t.arrives({ flags: 'R', seq: 9 });
    t.state('CLOSED');
    expect(t.read()).toBe('complete');
  });
});

describe('RSTs that we send', () => {
  test('ABORT: <SEQ=SND.NXT>, after which nothing more', () => {
    const t = Scenario.established();
    t.send(4 * 1460);
    t.takeSent();
    t.abort();
    t.sends({ flags: 'RA', seq: 5841, ack: 1 });
    t.state('CLOSED');
    t.advance(1_000_000);
    t.sendsNothing();
    expect(t.takeEvents()).toEqual(['CLOSED']);
  });

  test('ABORT in SYN-SENT and LISTEN sends nothing', () => {
    const connecting = Scenario.connecting();
    connecting.sends({ flags: 'S' });
    connecting.abort();
    connecting.sendsNothing();
    connecting.state('CLOSED');
    const listening = Scenario.listening();
    listening.abort();
    listening.sendsNothing();
    listening.state('CLOSED');
  });

  test('E02: nothing that carries a RST is ever answered by a RST, in any state', () => {
    const stories = [
      Scenario.listening(),
      Scenario.connecting(),
      Scenario.synReceived(),
      Scenario.established(),
      Scenario.connected(),
    ];
    for (const t of stories) {
      t.takeSent();
      for (const flags of ['R', 'RA', 'RS', 'RSA', 'RF', 'RFA', 'RSFPUA']) {
        for (const seq of [70_000, 2, 0, 1]) t.arrives({ flags, seq, ack: 40 });
      }
      for (const segment of t.takeSent()) expect(segment.flags).not.toContain('R');
    }
  });

  test('RFC 7323 3.2: an aborting RST carries timestamps where they are in use', () => {
    const t = Scenario.established({}, { timestamps: [7, 0] });
    t.abort();
    expect(t.sends({ flags: 'RA' }).timestamps[1]).toBe(8);
  });
});
