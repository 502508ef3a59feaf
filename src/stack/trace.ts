/**
 * Watching a stack at work: calls for ladders, captures, tests, and the events of a host. Nothing is made for them
 * beforehand, so that a stack nobody watches pays one comparison. What is handed over is valid during the call only.
 */

import type { Time } from '../base/time.ts';
import type { CounterName } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import type { State } from '../tcp/state.ts';
import type { TimerName } from '../tcp/tcb.ts';
import type { IpPacket } from '../wire/ip-packet.ts';
import type { Segment } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';

export interface StackTrace {
  /**
   * A segment that is good arrived, and is about to be processed.
   * @param endpoint the connection or TIME-WAIT entry it is for, the listener a new one would come from, or null.
   */
  segmentReceived(now: Time, iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void;
  /**
   * A segment was written to leave by the interface.
   * @param endpoint null for answers that belong to no connection: resets, SYN cookies.
   */
  segmentSent(now: Time, iface: Interface, endpoint: Endpoint | null, segment: Segment, packet: IpPacket): void;
  /** A connection changed its state; the endpoint is the connection, or its remains in TIME-WAIT. */
  stateChanged(now: Time, endpoint: Endpoint, from: State, to: State): void;
  /** A timer of a connection, or of its remains in TIME-WAIT, is due and about to be acted on. */
  timerExpired?(now: Time, endpoint: Endpoint, timer: TimerName): void;
  /** The application has written to a connection, or read from it: its text in order, each octet once. */
  textMoved?(now: Time, connection: Connection, direction: 'written' | 'read', text: Uint8Array): void;
  /** Something that arrived (or was to leave) was dropped; the reason is also a counter. */
  dropped(now: Time, iface: Interface, reason: CounterName): void;
}
