/** USER TIMEOUT, RFC 9293 section 3.10.8: counted from the last progress, and from the call that sets it. */

import { expect, test } from 'vitest';
import { setUserTimeout } from '../../src/tcp/index.ts';
import { Scenario } from '../../src/testing/index.ts';

test('set while text is outstanding, it runs from then on', () => {
  const t = Scenario.established();
  t.send('x');
  t.advance(1000);
  t.call((tcb, now) => setUserTimeout(tcb, now, 5000));
  t.advance(4999);
  t.state('ESTABLISHED');
  t.advance(1);
  t.state('CLOSED');
  expect(t.tcb.error).toBe('ETIMEDOUT');
});

test('progress starts it anew, and with nothing outstanding it does not run', () => {
  const t = Scenario.established();
  t.call((tcb, now) => setUserTimeout(tcb, now, 5000));
  t.advance(100_000);
  t.state('ESTABLISHED');
  t.send('xy');
  t.advance(4000);
  t.arrives({ seq: 1, ack: 2 });
  t.advance(4999);
  t.state('ESTABLISHED');
  t.arrives({ seq: 1, ack: 3 });
  t.advance(100_000);
  t.state('ESTABLISHED');
});

test('switched off again, tcp_retries2 decides', () => {
  const t = Scenario.established();
  t.send('x');
  t.call((tcb, now) => setUserTimeout(tcb, now, 5000));
  t.call((tcb, now) => setUserTimeout(tcb, now, 0));
  t.advance(900_000);
  t.state('ESTABLISHED');
});
