/** Two stacks joined by nothing but a loop: what the code itself costs, without devices, clocks or other processes. */

import { SeededRandom } from '../src/base/random.ts';
import type { Interface } from '../src/ip/interface.ts';
import { Stack } from '../src/stack/stack.ts';
import { IpAddress } from '../src/wire/address.ts';

export const CLIENT = IpAddress.parse('10.0.0.1');
export const SERVER = IpAddress.parse('10.0.0.2');

/** Frames one end sends before the other gets its turn. */
const BURST = 64;

interface End {
  readonly stack: Stack;
  readonly iface: Interface;
}

export class StackPair {
  now = 0;
  frames = 0;
  readonly client: End;
  readonly server: End;
  private readonly buffer: Uint8Array;

  constructor(mtu: number, clientAddresses: readonly string[] = ['10.0.0.1/8']) {
    this.client = end(1, mtu, clientAddresses);
    this.server = end(2, mtu, ['10.0.0.2/8']);
    this.buffer = new Uint8Array(mtu + 14);
  }

  /** One round: events told, a burst each way, timers when nothing else happens. Returns whether anything did. */
  round(): boolean {
    this.now += 0.05;
    const told = [this.client.stack.deliverEvents(), this.server.stack.deliverEvents()];
    const moved = this.carry(this.client, this.server) + this.carry(this.server, this.client);
    if (moved > 0 || told.includes(true)) return true;
    const next = Math.min(this.client.stack.nextDeadline(), this.server.stack.nextDeadline());
    if (next === Number.POSITIVE_INFINITY) return false;
    this.now = Math.max(this.now, next);
    this.client.stack.handleTimeout(this.now);
    this.server.stack.handleTimeout(this.now);
    return true;
  }

  private carry(from: End, to: End): number {
    for (let count = 0; count < BURST; count++) {
      const length = from.stack.pollTransmit(this.now, from.iface, this.buffer);
      if (length === 0) return count;
      this.frames++;
      to.stack.handleFrame(this.now, to.iface, this.buffer.subarray(0, length));
    }
    return BURST;
  }
}

function end(seed: number, mtu: number, addresses: readonly string[]): End {
  const stack = new Stack({ secret: new SeededRandom(seed), random: new SeededRandom(seed + 100) });
  return { stack, iface: stack.addInterface({ name: 'link', mtu, medium: 'ip', addresses }) };
}

/** Collects garbage, when node was started with --expose-gc, and returns the bytes in use. */
export function memoryInUse(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
