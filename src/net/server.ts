/** `net.Server` over a listener of ours. */

import { EventEmitter } from 'node:events';
import { argumentType, argumentValue, checkPort, checkSignal, nodeError } from '../base/checks.ts';
import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Listener } from '../stack/listener.ts';
import { IpAddress } from '../wire/address.ts';
import { socketError } from './errors.ts';
import { type AddressInfo, familyName, Socket, type SocketOptions } from './socket.ts';

export interface ServerOptions extends Omit<SocketOptions, 'signal' | 'onread'> {
  /** Connections are not read from until somebody resumes them. */
  readonly pauseOnConnect?: boolean;
}

export interface ListenOptions {
  /** 0 or left out: a free one. */
  readonly port?: number | string | null;
  /** An IP address of the host, or localhost; left out, any. */
  readonly host?: string;
  readonly backlog?: number;
  readonly ipv6Only?: boolean;
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal;
}

type ListenArguments =
  | [options: ListenOptions, onListening?: () => void]
  | [onListening?: () => void]
  | [port: number | string | null | undefined, ...rest: (string | number | (() => void) | undefined)[]];

/** `listen(port, host, backlog, …)`: what is text is the host, what is a number the backlog. */
function listenOptions(port: ListenOptions['port'], rest: readonly unknown[]): ListenOptions {
  const host = rest.find((value) => typeof value === 'string');
  const backlog = rest.find((value) => typeof value === 'number');
  return { port: port ?? 0, ...(host === undefined ? {} : { host }), ...(backlog === undefined ? {} : { backlog }) };
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
    if (typeof options !== 'object' || options === null) throw argumentType('options', 'of type object', options);
    this.host = host;
    this.options = options;
    if (onConnection !== undefined) this.on('connection', onConnection);
  }

  get listening(): boolean {
    return this.listener !== null;
  }

  /**
   * Starts to listen; the outcome is 'listening' or 'error'.
   * @throws what node:net throws for arguments that make no sense.
   */
  listen(...args: ListenArguments): this {
    const [first, ...rest] = args;
    const options: ListenOptions =
      typeof first === 'object' && first !== null
        ? first
        : listenOptions(typeof first === 'function' ? 0 : first, rest);
    const callback = args.find((value) => typeof value === 'function');
    if (this.listener !== null) {
      const message = 'Listen method has been called more than once without closing.';
      throw nodeError(Error, 'ERR_SERVER_ALREADY_LISTEN', message);
    }
    if (options.signal !== undefined) checkSignal('options.signal', options.signal);
    // Left out it is any port; but an object must say what it wants.
    if (typeof first === 'object' && first !== null && !('port' in first)) {
      throw argumentValue('options', first, 'must have the property "port" or "path"');
    }
    const port = checkPort(options.port ?? 0, 'options.port');
    if (callback !== undefined) this.once('listening', callback);
    try {
      this.listener = this.start(options, port);
      this.watch(options.signal);
      queueMicrotask(() => this.emit('listening'));
    } catch (error) {
      if (!(error instanceof EstabError)) throw error;
      const failure = socketError(error.code, 'listen', options.host ?? '::', port);
      queueMicrotask(() => this.emit('error', failure));
    }
    return this;
  }

  private start({ host, backlog, ipv6Only }: ListenOptions, port: number): Listener {
    const address = host === undefined ? null : IpAddress.parse(host === 'localhost' ? '127.0.0.1' : host);
    return this.host.stack.listen({
      port,
      address,
      ...(backlog === undefined ? {} : { backlog }),
      ...(ipv6Only === undefined ? {} : { v6Only: ipv6Only }),
      handler: { acceptable: (listener) => this.accept(listener) },
    });
  }

  private watch(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const close = (): void => void this.close();
    if (signal.aborted) queueMicrotask(close);
    else signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
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
        const error = nodeError(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.');
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
        const dropped = new Socket(this.host, {}, next, listener.local.family === 6);
        const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = dropped;
        this.emit('drop', { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily });
        dropped.destroy();
        continue;
      }
      const socket = new Socket(this.host, this.options, next, listener.local.family === 6);
      socket.server = this;
      if (this.options.pauseOnConnect === true) socket.pause();
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
