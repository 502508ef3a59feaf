/**
 * The life of connections within the host: after everything that is done to one (a segment, a timer, a call) its state,
 * its place in the tables, its timer, its place in the line and its events are brought up to date, in {@link
 * Connections.touch}.
 */

import type { Time } from '../base/time.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import { Counter } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { abort, deadline, Event, State, segmentArrives, Tcb, timeouts, wantsOutput } from '../tcp/index.ts';
import type { IpAddress } from '../wire/address.ts';
import { FIN, PSH, type Segment } from '../wire/tcp.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import type { Core } from './core.ts';
import type { Demux } from './demux.ts';
import type { Egress } from './egress.ts';
import type { EventQueue } from './events.ts';
import { MemoryBudget } from './limits.ts';
import { ProvenPeers } from './peers.ts';
import { synAckRetries } from './syn-queue.ts';
import { type TcpOutput, Written } from './tcp-output.ts';
import type { TimeWait } from './time-wait.ts';
import { TimeWaits } from './time-waits.ts';
import type { StackTrace } from './trace.ts';

/** Told when a connection that came from a listener leaves its SYN queue for the accept queue. */
export interface AcceptQueueHost {
  completed(now: Time, connection: Connection): void;
}

export class Connections implements ConnectionHost {
  readonly demux: Demux;
  readonly wheel = new TimerWheel<Connection | TimeWait>();
  readonly budget: MemoryBudget;
  readonly proven: ProvenPeers;
  readonly timeWaits: TimeWaits;
  /** Connections that nobody owns any more. */
  orphans = 0;
  private readonly core: Core;
  private readonly egresses: readonly Egress[];
  private readonly events: EventQueue;
  private readonly output: TcpOutput;
  private acceptHost: AcceptQueueHost | null = null;

  constructor(core: Core, demux: Demux, egresses: readonly Egress[], events: EventQueue, output: TcpOutput) {
    this.core = core;
    this.demux = demux;
    this.egresses = egresses;
    this.events = events;
    this.output = output;
    this.budget = new MemoryBudget(core.settings, core.counters);
    this.proven = new ProvenPeers(core.keyed);
    this.timeWaits = new TimeWaits(core, demux, this.wheel);
  }

  setAcceptHost(host: AcceptQueueHost): void {
    this.acceptHost = host;
  }

  get trace(): StackTrace | null {
    return this.core.trace;
  }

  get now(): Time {
    return this.core.now;
  }

  get receiveBufferMax(): number {
    return this.core.settings.rmem_max;
  }

  get sendBufferMax(): number {
    return this.core.settings.wmem_max;
  }

  /** A connection over a fresh TCB, in the tables; `iface` is the way to the peer. */
  create(
    now: Time,
    iface: Interface,
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): Connection {
    const { core } = this;
    const mtu = core.pmtu.get(now, remote, iface.mtu);
    const tcb = new Tcb(core.tcpConfig, remote.family, mtu);
    tcb.hopLimit = core.settings.ip_default_ttl;
    const connection = new Connection(this, tcb, local, localPort, remote, remotePort);
    if (mtu < iface.mtu) connection.pmtuExpires = core.pmtu.expires(remote);
    this.demux.add(connection);
    return connection;
  }

  /** Gives a segment to the connection it is for. */
  segment(now: Time, connection: Connection, segment: Segment): void {
    const { tcb } = connection;
    const refused = segment.payloadLength > 0 && this.refusesText(connection, segment.payloadLength);
    if (refused) {
      // No memory for its text: as if it had come without, and the peer is told where we stand.
      segment.payloadLength = 0;
      segment.flags &= ~(FIN | PSH);
      this.core.counters.increment(Counter.TCPMemoryRefused);
    }
    segmentArrives(tcb, segment, now);
    if (refused && tcb.state !== State.CLOSED) tcb.ackNow = true;
    this.touch(now, connection);
  }

  /** The connection's timer fired, perhaps too early: it is not moved when its deadline is put off. */
  timeout(now: Time, connection: Connection): void {
    const { tcb, listener } = connection;
    if (listener !== null && connection.inSynQueue && tcb.rtxDeadline <= now) {
      const { synQueue, backlog } = listener;
      const { synAckRetries: retries } = this.core.tcpConfig;
      tcb.synRetryLimit = synAckRetries(synQueue.length, synQueue.young, backlog, retries);
      if (tcb.synRetryLimit < retries) this.core.counters.increment(Counter.TCPSynRetransCut);
      synQueue.age(connection);
    }
    const told = tcb.mtuTold;
    timeouts(tcb, now);
    if (told > 0 && tcb.mtu === told) this.lowerPathMtu(now, connection, told);
    if ((tcb.events & Event.NOT_RESPONDING) !== 0) connection.routeGeneration = -1;
    this.touch(now, connection);
  }

  /** A connection has found its path to carry `mtu` octets: new connections to that peer shall know. */
  lowerPathMtu(now: Time, connection: Connection, mtu: number): void {
    const { core } = this;
    const { remote } = connection;
    const route = core.route(remote);
    if (route !== null) core.pmtu.lower(now, remote, mtu, route.device.mtu);
    connection.pmtuExpires = core.pmtu.expires(remote);
    this.touch(now, connection);
  }

  /** See {@link ConnectionHost.touch}. */
  touch(now: Time, connection: Connection): void {
    const { tcb } = connection;
    if (!connection.detached) {
      this.account(connection);
      if (connection.inSynQueue) this.followHandshake(now, connection);
      if (tcb.orphaned && !connection.countedOrphan) {
        connection.countedOrphan = true;
        this.orphans++;
      }
      if (tcb.state === State.CLOSED) this.detach(connection);
      else if (tcb.state === State.TIME_WAIT) this.enterTimeWait(now, connection);
    }
    if (tcb.events !== 0) this.announce(connection);
    this.reschedule(connection);
    if (connection.egress === null && wantsOutput(tcb)) this.enqueue(now, connection);
  }

