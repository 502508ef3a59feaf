/** `net.Server` over a listener of ours. */

import { EventEmitter } from 'node:events';
import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Listener } from '../stack/listener.ts';
import { IpAddress } from '../wire/address.ts';
import { socketError } from './errors.ts';
import { type AddressInfo, familyName, Socket, type SocketOptions } from './socket.ts';

export interface ServerOptions extends SocketOptions {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
}

export interface ListenOptions {
  /** 0 or left out: a free one. */
  readonly port?: number;
  /** An IP address of the host; left out, any. */
  readonly host?: string;
  readonly backlog?: number;
  readonly ipv6Only?: boolean;
}

export class Server extends EventEmitter {
  /** Above this many open connections new ones are closed at once, with 'drop'. */
  maxConnections: number | undefined;
  private readonly host: Host;
  private readonly options: ServerOptions;
  private listener: Listener | null = null;
  private open = 0;
  private closing = false;

  constructor(host: Host, options: ServerOptions = {}, onConnection?: (socket: Socket) => void) {
    super();
    this.host = host;
    this.options = options;
    if (onConnection !== undefined) this.on('connection', onConnection);
  }

  get listening(): boolean {
    return this.listener !== null;
  }

  /** Starts to listen; the outcome is 'listening' or 'error'. */
  listen(options: ListenOptions, onListening?: () => void): this;
  listen(port?: number, host?: string, backlog?: number, onListening?: () => void): this;
  listen(port: number, onListening: () => void): this;
  listen(first: ListenOptions | number = 0, ...rest: Array<string | number | (() => void) | undefined>): this {
    const callback = rest.find((value) => typeof value === 'function');
    const [host, backlog] = rest;
    const options: ListenOptions =
      typeof first !== 'number'
        ? first
        : {
            port: first,
            ...(typeof host === 'string' ? { host } : {}),
            ...(typeof backlog === 'number' ? { backlog } : {}),
          };
    if (this.listening) throw new EstabError('EISCONN', 'this server listens already; close it first');
    if (callback !== undefined) this.once('listening', callback);
    try {
      this.listener = this.start(options);
      queueMicrotask(() => this.emit('listening'));
    } catch (error) {
      if (!(error instanceof EstabError)) throw error;
      const failure = socketError(error.code, 'listen', options.host ?? '::', options.port ?? 0);
      queueMicrotask(() => this.emit('error', failure));
    }
    return this;
  }

  private start({ port = 0, host, backlog, ipv6Only }: ListenOptions): Listener {
    return this.host.stack.listen({
      port,
      ...(host === undefined ? {} : { address: IpAddress.parse(host) }),
      ...(backlog === undefined ? {} : { backlog }),
      ...(ipv6Only === undefined ? {} : { v6Only: ipv6Only }),
      handler: { acceptable: (listener) => this.accept(listener) },
    });
  }

  address(): AddressInfo | null {
    const { listener } = this;
    if (listener === null) return null;
    return { address: listener.local.toString(), family: familyName(listener.local), port: listener.localPort };
  }

  /** Stops accepting; 'close' (and the callback) come when the last connection has ended. */
  close(onClose?: (error?: Error) => void): this {
    if (this.listener === null) {
      if (onClose !== undefined) {
        const error = Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
        queueMicrotask(() => onClose(error));
      }
      return this;
    }
    if (onClose !== undefined) this.once('close', () => onClose());
    this.listener.close(this.host.now());
    this.listener = null;
    this.closing = true;
    this.host.wake();
    this.closeWhenEmpty();
    return this;
  }

  getConnections(onCount: (error: Error | null, count: number) => void): this {
    queueMicrotask(() => onCount(null, this.open));
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  private accept(listener: Listener): void {
    for (let next = listener.accept(this.host.now()); next !== null; next = listener.accept(this.host.now())) {
      if (this.maxConnections !== undefined && this.open >= this.maxConnections) {
        this.emit('drop', {
          localAddress: next.local.toString(),
          localPort: next.localPort,
          remoteAddress: next.remote.toString(),
          remotePort: next.remotePort,
        });
        next.close(this.host.now());
        continue;
      }
      const socket = new Socket(this.host, this.options, next);
      if (this.options.noDelay === true) socket.setNoDelay(true);
      if (this.options.keepAlive === true) socket.setKeepAlive(true, this.options.keepAliveInitialDelay);
      this.open++;
      socket.once('close', () => {
        this.open--;
        this.closeWhenEmpty();
      });
      this.emit('connection', socket);
    }
  }

  private closeWhenEmpty(): void {
    if (!this.closing || this.open > 0) return;
    this.closing = false;
    queueMicrotask(() => this.emit('close'));
  }
}
