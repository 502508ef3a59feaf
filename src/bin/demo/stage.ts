/**
 * The stage of a story: a world with two hosts and the wire between them, applications to play with, and the record of
 * all that happens. A story only says who does what and when; what follows from it follows from the protocol.
 */

import type { SeededRandom } from '../../base/random.ts';
import { type Seq, seq } from '../../base/seq.ts';
import type { Time } from '../../base/time.ts';
import { Wire, type WireOptions } from '../../sim/wire.ts';
import { World } from '../../sim/world.ts';
import { defaultSettings } from '../../stack/settings.ts';
import type { Settings } from '../../stack/settings-table.ts';
import { ACK, Segment, SYN } from '../../wire/tcp.ts';
import { Actor } from './actor.ts';
import { packetWith } from './forge.ts';
import type { DemoOptions } from './options.ts';
import { type EndName, Record, type Sent } from './record.ts';
import type { Happening, Outcome } from './run.ts';
import type { Scenario } from './scenario.ts';
import { type SegmentFacts, segmentFacts } from './segment-facts.ts';

/** A whim of the wire: what it does to the n-th segment (from 0) that one end sends and that is meant. */
interface Whim {
  readonly from: EndName;
  readonly meant: (facts: SegmentFacts) => boolean;
  readonly nth: number;
  readonly verdict: 'drop' | { readonly delay: number };
  seen: number;
}

export class Stage {
  readonly options: DemoOptions;
  readonly world: World;
  readonly wire: Wire;
  readonly record: Record;
  readonly client: Actor;
  readonly server: Actor;
  readonly happenings: Happening[] = [];
  /** Told of each segment as it enters the wire. */
  onSent: ((sent: Sent) => void) | null = null;
  private readonly settings: Settings;
  private readonly whims: Whim[] = [];
  private readonly random: SeededRandom;
  private readonly quiet: (() => void)[] = [];

  constructor(options: DemoOptions, scenario: Scenario) {
    this.options = options;
    this.world = new World(options.seed);
    this.random = this.world.fork();
    this.wire = new Wire(this.world, this.wireOptions());
    this.record = new Record(() => this.world.now);
    this.wire.observe((event) => {
      this.record.onWire(event);
      const sent = event.kind === 'sent' ? this.record.entries.at(-1) : undefined;
      if (sent?.kind === 'sent') this.onSent?.(sent);
    });
    this.settings = settingsFor(options, scenario);
    this.client = new Actor(this, 'client', this.settings, options.window ?? scenario.windows?.client ?? null);
    this.server = new Actor(this, 'server', this.settings, options.window ?? scenario.windows?.server ?? null);
  }

  at(time: Time, action: () => void): void {
    this.world.at(time, action);
  }

  after(delay: Time, action: () => void): void {
    this.world.after(delay, action);
  }

  /** Runs `action` when nothing is left to happen; once. */
  whenQuiet(action: () => void): void {
    this.quiet.push(action);
  }

  note(text: string): void {
    this.record.note(text);
  }

  title(text: string): void {
    this.record.note(text, true);
  }

  happened(end: EndName, what: Happening['what'], error: Happening['error'] = null): void {
    this.happenings.push({ time: this.world.now, end, what, error });
  }

  /** The wire loses the n-th segment (from 0) of those `from` sends that are meant. */
  lose(from: EndName, meant: (facts: SegmentFacts) => boolean, nth = 0): void {
    this.whims.push({ from, meant, nth, verdict: 'drop', seen: 0 });
  }

  /** The wire holds it back by so many milliseconds. */
  hold(from: EndName, meant: (facts: SegmentFacts) => boolean, nth: number, delay: number): void {
    this.whims.push({ from, meant, nth, verdict: { delay }, seen: 0 });
  }

  /** A SYN of the client's from another time, still under way: it arrives after one delay of the wire. */
  straySyn(at: Seq): void {
    this.record.injecting = 'old duplicate';
    const segment = this.fromClient();
    segment.flags = SYN;
    segment.seq = at;
    segment.window = 65_535;
    segment.mss = 1460;
    this.wire.inject('a->b', packetWith(segment, this.options.client.address, this.options.server.address));
  }

  /** An ACK in the client's name that the client never sent, there at once. */
  forgeAck(at: Seq, ack: Seq): void {
    this.record.injecting = 'forged for the experiment';
    const segment = this.fromClient();
    segment.flags = ACK;
    segment.seq = at;
    segment.ack = ack;
    segment.window = 65_535;
    this.wire.inject('a->b', packetWith(segment, this.options.client.address, this.options.server.address), 0);
  }

  randomSeq(): Seq {
    return seq(this.random.nextUint32());
  }

  /** Plays until nothing happens any more, or the story's time is up. */
  run(limit: Time): void {
    for (;;) {
      const idle = this.world.runUntilIdle(limit);
      const next = this.quiet.shift();
      if (!idle || next === undefined) break;
      next();
    }
    this.record.flush();
  }

  /** 2 MSL. */
  get timeWaitMs(): number {
    return 2 * this.settings.tcp_msl_ms;
  }

  get outcomes(): Outcome[] {
    return [...this.client.outcomes, ...this.server.outcomes];
  }

  private fromClient(): Segment {
    const segment = new Segment();
    segment.sourcePort = this.options.client.port;
    segment.destinationPort = this.options.server.port;
    return segment;
  }

  private wireOptions(): WireOptions {
    const { delayMs, rate, loss } = this.options;
    return {
      delayMs,
      loss,
      ...(rate === null ? {} : { rate }),
      verdict: (_index, frame, direction) => this.judge(frame, direction === 'a->b' ? 'client' : 'server'),
    };
  }

  private judge(frame: Uint8Array, from: EndName): 'pass' | Whim['verdict'] {
    const facts = this.whims.length === 0 ? null : segmentFacts(frame);
    if (facts === null) return 'pass';
    let verdict: 'pass' | Whim['verdict'] = 'pass';
    for (const whim of this.whims) {
      if (whim.from !== from || !whim.meant(facts)) continue;
      if (whim.seen++ === whim.nth && verdict === 'pass') verdict = whim.verdict;
    }
    return verdict;
  }
}

function settingsFor(options: DemoOptions, scenario: Scenario): Settings {
  const settings: Settings = { ...defaultSettings(), ...scenario.settings };
  if (options.mslMs !== null) settings.tcp_msl_ms = options.mslMs;
  // A buffer of a size that was asked for does not grow.
  if (options.window !== null || scenario.windows !== undefined) settings.tcp_moderate_rcvbuf = 0;
  return settings;
}