  announce(connection: Connection): void {
    if (connection.handler !== null) this.events.push(connection);
  }

  mayOrphan(): boolean {
    const { counters, settings } = this.core;
    if (this.budget.isFull(0)) {
      counters.increment(Counter.TCPAbortOnMemory);
      return false;
    }
    if (this.orphans < settings.tcp_max_orphans) return true;
    counters.increment(Counter.TCPOrphanOverflow);
    return false;
  }

  /**
   * Writes the next segment of the first connection in a line.
   * @returns its length; 0 when none of those in line has anything to send.
   */
  transmit(now: Time, egress: Egress, out: Uint8Array): number {
    for (let connection = egress.first; connection !== null; connection = egress.first) {
      if (!wantsOutput(connection.tcb)) {
        // It ended while it stood in line. Not even its neighbour is to be asked for any more.
        this.finishTurn(now, egress, connection);
        continue;
      }
      const iface = this.output.device(now, connection);
      if (iface !== egress.iface) {
        egress.dequeue();
        this.enqueue(now, connection);
        continue;
      }
      const length = this.output.write(now, connection, iface, out);
      this.reschedule(connection);
      if (length !== Written.NOTHING) egress.countSegment();
      else this.finishTurn(now, egress, connection);
      if (length > 0) return length;
    }
    return 0;
  }

  /** Ends a half-open connection without a word to anybody. */
  forget(now: Time, connection: Connection): void {
    abort(connection.tcb, now);
    connection.tcb.rstPending = false;
    this.touch(now, connection);
  }

  /**
   * The line's first connection has nothing to send now, whatever `wantsOutput` says: Nagle or a window holds it back,
   * and what frees it brings it here again.
   */
  private finishTurn(now: Time, egress: Egress, connection: Connection): void {
    egress.dequeue();
    if (!connection.detached && connection.tcb.state === State.TIME_WAIT) this.enterTimeWait(now, connection);
  }

  private enqueue(now: Time, connection: Connection): void {
    const iface = this.output.device(now, connection);
    if (iface !== null) {
      this.egresses[iface.index].enqueue(connection);
      return;
    }
    this.output.discard(now, connection);
    this.reschedule(connection);
  }

  /** Brings the timer forward when it has to fire earlier than it would; a later deadline is found when it fires. */
  private reschedule(connection: Connection): void {
    if (connection.detached) return;
    const due = deadline(connection.tcb);
    if (due < connection.timerDeadline) this.wheel.schedule(connection, due);
  }

  private account(connection: Connection): void {
    const { tcb } = connection;
    const held = tcb.sendBuffer.length + tcb.receiveBuffer.memory;
    if (held !== connection.charged) {
      this.budget.charge(held - connection.charged);
      connection.charged = held;
    }
    tcb.memoryPressure = this.budget.pressure;
  }

  /** At the limit, what arrived out of order goes first: it was not acknowledged, and will be sent again. */
  private refusesText(connection: Connection, length: number): boolean {
    if (!this.budget.isFull(length)) return false;
    connection.tcb.receiveBuffer.prune();
    this.account(connection);
    return this.budget.isFull(length);
  }

  /** A half-open connection may have become a whole one, or none. */
  private followHandshake(now: Time, connection: Connection): void {
    const { state } = connection.tcb;
    if (state === State.SYN_RECEIVED) return;
    const listener = connection.listener;
    if (listener === null) return;
    listener.synQueue.delete(connection);
    connection.inSynQueue = false;
    if (connection.tcb.synAcked) {
      this.acceptHost?.completed(now, connection);
      return;
    }
    connection.listener = null;
    // Back in LISTEN, as the RFC has it: for us the listener is another one, and this was only its child.
    if (state === State.LISTEN) this.detach(connection);
  }

  private enterTimeWait(now: Time, connection: Connection): void {
    if (!connection.countedTimeWait) {
      connection.countedTimeWait = true;
      this.core.counters.increment(Counter.TW);
      this.rememberPeer(connection);
    }
    // Its owner may let go of it now, before that last ACK is sent: still none of those that Linux counts.
    this.uncountOrphan(connection);
    // The last ACK is still to be sent from the TCB.
    if (!wantsOutput(connection.tcb)) {
      this.leaveTables(connection);
      this.timeWaits.take(now, connection);
    }
  }

  /** CLOSED: out of the tables. It may still stand in line with a RST to send. */
  private detach(connection: Connection): void {
    const { tcb } = connection;
    const { counters } = this.core;
    this.leaveTables(connection);
    this.uncountOrphan(connection);
    if (!tcb.synAcked) counters.increment(Counter.TcpAttemptFails);
    else if (tcb.error !== null) counters.increment(Counter.TcpEstabResets);
    this.rememberPeer(connection);
  }

  private leaveTables(connection: Connection): void {
    this.demux.delete(connection);
    this.wheel.cancel(connection);
    this.budget.charge(-connection.charged);
    connection.charged = 0;
    connection.detached = true;
  }

  private uncountOrphan(connection: Connection): void {
    if (!connection.countedOrphan) return;
    connection.countedOrphan = false;
    this.orphans--;
  }

  private rememberPeer(connection: Connection): void {
    const { tcb } = connection;
    if (tcb.hasRtt && tcb.synAcked) this.proven.remember(connection.remote, tcb.srttMs);
  }
}
