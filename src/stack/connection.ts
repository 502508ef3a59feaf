/**
 * One connection as an application holds it: the calls of RFC 9293 section 3.9.1 over a TCB, and the links by which it
 * hangs in the host's tables. Every call takes `now`; what it leads to is sent at the next `pollTransmit`, and told at
 * the next `deliverEvents`.
 */

import type { ErrorCode } from '../base/errors.ts';
import { seqGt } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import type { TimerNode } from '../base/timer-wheel.ts';
import type { Interface } from '../ip/interface.ts';
import type { Neighbour } from '../ip/neighbours.ts';
import {
  abort,
  close,
  Event,
  orphan,
  receive,
  type SendOptions,
  State,
  type StateName,
  send,
  stateName,
  status,
  type Tcb,
  type TcbTrace,
  type TcpStatus,
  type TimerName,
  urgentRemaining,
} from '../tcp/index.ts';
import type { IpAddress } from '../wire/address.ts';
import { applyOptions, type BufferLimits, type ConnectionOptions, checkOptions } from './connection-options.ts';
import type { Egress } from './egress.ts';
import { Endpoint, EndpointKind } from './endpoint.ts';
import type { EventSource } from './events.ts';
import type { Listener } from './listener.ts';
import { readOption, type SocketOptionName, toConnectionOptions } from './socket-options.ts';
import type { TimeWait } from './time-wait.ts';
import type { StackTrace } from './trace.ts';

/** What a connection tells its application. Called by `deliverEvents` alone; all are optional. */
export interface ConnectionHandler {
  /** ESTABLISHED was reached (not told of connections that were accepted). */
  opened?(connection: Connection): void;
  /** Text has arrived: read until null. */
  readable?(connection: Connection): void;
  /** After `write` returned false: the buffer has room again. */
  writable?(connection: Connection): void;
  /** The peer has closed: nothing comes after what can be read now. */
  peerClosed?(connection: Connection): void;
  /** All text written and the FIN have been acknowledged. */
  flushed?(connection: Connection): void;
  /** Urgent text is coming, see {@link Connection.urgent} (MUST-32). */
  urgent?(connection: Connection): void;
  /** An ICMP error that does not end the connection (MUST-47). */
  softError?(connection: Connection, error: ErrorCode): void;
  /** The peer has not answered several retransmissions (SHLD-9). */
  notResponding?(connection: Connection): void;
  /**
   * The connection is over: with null after both ends have closed (it may stay in TIME-WAIT), else with the reason.
   * Called once, after everything else.
   */
  closed?(connection: Connection, error: ErrorCode | null): void;
}

/** What the host does for its connections. */
export interface ConnectionHost extends BufferLimits {
  /** Something was done to a connection: its timer, its place in the line and its events are to be looked at. */
  touch(now: Time, connection: Connection): void;
  /** There are events, and somebody to tell them to. */
  announce(connection: Connection): void;
  /** The application lets go; false when there are too many orphans, and the connection is to be aborted. */
  mayOrphan(): boolean;
  readonly trace: StackTrace | null;
  /** The latest time the host was told. */
  readonly now: Time;
}

export class Connection extends Endpoint implements TimerNode, EventSource, TcbTrace {
  readonly tcb: Tcb;
  private readonly host: ConnectionHost;
  private told: ConnectionHandler | null = null;

  // -- what follows belongs to the host
  /** The listener it came from, until it is accepted. */
  listener: Listener | null = null;
  queuePrevious: Connection | null = null;
  queueNext: Connection | null = null;
  inSynQueue = false;
  /** Half-open and not yet timed out once. */
  young = false;
  /** The line it stands in because it has something to send. */
  egress: Egress | null = null;
  readyNext: Connection | null = null;
  /** The interface on which a link-local peer lives; null where addresses say enough. */
  scope: Interface | null = null;
  /** Its way out: interface number, next hop, and which state of the routing table that is from. */
  routeGeneration = -1;
  interfaceIndex = -1;
  neighbour: Neighbour | null = null;
  /** When to ask the path MTU cache again. */
  pmtuExpires: Time = NEVER;
  inEventQueue = false;
  eventNext: EventSource | null = null;
  /** Bytes charged to the memory budget. */
  charged = 0;
  countedOrphan = false;
  countedTimeWait = false;
  /** Out of the tables: CLOSED, or gone into {@link remains}. */
  detached = false;
  closedTold = false;
  /** What is left of it in TIME-WAIT. */
  remains: TimeWait | null = null;
  timerNext: TimerNode | null = null;
  timerPrevious: TimerNode | null = null;
  timerDeadline: Time = NEVER;

  constructor(
    host: ConnectionHost,
    tcb: Tcb,
    local: IpAddress,
    localPort: number,
    remote: { w0: number; w1: number; w2: number; w3: number },
    remotePort: number,
  ) {
    super(EndpointKind.CONNECTION, local, localPort, remotePort);
    this.setRemote(remote, remotePort);
    this.host = host;
    this.tcb = tcb;
    tcb.trace = this;
  }

  /** Whom events are told; may be changed at any time. They wait while it is null. */
  get handler(): ConnectionHandler | null {
    return this.told;
  }

  set handler(handler: ConnectionHandler | null) {
    this.told = handler;
    if (handler !== null && this.tcb.events !== 0) this.host.announce(this);
  }

  /** The state, as the RFC spells it. */
  get state(): StateName {
    if (this.remains !== null) return stateName(this.remains.dead ? State.CLOSED : State.TIME_WAIT);
    return stateName(this.tcb.state);
  }

