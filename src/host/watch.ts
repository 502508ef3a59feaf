/**
 * Who watches a host: streams of events, `diagnostics_channel`, `ESTAB_DEBUG`, and a trace of the user's own. An event
 * is made when somebody wants its kind, and for nobody else.
 */

import type { Time } from '../base/time.ts';
import type { CounterName } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import type { Connection } from '../stack/connection.ts';
import type { Endpoint } from '../stack/endpoint.ts';
import type { Stack } from '../stack/stack.ts';
import type { StackTrace } from '../stack/trace.ts';
import { type State, stateName } from '../tcp/state.ts';
import type { TimerName } from '../tcp/tcb.ts';
import type { IpPacket } from '../wire/ip-packet.ts';
import type { Segment } from '../wire/tcp.ts';
import { TlsReader } from '../wire/tls-records.ts';
import { type Channels, withChannels } from './channels.ts';
import { type DnsEvent, EVENT_KINDS, type EventKind, endsOf, type HostEvent, segmentEvent, stateOf } from './events.ts';

/** Takes events of some kinds. */
export interface Consumer {
  readonly kinds: ReadonlySet<EventKind>;
  push(event: HostEvent): void;
}

export class HostWatch implements StackTrace {
  private readonly stack: Stack;
  private readonly name: string;
  private readonly clock: () => Time;
  private readonly inner: StackTrace | null;
  private readonly consumers = new Set<Consumer>();
  private wanted: ReadonlySet<EventKind> = new Set();
  private channels: Channels | null = null;
  private readonly tls = new WeakMap<Connection, { readonly written: TlsReader; readonly read: TlsReader }>();

  /** @param inner told everything as well. */
  constructor(stack: Stack, name: string, clock: () => Time, inner: StackTrace | null) {
    this.stack = stack;
    this.name = name;
    this.clock = clock;
    this.inner = inner;
    withChannels((channels) => {
      this.channels = channels;
      this.changed();
    });
    this.changed();
  }

  add(consumer: Consumer): void {
    this.consumers.add(consumer);
    this.changed();
  }

  delete(consumer: Consumer): void {
    this.consumers.delete(consumer);
    this.changed();
  }

  // -- what the stack tells

  segmentReceived(now: Time, iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void {
    this.inner?.segmentReceived(now, iface, endpoint, segment, packet);
    if (this.wants('segment')) this.tell(segmentEvent(this.common(), 'received', iface, endpoint, segment, packet));
  }

  segmentSent(now: Time, iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void {
    this.inner?.segmentSent(now, iface, endpoint, segment, packet);
    if (this.wants('segment')) this.tell(segmentEvent(this.common(), 'sent', iface, endpoint, segment, packet));
  }

  stateChanged(now: Time, endpoint: Endpoint, from: State, to: State): void {
    this.inner?.stateChanged(now, endpoint, from, to);
    if (!this.wants('state')) return;
    this.tell({ kind: 'state', ...this.common(), ...endsOf(endpoint), from: stateName(from), to: stateName(to) });
  }

  dropped(now: Time, iface: Interface, reason: CounterName): void {
    this.inner?.dropped(now, iface, reason);
    if (this.wants('drop')) this.tell({ kind: 'drop', ...this.common(), interface: iface.name, reason });
  }

  timerExpired(now: Time, endpoint: Endpoint, timer: TimerName): void {
    this.inner?.timerExpired?.(now, endpoint, timer);
    if (!this.wants('timer')) return;
    const tcb = (endpoint as Partial<Connection>).tcb ?? { retransmits: 0, rtoMs: 0 };
    const { retransmits, rtoMs } = tcb;
    const what = { timer, state: stateOf(endpoint), retransmits, rtoMs };
    this.tell({ kind: 'timer', ...this.common(), ...endsOf(endpoint), ...what });
  }

  textMoved(now: Time, connection: Connection, direction: 'written' | 'read', text: Uint8Array): void {
    this.inner?.textMoved?.(now, connection, direction, text);
    if (this.wants('data')) {
      this.tell({ kind: 'data', ...this.common(), ...endsOf(connection), direction, length: text.length });
    }
    if (this.wants('tls')) this.readTls(connection, direction, text);
  }

  // -- what others tell

  dns(event: Omit<DnsEvent, 'kind' | 'time' | 'host'>): void {
    if (this.wants('dns')) this.tell({ kind: 'dns', ...this.common(), ...event });
  }

  // -- inside

  private wants(kind: EventKind): boolean {
    return this.wanted.has(kind) || this.channels?.[kind].hasSubscribers === true;
  }

  private tell(event: HostEvent): void {
    for (const consumer of this.consumers) if (consumer.kinds.has(event.kind)) consumer.push(event);
    const channel = this.channels?.[event.kind];
    if (channel?.hasSubscribers === true) channel.publish(event);
  }

  private readTls(connection: Connection, direction: 'written' | 'read', text: Uint8Array): void {
    let readers = this.tls.get(connection);
    if (readers === undefined) {
      readers = { written: new TlsReader(), read: new TlsReader() };
      this.tls.set(connection, readers);
    }
    const way = { direction: direction === 'written' ? 'sent' : 'received' } as const;
    for (const message of readers[direction].push(text)) {
      this.tell({ kind: 'tls', ...this.common(), ...endsOf(connection), ...way, message });
    }
  }

  private common(): { time: Time; host: string } {
    return { time: this.clock(), host: this.name };
  }

  private changed(): void {
    this.wanted = new Set(EVENT_KINDS.filter((kind) => [...this.consumers].some(({ kinds }) => kinds.has(kind))));
    // Subscribers of channels come and go without a word; where there are no channels, nobody pays for them.
    const busy = this.inner !== null || this.channels !== null || this.consumers.size > 0;
    this.stack.trace = busy ? this : null;
  }
}
