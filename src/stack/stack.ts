/**
 * A host: many interfaces, many connections, no IO. It is driven from outside by a clock, by frames, and by being asked
 * what to send:
 *
 *     stack.handleFrame(now, iface, frame)          for each frame that arrived
 *     stack.handleTimeout(now)                      when nextDeadline() has come
 *     while ((n = stack.pollTransmit(now, iface, out)) > 0) send(out, n)
 *     while (stack.deliverEvents()) {}              handlers run here, and only here
 *
 * Frames only leave marks; what answers them is decided in pollTransmit, after a whole burst of them (MUST-58, MUST-59).
 * The same calls with the same arguments give the same bytes.
 */

import type { Counters } from '../base/counters.ts';
import type { Time } from '../base/time.ts';
import type { CounterName } from '../ip/counters.ts';
import type { Interface, InterfaceOptions } from '../ip/interface.ts';
import { parsePrefix } from '../ip/routes.ts';
import type { IpAddress } from '../wire/address.ts';
import { Connection } from './connection.ts';
import { Connections } from './connections.ts';
import { Core, type CoreOptions } from './core.ts';
import { Demux } from './demux.ts';
import { Egress } from './egress.ts';
import { type Endpoint, EndpointKind } from './endpoint.ts';
import { EthernetPort, type EthernetPortActions } from './ethernet-port.ts';
import { EventQueue } from './events.ts';
import { IcmpInput } from './icmp-input.ts';
import { IcmpOutput } from './icmp-output.ts';
import { IpInput } from './ip-input.ts';
import { IpOutput } from './ip-output.ts';
import type { Listener, ListenOptions } from './listener.ts';
import { Listening } from './listening.ts';
import { type ConnectOptions, Opening } from './opening.ts';
import type { Settings } from './settings-table.ts';
import { type SocketRow, socketRow } from './socket-table.ts';
import { TcpInput } from './tcp-input.ts';
import { TcpOutput } from './tcp-output.ts';
import { TcpReplies } from './tcp-replies.ts';
import type { TimeWait } from './time-wait.ts';
import type { StackTrace } from './trace.ts';
import type { UdpOptions, UdpSocket } from './udp.ts';
import { UdpSockets } from './udp-sockets.ts';

export type { Interface } from '../ip/interface.ts';
export type StackOptions = CoreOptions;

/** Frames the loopback carries before others get their turn. */
const LOOPBACK_BURST = 64;

export class Stack {
  private readonly core: Core;
  private readonly egresses: Egress[] = [];
  private readonly ports: (EthernetPort | null)[] = [];
  private readonly events = new EventQueue();
  private readonly ipOutput: IpOutput;
  private readonly ipInput: IpInput;
  private readonly icmpInput: IcmpInput;
  private readonly table: Connections;
  private readonly opening: Opening;
  private readonly udpSockets: UdpSockets;
  private loopbackFrame = new Uint8Array(0);
  private readonly portActions: EthernetPortActions = {
    transmit: (iface, frame) => this.ipOutput.pushFrame(iface, frame),
    release: (iface, neighbour, packets) => this.ipOutput.release(iface, neighbour, packets),
    unreachable: (now, _iface, packets) => this.icmpInput.undeliverable(now, packets),
  };

  constructor(options: StackOptions) {
    const core = new Core(options);
    const { egresses, ports, events } = this;
    this.core = core;
    this.attach(core.loopback);
    this.ipOutput = new IpOutput(core, egresses, ports);
    const icmpOutput = new IcmpOutput(core, this.ipOutput);
    const tcpOutput = new TcpOutput(core, ports, this.ipOutput);
    const replies = new TcpReplies(core, this.ipOutput);
    this.table = new Connections(core, new Demux(core.keyed), egresses, events, tcpOutput);
    const listening = new Listening(core, this.table, replies, events);
    this.opening = new Opening(core, this.table, listening);
    this.udpSockets = new UdpSockets(core, this.ipOutput, icmpOutput, events);
    this.icmpInput = new IcmpInput(core, this.table, this.udpSockets, this.ipOutput, ports);
    const tcpInput = new TcpInput(core, this.table, listening, replies);
    this.ipInput = new IpInput(core, ports, tcpInput, this.udpSockets, this.icmpInput, icmpOutput);
  }

  // -- set-up

  /**
   * Adds an interface with its addresses, and routes to their networks.
   * @throws EstabError EINVAL when an option makes no sense.
   */
  addInterface(options: InterfaceOptions): Interface {
    const iface = this.core.addInterface(options);
    this.attach(iface);
    return iface;
  }

  /**
   * Adds a route, or replaces the one for the same prefix.
   * @param prefix `10.0.0.0/8`, `::/0`
   * @param via the gateway, null when the destinations are on the link itself.
   * @throws EstabError EINVAL when the prefix is none.
   */
  addRoute(prefix: string, via: IpAddress | null, iface: Interface): void {
    this.core.routes.add({ prefix: parsePrefix(prefix), via, device: iface, source: null });
  }

  /** Removes the route for a prefix; whether there was one. */
  deleteRoute(prefix: string): boolean {
    return this.core.routes.delete(parsePrefix(prefix));
  }

  /** Tells an Ethernet link which addresses are ours: after it came up, or when it moved (RFC 5227 section 2.3). */
  announceAddresses(now: Time, iface: Interface): void {
    this.core.now = now;
    this.ports[iface.index]?.announce();
  }

  /** The address we would speak from to a destination; null when there is no way to it. */
  sourceFor(destination: IpAddress): IpAddress | null {
    const route = this.core.route(destination);
    return route === null ? null : this.core.sourceFor(route, destination);
  }

  // -- driving

