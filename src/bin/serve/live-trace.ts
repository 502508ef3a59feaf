/** `--trace`: what our host sends and receives, one line a segment, with the connection's state before and after. */

import { seqDiff, seqToUint32 } from '../../base/seq.ts';
import type { Time } from '../../base/time.ts';
import type { Interface } from '../../ip/interface.ts';
import { Connection } from '../../stack/connection.ts';
import type { Endpoint } from '../../stack/endpoint.ts';
import type { StackTrace } from '../../stack/trace.ts';
import { type State, stateName } from '../../tcp/state.ts';
import { IpAddress } from '../../wire/address.ts';
import type { IpPacket } from '../../wire/ip-packet.ts';
import { ACK, CWR, ECE, FIN, PSH, RST, type Segment, SYN, URG } from '../../wire/tcp.ts';

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

export class LiveTrace implements StackTrace {
  private readonly write: (line: string) => void;
  private started: Time | null = null;
  /** A received segment whose effect on the state is not known yet. */
  private held: { line: string; endpoint: Endpoint | null; before: string } | null = null;
  /** The state each connection was last shown in. */
  private readonly shown = new WeakMap<Endpoint, string>();

  constructor(write: (line: string) => void) {
    this.write = write;
  }

  segmentReceived(now: Time, _iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void {
    this.flush();
    const from = new IpAddress(packet.s0, packet.s1, packet.s2, packet.s3);
    const line = this.line(now, '◀──', from, segment.sourcePort, segment.destinationPort, segment, endpoint, false);
    this.held = { line, endpoint, before: this.stateOf(endpoint) };
  }

  segmentSent(now: Time, _iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void {
    this.flush();
    const to = new IpAddress(packet.d0, packet.d1, packet.d2, packet.d3);
    const line = this.line(now, '──▶', to, segment.destinationPort, segment.sourcePort, segment, endpoint, true);
    const before = endpoint === null ? '' : (this.shown.get(endpoint) ?? 'CLOSED');
    this.tell(line, endpoint, before, this.stateOf(endpoint));
  }

  stateChanged(now: Time, endpoint: Endpoint, from: State, to: State): void {
    const { held } = this;
    if (held !== null) {
      // The listener's segment made a connection: from here on it is that connection's line.
      if (!(held.endpoint instanceof Connection)) this.held = { ...held, endpoint, before: 'LISTEN' };
      return;
    }
    if (endpoint instanceof Connection && this.shown.has(endpoint) && to === 0) {
      this.write(`${this.clock(now)}      ${named(endpoint.remote, endpoint.remotePort)}  ${stateName(from)} → CLOSED`);
      this.shown.set(endpoint, 'CLOSED');
    }
  }

  dropped(now: Time, _iface: Interface, reason: string): void {
    // What is for somebody else on the link is no news.
    if (reason === 'IpInAddrErrors') return;
    this.flush();
    this.write(`${this.clock(now)}  ✗   dropped: ${reason}`);
  }

  /** Writes what is held back; to be called when a burst is over. */
  flush(): void {
    const { held } = this;
    this.held = null;
    if (held !== null) this.tell(held.line, held.endpoint, held.before, this.stateOf(held.endpoint));
  }

  private tell(line: string, endpoint: Endpoint | null, before: string, after: string): void {
    if (endpoint !== null) this.shown.set(endpoint, after);
    const states = before === after ? after : `${before} → ${after}`;
    this.write(`${line.padEnd(88)} ${states}`.trimEnd());
  }

  private stateOf(endpoint: Endpoint | null): string {
    if (endpoint instanceof Connection) return endpoint.state;
    return endpoint === null ? '' : (this.shown.get(endpoint) ?? 'LISTEN');
  }

  private clock(now: Time): string {
    this.started ??= now;
    return (now - this.started).toFixed(3).padStart(11);
  }

  private line(
    now: Time,
    arrow: string,
    address: IpAddress,
    port: number,
    ownPort: number,
    segment: Segment,
    endpoint: Endpoint | null,
    sent: boolean,
  ): string {
    const letters = LETTERS.filter(([bit]) => (segment.flags & bit) !== 0)
      .map(([, letter]) => letter)
      .join('');
    const parts = [
      `[${letters || 'none'}]`,
      ...numbers(segment, endpoint, sent),
      `win ${segment.window}`,
      ...options(segment),
    ];
    return `${this.clock(now)}  ${arrow} ${named(address, port)} :${ownPort}  ${parts.join(' ')}`;
  }
}

function named(address: IpAddress, port: number): string {
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Relative to the connection's initial numbers once it is open, as tcpdump shows them. */
function numbers(segment: Segment, endpoint: Endpoint | null, sent: boolean): string[] {
  const hasAck = (segment.flags & ACK) !== 0;
  const relative = endpoint instanceof Connection && (segment.flags & SYN) === 0;
  const tcb = relative ? endpoint.tcb : null;
  const own = tcb === null ? null : sent ? tcb.iss : tcb.irs;
  const other = tcb === null ? null : sent ? tcb.irs : tcb.iss;
  const seq = own === null ? seqToUint32(segment.seq) : seqDiff(segment.seq, own) >>> 0;
  const ack = other === null ? seqToUint32(segment.ack) : seqDiff(segment.ack, other) >>> 0;
  return [
    segment.payloadLength > 0 ? `seq ${seq}:${seq + segment.payloadLength}` : `seq ${seq}`,
    ...(hasAck ? [`ack ${ack}`] : []),
    ...(segment.payloadLength > 0 ? [`len ${segment.payloadLength}`] : []),
  ];
}

function options(segment: Segment): string[] {
  const list: string[] = [];
  if (segment.mss > 0) list.push(`mss ${segment.mss}`);
  if (segment.windowScale >= 0) list.push(`ws ${segment.windowScale}`);
  if (segment.sackPermitted) list.push('sack');
  for (let i = 0; i < segment.sackCount; i++) {
    list.push(`sack ${segment.sackEdges[2 * i] >>> 0}:${segment.sackEdges[2 * i + 1] >>> 0}`);
  }
  if (segment.timestamps && segment.mss > 0) list.push('ts');
  return list;
}
