/** Two hosts and what lies between them, for tests: frames are carried by a loop, time is virtual. */

import { SeededRandom } from '../../src/base/random.ts';
import type { Time } from '../../src/base/time.ts';
import type { InterfaceOptions } from '../../src/ip/interface.ts';
import { applySetting, defaultSettings } from '../../src/stack/settings.ts';
import { type Interface, Stack } from '../../src/stack/stack.ts';
import type { StackTrace } from '../../src/stack/trace.ts';

export interface NodeOptions extends Partial<InterfaceOptions> {
  readonly settings?: readonly string[];
  readonly trace?: StackTrace;
  readonly seed?: number;
}

/** One host with one interface. */
export class Node {
  readonly stack: Stack;
  readonly iface: Interface;
  private readonly out: Uint8Array;

  constructor(options: NodeOptions) {
    const settings = defaultSettings();
    for (const text of options.settings ?? []) applySetting(settings, text);
    const seed = options.seed ?? 1;
    const { settings: _settings, trace, seed: _seed, ...rest } = options;
    this.stack = new Stack({
      secret: new SeededRandom(seed),
      random: new SeededRandom(seed + 1000),
      settings,
      trace: trace ?? null,
    });
    this.iface = this.stack.addInterface({ name: 'if0', mtu: 1500, medium: 'ip', ...rest });
    this.out = new Uint8Array(this.iface.mtu + 18);
  }

  /** The next frame to leave, a copy; null when there is none. */
  poll(now: Time): Uint8Array | null {
    const length = this.stack.pollTransmit(now, this.iface, this.out);
    return length === 0 ? null : this.out.slice(0, length);
  }
}

/** Decides what becomes of a frame: true lets it pass. */
export type Filter = (frame: Uint8Array, from: Node) => boolean;

export class Pair {
  readonly a: Node;
  readonly b: Node;
  now: Time = 1000;
  /** One-way delay in ms. */
  delay = 5;
  filter: Filter = () => true;
  /** Every frame that was sent, in order. */
  readonly log: { readonly at: Time; readonly from: Node; readonly frame: Uint8Array }[] = [];
  private readonly flying: { readonly at: Time; readonly to: Node; readonly frame: Uint8Array }[] = [];

  constructor(a: NodeOptions = {}, b: NodeOptions = {}) {
    const ethernet = a.medium === 'ethernet' || b.medium === 'ethernet';
    const mac = (n: number): Partial<InterfaceOptions> =>
      ethernet ? { medium: 'ethernet', mac: Uint8Array.of(2, 0, 0, 0, 0, n) } : {};
    this.a = new Node({ addresses: ['10.0.0.1/24', '2001:db8::1/64'], ...mac(1), ...a });
    this.b = new Node({ addresses: ['10.0.0.2/24', '2001:db8::2/64'], seed: 2, ...mac(2), ...b });
  }

  /** Sends what is ready and tells what happened, at this instant, until both are quiet. */
  settle(): void {
    for (let round = 0; round < 100_000; round++) {
      let busy = false;
      for (const node of [this.a, this.b]) {
        if (node.stack.nextDeadline() <= this.now) node.stack.handleTimeout(this.now);
        if (node.stack.deliverEvents()) busy = true;
        for (let frame = node.poll(this.now); frame !== null; frame = node.poll(this.now)) {
          busy = true;
          this.log.push({ at: this.now, from: node, frame });
          if (!this.filter(frame, node)) continue;
          this.flying.push({ at: this.now + this.delay, to: node === this.a ? this.b : this.a, frame });
        }
      }
      if (!busy) return;
    }
    throw new Error('the two never fall quiet');
  }

  /** When something happens next. */
  get next(): Time {
    const arrival = this.flying.length > 0 ? this.flying[0].at : Number.POSITIVE_INFINITY;
    return Math.min(arrival, this.a.stack.nextDeadline(), this.b.stack.nextDeadline());
  }

  /** Lets time pass up to `until`, or until a condition holds; false when it never did. */
  run(until: Time | (() => boolean), limit: Time = this.now + 3_600_000): boolean {
    const end = typeof until === 'number' ? until : limit;
    this.settle();
    while (typeof until === 'number' || !until()) {
      const next = this.next;
      if (next > end) {
        this.now = Math.max(this.now, Math.min(end, Number.MAX_SAFE_INTEGER));
        return typeof until === 'number' || until();
      }
      this.now = Math.max(this.now, next);
      while (this.flying.length > 0 && this.flying[0].at <= this.now) {
        const { to, frame } = this.flying.shift()!;
        to.stack.handleFrame(this.now, to.iface, frame);
      }
      this.settle();
    }
    return true;
  }

  /** As {@link run}, by a number of milliseconds. */
  pass(ms: number): void {
    this.run(this.now + ms);
  }
}
