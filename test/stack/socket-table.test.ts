/** The table of `ss -tin`: every kind of endpoint, and what its columns say; and the end of them all. */

import { expect, test } from 'vitest';
import { StackPair } from '../../bench/pair.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { socketTable } from '../../src/stack/socket-table.ts';
import { IpAddress } from '../../src/wire/address.ts';

function joined(): { pair: StackPair; connection: Connection; accepted: Connection[] } {
  const pair = new StackPair(1500);
  const accepted: Connection[] = [];
  pair.server.stack.listen({
    port: 80,
    backlog: 9,
    handler: { acceptable: (listener) => accepted.push(listener.accept(pair.now) as Connection) },
  });
  const connection = pair.client.stack.connect(pair.now, {
    remote: IpAddress.parse('10.0.0.2'),
    port: 80,
    localPort: 4000,
  });
  connection.handler = {};
  settle(pair);
  return { pair, connection, accepted };
}

function settle(pair: StackPair): void {
  for (let i = 0; i < 50; i++) pair.round();
}

test('listener, open connection with text unread and unacknowledged, TIME-WAIT', () => {
  const { pair, connection, accepted } = joined();
  connection.write(pair.now, new Uint8Array(5000));
  settle(pair);
  const server = socketTable(pair.server.stack);
  expect(server[0]).toMatch(/^State\s+Recv-Q\s+Send-Q\s+Local Address:Port\s+Peer Address:Port$/);
  expect(server[1]).toMatch(/^LISTEN\s+0\s+9\s+\[::\]:80\s+\[::\]:\*$/);
  expect(server[2]).toMatch(/^ESTAB\s+5000\s+0\s+10\.0\.0\.2:80\s+10\.0\.0\.1:4000$/);
  expect(server[3]).toMatch(/^\t reno ts sack wscale:10,10 rto:\d+ rtt:[\d.]+\/[\d.]+ mss:1448 cwnd:10 /);
  accepted[0].close(pair.now);
  connection.handler = { closed: () => {} };
  connection.write(pair.now, new Uint8Array(10));
  expect(socketTable(pair.client.stack)[1]).toMatch(/^ESTAB\s+0\s+10\s/);
  settle(pair);
  // Text unread at close: a RST (SHLD-3), so nobody is left but the listener.
  expect(socketTable(pair.server.stack)).toHaveLength(2);
  const again = joined();
  again.connection.shutdown(again.pair.now);
  again.accepted[0].handler = { peerClosed: (c) => c.shutdown(again.pair.now) };
  again.accepted[0].shutdown(again.pair.now);
  for (let i = 0; i < 50 && again.connection.state !== 'TIME-WAIT'; i++) again.pair.round();
  // Once more: the last ACK leaves, and only what TIME-WAIT needs is kept.
  again.pair.round();
  const states = socketTable(again.pair.client.stack).slice(1);
  expect(states.join('\n')).toMatch(/^TIME-WAIT\s+0\s+0\s+10\.0\.0\.1:4000\s+10\.0\.0\.2:80$/);
});

test('abortAll resets every connection and leaves the listeners', () => {
  const { pair, connection, accepted } = joined();
  let error: string | null = null;
  connection.handler = {
    closed: (_connection, reason) => {
      error = reason;
    },
  };
  expect(accepted).toHaveLength(1);
  pair.server.stack.abortAll(pair.now);
  settle(pair);
  expect(error).toBe('ECONNRESET');
  expect(pair.server.stack.endpoints().map((endpoint) => endpoint.localPort)).toEqual([80]);
  expect(pair.client.stack.endpoints()).toEqual([]);
});
