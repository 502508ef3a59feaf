/**
 * What passed the client's link: every packet with its time, and for each TCP connection what can be read from them.
 * All that `estab get` says of segments, flights and key shares it has seen here, in the packets themselves.
 */

import { StreamReader } from '../../analyse/streams.ts';
import { type Seq, seq, seqAdd, seqGe } from '../../base/seq.ts';
import { LinkType, TLS_KEY_LOG } from '../../capture/formats.ts';
import { PcapngWriter } from '../../capture/pcapng-writer.ts';
import { Kind, type Packet, PacketDecoder } from '../../dissect/packet.ts';
import { Option } from '../../dissect/packet-options.ts';
import type { FrameDirection, FrameSink } from '../../link/tee.ts';
import type { WireEvent } from '../../sim/wire.ts';
import { IpAddress } from '../../wire/address.ts';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** The hellos come first; the largest group's public value has 1024 octets. */
const KEPT = 16_384;
/** So much of a run is kept whole; of packets beyond it the headers, so that a large download does not fill memory. */
const KEPT_WHOLE = 128 << 20;
const KEPT_OF_EACH = 128;

export interface Flight {
  readonly side: 'client' | 'server';
  readonly from: number;
  until: number;
  octets: number;
}

/** One side's FIN, and whether the other side has acknowledged it. */
class Closing {
  acknowledged = false;
  private end: Seq | null = null;

  /** A segment with FIN was seen: it ends with the FIN's own number (RFC 9293 section 3.4). */
  sent({ seq: first, payloadLength }: Packet): void {
    this.end = seqAdd(seq(first), payloadLength + 1);
  }

  heard(ack: number): void {
    if (this.end !== null && seqGe(seq(ack), this.end)) this.acknowledged = true;
  }
}

/** Both ends of a connection of the client's. */
export interface Flow {
  readonly localPort: number;
  readonly address: string;
  readonly port: number;
}

/** One port of the client's may serve connections to several servers. */
export function flowKey({ localPort, address, port }: Flow): string {
  return `${localPort} ${address} ${port}`;
}

/** One connection as the client's link saw it. Times in milliseconds of the run. */
export class Tap {
  synAt = 0;
  /** SYNs sent, and SYN-ACKs that came. */
  syns = 0;
  synAcks = 0;
  /** When our ACK of the SYN-ACK left; null before. */
  openedAt: number | null = null;
  /** What the peer's SYN allows. */
  mss: number | null = null;
  segmentsUp = 0;
  segmentsDown = 0;
  octetsUp = 0;
  octetsDown = 0;
  reset: 'client' | 'server' | null = null;
  /** What a router or the peer's host said of it, in words. */
  icmp: string | null = null;
  readonly flights: Flight[] = [];
  private readonly streams: [Uint8Array[], Uint8Array[]] = [[], []];
  private readonly kept: [number, number] = [0, 0];
  private readonly closings: readonly [Closing, Closing] = [new Closing(), new Closing()];
  private time = 0;
  private readonly reader = new StreamReader({ text: (side, bytes) => this.text(side, bytes), gap: () => undefined });

  /** Nothing more is to be expected: reset, or both FINs acknowledged (FINs that cross take one segment more than three). */
  get over(): boolean {
    return this.reset !== null || (this.closings[0].acknowledged && this.closings[1].acknowledged);
  }

  /** The first octets of one side. */
  beginning(side: 'client' | 'server'): Uint8Array {
    return Buffer.concat(this.streams[side === 'client' ? 0 : 1]);
  }

  segment(packet: Packet, side: 0 | 1, time: number): void {
    const { flags } = packet;
    this.time = time;
    if (side === 0) this.segmentsUp++;
    else this.segmentsDown++;
    if ((flags & RST) !== 0) this.reset ??= side === 0 ? 'client' : 'server';
    else if ((flags & SYN) !== 0) this.opening(packet, side, time);
    else if (side === 0 && this.synAcks > 0 && (flags & ACK) !== 0) this.openedAt ??= time;
    if ((flags & ACK) !== 0) this.closings[side === 0 ? 1 : 0].heard(packet.ack);
    if ((flags & FIN) !== 0) this.closings[side].sent(packet);
    this.reader.add(packet, side);
  }

  private opening(packet: Packet, side: 0 | 1, time: number): void {
    if (side === 1) {
      this.synAcks++;
      if ((packet.options & Option.MSS) !== 0) this.mss = packet.mss;
      return;
    }
    if (this.syns++ === 0) this.synAt = time;
  }

