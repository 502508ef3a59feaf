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
  const server = socketTable(pair.server.stack.connections());
  expect(server[0]).toMatch(/^State\s+Recv-Q\s+Send-Q\s+Local Address:Port\s+Peer Address:Port$/);
  expect(server[1]).toMatch(/^LISTEN\s+0\s+9\s+\[::\]:80\s+\[::\]:\*$/);
  expect(server[2]).toMatch(/^ESTAB\s+5000\s+0\s+10\.0\.0\.2:80\s+10\.0\.0\.1:4000$/);
  expect(server[3]).toMatch(
    /^\t ts sack reno wscale:10,10 rto:\d+ rtt:[\d.]+\/[\d.]+ mss:1448 pmtu:1500 advmss:1460 cwnd:10 bytes_received:5000 /,
  );
  accepted[0].close(pair.now);
  connection.handler = { closed: () => {} };
  connection.write(pair.now, new Uint8Array(10));
  expect(socketTable(pair.client.stack.connections())[1]).toMatch(/^ESTAB\s+0\s+10\s/);
  settle(pair);
  // Text unread at close: a RST (SHLD-3), so nobody is left but the listener.
  expect(socketTable(pair.server.stack.connections())).toHaveLength(2);
  const again = joined();
  again.connection.shutdown(again.pair.now);
  again.accepted[0].handler = { peerClosed: (c) => c.shutdown(again.pair.now) };
  again.accepted[0].shutdown(again.pair.now);
  for (let i = 0; i < 50 && again.connection.state !== 'TIME-WAIT'; i++) again.pair.round();
  // Once more: the last ACK leaves, and only what TIME-WAIT needs is kept.
  again.pair.round();
  const states = socketTable(again.pair.client.stack.connections()).slice(1);
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

/** What iproute2's ss (6.1) can say of a connection, flags and names; from its manual and its own output. */
const SS_WORDS = new Set(
  (
    'ts sack ecn ecnseen fastopen reno cubic bbr wscale rto backoff rtt ato qack bidir mss pmtu rcvmss advmss cwnd ' +
    'ssthresh bytes_sent bytes_retrans bytes_acked bytes_received segs_out segs_in data_segs_out data_segs_in send ' +
    'lastsnd lastrcv lastack pacing_rate delivery_rate delivered app_limited busy unacked retrans lost sacked ' +
    'dsack_dups fackets reordering reord_seen rcv_rtt rcv_space rcv_ssthresh notsent minrtt rcv_ooopack snd_wnd rcv_wnd'
  ).split(' '),
);

test('the details are words of ss, and their numbers those of the conversation', () => {
  const { pair, connection, accepted } = joined();
  connection.write(pair.now, new Uint8Array(5000));
  settle(pair);
  accepted[0].read(pair.now);
  accepted[0].write(pair.now, new Uint8Array(300));
  settle(pair);
  const [row] = pair.client.stack.connections(pair.now + 250);
  const words = row.details.split(/ (?!\d+bps)/).map((word) => word.split(/[: ]/)[0]);
  expect(words.filter((word) => !SS_WORDS.has(word))).toEqual([]);
  const said = (name: string): number => Number(new RegExp(`(?:^| )${name}[: ](\\d+)`).exec(row.details)?.[1]);
  expect(['bytes_sent', 'bytes_acked', 'bytes_received', 'data_segs_out', 'data_segs_in'].map(said)).toEqual([
    ...[5000, 5000, 300, 4, 1],
  ]);
  // The SYN, the ACK of the SYN,ACK, the text; what came: the SYN,ACK, ACKs, text.
  expect(said('segs_out')).toBeGreaterThanOrEqual(6);
  expect(said('segs_in')).toBeGreaterThanOrEqual(3);
  expect(said('lastsnd')).toBeGreaterThanOrEqual(250);
  expect(row.tcp).toMatchObject({ bytesAcked: 5000, bytesReceived: 300, bytesRetransmitted: 0, retransmits: 0 });
  expect(row).toMatchObject({ state: 'ESTAB', recvQ: 300, sendQ: 0, local: '10.0.0.1:4000', peer: '10.0.0.2:80' });
});