  /** Bytes that can be read now. */
  get readable(): number {
    return this.tcb.receiveBuffer.readable;
  }

  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number {
    return this.tcb.sendBuffer.length;
  }

  /** Bytes up to the end of the urgent text that are not read yet, 0 when nothing is urgent (MUST-33). */
  get urgent(): number {
    return urgentRemaining(this.tcb);
  }

  /** Whether the peer has sent its FIN and everything before it has arrived. */
  get peerHasClosed(): boolean {
    // A FIN may be held while text before it is missing.
    return this.tcb.finReceived && seqGt(this.tcb.rcvNxt, this.tcb.finSeq);
  }

  /**
   * SEND: queues bytes, which must not change until they are acknowledged. All are taken.
   * @returns false when the buffer is fuller than it should be: write on after `writable`.
   * @throws EstabError ENOTCONN without a connection, EPIPE after `shutdown`.
   */
  write(now: Time, bytes: Uint8Array, options?: SendOptions): boolean {
    const room = send(this.tcb, now, bytes, options);
    this.host.trace?.textMoved?.(now, this, 'written', bytes);
    this.host.touch(now, this);
    return room;
  }

  /**
   * RECEIVE: the next bytes that lie together, `max` at most; null when there are none now. They are the caller's to
   * keep.
   * @throws EstabError ENOTCONN when it was never opened.
   */
  read(now: Time, max?: number): Uint8Array | null {
    const bytes = receive(this.tcb, now, max);
    if (bytes !== null) {
      this.host.trace?.textMoved?.(now, this, 'read', bytes);
      this.host.touch(now, this);
    }
    return bytes;
  }

  /**
   * CLOSE: a FIN follows what was written; what the peer still sends can be read.
   * @throws EstabError ENOTCONN without a connection.
   */
  shutdown(now: Time): void {
    close(this.tcb, now);
    this.host.touch(now, this);
  }

  /**
   * The application lets go: what was written still goes out, then a FIN; what arrives unread is answered with a RST
   * (SHLD-3). Nothing can be read any more. `closed` is still told.
   */
  close(now: Time): void {
    if (this.detached || this.tcb.orphaned) return;
    if (this.tcb.state === State.SYN_SENT || this.host.mayOrphan()) orphan(this.tcb, now);
    else abort(this.tcb, now);
    this.host.touch(now, this);
  }

  /** ABORT: ends the connection at once, with a RST where the peer believes in it. Harmless when it is over. */
  abort(now: Time): void {
    if (this.detached) return;
    abort(this.tcb, now);
    this.host.touch(now, this);
  }

  /** STATUS: a snapshot. */
  status(): TcpStatus {
    return { ...status(this.tcb), state: this.state };
  }

  /**
   * Changes options.
   * @throws EstabError EINVAL when a value makes no sense; nothing is changed then.
   */
  configure(now: Time, options: ConnectionOptions): void {
    checkOptions(options);
    applyOptions(this.tcb, now, options, this.host);
    if (!this.detached) this.host.touch(now, this);
  }

  /**
   * Sets an option under its Linux name: `setOption(now, 'TCP_USER_TIMEOUT', 30_000)`.
   * @throws EstabError EINVAL that names what there is.
   */
  setOption(now: Time, name: SocketOptionName, value: number | boolean | string): void {
    this.configure(now, toConnectionOptions(name, value));
  }

  /** What is in force of an option. @throws EstabError EINVAL for a name there is not. */
  getOption(name: SocketOptionName): number | string {
    return readOption(this.tcb, name);
  }

  /** The engine's own. */
  stateChanged(_tcb: Tcb, from: State, to: State): void {
    this.host.trace?.stateChanged(this.host.now, this, from, to);
  }

  /** The engine's own. */
  timerExpired(_tcb: Tcb, timer: TimerName): void {
    this.host.trace?.timerExpired?.(this.host.now, this, timer);
  }

  /** The host's own: tells the handler what has happened. */
  deliver(): void {
    const handler = this.told;
    if (handler === null) return;
    const { tcb } = this;
    const events = tcb.events;
    tcb.events = 0;
    const over = (events & (Event.CLOSED | Event.TIME_WAIT)) !== 0;
    for (const [event, tell] of TELLING) {
      // The handler itself may have ended it: then only `closed` is still of interest, and comes with its own event.
      if ((events & event) !== 0 && (over || tcb.state !== State.CLOSED)) tell(handler, this);
    }
    if (!over || this.closedTold) return;
    this.closedTold = true;
    handler.closed?.(this, tcb.error);
  }
}

/** In the order in which they make sense when several come at once. */
const TELLING: readonly [event: number, tell: (handler: ConnectionHandler, connection: Connection) => void][] = [
  [Event.OPENED, (handler, connection) => handler.opened?.(connection)],
  [Event.URGENT, (handler, connection) => handler.urgent?.(connection)],
  [Event.READABLE, (handler, connection) => handler.readable?.(connection)],
  [Event.PEER_CLOSED, (handler, connection) => handler.peerClosed?.(connection)],
  [Event.WRITABLE, (handler, connection) => handler.writable?.(connection)],
  [Event.FLUSHED, (handler, connection) => handler.flushed?.(connection)],
  [
    Event.SOFT_ERROR,
    (handler, connection) => handler.softError?.(connection, connection.tcb.softError ?? 'EHOSTUNREACH'),
  ],
  [Event.NOT_RESPONDING, (handler, connection) => handler.notResponding?.(connection)],
];
