/** OPEN, RFC 9293 section 3.10.1, with the addresses and ports that the engine knows nothing of. */

import { EstabError } from '../base/errors.ts';
import type { Seq } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { Counter } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { openActive } from '../tcp/index.ts';
import { IPV6_ANY, IpAddress } from '../wire/address.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import { applyOptions, type ConnectionOptions, checkOptions } from './connection-options.ts';
import type { Connections } from './connections.ts';
import type { Core } from './core.ts';
import { ANY_PORT, type Endpoint, EndpointKind } from './endpoint.ts';
import { Listener, type ListenOptions } from './listener.ts';
import type { Listening } from './listening.ts';
import { checkPort, Ports } from './ports.ts';
import type { TimeWait } from './time-wait.ts';

export interface ConnectOptions {
  /** 0.0.0.0 and :: mean this host, as in Linux. */
  readonly remote: IpAddress;
  /** 1 … 65535 */
  readonly port: number;
  /** One of our addresses; chosen by the route if left out (MUST-44). */
  readonly local?: IpAddress;
  /** Where a link-local IPv6 address is meant; without it, on the interface added last. */
  readonly scope?: Interface;
  /** 1 … 65535; chosen as RFC 6056 says if left out or 0. */
  readonly localPort?: number;
  readonly handler?: ConnectionHandler | null;
  readonly options?: ConnectionOptions;
}

/** node's backlog. */
const DEFAULT_BACKLOG = 511;
const LOOPBACK_V4 = IpAddress.v4(0x7f00_0001);
const LOOPBACK_V6 = new IpAddress(0, 0, 0, 1);

export class Opening {
  private readonly core: Core;
  private readonly connections: Connections;
  private readonly listening: Listening;
  private readonly ports: Ports;
  /** Listeners by port, for finding conflicts. */
  private readonly listeners = new Map<number, Listener[]>();

  constructor(core: Core, connections: Connections, listening: Listening) {
    this.core = core;
    this.connections = connections;
    this.listening = listening;
    this.ports = new Ports(core);
  }

  /** See {@link Stack.connect}. */
  connect(now: Time, options: ConnectOptions): Connection {
    const { core, connections } = this;
    const { port, localPort: wanted = 0, options: choices = {} } = options;
    checkPort(port, 1);
    checkPort(wanted, 0);
    checkOptions(choices);
    const remote = this.remoteAddress(options.remote);
    const { scope = null } = options;
    const route = core.route(remote, scope);
    if (route === null)
      throw new EstabError('ENETUNREACH', `there is no route to ${remote}; add one, or an address in its network`);
    this.refuseBroadcast(route.device, remote);
    const local = options.local ?? core.sourceFor(route, remote);
    if (local === null) {
      throw new EstabError(
        'EADDRNOTAVAIL',
        `interface ${route.device.name} has no IPv${remote.family} address to connect from`,
      );
    }
    this.checkLocal(local, remote, route.device);
    const localPort = this.localPort(now, local, wanted, remote, port);
    const place = this.find(local, localPort, remote, port);
    const iss = this.takePlace(now, place) ?? core.isns.isn(now, local, localPort, remote, port);
    const connection = connections.create(now, route.device, local, localPort, remote, port);
    connection.scope = scope;
    applyOptions(connection.tcb, now, choices, connections);
    const offset = core.settings.tcp_timestamps === 2 ? 0 : core.isns.timestampOffset(local, localPort, remote, port);
    openActive(connection.tcb, now, iss, offset);
    core.counters.increment(Counter.TcpActiveOpens);
    connection.handler = options.handler ?? null;
    connections.touch(now, connection);
    return connection;
  }

  /** See {@link Stack.listen}. */
  listen(options: ListenOptions): Listener {
    const { core, listening } = this;
    const { backlog = DEFAULT_BACKLOG, v6Only = false, handler = null, options: choices = {} } = options;
    checkOptions(choices);
    if (!(Number.isInteger(backlog) && backlog >= 0)) {
      throw new EstabError('EINVAL', `backlog ${backlog} is no whole number from 0 on`);
    }
    const address = options.address ?? IPV6_ANY;
    if (!address.isUnspecified && !core.isOwn(address)) {
      throw new EstabError(
        'EADDRNOTAVAIL',
        `${address} is no address of this host; listen on one of its own, or on any`,
      );
    }
    const port = this.listenPort(options.port, address, v6Only);
    const listener = new Listener(
      { accepted: (now, c) => listening.accepted(now, c), closeListener: (now, l) => this.closeListener(now, l) },
      address,
      port,
      Math.min(backlog, core.settings.somaxconn),
      v6Only,
      handler,
      choices,
    );
    this.connections.demux.add(listener);
    this.listeners.set(port, [...(this.listeners.get(port) ?? []), listener]);
    return listener;
  }

