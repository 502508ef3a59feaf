/**
 * An application for simulations: sends octets that anyone can predict, checks every octet it receives, reads fast or
 * slowly, ends politely or not. What it notices is a sentence for the report, never an exception in the middle of a run.
 */

import { type RandomSource, randomBelow, randomUnit } from '../base/random.ts';
import type { Connection, ConnectionHandler } from '../stack/connection.ts';
import type { World } from './world.ts';

/** How one end of a conversation behaves. */
export interface TalkerPlan {
  /** Octets it sends in all. */
  readonly size: number;
  /** Largest single write. */
  readonly writeMax: number;
  /** Reads at once (0), or some time within so many milliseconds after text arrived, at most `readMax` octets. */
  readonly readDelayMs: number;
  readonly readMax: number;
  /** FIN when all is written; FIN only after the peer's; or a RST in the middle of it. */
  readonly ending: 'close' | 'after-peer' | 'abort';
  /** For `abort`: milliseconds after the opening. */
  readonly abortAfterMs: number;
}

/** A plan drawn from `random`; most are polite, and every second one is small. */
export function talkerPlan(random: RandomSource, mayWaitForPeer: boolean, largest: number): TalkerPlan {
  const small = randomUnit(random) < 0.5;
  const slow = randomUnit(random) < 0.25;
  const roll = randomUnit(random);
  return {
    size: randomBelow(random, (small ? 4000 : largest) + 1),
    writeMax: 1 + randomBelow(random, randomUnit(random) < 0.3 ? 20 : 30_000),
    readDelayMs: slow ? 1 + randomBelow(random, 300) : 0,
    readMax: slow ? 1 + randomBelow(random, 5000) : Number.MAX_SAFE_INTEGER,
    ending: roll < 0.1 ? 'abort' : roll < 0.4 && mayWaitForPeer ? 'after-peer' : 'close',
    abortAfterMs: randomBelow(random, 4000),
  };
}

/** Octet `index` of stream `stream`: different in every place, so that a shifted or foreign octet shows. */
export function octetAt(stream: number, index: number): number {
  return Math.imul((index + 1) ^ Math.imul(stream + 1, 0x85ebca6b), 0x9e3779b1) >>> 24;
}

export class Talker implements ConnectionHandler {
  readonly plan: TalkerPlan;
  /** Octets received and found right. */
  received = 0;
  written = 0;
  opened_ = false;
  peerDone = false;
  done = false;
  error: string | null = null;
  /** The first thing that was wrong, in words. */
  complaint: string | null = null;
  private readonly world: World;
  private readonly random: RandomSource;
  private readonly ownStream: number;
  private readonly peerStream: number;
  private finished = false;
  private readScheduled = false;

  /** @param ownStream number of the octet stream it sends; `peerStream` of the one it expects. */
  constructor(world: World, random: RandomSource, plan: TalkerPlan, ownStream: number, peerStream: number) {
    this.world = world;
    this.random = random;
    this.plan = plan;
    this.ownStream = ownStream;
    this.peerStream = peerStream;
  }

  /** Takes over a connection; an accepted one is open already. */
  adopt(connection: Connection, open: boolean): void {
    connection.handler = this;
    if (open) this.opened(connection);
  }

  opened(connection: Connection): void {
    this.opened_ = true;
    if (this.plan.ending === 'abort') this.world.after(this.plan.abortAfterMs, () => connection.abort(this.world.now));
    this.write(connection);
  }

  readable(connection: Connection): void {
    if (this.plan.readDelayMs === 0) {
      this.read(connection, Number.MAX_SAFE_INTEGER);
      return;
    }
    if (this.readScheduled) return;
    this.readScheduled = true;
    this.world.after(randomUnit(this.random) * this.plan.readDelayMs, () => {
      this.readScheduled = false;
      this.read(connection, this.plan.readMax);
      if (connection.readable > 0) this.readable(connection);
    });
  }

  writable(connection: Connection): void {
    this.write(connection);
  }

  peerClosed(connection: Connection): void {
    this.peerDone = true;
    this.finish(connection);
  }

  closed(connection: Connection, error: string | null): void {
    this.read(connection, Number.MAX_SAFE_INTEGER);
    this.done = true;
    this.error = error;
  }

  private write(connection: Connection): void {
    while (this.written < this.plan.size) {
      if (connection.state === 'CLOSED') return;
      const length = Math.min(1 + randomBelow(this.random, this.plan.writeMax), this.plan.size - this.written);
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = octetAt(this.ownStream, this.written + i);
      this.written += length;
      if (!connection.write(this.world.now, bytes)) break;
    }
    this.finish(connection);
  }

  private finish(connection: Connection): void {
    if (this.finished || this.written < this.plan.size || connection.state === 'CLOSED') return;
    if (this.plan.ending === 'after-peer' && !this.peerDone) return;
    this.finished = true;
    connection.shutdown(this.world.now);
  }

  private read(connection: Connection, max: number): void {
    let left = max;
    for (
      let part = connection.read(this.world.now, left);
      part !== null;
      part = connection.read(this.world.now, left)
    ) {
      for (let i = 0; i < part.length; i++) {
        const expected = octetAt(this.peerStream, this.received + i);
        if (part[i] === expected) continue;
        this.complaint ??= `octet ${this.received + i} is ${part[i]} where ${expected} was sent`;
        return;
      }
      this.received += part.length;
      left -= part.length;
      if (left <= 0) return;
    }
  }
}
