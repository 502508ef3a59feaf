/**
 * One stream between two stacks in one process, beside node:net over the kernel's loopback in the same run.
 *
 *   npm run bench:transfer -- [--bytes 2e9] [--mtu 1500]
 *
 * Prints both speeds, their ratio, and what memory did: a long transfer must not grow it.
 */

import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';
import type { Connection } from '../src/stack/connection.ts';
import { memoryInUse, SERVER, StackPair } from './pair.ts';

const { values } = parseArgs({
  options: { bytes: { type: 'string', default: '2e9' }, mtu: { type: 'string', default: '1500' } },
});
const total = Number(values.bytes);
const mtu = Number(values.mtu);
const CHUNK = new Uint8Array(65_536);
const SAMPLES = 10;

interface Outcome {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function overOurs(): Outcome & { readonly memory: number[]; readonly frames: number } {
  const pair = new StackPair(mtu);
  let received = 0;
  pair.server.stack.listen({
    port: 80,
    handler: {
      acceptable: (listener) => {
        const accepted = listener.accept(pair.now) as Connection;
        accepted.handler = {
          readable: (connection) => {
            for (let part = connection.read(pair.now); part !== null; part = connection.read(pair.now)) {
              received += part.length;
            }
          },
        };
      },
    },
  });
  const client = pair.client.stack.connect(pair.now, { remote: SERVER, port: 80 });
  let sent = 0;
  const fill = (): void => {
    while (sent < total) {
      sent += CHUNK.length;
      if (!client.write(pair.now, CHUNK)) return;
    }
  };
  client.handler = { opened: fill, writable: fill };
  const memory: number[] = [];
  const start = performance.now();
  const cpu = process.cpuUsage();
  while (received < total) {
    if (received >= (memory.length * total) / SAMPLES) memory.push(memoryInUse());
    if (!pair.round()) throw new Error(`the transfer stopped at ${received} of ${total} bytes`);
  }
  memory.push(memoryInUse());
  return { ...since(start, cpu), memory, frames: pair.frames };
}

async function overLoopback(): Promise<Outcome> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const start = performance.now();
  const cpu = process.cpuUsage();
  await new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received >= total) resolve();
      });
    });
    const client = connect(port, '127.0.0.1');
    let sent = 0;
    const fill = (): void => {
      while (sent < total) {
        sent += CHUNK.length;
        if (!client.write(CHUNK)) return;
      }
      client.end();
    };
    client.on('connect', fill);
    client.on('drain', fill);
  });
  server.close();
  return since(start, cpu);
}

function since(start: number, before: NodeJS.CpuUsage): Outcome {
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const ours = overOurs();
const theirs = await overLoopback();
const speed = (outcome: Outcome): string =>
  `${(total / outcome.seconds / 1e6).toFixed(0).padStart(6)} MB/s  ${(total / outcome.cpuSeconds / 1e6).toFixed(0).padStart(6)} MB per CPU second`;
const megabytes = ours.memory.map((bytes) => (bytes / 1e6).toFixed(1));
console.log(`${(total / 1e9).toFixed(1)} GB one way, MTU ${mtu}, both ends in this process`);
console.log(`two stacks of ours   ${speed(ours)}  ${((ours.seconds * 1e9) / ours.frames).toFixed(0)} ns a frame`);
console.log(`node:net, loopback   ${speed(theirs)}`);
console.log(
  `ratio, CPU           ${(theirs.cpuSeconds / ours.cpuSeconds).toFixed(2)} × node:net's bytes per CPU second`,
);
console.log(`memory in use, MB    ${megabytes.join(' ')}`);