  private closeListener(now: Time, listener: Listener): void {
    if (listener.closed) return;
    const port = listener.localPort;
    const rest = (this.listeners.get(port) ?? []).filter((other) => other !== listener);
    if (rest.length > 0) this.listeners.set(port, rest);
    else this.listeners.delete(port);
    this.listening.closeListener(now, listener);
  }

  private remoteAddress(remote: IpAddress): IpAddress {
    if (!remote.isUnspecified) return remote;
    return remote.family === 4 ? LOOPBACK_V4 : LOOPBACK_V6;
  }

  /** MUST-46: connections are between two. */
  private refuseBroadcast(iface: Interface, remote: IpAddress): void {
    const { w0, w1, w2, w3 } = remote;
    if (!remote.isMulticast && !iface.isBroadcast(w0, w1, w2, w3)) return;
    throw new EstabError('EINVAL', `${remote} is a group of hosts; TCP connects to one`);
  }

  private checkLocal(local: IpAddress, remote: IpAddress, iface: Interface): void {
    if (local.family !== remote.family) {
      throw new EstabError(
        'EINVAL',
        `${local} and ${remote} are of different families; both must be IPv4 or both IPv6`,
      );
    }
    if (local.isLoopback && !iface.loopback) {
      throw new EstabError('EINVAL', `${local} is an address for talking to this host alone; ${remote} is another`);
    }
    // Who accepts packets for any address may also speak from any.
    if (this.core.isOwn(local) || (iface.acceptAny && !local.isMulticast && !local.isUnspecified)) return;
    throw new EstabError('EADDRNOTAVAIL', `${local} is no address of this host; connect from one of its own`);
  }

  private localPort(now: Time, local: IpAddress, wanted: number, remote: IpAddress, port: number): number {
    if (wanted !== 0) {
      if (this.isFree(now, local, wanted, remote, port)) return wanted;
      throw new EstabError(
        'EADDRINUSE',
        `${local} port ${wanted} is already in use towards ${remote} port ${port}; take another local port, or none in particular`,
      );
    }
    return this.ports.choose(local, remote, port, (candidate) => {
      return !this.listeners.has(candidate) && this.isFree(now, local, candidate, remote, port);
    });
  }

  private isFree(now: Time, local: IpAddress, localPort: number, remote: IpAddress, port: number): boolean {
    const place = this.find(local, localPort, remote, port);
    if (place === null) return true;
    return place.kind === EndpointKind.TIME_WAIT && this.connections.timeWaits.mayReuse(now, place as TimeWait);
  }

  private find(local: IpAddress, localPort: number, remote: IpAddress, port: number): Endpoint | null {
    const { w0, w1, w2, w3 } = remote;
    const ports = (localPort << 16) | port;
    return this.connections.demux.find(local.w0, local.w1, local.w2, local.w3, w0, w1, w2, w3, ports);
  }

  /** Removes the TIME-WAIT entry in whose place the connection comes, and names the ISS that goes on from it. */
  private takePlace(now: Time, place: Endpoint | null): Seq | null {
    if (place === null) return null;
    const entry = place as TimeWait;
    const iss = entry.successorIss();
    this.connections.timeWaits.succeed(now, entry, Counter.TWReused);
    return iss;
  }

  private listenPort(port: number | 'any', address: IpAddress, v6Only: boolean): number {
    const inUse = (candidate: number): boolean => {
      return (this.listeners.get(candidate) ?? []).some((other) => conflict(other, address, v6Only));
    };
    if (port === 'any') {
      if (!inUse(ANY_PORT)) return ANY_PORT;
      throw new EstabError('EADDRINUSE', `another listener takes all ports of ${address} already`);
    }
    checkPort(port, 0);
    if (port === 0) return this.ports.choose(address, IPV6_ANY, 0, (candidate) => !inUse(candidate));
    if (!inUse(port)) return port;
    throw new EstabError(
      'EADDRINUSE',
      `port ${port} of ${address} is in use; choose another one, or 0 for any free one`,
    );
  }
}

/** Whether two listeners on one port would take the same connections. */
function conflict(other: Listener, address: IpAddress, v6Only: boolean): boolean {
  return takes(other.local, other.v6Only, address) || takes(address, v6Only, other.local);
}

function takes(wide: IpAddress, v6Only: boolean, address: IpAddress): boolean {
  if (wide.equals(address)) return true;
  if (!wide.isUnspecified) return false;
  return wide.family === address.family || (wide.family === 6 && !v6Only);
}
