/**
 * Small simulated worlds whose truth is known: one connection over a wire with chosen faults, captured at both ends, and
 * what the wire itself says became of every segment. The analysis sees the captures only.
 */

import { Analyser, type CaptureReport } from '../../src/analyse/index.ts';
import { CaptureReader, PcapngWriter } from '../../src/capture/index.ts';
import { SimHost, Wire, type WireEvent, type WireOptions, World } from '../../src/sim/index.ts';
import { defaultSettings } from '../../src/stack/settings.ts';
import type { Settings } from '../../src/stack/settings-table.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { IpPacket, parseIp } from '../../src/wire/ip.ts';
import { FIN, parseTcp, RST, Segment, SYN } from '../../src/wire/tcp.ts';

export type End = 'client' | 'server';

export interface WorldPlan {
  seed: number;
  /** Octets the client and the server send. */
  up: number;
  down: number;
  /** Who closes first; the other one answers its FIN. */
  closer: End | 'both';
  forward?: WireOptions;
  backward?: WireOptions;
  settings?: Partial<Settings>;
  /** The server reads nothing until this many milliseconds. */
  serverReadsAt?: number;
}

/** One segment as the wire saw it. */
export interface Sent {
  from: End;
  flags: number;
  seq: number;
  length: number;
  /** Sequence space taken. */
  size: number;
  time: number;
  /** When copies of it arrived. */
  arrived: number[];
  dropped: boolean;
  duplicated: boolean;
  heldBack: boolean;
  damaged: boolean;
}

export interface Played {
  sent: Sent[];
  /** What the capture at each end says. */
  at: { client: CaptureReport; server: CaptureReport };
  captures: { client: Uint8Array; server: Uint8Array };
}

export function playWorld(plan: WorldPlan): Played {
  const world = new World(plan.seed);
  const delay = { delayMs: 20 };
  const wire = new Wire(world, { ...delay, ...plan.forward }, { ...delay, ...(plan.backward ?? plan.forward) });
  const log = new WireLog();
  wire.observe((event) => log.observe(event));
  const captures = { client: [] as Uint8Array[], server: [] as Uint8Array[] };
  const host = (name: End, end: 'a' | 'b', address: string): SimHost => {
    const settings = { ...defaultSettings(), ...plan.settings };
    const made = new SimHost(world, name, { settings });
    made.attach(wire, end, { name: 'wire', mtu: 1500, medium: 'ip', addresses: [`${address}/24`] });
    made.captureTo(new PcapngWriter((bytes) => captures[name].push(bytes.slice())), 0);
    return made;
  };
  const client = host('client', 'a', '10.0.0.1');
  const server = host('server', 'b', '10.0.0.2');
  server.stack.listen({
    port: 80,
    handler: {
      acceptable: (listener) => {
        const connection = listener.accept(world.now)!;
        const drain = (): void => {
          if (world.now < (plan.serverReadsAt ?? 0)) return;
          while (connection.read(world.now) !== null);
        };
        connection.handler = { readable: drain, peerClosed: (c) => c.shutdown(world.now) };
        if (plan.serverReadsAt !== undefined) world.at(plan.serverReadsAt, drain);
        if (plan.down > 0) connection.write(world.now, new Uint8Array(plan.down).fill(100));
        if (plan.closer === 'server') connection.shutdown(world.now);
        if (plan.closer === 'both') world.at(5000, () => connection.shutdown(world.now));
      },
    },
  });
  const connection = client.stack.connect(world.now, { remote: IpAddress.parse('10.0.0.2'), port: 80 });
  connection.handler = {
    // Not before: a close in SYN-SENT takes the open back (RFC 9293 section 3.10.4).
    opened: (c) => {
      if (plan.closer === 'client') c.shutdown(world.now);
    },
    readable: (c) => {
      while (c.read(world.now) !== null);
    },
    peerClosed: (c) => c.shutdown(world.now),
  };
  if (plan.up > 0) connection.write(world.now, new Uint8Array(plan.up).fill(117));
  if (plan.closer === 'both') world.at(5000, () => connection.shutdown(world.now));
  world.runUntilIdle(3_600_000);
  const bytes = { client: Buffer.concat(captures.client), server: Buffer.concat(captures.server) };
  return {
    sent: log.sent,
    captures: bytes,
    at: { client: analyse(bytes.client, 'at the client'), server: analyse(bytes.server, 'at the server') },
  };
}

export function analyse(bytes: Uint8Array, name: string): CaptureReport {
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  reader.push(bytes);
  return analyser.finish(name, reader.end());
}

class WireLog {
  readonly sent: Sent[] = [];
  private readonly byFrame = new Map<number, Sent>();
  private readonly packet = new IpPacket();
  private readonly segment = new Segment();