  /**
   * Takes a frame that arrived. Never throws, whatever is in it.
   * @param owned the buffer is the host's to keep; otherwise it may be used again when the call returns.
   */
  handleFrame(now: Time, iface: Interface, frame: Uint8Array, owned = false): void {
    this.core.now = now;
    this.ipInput.frame(now, iface, frame, owned);
  }

  /** Runs the timers that are due, and carries what the host sends to itself. */
  handleTimeout(now: Time): void {
    const { core, table } = this;
    const { wheel } = table;
    core.now = now;
    // Neighbours first: what they bring to an end need not be sent again.
    for (const port of this.ports) port?.neighbours.timeouts(now);
    for (let due = wheel.popDue(now); due !== null; due = wheel.popDue(now)) {
      if (due.kind === EndpointKind.TIME_WAIT) table.timeWaits.expire(now, due as TimeWait);
      else table.timeout(now, due as Connection);
    }
    this.ipInput.expireFragments(now);
    this.carryLoopback(now);
  }

  /**
   * Writes the next frame for a link into `out`, which must hold the interface's MTU and 14 bytes more on Ethernet.
   * @returns its length; 0 when there is nothing to send now. Call until then, or until the link is full.
   */
  pollTransmit(now: Time, iface: Interface, out: Uint8Array): number {
    this.core.now = now;
    const egress = this.egresses[iface.index];
    if (egress.takeTurn()) return egress.queue.pop(out);
    const length = this.table.transmit(now, egress, out);
    return length > 0 ? length : egress.queue.pop(out);
  }

  /** When handleTimeout is to be called next; NEVER when nothing is planned. May be earlier than anything is due. */
  nextDeadline(): Time {
    if (this.events.busy || this.egresses[0].busy) return this.core.now;
    let earliest = Math.min(this.table.wheel.nextDeadline(), this.ipInput.reassembly.nextDeadline());
    for (const port of this.ports) if (port !== null) earliest = Math.min(earliest, port.neighbours.nextDeadline());
    return earliest;
  }

  /**
   * Calls handlers for what has happened. What they cause waits for the next call.
   * @returns whether there was anything to tell.
   */
  deliverEvents(): boolean {
    return this.events.deliver();
  }

  // -- calls of the application

  /**
   * Active OPEN. The connection's `opened` or `closed` is told later.
   * @throws EstabError EINVAL for a group of hosts or another senseless option, ENETUNREACH without a route,
   *   EADDRNOTAVAIL for a local address that is not ours or when no port is free, EADDRINUSE for a port in use.
   */
  connect(now: Time, options: ConnectOptions): Connection {
    this.core.now = now;
    return this.opening.connect(now, options);
  }

  /**
   * Passive OPEN.
   * @throws EstabError EADDRINUSE when another listener has the port, EADDRNOTAVAIL for an address that is not ours,
   *   EINVAL for a senseless option.
   */
  listen(options: ListenOptions): Listener {
    return this.opening.listen(options);
  }

  /** A UDP socket. @throws EstabError EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH, EINVAL. */
  udp(options: UdpOptions = {}): UdpSocket {
    return this.udpSockets.open(options);
  }

  // -- looking

  get counters(): Counters<CounterName> {
    return this.core.counters;
  }

  /** Who watches the host at work, if anybody; may come and go. */
  get trace(): StackTrace | null {
    return this.core.trace;
  }

  set trace(trace: StackTrace | null) {
    this.core.trace = trace;
  }

  /** The settings in use. IP's, ICMP's and listeners' may be changed while the host runs; connections keep theirs. */
  get settings(): Settings {
    return this.core.settings;
  }

  /**
   * Who is there now, in the words of `ss -tin`; {@link socketTable} prints it.
   * @param now for "how long ago"; the latest time the host was told if left out.
   */
  connections(now: Time = this.core.now): SocketRow[] {
    return this.endpoints().map((endpoint) => socketRow(endpoint, now));
  }

  /** Who is there now, ordered by ports: listeners, connections and what is left of them in TIME-WAIT. */
  endpoints(): Endpoint[] {
    const list = [...this.table.demux.entries()];
    return list.sort((a, b) => a.localPort - b.localPort || a.remotePort - b.remotePort || a.r3 - b.r3);
  }

  /** ABORT for every connection: what a host that goes away owes its peers. */
  abortAll(now: Time): void {
    for (const endpoint of this.endpoints()) if (endpoint instanceof Connection) endpoint.abort(now);
  }

  /** Numbers of what there is now. */
  get usage(): {
    /** Connections, TIME-WAIT entries and listeners in the table. */
    readonly endpoints: number;
    readonly timeWait: number;
    readonly orphans: number;
    /** Bytes in TCP buffers. */
    readonly memory: number;
    /** Bytes in datagrams being reassembled. */
    readonly fragmentMemory: number;
  } {
    const { demux, timeWaits, orphans, budget } = this.table;
    const fragmentMemory = this.ipInput.reassembly.memory;
    return { endpoints: demux.size, timeWait: timeWaits.size, orphans, memory: budget.used, fragmentMemory };
  }

  private attach(iface: Interface): void {
    this.egresses.push(new Egress(iface));
    this.ports.push(iface.ethernet ? new EthernetPort(this.core, iface, this.portActions) : null);
  }

  /** What the host sends to itself arrives at once, but never within the call that sent it. */
  private carryLoopback(now: Time): void {
    const { loopback } = this.core;
    for (let i = 0; i < LOOPBACK_BURST; i++) {
      if (!this.egresses[0].busy) return;
      if (this.loopbackFrame.length === 0) this.loopbackFrame = new Uint8Array(loopback.mtu);
      const length = this.pollTransmit(now, loopback, this.loopbackFrame);
      if (length === 0) return;
      this.ipInput.frame(now, loopback, this.loopbackFrame.subarray(0, length), false);
    }
  }
}