  private text(side: 0 | 1, bytes: Uint8Array): void {
    if (side === 0) this.octetsUp += bytes.length;
    else this.octetsDown += bytes.length;
    const name = side === 0 ? 'client' : 'server';
    const last = this.flights.at(-1);
    if (last !== undefined && last.side === name) {
      last.until = this.time;
      last.octets += bytes.length;
    } else this.flights.push({ side: name, from: this.time, until: this.time, octets: bytes.length });
    if (this.kept[side] >= KEPT) return;
    this.streams[side].push(bytes.slice(0, KEPT - this.kept[side]));
    this.kept[side] += bytes.length;
  }
}

interface Recorded {
  readonly ms: number;
  readonly bytes: Uint8Array;
  /** As it was on the link. */
  readonly length: number;
  readonly direction: FrameDirection;
}

export class Recorder implements FrameSink {
  /** Lines of the client's TLS key log. */
  readonly keys: string[] = [];
  /** Packets that were lost on some wire, either way. */
  lost = 0;
  private readonly origin = performance.now();
  private readonly epoch = Date.now();
  private readonly frames: Recorded[] = [];
  private readonly keptWhole: number;
  private octets = 0;
  private readonly taps = new Map<string, Tap>();
  private readonly decoder = new PacketDecoder();

  /** @param keptWhole so many octets; of the packets after them only the headers. */
  constructor(keptWhole = KEPT_WHOLE) {
    this.keptWhole = keptWhole;
  }

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.origin;
  }

  get packets(): number {
    return this.frames.length;
  }

  tap(flow: Flow): Tap {
    const key = flowKey(flow);
    let tap = this.taps.get(key);
    if (tap === undefined) {
      tap = new Tap();
      this.taps.set(key, tap);
    }
    return tap;
  }

  frame(frame: Uint8Array, direction: FrameDirection): void {
    const ms = this.now();
    const whole = frame.slice();
    const { length } = whole;
    const bytes = this.octets < this.keptWhole ? whole : whole.slice(0, KEPT_OF_EACH);
    this.octets += bytes.length;
    this.frames.push({ ms, bytes, length, direction });
    const kind = this.decoder.decode(LinkType.RAW, whole, 0, length);
    const { packet } = this.decoder;
    const outbound = direction === 'outbound';
    // An error speaks of a segment of ours.
    if (kind === Kind.ICMP_ERROR && !outbound) this.tap(flowOf(packet, true)).icmp = icmpWords(packet);
    if (kind !== Kind.TCP) return;
    this.tap(flowOf(packet, outbound)).segment(packet, outbound ? 0 : 1, ms);
  }

  end(): void {
    this.taps.clear();
  }

  /** For the network: what becomes of frames on its wires. */
  observe(event: WireEvent): void {
    if (event.kind === 'dropped') this.lost++;
  }

  /** All of it as pcapng; the key log goes before the packets, so that a reader can decrypt them as it comes to them. */
  pcapng(device: string): Uint8Array {
    const blocks: Uint8Array[] = [];
    const writer = new PcapngWriter((block) => blocks.push(block));
    const id = writer.addInterface({ linkType: LinkType.RAW, name: device });
    if (this.keys.length > 0) writer.secrets(TLS_KEY_LOG, Buffer.from(`${this.keys.join('\n')}\n`));
    for (const { ms, bytes, length: originalLength, direction } of this.frames) {
      writer.packet(id, this.epoch + ms, bytes, { direction, originalLength });
    }
    return Buffer.concat(blocks);
  }
}

function flowOf(packet: Packet, outbound: boolean): Flow {
  const { family, s0, s1, s2, s3, d0, d1, d2, d3, sourcePort, destinationPort } = packet;
  const [localPort, port] = outbound ? [sourcePort, destinationPort] : [destinationPort, sourcePort];
  const [w0, w1, w2, w3] = outbound ? [d0, d1, d2, d3] : [s0, s1, s2, s3];
  const address = family === 4 ? IpAddress.v4(w3) : new IpAddress(w0, w1, w2, w3);
  return { localPort, address: address.toString(), port };
}

function icmpWords({ family, icmpType, icmpCode }: Packet): string {
  const unreachable = icmpType === (family === 4 ? 3 : 1);
  const known = family === 4 ? ['network', 'host', 'protocol', 'port'] : ['network', '', '', 'host', 'port'];
  if (unreachable && known[icmpCode]) return `"${known[icmpCode]} unreachable" by ICMP`;
  return `an ICMP error (type ${icmpType}, code ${icmpCode})`;
}
