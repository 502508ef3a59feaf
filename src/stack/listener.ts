/** A listening socket: where new connections come from. Its rules stand in listening.ts. */

import type { Time } from '../base/time.ts';
import type { IpAddress } from '../wire/address.ts';
import type { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { Endpoint, EndpointKind } from './endpoint.ts';
import type { EventSource } from './events.ts';
import { ConnectionQueue, SynQueue } from './syn-queue.ts';

/** What a listener tells its application, from `deliverEvents` alone. */
export interface ListenerHandler {
  /** Connections wait to be accepted: call `accept` until null. */
  acceptable(listener: Listener): void;
}

export interface ListenOptions {
  /** Where: null or `::` for any address of both families, `0.0.0.0` for any of IPv4, else one of ours. */
  readonly address?: IpAddress | null;
  /** 1 … 65535; 0 chooses a free one; 'any': whatever no other listener takes. */
  readonly port: number | 'any';
  /** Length of the queues, by default 511 as node has it; never above somaxconn. */
  readonly backlog?: number;
  /** With `::`: leave IPv4 alone. */
  readonly v6Only?: boolean;
  readonly handler?: ListenerHandler | null;
  /** For all its connections; each can be changed once it is accepted. */
  readonly options?: ConnectionOptions;
}

/** What the host does for its listeners. */
export interface ListenerHost {
  accepted(now: Time, connection: Connection): void;
  closeListener(now: Time, listener: Listener): void;
}

export class Listener extends Endpoint implements EventSource {
  handler: ListenerHandler | null;
  readonly backlog: number;
  readonly options: ConnectionOptions;
  /** Half-open connections; the host's own. */
  readonly synQueue = new SynQueue();
  /** Complete and not accepted; the host's own. */
  readonly acceptQueue = new ConnectionQueue();
  closed = false;
  inEventQueue = false;
  eventNext: EventSource | null = null;
  /** When a cookie was last sent: only for two cookie lifetimes after it are ACKs examined. */
  cookieSentAt: Time = Number.NEGATIVE_INFINITY;
  private readonly host: ListenerHost;
  private readonly only: boolean;

  constructor(
    host: ListenerHost,
    address: IpAddress,
    port: number,
    backlog: number,
    v6Only: boolean,
    handler: ListenerHandler | null,
    options: ConnectionOptions,
  ) {
    super(EndpointKind.LISTENER, address, port, 0);
    this.host = host;
    this.backlog = backlog;
    this.only = v6Only;
    this.handler = handler;
    this.options = options;
  }

  override get v6Only(): boolean {
    return this.only;
  }

  /** How many connections wait to be accepted. */
  get waiting(): number {
    return this.acceptQueue.length;
  }

  /** How many connections are half open. */
  get halfOpen(): number {
    return this.synQueue.length;
  }

  /** Takes the connection that has waited longest; null when there is none. Set its `handler` at once. */
  accept(now: Time): Connection | null {
    const connection = this.acceptQueue.first;
    if (connection === null) return null;
    this.acceptQueue.delete(connection);
    connection.listener = null;
    this.host.accepted(now, connection);
    return connection;
  }

  /** Stops listening. Connections half open, or complete but not accepted, are reset. */
  close(now: Time): void {
    this.host.closeListener(now, this);
  }

  /** The host's own: tells the handler that there is something to accept. */
  deliver(): void {
    if (this.handler !== null && this.acceptQueue.length > 0) this.handler.acceptable(this);
  }
}
