/**
 * What a host tells of its work, as plain objects that their receiver may keep. `host.events()` gives them as a stream,
 * `diagnostics_channel` publishes them on Node, `ESTAB_DEBUG` prints them.
 */

import { seqDiff, seqToUint32 } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import type { CounterName } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { Connection } from '../stack/connection.ts';
import { type Endpoint, EndpointKind } from '../stack/endpoint.ts';
import type { StateName } from '../tcp/state.ts';
import type { TimerName } from '../tcp/tcb.ts';
import { IpAddress } from '../wire/address.ts';
import type { IpPacket } from '../wire/ip-packet.ts';
import { ACK, CWR, ECE, FIN, PSH, RST, type Segment, SYN, URG } from '../wire/tcp.ts';
import type { TlsMessage } from '../wire/tls-records.ts';

interface Common {
  /** Milliseconds by the host's clock (`host.now()`). */
  readonly time: Time;
  /** The host's name; empty where it was given none. */
  readonly host: string;
}

/** Who talks: `10.0.0.1:49152`, `[fd00::1]:443`. */
interface Ends {
  readonly local: string;
  readonly remote: string;
}

/** A segment that was sent, or arrived and is about to be processed. */
export interface SegmentEvent extends Common, Ends {
  readonly kind: 'segment';
  readonly direction: 'sent' | 'received';
  readonly interface: string;
  /** The connection's state before the segment is processed, or after it was sent; null where it belongs to none. */
  readonly state: StateName | null;
  /** In the letters of tcpdump: `S`, `S.`, `P.`, `F.`, `R` … */
  readonly flags: string;
  /** Sequence numbers as they travel, 0 … 2^32 - 1. */
  readonly seq: number;
  readonly ack: number | null;
  /** The same, counted from each side's first number; null on SYNs and where they are not known. */
  readonly relative: { readonly seq: number; readonly ack: number | null } | null;
  /** As in the header: not scaled. */
  readonly window: number;
  /** Octets of text. */
  readonly length: number;
  readonly options: SegmentOptions;
}

export interface SegmentOptions {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: true;
  readonly timestamps?: { readonly value: number; readonly echo: number };
  /** Left edge, and the number after the last. */
  readonly sack?: readonly (readonly [number, number])[];
}

/** A connection went from one state to another. */
export interface StateEvent extends Common, Ends {
  readonly kind: 'state';
  readonly from: StateName;
  readonly to: StateName;
}

/** Something that arrived, or was to leave, was dropped. */
export interface DropEvent extends Common {
  readonly kind: 'drop';
  readonly interface: string;
  /** The counter that counts it, under Linux's name where it has one. */
  readonly reason: CounterName;
}

/** A timer of a connection is due, and about to be acted on. */
export interface TimerEvent extends Common, Ends {
  readonly kind: 'timer';
  readonly timer: TimerName;
  readonly state: StateName;
  /** Retransmissions so far without an answer. */
  readonly retransmits: number;
  /** The retransmission timeout at this moment, ms. */
  readonly rtoMs: number;
}

/** The application wrote text to a connection, or read some from it. */
export interface DataEvent extends Common, Ends {
  readonly kind: 'data';
  readonly direction: 'written' | 'read';
  readonly length: number;
}

/** A TLS message in the clear, as it stood in the text of a connection. */
export interface TlsEvent extends Common, Ends {
  readonly kind: 'tls';
  readonly direction: 'sent' | 'received';
  readonly message: TlsMessage;
}

/** A question of `estab/dns`, and what became of it. */
export interface DnsEvent extends Common {
  readonly kind: 'dns';
  readonly what: 'asked' | 'answered' | 'refused' | 'unanswered';
  readonly name: string;
  /** `A`, `AAAA`, …; null where it is not known. */
  readonly type: string | null;
  readonly server: string;
  readonly over: 'udp' | 'tcp' | null;
  /** `NOERROR`, `NXDOMAIN`, …; null before an answer. */
  readonly rcode: string | null;
  /** The answer's records, `A 10.0.0.1 (ttl 300)`. */
  readonly records: readonly string[];
  /** Why it was refused, or not answered. */
  readonly reason: string | null;
}

