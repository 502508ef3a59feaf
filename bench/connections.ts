/**
 * Many connections: how fast they open and close, and what an idle one costs.
 *
 *   npm run bench:connections -- [--count 100000]
 *
 * Both ends live in one process, so the memory of a pair is divided by two.
 */

import { parseArgs } from 'node:util';
import type { Connection } from '../src/stack/connection.ts';
import { IpAddress } from '../src/wire/address.ts';
import { memoryInUse, SERVER, StackPair } from './pair.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' } } });
const count = Number(values.count);
/** Each address of the client has ephemeral ports of its own towards the server. */
const PORTS_AN_ADDRESS = 25_000;
const AT_ONCE = 200;

const addresses = Array.from({ length: Math.ceil(count / PORTS_AN_ADDRESS) }, (_, i) => `10.1.0.${i + 1}`);
const pair = new StackPair(
  1500,
  addresses.map((address) => `${address}/8`),
);
const accepted: Connection[] = [];
const opened: Connection[] = [];
pair.server.stack.listen({
  port: 80,
  backlog: 4096,
  handler: {
    acceptable: (listener) => {
      for (let next = listener.accept(pair.now); next !== null; next = listener.accept(pair.now)) {
        next.handler = { peerClosed: (connection) => connection.close(pair.now) };
        accepted.push(next);
      }
    },
  },
});

const before = memoryInUse();
let start = performance.now();
let open = 0;
const locals = addresses.map((address) => IpAddress.parse(address));
while (open < count) {
  for (let i = 0; i < AT_ONCE && opened.length < count; i++) {
    const local = locals[Math.floor(opened.length / PORTS_AN_ADDRESS)];
    const connection = pair.client.stack.connect(pair.now, { remote: SERVER, port: 80, local });
    connection.handler = {
      opened: () => {
        open++;
      },
      closed: (_connection, error) => {
        if (error !== null) throw new Error(`a connection failed: ${error}`);
        closed++;
      },
    };
    opened.push(connection);
  }
  const target = opened.length;
  while (open < target && pair.round()) {
    // until all of this batch are open
  }
}
let closed = 0;
const openSeconds = (performance.now() - start) / 1000;
const perEnd = (memoryInUse() - before) / count / 2;
start = performance.now();
for (const connection of opened) connection.shutdown(pair.now);
while ((closed < count || pair.server.stack.usage.endpoints > 1) && pair.round()) {
  // until all are closed, the last ACKs too
}
const closeSeconds = (performance.now() - start) / 1000;
console.log(`${count} connections, both ends in this process`);
console.log(
  `open    ${(count / openSeconds).toFixed(0)} a second (${((openSeconds / count) * 1e6).toFixed(1)} µs each, both ends)`,
);
console.log(`idle    ${perEnd.toFixed(0)} bytes an end, the application's own objects included`);
console.log(`close   ${(count / closeSeconds).toFixed(0)} a second; ${pair.client.stack.usage.timeWait} in TIME-WAIT`);
opened.length = 0;
accepted.length = 0;
console.log(`TIME-WAIT  ${((memoryInUse() - before) / count).toFixed(0)} bytes each`);
