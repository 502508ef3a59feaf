/** RFC 6675 section 5, as far as it is used: blocks start the recovery that duplicate ACKs would, were there enough. */

import { expect, test } from 'vitest';
import { Scenario } from '../../src/testing/index.ts';

const MSS = 1460;

/** Ten segments in flight, numbers 1 … 14601. */
function inFlight(): Scenario {
  const t = Scenario.established({}, { sackPermitted: true });
  t.send(10 * MSS);
  expect(t.takeSent()).toHaveLength(10);
  return t;
}

test('one ACK with more than two segments beyond the hole sends the hole again at once', () => {
  const t = inFlight();
  t.arrives({ seq: 1, ack: 1, sack: [[1 + MSS, 1 + 4 * MSS]] });
  t.sends({ seq: 1, length: MSS });
  t.sendsNothing();
});

test('an ACK that moves on and shows a hole behind it does too', () => {
  const t = inFlight();
  t.arrives({ seq: 1, ack: 1 + 2 * MSS, sack: [[1 + 3 * MSS, 1 + 10 * MSS]] });
  t.sends({ seq: 1 + 2 * MSS, length: MSS });
});

test('two segments may be reordering: nothing is sent again', () => {
  const t = inFlight();
  t.arrives({ seq: 1, ack: 1, sack: [[1 + MSS, 1 + 3 * MSS]] });
  t.sendsNothing();
});

test('a DSACK, blocks beyond what was sent, and blocks of a peer that agreed to none count for nothing', () => {
  const t = inFlight();
  t.arrives({ seq: 1, ack: 1 + 5 * MSS, sack: [[1, 1 + 5 * MSS]] });
  t.arrives({ seq: 1, ack: 1 + 5 * MSS, sack: [[1 + 11 * MSS, 1 + 20 * MSS]] });
  t.sendsNothing();
  const plain = Scenario.established();
  plain.send(10 * MSS);
  plain.takeSent();
  plain.arrives({ seq: 1, ack: 1, sack: [[1 + MSS, 1 + 9 * MSS]] });
  plain.sendsNothing();
});

test('once a recovery: the window is halved once, and a timeout is not started over by old blocks', () => {
  const t = inFlight();
  t.arrives({ seq: 1, ack: 1, sack: [[1 + MSS, 1 + 5 * MSS]] });
  t.takeSent();
  const { ssthresh } = t.tcb;
  t.arrives({ seq: 1, ack: 1, sack: [[1 + MSS, 1 + 6 * MSS]] });
  expect(t.tcb.ssthresh).toBe(ssthresh);
  const timedOut = inFlight();
  timedOut.advance(1500);
  timedOut.takeSent();
  timedOut.arrives({ seq: 1, ack: 1, sack: [[1 + MSS, 1 + 6 * MSS]] });
  timedOut.sendsNothing();
});
