/**
 * Two hosts and a wire in virtual time, for programs made of promises: `connect` and `listen` of `estab` run on them as on
 * any host. The clock stands still while the program works and jumps while it waits, so an hour costs nothing, and the
 * same seed gives the same run.
 */

import { EstabError } from '../base/errors.ts';
import { NEVER, type Time } from '../base/time.ts';
import { SimHost } from '../sim/sim-host.ts';
import { Wire, type WireOptions } from '../sim/wire.ts';
import { World } from '../sim/world.ts';
import type { Stack } from '../stack/stack.ts';

export interface VirtualNetworkOptions {
  /** Any integer: the losses, the ports, the sequence numbers follow from it. 1 if left out. */
  readonly seed?: number;
  /** Delay, rate, loss, reordering … of the wire, each way. */
  readonly wire?: WireOptions;
  /** Lets the platform run what it has pending: `setImmediate` of `node:timers/promises`. */
  readonly turn: () => Promise<unknown>;
}

/** What sockets need of a host. */
export interface VirtualHost {
  readonly address: string;
  readonly stack: Stack;
  readonly resolver: null;
  now(): Time;
  wake(): void;
}

/** A day: a program that waits longer than that waits for nothing. */
const LONGEST_RUN_MS = 86_400_000;

export class VirtualNetwork {
  readonly client: VirtualHost;
  readonly server: VirtualHost;
  private readonly world: World;
  private readonly wire: Wire;
  private readonly turn: () => Promise<unknown>;
  private touched = false;

  constructor({ seed = 1, wire = {}, turn }: VirtualNetworkOptions) {
    this.world = new World(seed);
    this.wire = new Wire(this.world, wire);
    this.turn = turn;
    this.client = this.add('client', 'a', '10.0.0.1');
    this.server = this.add('server', 'b', '10.0.0.2');
  }

  /** Virtual milliseconds since the beginning. */
  get now(): Time {
    return this.world.now;
  }

  /** `setTimeout` as a promise, in virtual time. */
  readonly sleep = (ms: Time): Promise<void> =>
    new Promise((resolve) => {
      this.world.after(ms, resolve);
    });

  /** Changes the wire from now on, each way: an outage is `{ loss: 1 }`. */
  change(options: WireOptions): void {
    this.wire.change('a->b', options);
    this.wire.change('b->a', options);
  }

  /**
   * Lets time pass until the program is done.
   * @returns what it returns. @throws what it throws; EstabError ETIMEDOUT when it waits for what will never happen.
   */
  async run<T>(program: Promise<T>): Promise<T> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    program.then(end, end);
    const limit = this.world.now + LONGEST_RUN_MS;
    while (!over) {
      // What the program has begun leaves, what it caused is told, and it goes on with that: all at one instant.
      do {
        this.touched = false;
        this.world.settle();
        await this.turn();
      } while (this.touched && !over);
      if (over) break;
      if (this.world.nextTime > limit || this.world.nextTime === NEVER) {
        throw new EstabError('ETIMEDOUT', `at ${this.world.now} ms the program waits for what will never happen`);
      }
      this.world.step();
    }
    return program;
  }

  private add(name: string, end: 'a' | 'b', address: string): VirtualHost {
    const { world } = this;
    const host = new SimHost(world, name);
    host.attach(this.wire, end, { name: 'eth0', mtu: 1500, medium: 'ip', addresses: [`${address}/24`] });
    return {
      address,
      stack: host.stack,
      resolver: null,
      now: () => world.now,
      wake: () => {
        this.touched = true;
      },
    };
  }
}
