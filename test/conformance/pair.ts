/**
 * Two TCBs joined by a wire in virtual time, for stories in which both ends are ours: the RFC's figures, and what two
 * ends do to each other after something strange came between them. Ends are made unopened; `crash` forgets one.
 */

import { type Seq, seq } from '../../src/base/seq.ts';
import {
  DEFAULT_TCP_CONFIG,
  deadline,
  openActive,
  openPassive,
  output,
  receive,
  replyToClosed,
  State,
  type StateName,
  segmentArrives,
  stateName,
  Tcb,
  type TcpConfig,
  timeouts,
} from '../../src/tcp/index.ts';
import { buildSegment, describeSegment, type SegmentSpec } from '../../src/testing/segments.ts';
import { Segment } from '../../src/wire/tcp.ts';
import { playTo } from './states.ts';

export type End = 'a' | 'b';
export const OTHER = { a: 'b', b: 'a' } as const;

/** Both wraps are crossed: A's numbers change sign, B's pass 0. */
export const INITIAL: Readonly<Record<End, Seq>> = { a: seq(0x7ffffff0), b: seq(-16) };

export interface Carried {
  readonly from: End;
  readonly at: number;
  /** Numbers relative to both ends' initial sequence numbers. */
  readonly spec: Required<SegmentSpec>;
  readonly segment: Segment;
}

/** A copy that owns its text. */
export function copySegment(from: Segment, tcb: Tcb | null): Segment {
  const copy = new Segment();
  Object.assign(copy, from, { sackEdges: undefined });
  (copy as { sackEdges: Int32Array }).sackEdges = Int32Array.from(from.sackEdges);
  copy.payload = new Uint8Array(from.payloadLength);
  copy.payloadOffset = 0;
  if (tcb !== null && tcb.textOffset >= 0 && from.payloadLength > 0) {
    tcb.sendBuffer.copyTo(tcb.textOffset, from.payloadLength, copy.payload, 0);
  } else {
    copy.payload.set(from.payload.subarray(from.payloadOffset, from.payloadOffset + from.payloadLength));
  }
  return copy;
}

export class Pair {
  now = 0;
  readonly tcb: Record<End, Tcb>;
  readonly initial: Record<End, Seq> = { ...INITIAL };
  /** All that was put on the wire, lost or not. */
  readonly log: Carried[] = [];
  /** Returning false loses the segment. */
  passes: (carried: Carried) => boolean = () => true;
  latencyMs = 10;
  /** An end that does not exist answers as CLOSED does. */
  private readonly crashed: Record<End, boolean> = { a: false, b: false };
  private readonly wire: Array<{ due: number; to: End; segment: Segment }> = [];
  private readonly out = new Segment();

  constructor(config: Partial<TcpConfig> = {}, configB: Partial<TcpConfig> = config) {
    this.tcb = {
      a: new Tcb({ ...DEFAULT_TCP_CONFIG, ...config }, 4, 1500),
      b: new Tcb({ ...DEFAULT_TCP_CONFIG, ...configB }, 4, 1500),
    };
  }

  /** Both ends as the stories of states.ts leave them, each believing its own: many such pairs no handshake makes. */
  static inStates(a: StateName, b: StateName, config: Partial<TcpConfig> = {}): Pair {
    const pair = new Pair(config);
    for (const [end, state] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const [iss, irs] = [INITIAL[end], INITIAL[OTHER[end]]];
      const tcb = pair.tcb[end];
      const drain = (): void => {
        while (output(tcb, 0, pair.out));
      };
      playTo(
        state,
        {
          call(action) {
            action(tcb, 0);
            drain();
          },
          arrives(spec) {
            segmentArrives(tcb, buildSegment(spec, irs, iss), 0);
            drain();
          },
        },
        { iss },
      );
    }
    return pair;
  }

  /** A has connected to B. */
  static established(config: Partial<TcpConfig> = {}, configB: Partial<TcpConfig> = config): Pair {
    const pair = new Pair(config, configB);
    pair.listen('b');
    pair.connect('a');
    pair.run(1000);
    pair.states('ESTABLISHED', 'ESTABLISHED');
    pair.log.length = 0;
    return pair;
  }

  connect(end: End): void {
    openActive(this.tcb[end], this.now, this.initial[end], 0);
    this.flush(end);
  }

