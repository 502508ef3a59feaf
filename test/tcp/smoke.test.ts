import { expect, test } from 'vitest';
import { Scenario } from '../../src/testing/index.ts';

test('passive open, text both ways, passive close', () => {
  const t = Scenario.established();
  t.arrives({ flags: 'PA', seq: 1, ack: 1, text: 'hello' });
  expect(t.takeEvents()).toEqual(['READABLE']);
  expect(t.read()).toBe('hello');
  t.send('world');
  t.sends({ flags: 'PA', seq: 1, ack: 6, text: 'world' });
  t.arrives({ flags: 'FA', seq: 6, ack: 6 });
  t.sends({ flags: 'A', seq: 6, ack: 7 });
  t.state('CLOSE-WAIT');
  t.close();
  t.sends({ flags: 'FA', seq: 6, ack: 7 });
  t.state('LAST-ACK');
  t.arrives({ flags: 'A', seq: 7, ack: 7 });
  t.state('CLOSED');
  t.sendsNothing();
});

test('active open and close', () => {
  const t = Scenario.connected();
  t.send(10000);
  for (let i = 0; i < 6; i++) t.sends({ flags: 'A', seq: 1 + 1460 * i, length: 1460 });
  t.sendsNothing();
  t.arrives({ seq: 1, ack: 8761 });
  t.sends({ flags: 'PA', length: 1240 });
  t.close();
  t.sends({ flags: 'FA' });
  t.state('FIN-WAIT-1');
  t.arrives({ seq: 1, ack: 10002 });
  t.state('FIN-WAIT-2');
  t.arrives({ flags: 'FA', seq: 1, ack: 10002 });
  t.sends({ flags: 'A', ack: 2 });
  t.state('TIME-WAIT');
  t.advance(60_000);
  t.state('CLOSED');
});
