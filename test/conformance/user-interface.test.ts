/** RFC 9293 section 3.9.1 and 3.10.1 to 3.10.6: the calls, in every state; and what the application is told. */

import { describe, expect, test } from 'vitest';
import { EstabError } from '../../src/base/errors.ts';
import {
  abort,
  close,
  DEFAULT_TCP_CONFIG,
  icmpUnreachable,
  openActive,
  openPassive,
  receive,
  type StateName,
  send,
  status,
  Tcb,
} from '../../src/tcp/index.ts';
import { ISS, Scenario } from '../../src/testing/index.ts';
import { playTo, STATES } from './states.ts';

/** A connection in each state. */
function inState(name: StateName): Scenario {
  const t = new Scenario();
  playTo(name, t, { iss: ISS });
  return t;
}

/** What a call does in each state: 'ok' or an error's code. */
function outcomes(call: (tcb: Tcb) => void): Record<string, string> {
  return Object.fromEntries(
    STATES.map((name) => {
      const t = inState(name);
      expect(status(t.tcb).state).toBe(name);
      try {
        call(t.tcb);
        return [name, 'ok'];
      } catch (error) {
        if (!(error instanceof EstabError)) throw error;
        expect(error.message.length).toBeGreaterThan(10);
        return [name, error.code];
      }
    }),
  );
}

const all = (value: string): Record<string, string> => Object.fromEntries(STATES.map((state) => [state, value]));

describe('calls, by state', () => {
  test('OPEN: a connection that exists cannot be opened again; LISTEN may turn active', () => {
    expect(outcomes((tcb) => openActive(tcb, 0, ISS, 0))).toEqual({ ...all('EISCONN'), CLOSED: 'ok', LISTEN: 'ok' });
    expect(outcomes((tcb) => openPassive(tcb, ISS, 0))).toEqual({ ...all('EISCONN'), CLOSED: 'ok' });
    const t = Scenario.listening();
    t.call((tcb, now) => openActive(tcb, now, ISS, 0));
    t.sends({ flags: 'S', seq: 0 });
    t.state('SYN-SENT');
  });

  test('SEND: not without a connection, not after CLOSE', () => {
    expect(outcomes((tcb) => send(tcb, 0, new Uint8Array(1)))).toEqual({
      ...all('EPIPE'),
      CLOSED: 'ENOTCONN',
      LISTEN: 'ENOTCONN',
      'SYN-SENT': 'ok',
      'SYN-RECEIVED': 'ok',
      ESTABLISHED: 'ok',
      'CLOSE-WAIT': 'ok',
    });
  });

  test('RECEIVE: what there is, in every state of a connection that was opened', () => {
    expect(outcomes((tcb) => receive(tcb, 0))).toEqual({ ...all('ok'), CLOSED: 'ENOTCONN', LISTEN: 'ENOTCONN' });
  });

  test('CLOSE: an error only where there is nothing; twice is ok (3.10.4 allows it)', () => {
    expect(outcomes((tcb) => close(tcb, 0))).toEqual({ ...all('ok'), CLOSED: 'ENOTCONN' });
  });

  test('ABORT: always possible', () => {
    expect(outcomes((tcb) => abort(tcb, 0))).toEqual(all('ok'));
  });

  test('STATUS: the state by its name, and numbers without a sign', () => {
    const t = Scenario.established();
    t.send('x');
    expect(status(t.tcb)).toMatchObject({ state: 'ESTABLISHED', iss: 0x7ffffff0, irs: 2 ** 32 - 16, inFlight: 1 });
    const fresh = new Tcb(DEFAULT_TCP_CONFIG, 4, 1500);
    expect(status(fresh)).toMatchObject({ state: 'CLOSED', srttMs: null });
  });
});