  observe(event: WireEvent): void {
    const { frame } = event;
    const known = this.byFrame.get(frame.id);
    switch (event.kind) {
      case 'sent': {
        const { packet, segment } = this;
        if (parseIp(frame.bytes, 0, frame.bytes.length, packet) !== 0 || packet.protocol !== 6) return;
        if (parseTcp(frame.bytes, packet.payloadOffset, packet.payloadLength, segment) !== 0) return;
        const { flags } = segment;
        const made: Sent = {
          from: frame.direction === 'a->b' ? 'client' : 'server',
          flags,
          seq: segment.seq,
          length: segment.payloadLength,
          size: segment.payloadLength + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0),
          time: event.time,
          arrived: [],
          dropped: false,
          duplicated: false,
          heldBack: false,
          damaged: false,
        };
        this.byFrame.set(frame.id, made);
        this.sent.push(made);
        return;
      }
      case 'duplicated':
        if (known === undefined) return;
        known.duplicated = true;
        this.byFrame.set(event.copy.id, known);
        return;
      case 'dropped':
        if (known !== undefined) known.dropped = true;
        return;
      case 'corrupted':
        if (known !== undefined) known.damaged = true;
        return;
      case 'reordered':
        if (known !== undefined) known.heldBack = true;
        return;
      case 'delivered':
        // A damaged segment is dropped by who gets it.
        if (known?.damaged === true) known.dropped = true;
        else known?.arrived.push(event.time);
    }
  }
}

/** What a capture at one end can know of the wire's own log. */
export interface Truth {
  /** Copies that needed another: of this end's segments those that were lost, of the peer's those whose next copy came. */
  lost: number;
  /** Bare acknowledgments that were lost, the most an analysis could know of. */
  lostBare: number;
  /** Segments that repeat numbers sent before; of the peer's those that arrived. */
  retransmitted: number;
  /** Of those, repetitions of what had arrived or was to arrive. */
  needless: number;
  /** The peer's segments that arrived after one sent later, and this end's that did so at the peer. */
  reordered: number;
  reorderedHere: number;
  /** The peer's segments with text, SYN or FIN that arrived here twice, and this end's that did so at the peer. */
  duplicatedHere: number;
  duplicatedThere: number;
}

interface Placed extends Sent {
  start: number;
  end: number;
  /** Sequence numbers that were sent before. */
  repeats: boolean;
  /** All of it arrived in earlier copies as well. */
  needless: boolean;
  late: boolean;
}

export function truthAt(end: End, sent: readonly Sent[]): Truth {
  const own = placed(sent.filter((s) => s.from === end));
  const peer = placed(sent.filter((s) => s.from !== end));
  const lost = (s: Sent): boolean => s.dropped && s.arrived.length === 0;
  const carries = (s: Sent): boolean => s.size > 0;
  // Repeated text arrives as if it were new when neither an earlier copy nor anything later came before it.
  const shows = (s: Placed): boolean => peer.some((e) => e.size > 0 && e.end > s.start && e.arrived[0] < s.arrived[0]);
  const here = peer.filter((s) => s.arrived.length > 0 && (!s.repeats || shows(s)));
  return {
    lost: own.filter((s) => carries(s) && lost(s)).length + here.filter((s) => s.repeats && !s.needless).length,
    lostBare: [...own, ...peer].filter((s) => !carries(s) && lost(s)).length,
    retransmitted: own.filter((s) => s.repeats).length + here.filter((s) => s.repeats).length,
    needless: own.filter((s) => s.needless).length + here.filter((s) => s.needless).length,
    reordered: own.filter((s) => s.late).length + peer.filter((s) => s.late).length,
    reorderedHere: peer.filter((s) => s.late).length,
    duplicatedHere: peer.filter((s) => s.size > 0 && s.arrived.length > 1).length,
    duplicatedThere: own.filter((s) => s.size > 0 && s.arrived.length > 1).length,
  };
}

function placed(sent: readonly Sent[]): Placed[] {
  const base = sent[0]?.seq ?? 0;
  const list = sent.map((s): Placed => {
    const start = (s.seq - base) | 0;
    return { ...s, start, end: start + s.size, repeats: false, needless: false, late: false };
  });
  let highest = 0;
  list.forEach((s, i) => {
    if (s.size === 0 || (s.flags & RST) !== 0) return;
    if (s.start < highest) {
      s.repeats = true;
      const before = list.slice(0, i).filter((e) => e.arrived.length > 0 && e.size > 0 && (e.flags & SYN) === 0);
      s.needless = [s.start, s.end - 1].every((at) => before.some((e) => e.start <= at && at < e.end));
    }
    highest = Math.max(highest, s.end);
    s.late = list.slice(i + 1).some((later) => later.size > 0 && later.arrived[0] < s.arrived[0]);
  });
  return list;
}
