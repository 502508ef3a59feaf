/**
 * A story about one connection: what arrives, what it sends, how its state moves, in virtual time. The other end is the
 * test. Numbers are relative, and the initial sequence numbers are chosen so that every story crosses both wraps.
 *
 * ```ts
 * const t = Scenario.established();
 * t.arrives({ flags: 'FA', seq: 1, ack: 1 });
 * t.sends({ flags: 'A', seq: 1, ack: 2 });
 * t.state('CLOSE-WAIT');
 * ```
 */

import { type Seq, seq } from '../base/seq.ts';
import {
  abort,
  close,
  DEFAULT_TCP_CONFIG,
  deadline,
  Event,
  openActive,
  openPassive,
  orphan,
  output,
  receive,
  type SendOptions,
  type StateName,
  segmentArrives,
  send,
  stateName,
  Tcb,
  type TcpConfig,
  timeouts,
} from '../tcp/index.ts';
import { Segment } from '../wire/tcp.ts';
import { buildSegment, describeSegment, differences, type SegmentSpec } from './segments.ts';

/** Ours: sixteen octets on, the sign bit flips. */
export const ISS: Seq = seq(0x7ffffff0);
/** The peer's: sixteen octets on, the number wraps to 0. */
export const IRS: Seq = seq(-16);

const TS_OFFSET = 1000;

export interface ScenarioOptions {
  readonly config?: Partial<TcpConfig>;
  readonly family?: 4 | 6;
  readonly mtu?: number;
}

/** Options of the SYN the story's peer sends, where the story does not say otherwise: none but an MSS. */
const PEER_SYN: SegmentSpec = { mss: 1460, window: 65_535 };

export class Scenario {
  readonly tcb: Tcb;
  now = 0;
  /** What was sent and not yet expected, oldest first. */
  private readonly sent: Array<Required<SegmentSpec>> = [];
  private readonly segment = new Segment();

  /** Options the story's peer does not offer are off, and the delayed ACK is the default's. */
  constructor(options: ScenarioOptions = {}) {
    const config: TcpConfig = { ...DEFAULT_TCP_CONFIG, ...options.config };
    this.tcb = new Tcb(config, options.family ?? 4, options.mtu ?? 1500);
  }

  /** A connection in LISTEN. */
  static listening(options?: ScenarioOptions): Scenario {
    const t = new Scenario(options);
    openPassive(t.tcb, ISS, TS_OFFSET);
    return t;
  }

  /** A connection in SYN-SENT; its SYN is waiting to be expected. */
  static connecting(options?: ScenarioOptions): Scenario {
    const t = new Scenario(options);
    openActive(t.tcb, t.now, ISS, TS_OFFSET);
    t.drain();
    return t;
  }

  /** A connection in SYN-RECEIVED that came from LISTEN; its SYN,ACK has been taken. */
  static synReceived(options?: ScenarioOptions, syn: SegmentSpec = {}): Scenario {
    const t = Scenario.listening(options);
    t.arrives({ ...PEER_SYN, flags: 'S', seq: 0, ...syn });
    t.sends({ flags: 'SA', seq: 0, ack: 1 });
    t.state('SYN-RECEIVED');
    return t;
  }

  /** An open connection; nothing is waiting to be expected. `syn` are the options of the peer's SYN. */
  static established(options?: ScenarioOptions, syn: SegmentSpec = {}): Scenario {
    const t = Scenario.synReceived(options, syn);
    const timestamps = syn.timestamps === undefined ? {} : { timestamps: [syn.timestamps[0] + 1, 0] as const };
    t.arrives({
      flags: 'A',
      seq: 1,
      ack: 1,
      ...timestamps,
      ...(syn.window === undefined ? {} : { window: syn.window }),
    });
    t.state('ESTABLISHED');
    t.sendsNothing();
    t.takeEvents();
    return t;
  }

  /** The same, opened from our side. */
  static connected(options?: ScenarioOptions, synAck: SegmentSpec = {}): Scenario {
    const t = Scenario.connecting(options);
    t.sends({ flags: 'S', seq: 0 });
    t.arrives({ ...PEER_SYN, flags: 'SA', seq: 0, ack: 1, ...synAck });
    t.sends({ flags: 'A', seq: 1, ack: 1 });
    t.state('ESTABLISHED');
    t.takeEvents();
    return t;
  }