describe('back-pressure', () => {
  test('SEND says when enough is queued, and WRITABLE when there is room again', () => {
    const t = Scenario.established();
    expect(t.send(10_000)).toBe(true);
    expect(t.send(50_000)).toBe(false);
    t.takeEvents();
    for (let acked = 1; acked < 60_001; ) {
      for (const { seq, length } of t.takeSent()) acked = Math.max(acked, seq + length);
      t.arrives({ seq: 1, ack: acked });
    }
    expect(t.takeEvents()).toEqual(['WRITABLE']);
    expect(t.takeEvents()).toEqual([]);
  });

  test('the CLOSE is acknowledged when everything sent has been: FLUSHED', () => {
    const t = Scenario.established();
    t.send('last words');
    t.close();
    t.takeSent();
    t.arrives({ seq: 1, ack: 11 });
    expect(t.takeEvents()).not.toContain('FLUSHED');
    t.arrives({ seq: 1, ack: 12 });
    expect(t.takeEvents()).toContain('FLUSHED');
  });
});

describe('asynchronous reports (3.9.1.8) of what ICMP says', () => {
  const unreachable = (t: Scenario, hard: boolean): boolean =>
    icmpUnreachable(t.tcb, t.tcb.sndUna, hard ? 'ECONNREFUSED' : 'EHOSTUNREACH', hard);

  /** Text is outstanding. */
  function waiting(): Scenario {
    const t = Scenario.established();
    t.send('x');
    t.takeSent();
    return t;
  }

  test('[MUST-47] [SHLD-25] a soft error is reported and kept for the application to look at', () => {
    const t = waiting();
    expect(unreachable(t, false)).toBe(true);
    expect(t.takeEvents()).toEqual(['SOFT_ERROR']);
    expect(status(t.tcb).softError).toBe('EHOSTUNREACH');
  });

  test('[SHLD-20] an application may switch the reports off', () => {
    const t = waiting();
    t.tcb.reportSoftErrors = false;
    unreachable(t, false);
    expect(t.takeEvents()).toEqual([]);
    expect(status(t.tcb).softError).toBe('EHOSTUNREACH');
  });

  test('[MUST-56] soft errors abort nothing: not an open in progress, not an open connection, however many come', () => {
    for (const make of [() => Scenario.connecting(), () => Scenario.synReceived(), waiting]) {
      const t = make();
      const { state } = status(t.tcb);
      for (let i = 0; i < 1000; i++) unreachable(t, false);
      expect(status(t.tcb).state).toBe(state);
    }
    // The retransmissions go on, and succeed.
    const t = waiting();
    unreachable(t, false);
    t.advance(200);
    t.sends({ seq: 1, text: 'x' });
    t.arrives({ seq: 1, ack: 2 });
    t.state('ESTABLISHED');
  });

  test('the last soft error is why a connection that timed out did so', () => {
    const t = waiting();
    unreachable(t, false);
    t.advance(2_000_000);
    expect(t.tcb.error).toBe('EHOSTUNREACH');
  });

  test('[SHLD-26] a hard error ends a connection that is being opened', () => {
    const t = Scenario.connecting();
    t.takeSent();
    unreachable(t, true);
    t.state('CLOSED');
    expect(t.tcb.error).toBe('ECONNREFUSED');
    expect(t.takeEvents()).toEqual(['CLOSED']);
    t.sendsNothing();
  });

  test('B11: and counts as a soft one once it is open (RFC 5927 section 5, RFC 5461)', () => {
    const t = waiting();
    unreachable(t, true);
    t.state('ESTABLISHED');
    expect(t.takeEvents()).toEqual(['SOFT_ERROR']);
  });

  test('B12: an error about a number that is not outstanding is not believed', () => {
    const t = waiting();
    for (const quoted of [t.tcb.iss, t.tcb.sndNxt, t.tcb.rcvNxt]) {
      expect(icmpUnreachable(t.tcb, quoted, 'ECONNREFUSED', true)).toBe(false);
    }
    expect(t.takeEvents()).toEqual([]);
    const opening = Scenario.connecting();
    expect(icmpUnreachable(opening.tcb, opening.tcb.sndNxt, 'ECONNREFUSED', true)).toBe(false);
    opening.state('SYN-SENT');
  });
});