export type HostEvent = SegmentEvent | StateEvent | DropEvent | TimerEvent | DataEvent | TlsEvent | DnsEvent;
export type EventKind = HostEvent['kind'];
/** The events of some kinds. */
export type EventOf<K extends EventKind> = Extract<HostEvent, { kind: K }>;

export const EVENT_KINDS: readonly EventKind[] = ['segment', 'state', 'drop', 'timer', 'data', 'tls', 'dns'];

const LETTERS: ReadonlyArray<readonly [number, string]> = [
  [SYN, 'S'],
  [FIN, 'F'],
  [RST, 'R'],
  [PSH, 'P'],
  [URG, 'U'],
  [ECE, 'E'],
  [CWR, 'W'],
  [ACK, '.'],
];

/** A segment in the terms of a {@link SegmentEvent}. */
export function segmentEvent(
  common: Common,
  direction: 'sent' | 'received',
  iface: Interface,
  endpoint: Endpoint | null,
  segment: Segment,
  packet: IpPacket,
): SegmentEvent {
  const source = endText(new IpAddress(packet.s0, packet.s1, packet.s2, packet.s3), segment.sourcePort);
  const destination = endText(new IpAddress(packet.d0, packet.d1, packet.d2, packet.d3), segment.destinationPort);
  const sent = direction === 'sent';
  return {
    kind: 'segment',
    ...common,
    local: sent ? source : destination,
    remote: sent ? destination : source,
    direction,
    interface: iface.name,
    state: endpoint === null ? null : stateOf(endpoint),
    flags: LETTERS.reduce((text, [bit, letter]) => ((segment.flags & bit) === 0 ? text : text + letter), ''),
    seq: seqToUint32(segment.seq),
    ack: (segment.flags & ACK) === 0 ? null : seqToUint32(segment.ack),
    relative: relativeOf(sent, endpoint, segment),
    window: segment.window,
    length: segment.payloadLength,
    options: optionsOf(segment),
  };
}

function relativeOf(sent: boolean, endpoint: Endpoint | null, segment: Segment): SegmentEvent['relative'] {
  if (!(endpoint instanceof Connection) || (segment.flags & SYN) !== 0) return null;
  const { iss, irs } = endpoint.tcb;
  const [own, other] = sent ? [iss, irs] : [irs, iss];
  const ack = (segment.flags & ACK) === 0 ? null : seqDiff(segment.ack, other) >>> 0;
  return { seq: seqDiff(segment.seq, own) >>> 0, ack };
}

function optionsOf(segment: Segment): SegmentOptions {
  const sack: [number, number][] = [];
  for (let i = 0; i < segment.sackCount; i++) {
    sack.push([segment.sackEdges[2 * i] >>> 0, segment.sackEdges[2 * i + 1] >>> 0]);
  }
  return {
    ...(segment.mss > 0 ? { mss: segment.mss } : {}),
    ...(segment.windowScale >= 0 ? { windowScale: segment.windowScale } : {}),
    ...(segment.sackPermitted ? { sackPermitted: true as const } : {}),
    ...(segment.timestamps ? { timestamps: { value: segment.tsVal >>> 0, echo: segment.tsEcr >>> 0 } } : {}),
    ...(sack.length > 0 ? { sack } : {}),
  };
}

/** A connection's state; what is left of one is in TIME-WAIT. */
export function stateOf(endpoint: Endpoint): StateName {
  if (endpoint instanceof Connection) return endpoint.state;
  return endpoint.kind === EndpointKind.TIME_WAIT ? 'TIME-WAIT' : 'LISTEN';
}

/** `10.0.0.1:80`, `[fd00::1]:80` */
export function endText(address: IpAddress, port: number): string {
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Both ends of a connection, or of what is left of it. */
export function endsOf(endpoint: Endpoint): Ends {
  const { local, localPort, remote, remotePort } = endpoint;
  return { local: endText(local, localPort), remote: endText(remote, remotePort) };
}