  // -- what happens

  /** A segment arrives, and what it provokes is sent. */
  arrives(spec: SegmentSpec): void {
    this.arrivesQuietly(spec);
    this.drain();
  }

  /** Several arrive at once, before anything can be sent (MUST-59). */
  arriveTogether(...specs: SegmentSpec[]): void {
    for (const spec of specs) this.arrivesQuietly(spec);
    this.drain();
  }

  private arrivesQuietly(spec: SegmentSpec): void {
    segmentArrives(this.tcb, buildSegment(spec, IRS, ISS), this.now);
  }

  /** SEND: text, or that many octets. */
  send(text: string | number, options?: SendOptions): boolean {
    const bytes = typeof text === 'number' ? new Uint8Array(text).fill(0x2e) : new TextEncoder().encode(text);
    const room = send(this.tcb, this.now, bytes, options);
    this.drain();
    return room;
  }

  /** RECEIVE: all that is readable, as text. */
  read(): string {
    let text = '';
    for (let part = receive(this.tcb, this.now); part !== null; part = receive(this.tcb, this.now)) {
      text += new TextDecoder('latin1').decode(part);
    }
    this.drain();
    return text;
  }

  close(): void {
    close(this.tcb, this.now);
    this.drain();
  }

  abort(): void {
    abort(this.tcb, this.now);
    this.drain();
  }

  /** The application lets go of the connection. */
  orphan(): void {
    orphan(this.tcb, this.now);
    this.drain();
  }

  /** Any other call on the TCB; then whatever it makes the connection send. */
  call(action: (tcb: Tcb, now: number) => void): void {
    action(this.tcb, this.now);
    this.drain();
  }

  /** Time passes; timers fire when they are due. Returns this for chaining. */
  advance(ms: number): this {
    const until = this.now + ms;
    for (let next = deadline(this.tcb); next <= until; next = deadline(this.tcb)) {
      this.now = Math.max(next, this.now);
      timeouts(this.tcb, this.now);
      this.drain();
    }
    this.now = until;
    return this;
  }

  // -- what is expected

  /** The next segment sent is like this. */
  sends(spec: SegmentSpec): Required<SegmentSpec> {
    const next = this.sent.shift();
    if (next === undefined) throw new Error(`expected ${describe(spec)} at ${this.now} ms, nothing was sent`);
    const wrong = differences(spec, next);
    if (wrong.length > 0) throw new Error(`at ${this.now} ms, ${describe(next)} was sent; ${wrong.join('; ')}`);
    return next;
  }

  /** Nothing (more) was sent. */
  sendsNothing(): void {
    const next = this.sent[0];
    if (next !== undefined) throw new Error(`expected nothing at ${this.now} ms, ${describe(next)} was sent`);
  }

  /** All that was sent and not yet expected; takes it. */
  takeSent(): Array<Required<SegmentSpec>> {
    return this.sent.splice(0);
  }

  state(expected: StateName): void {
    const actual = stateName(this.tcb.state);
    if (actual !== expected) throw new Error(`expected ${expected} at ${this.now} ms, the state is ${actual}`);
  }

  /** The events raised since the last call, by name; takes them. */
  takeEvents(): Array<keyof typeof Event> {
    const bits = this.tcb.events;
    this.tcb.events = 0;
    return (Object.keys(Event) as Array<keyof typeof Event>).filter((name) => (bits & Event[name]) !== 0);
  }

  private drain(): void {
    while (output(this.tcb, this.now, this.segment)) {
      const segment = this.segment;
      const text = new Uint8Array(segment.payloadLength);
      if (this.tcb.textOffset < 0) text.set(segment.payload.subarray(0, segment.payloadLength));
      else if (text.length > 0) this.tcb.sendBuffer.copyTo(this.tcb.textOffset, text.length, text, 0);
      this.sent.push(describeSegment(segment, text, ISS, IRS));
      if (this.sent.length > 100_000) throw new Error('100,000 segments sent without an end: output does not stop');
    }
  }
}

function describe(spec: SegmentSpec): string {
  const length = spec.length ?? spec.text?.length;
  return `[${spec.flags ?? '?'}] seq ${spec.seq ?? '?'} ack ${spec.ack ?? '?'} len ${length ?? '?'}`;
}
