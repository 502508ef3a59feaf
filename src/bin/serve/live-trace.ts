/** `--trace`: what our host sends and receives, one line a segment, with the connection's state before and after. */

import type { Time } from '../../base/time.ts';
import { segmentWords } from '../../host/event-words.ts';
import { endText, segmentEvent } from '../../host/events.ts';
import type { Interface } from '../../ip/interface.ts';
import { Connection } from '../../stack/connection.ts';
import type { Endpoint } from '../../stack/endpoint.ts';
import type { StackTrace } from '../../stack/trace.ts';
import { type State, stateName } from '../../tcp/state.ts';
import type { IpPacket } from '../../wire/ip-packet.ts';
import type { Segment } from '../../wire/tcp.ts';

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

  segmentReceived(now: Time, iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void {
    this.flush();
    const line = this.line(now, 'received', iface, endpoint, segment, packet);
    this.held = { line, endpoint, before: this.stateOf(endpoint) };
  }

  segmentSent(now: Time, iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void {
    this.flush();
    const line = this.line(now, 'sent', iface, endpoint, segment, packet);
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
      this.write(
        `${this.clock(now)}      ${endText(endpoint.remote, endpoint.remotePort)}  ${stateName(from)} → CLOSED`,
      );
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
    direction: 'sent' | 'received',
    iface: Interface,
    endpoint: Endpoint | null,
    segment: Segment,
    packet: IpPacket,
  ): string {
    const event = segmentEvent({ time: now, host: '' }, direction, iface, endpoint, segment, packet);
    const ownPort = event.local.slice(event.local.lastIndexOf(':'));
    return `${this.clock(now)}  ${direction === 'sent' ? '──▶' : '◀──'} ${event.remote} ${ownPort}  ${segmentWords(event)}`;
  }
}
