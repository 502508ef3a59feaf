/**
 * The SYN flood: the same attack on the same server twice, without SYN cookies and with them (RFC 4987), while honest
 * clients keep calling. What is counted each second is what the server itself counts.
 */

import { type RandomSource, randomBelow } from '../../base/random.ts';
import { seq } from '../../base/seq.ts';
import type { Time } from '../../base/time.ts';
import { SimHost } from '../../sim/sim-host.ts';
import { Wire } from '../../sim/wire.ts';
import { World } from '../../sim/world.ts';
import type { Connection } from '../../stack/connection.ts';
import type { Listener } from '../../stack/listener.ts';
import { defaultSettings } from '../../stack/settings.ts';
import { IpAddress } from '../../wire/address.ts';
import { Segment, SYN } from '../../wire/tcp.ts';
import { packetWith } from './forge.ts';
import type { DemoOptions } from './options.ts';

export const FLOOD = {
  backlog: 128,
  synsPerSecond: 200,
  fromSecond: 2,
  untilSecond: 12,
  seconds: 20,
  callsPerSecond: 4,
  /** An honest client that has not been greeted by then has given up. */
  patienceMs: 3000,
} as const;

const SECOND = 1000;
const MTU = 1500;
const GREETING = new TextEncoder().encode('220 welcome\r\n');

/** One honest call. */
interface Call {
  readonly startedAt: Time;
  served: boolean;
}

/** What one second brought. */
export interface FloodSecond {
  /** From 1. */
  readonly second: number;
  readonly floodSyns: number;
  /** Half-open connections at its end. */
  readonly halfOpen: number;
  readonly cookiesSent: number;
  /** Calls begun in it, and which of them were served. */
  readonly calls: readonly boolean[];
}

export interface FrameSeen {
  readonly time: Time;
  readonly frame: Uint8Array;
}

export interface FloodRun {
  readonly cookies: boolean;
  readonly seconds: readonly FloodSecond[];
  readonly frames: readonly FrameSeen[];
}

/** Runs the attack. @param cookies whether the server may use SYN cookies. */
export function runFlood(options: DemoOptions, cookies: boolean): FloodRun {
  return new Attack(options, cookies).run();
}

class Attack {
  private readonly options: DemoOptions;
  private readonly cookies: boolean;
  private readonly world: World;
  private readonly wire: Wire;
  private readonly client: SimHost;
  private readonly server: SimHost;
  private readonly random: RandomSource;
  private readonly frames: FrameSeen[] = [];
  private readonly calls: Call[] = [];
  private floodSyns = 0;

  constructor(options: DemoOptions, cookies: boolean) {
    this.options = options;
    this.cookies = cookies;
    this.world = new World(options.seed);
    this.random = this.world.fork();
    const { delayMs, loss, rate } = options;
    this.wire = new Wire(this.world, { delayMs, loss, ...(rate === null ? {} : { rate }) });
    this.wire.observe((event) => {
      if (event.kind === 'sent') this.frames.push({ time: event.time, frame: event.frame.bytes });
    });
    this.client = this.host('client', 'a');
    this.server = this.host('server', 'b');
  }

  run(): FloodRun {
    const listener = this.listen();
    const gap = SECOND / FLOOD.synsPerSecond;
    for (let time = FLOOD.fromSecond * SECOND; time < FLOOD.untilSecond * SECOND; time += gap) {
      this.world.at(time, () => this.floodSyn());
    }
    for (let n = 0; n < FLOOD.seconds * FLOOD.callsPerSecond; n++) {
      this.world.at((n * SECOND) / FLOOD.callsPerSecond + gap / 2, () => this.call());
    }
    const counted: Omit<FloodSecond, 'calls'>[] = [];
    for (let second = 1; second <= FLOOD.seconds; second++) {
      // Just before the next second begins: what is scheduled for its first moment is its own.
      this.world.runUntil(second * SECOND - gap / 4);
      const cookiesSent = this.server.stack.counters.get('SyncookiesSent');
      counted.push({ second, floodSyns: this.floodSyns, halfOpen: listener.halfOpen, cookiesSent });
    }
    this.world.runUntil(FLOOD.seconds * SECOND + FLOOD.patienceMs + SECOND);
    return { cookies: this.cookies, seconds: this.perSecond(counted), frames: this.frames };
  }

  /** Running totals to what each second added. */
  private perSecond(totals: readonly Omit<FloodSecond, 'calls'>[]): FloodSecond[] {
    return totals.map((total, i) => {
      const before = totals[i - 1] ?? { floodSyns: 0, cookiesSent: 0 };
      const from = i * SECOND;
      const calls = this.calls.filter((call) => call.startedAt >= from && call.startedAt < from + SECOND);
      return {
        ...total,
        floodSyns: total.floodSyns - before.floodSyns,
        cookiesSent: total.cookiesSent - before.cookiesSent,
        calls: calls.map((call) => call.served),
      };
    });
  }

  private host(name: 'client' | 'server', end: 'a' | 'b'): SimHost {
    const settings = { ...defaultSettings(), tcp_syncookies: this.cookies ? 1 : 0 };
    const host = new SimHost(this.world, name, { settings });
    const { address } = this.options[name];
    host.attach(this.wire, end, {
      name: 'wire',
      mtu: MTU,
      medium: 'ip',
      addresses: [`${address}/${address.family === 4 ? 32 : 128}`],
    });
    return host;
  }

  private listen(): Listener {
    const { world } = this;
    return this.server.stack.listen({
      port: this.options.server.port,
      backlog: FLOOD.backlog,
      handler: {
        acceptable: (listener) => {
          for (let c = listener.accept(world.now); c !== null; c = listener.accept(world.now)) {
            c.handler = {};
            c.write(world.now, GREETING);
            c.shutdown(world.now);
          }
        },
      },
    });
  }

  private floodSyn(): void {
    const { address, port } = this.options.server;
    const segment = new Segment();
    segment.sourcePort = 1024 + randomBelow(this.random, 64_000);
    segment.destinationPort = port;
    segment.seq = seq(this.random.nextUint32());
    segment.flags = SYN;
    segment.window = 65_535;
    segment.mss = 1460;
    this.floodSyns++;
    this.wire.inject('a->b', packetWith(segment, this.nobody(address.family), address));
  }

  /** An address out of a range set aside for tests (RFC 2544, RFC 3849), with no host behind it. */
  private nobody(family: 4 | 6): IpAddress {
    const bits = this.random.nextUint32();
    return family === 4 ? IpAddress.v4(0xc612_0000 | (bits & 0x1_ffff)) : new IpAddress(0x2001_0db8, 0xbad, 0, bits);
  }

  private call(): void {
    const { world } = this;
    const call: Call = { startedAt: world.now, served: false };
    this.calls.push(call);
    const { address, port } = this.options.server;
    const connection: Connection = this.client.stack.connect(world.now, {
      remote: address,
      port,
      handler: {
        readable: (held) => {
          while (held.read(world.now) !== null) call.served = true;
        },
        peerClosed: (held) => held.shutdown(world.now),
      },
    });
    world.after(FLOOD.patienceMs, () => {
      if (!call.served) connection.abort(world.now);
    });
  }
}