  listen(end: End): void {
    openPassive(this.tcb[end], this.initial[end], 0);
  }

  /** A call on one end, and what it makes that end send. */
  call(end: End, action: (tcb: Tcb, now: number) => void): void {
    action(this.tcb[end], this.now);
    this.flush(end);
  }

  /** The end forgets everything; from `reopen` on it is a new TCB. */
  crash(end: End): void {
    this.crashed[end] = true;
  }

  /** After a crash: a fresh TCB with another initial sequence number. */
  restart(end: End, initial: Seq): void {
    this.crashed[end] = false;
    this.initial[end] = initial;
    this.tcb[end] = new Tcb(this.tcb[end].config, 4, 1500);
  }

  /** A segment nobody sent reaches `to` now. */
  inject(to: End, segment: Segment): void {
    this.deliver(to, segment);
    this.flush(to);
  }

  /** Puts a segment on the wire. A latency that was made shorter lets it overtake. */
  post(to: End, segment: Segment): void {
    const due = this.now + this.latencyMs;
    let at = this.wire.length;
    while (at > 0 && this.wire[at - 1].due > due) at--;
    this.wire.splice(at, 0, { due, to, segment });
  }

  /** Lets time pass. */
  run(ms: number): void {
    const until = this.now + ms;
    for (let rounds = 0; ; rounds++) {
      if (rounds > 1_000_000) throw new Error('a million events: this does not end');
      const wireDue = this.wire.length > 0 ? this.wire[0].due : Number.POSITIVE_INFINITY;
      const due = Math.min(wireDue, this.timer('a'), this.timer('b'));
      if (due > until) break;
      this.now = Math.max(this.now, due);
      if (wireDue <= this.now) {
        const { to, segment } = this.wire.shift() as { to: End; segment: Segment };
        this.deliver(to, segment);
        this.flush(to);
      }
      for (const end of ['a', 'b'] as const) {
        if (this.timer(end) > this.now) continue;
        timeouts(this.tcb[end], this.now);
        this.flush(end);
      }
    }
    this.now = until;
  }

  read(end: End): string {
    let text = '';
    for (let part = receive(this.tcb[end], this.now); part !== null; part = receive(this.tcb[end], this.now)) {
      text += new TextDecoder('latin1').decode(part);
    }
    this.flush(end);
    return text;
  }

  state(end: End): StateName {
    return stateName(this.tcb[end].state);
  }

  states(a: StateName, b: StateName): void {
    if (this.state('a') !== a || this.state('b') !== b) {
      throw new Error(`at ${this.now} ms: A ${this.state('a')}, B ${this.state('b')}; expected ${a}, ${b}`);
    }
  }

  /** What was put on the wire since the last call: `a S 0`, `b SA 0 1`, `a A 1 1`, with `+n` for text. */
  take(): string[] {
    return this.log.splice(0).map(({ from, spec }) => {
      const ack = spec.flags.includes('A') ? ` ${spec.ack}` : '';
      return `${from} ${spec.flags} ${spec.seq}${ack}${spec.length > 0 ? ` +${spec.length}` : ''}`;
    });
  }

  private timer(end: End): number {
    return this.crashed[end] ? Number.POSITIVE_INFINITY : deadline(this.tcb[end]);
  }

  private deliver(to: End, segment: Segment): void {
    const tcb = this.tcb[to];
    if (this.crashed[to] || tcb.state === State.CLOSED) {
      const reply = new Segment();
      if (replyToClosed(segment, reply)) this.carry(to, reply, null);
    } else {
      segmentArrives(tcb, segment, this.now);
    }
  }

  private flush(end: End): void {
    if (this.crashed[end]) return;
    while (output(this.tcb[end], this.now, this.out)) this.carry(end, this.out, this.tcb[end]);
  }

  private carry(from: End, segment: Segment, tcb: Tcb | null): void {
    const copy = copySegment(segment, tcb);
    const spec = describeSegment(copy, copy.payload, this.initial[from], this.initial[OTHER[from]]);
    const carried = { from, at: this.now, spec, segment: copy };
    this.log.push(carried);
    if (!this.passes(carried)) return;
    this.post(OTHER[from], copy);
  }
}
