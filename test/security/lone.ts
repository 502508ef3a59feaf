/** A host with a listener, and a peer made by hand who keeps to no rule. Numbers count from each side's SYN. */

import { type Seq, seqAdd, seqDiff } from '../../src/base/seq.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { ACK, SYN } from '../../src/wire/tcp.ts';
import { ISN } from '../stack/flood.ts';
import { Node } from '../stack/pair.ts';
import { drain, inject, type RawSegment, runAlone, type Seen } from '../stack/raw.ts';

export class Lone {
  readonly node: Node;
  now = 0;
  private readonly listener;

  constructor(...settings: string[]) {
    this.node = new Node({ addresses: ['10.0.0.2/8'], settings });
    this.listener = this.node.stack.listen({ port: 80, backlog: 4096 });
  }

  /** An open connection. */
  open(syn: Partial<RawSegment> = {}): Peer {
    const peer = new Peer(this, syn);
    const connection = this.listener.accept(this.now);
    if (connection === null) throw new Error('the handshake failed');
    peer.connection = connection;
    return peer;
  }

  /** Lets time pass, and returns what was sent meanwhile. */
  pass(ms: number): Seen[] {
    while (this.node.stack.deliverEvents());
    const atOnce = drain(this.node, this.now);
    this.now += ms;
    return [...atOnce, ...runAlone(this.node, this.now)];
  }
}

export class Peer {
  connection!: Connection;
  /** The host's ISS. */
  readonly iss: Seq;
  private readonly lone: Lone;
  private readonly sport: number;
  /** Its timestamp clock at the world's beginning, null without timestamps. */
  private readonly clock: number | null;

  constructor(lone: Lone, syn: Partial<RawSegment>) {
    this.lone = lone;
    this.sport = syn.sport ?? 4000;
    this.clock = syn.timestamps === undefined ? null : syn.timestamps[0] - lone.now;
    inject(lone.node, lone.now, { sport: this.sport, seq: ISN, flags: SYN, mss: 1460, ...syn });
    const [answer] = drain(lone.node, lone.now);
    if (answer === undefined) throw new Error('the SYN was not answered');
    this.iss = answer.segment.seq;
    this.says({ seq: 1, ack: 1, flags: ACK });
  }

  /** A segment of the peer's; `seq` and `ack` count from the SYNs. Returns the host's answers. */
  says(raw: RawSegment): Seen[] {
    const { lone } = this;
    inject(lone.node, lone.now, {
      sport: this.sport,
      ...(this.clock === null ? {} : { timestamps: [this.clock + lone.now, 0] }),
      ...raw,
      seq: seqAdd(ISN as Seq, raw.seq ?? 0),
      ack: seqAdd(this.iss, raw.ack ?? 0),
    });
    while (lone.node.stack.deliverEvents());
    return drain(lone.node, lone.now);
  }

  /** Relative to the host's SYN. */
  ours(seq: Seq): number {
    return seqDiff(seq, this.iss);
  }

  /** Relative to the peer's SYN. */
  theirs(ack: Seq): number {
    return seqDiff(ack, ISN as Seq);
  }

  read(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let part = this.connection.read(this.lone.now); part !== null; part = this.connection.read(this.lone.now)) {
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
}
