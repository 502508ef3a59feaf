/**
 * A transfer of 4 MiB in which one segment is swapped with the next, lost or doubled, for each segment in turn: what
 * the other stacks of the JavaScript world fall over. Sequence numbers wrap on the way.
 */

import { describe, expect, test } from 'vitest';
import { seq } from '../../src/base/seq.ts';
import { SimHost } from '../../src/sim/sim-host.ts';
import { octetAt } from '../../src/sim/talker.ts';
import { type Verdict, Wire } from '../../src/sim/wire.ts';
import { World } from '../../src/sim/world.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { IpAddress } from '../../src/wire/address.ts';

const SIZE = 4 * 1024 * 1024;
const STREAM = Uint8Array.from({ length: SIZE }, (_, i) => octetAt(7, i));
/** Long enough for a retransmission timeout or two, far too short for a stall. */
const LIMIT_MS = 20_000;

interface Result {
  readonly received: number;
  readonly wrong: number;
  /** Frames in the direction of the text, and against it. */
  readonly frames: readonly [number, number];
  readonly error: string | null;
}

/** Sends STREAM; `fault` befalls the `index`-th frame of a direction. `iss` is where its numbers begin. */
function transfer(mtu: number, direction: 'a->b' | 'b->a', index: number, fault: Verdict, iss?: number): Result {
  const world = new World(5);
  const frames = { 'a->b': 0, 'b->a': 0 };
  const wire = new Wire(world, {
    delayMs: 5,
    verdict: (i, _frame, way) => {
      frames[way] = i + 1;
      return way === direction && i === index ? fault : 'pass';
    },
  });
  const host = (name: string, end: 'a' | 'b', address: string): SimHost => {
    const simulated = new SimHost(world, name);
    simulated.attach(wire, end, { name: 'wire', mtu, medium: 'ip', addresses: [address] });
    return simulated;
  };
  const client = host('client', 'a', '10.0.0.1/24');
  const server = host('server', 'b', '10.0.0.2/24');
  let received = 0;
  let wrong = 0;
  let error: string | null = null;
  let over = false;
  server.stack.listen({
    port: 80,
    handler: {
      acceptable: (listener) => {
        (listener.accept(world.now) as Connection).handler = {
          readable: (connection) => {
            for (let part = connection.read(world.now); part !== null; part = connection.read(world.now)) {
              if (Buffer.compare(part, STREAM.subarray(received, received + part.length)) !== 0) wrong++;
              received += part.length;
            }
          },
          peerClosed: (connection) => connection.shutdown(world.now),
        };
      },
    },
  });
  const connection = client.stack.connect(world.now, { remote: IpAddress.parse('10.0.0.2'), port: 80 });
  if (iss !== undefined) renumber(connection, iss);
  let sent = 0;
  const fill = (): void => {
    while (sent < SIZE) {
      const piece = STREAM.subarray(sent, sent + 65_536);
      sent += piece.length;
      if (!connection.write(world.now, piece)) return;
    }
    connection.shutdown(world.now);
  };
  connection.handler = {
    opened: fill,
    writable: fill,
    closed: (_connection, reason) => {
      error = reason;
      over = true;
    },
  };
  world.runUntil(() => over, LIMIT_MS);
  if (!over) error = `stalled in ${connection.state}`;
  return { received, wrong, frames: [frames['a->b'], frames['b->a']], error };
}

/** Gives a connection whose SYN has not left yet another ISS: where its numbers wrap is then the test's choice. */
function renumber(connection: Connection, iss: number): void {
  const { tcb } = connection;
  tcb.iss = seq(iss);
  tcb.sndUna = seq(iss);
  tcb.sndNxt = seq(iss + 1);
  tcb.sndUp = seq(iss);
  tcb.sndText = seq(iss + 1);
  tcb.recover = seq(iss);
  tcb.rtxNext = seq(iss);
  tcb.rtxEnd = seq(iss);
  tcb.ecnReducedUpTo = seq(iss);
  tcb.rttSeq = seq(iss + 1);
}

const FAULTS: ReadonlyArray<readonly [name: string, fault: Verdict]> = [
  ['lost', 'drop'],
  ['doubled', 'duplicate'],
  // Held back past the next frames: swapped with what follows.
  ['swapped', { delay: 0.4 }],
];

const whole = { received: SIZE, wrong: 0, error: null };

describe('4 MiB with one segment', () => {
  for (const [name, fault] of FAULTS) {
    test(`${name}, each in turn, MTU 9000`, () => {
      const [forward, backward] = transfer(9000, 'a->b', -1, 'pass').frames;
      expect(forward).toBeGreaterThan(460);
      for (let i = 0; i < forward; i++) expect(transfer(9000, 'a->b', i, fault), `frame ${i}`).toMatchObject(whole);
      for (let i = 0; i < backward; i++) expect(transfer(9000, 'b->a', i, fault), `ACK ${i}`).toMatchObject(whole);
    });

    test(`${name}, every 97th, MTU 1500`, () => {
      const [forward] = transfer(1500, 'a->b', -1, 'pass').frames;
      expect(forward).toBeGreaterThan(2870);
      for (let i = 0; i < forward; i += 97) expect(transfer(1500, 'a->b', i, fault), `frame ${i}`).toMatchObject(whole);
    });
  }

  test('and the sequence number wraps in the middle, at 2^32 and at 2^31', () => {
    for (const iss of [-SIZE / 2, 0x7fff_ffff - SIZE / 2, -16, 0x7fff_fff0]) {
      for (const fault of ['pass', 'drop', 'duplicate'] as const) {
        expect(transfer(1500, 'a->b', 1500, fault, iss), `ISS ${iss}`).toMatchObject(whole);
      }
    }
  });
});
