/** What a Duplex socket says of itself and has been told: names, counts, options, idle time. */

import { Duplex, type DuplexOptions } from 'node:stream';
import { checkDuration, checkFunction } from '../base/checks.ts';
import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Connection } from '../stack/connection.ts';
import type { ConnectionOptions } from '../stack/connection-options.ts';
import { type SocketOptionName, toConnectionOptions } from '../stack/socket-options.ts';
import type { IpAddress } from '../wire/address.ts';

export interface AddressInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

export class SocketState extends Duplex {
  connecting = false;
  bytesRead = 0;
  /** Idle milliseconds after which 'timeout' is emitted; 0 for never. */
  timeout = 0;
  protected readonly host: Host;
  protected connection: Connection | null = null;
  protected written = 0;
  protected noDelay = false;
  protected keepAlive: { on: boolean; delay: number } | null = null;
  /** What setOption was told. */
  protected chosen: ConnectionOptions = {};
  /** Of an IPv6 listener: IPv4 addresses are shown as ::ffff:a.b.c.d. */
  private readonly mapped: boolean;
  private idleTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(host: Host, mapped: boolean, options: DuplexOptions) {
    super(options);
    this.host = host;
    this.mapped = mapped;
  }

  get pending(): boolean {
    return this.connection === null || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes written so far, those still in buffers included. */
  get bytesWritten(): number {
    return this.written + this.writableLength;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  get remoteAddress(): string | undefined {
    return this.connecting ? undefined : this.shown(this.connection?.remote);
  }

  get remotePort(): number | undefined {
    return this.connecting ? undefined : this.connection?.remotePort;
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.connection === null || this.connecting ? undefined : this.family(this.connection.remote);
  }

  get localAddress(): string | undefined {
    return this.shown(this.connection?.local);
  }

  get localPort(): number | undefined {
    return this.connection?.localPort;
  }

  get localFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.connection === null ? undefined : this.family(this.connection.local);
  }

  address(): AddressInfo | Record<string, never> {
    const { connection } = this;
    if (connection === null) return {};
    const address = this.shown(connection.local) as string;
    return { address, family: this.family(connection.local), port: connection.localPort };
  }

  setNoDelay(noDelay = true): this {
    this.noDelay = noDelay;
    this.configure();
    return this;
  }

  /** @param initialDelay idle milliseconds before the first probe; 0 leaves it as it is. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.keepAlive = { on: enable, delay: initialDelay };
    this.configure();
    return this;
  }

  /**
   * Sets an option of the connection under its Linux name; before it connects, for its opening.
   * @throws EstabError EINVAL that names what there is.
   */
  setOption(name: SocketOptionName, value: number | boolean | string): this {
    const options = toConnectionOptions(name, value);
    this.chosen = { ...this.chosen, ...options };
    const { connection } = this;
    if (connection === null || connection.detached) return this;
    connection.configure(this.host.now(), options);
    this.host.wake();
    return this;
  }

  /** What is in force of an option. @throws EstabError ENOTCONN before there is a connection, EINVAL */
  getOption(name: SocketOptionName): number | string {
    if (this.connection === null) throw new EstabError('ENOTCONN', 'there is no connection yet; ask once it connects');
    return this.connection.getOption(name);
  }

  /** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE as node:net. */
  setTimeout(timeout: number, onTimeout?: () => void): this {
    if (this.destroyed) return this;
    const duration = checkDuration('msecs', timeout);
    if (onTimeout !== undefined) {
      checkFunction('callback', onTimeout);
      if (duration === 0) this.off('timeout', onTimeout);
      else this.once('timeout', onTimeout);
    }
    this.timeout = duration;
    this.restartIdleTimer();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  protected configure(): void {
    const { connection, keepAlive } = this;
    if (connection === null || connection.detached) return;
    connection.configure(this.host.now(), {
      noDelay: this.noDelay,
      ...(keepAlive === null ? {} : { keepAlive: keepAlive.on }),
      ...(keepAlive === null || keepAlive.delay <= 0 ? {} : { keepAliveTimeMs: keepAlive.delay }),
    });
  }

  private shown(address: IpAddress | undefined): string | undefined {
    return this.mapped && address?.family === 4 ? `::ffff:${address}` : address?.toString();
  }

  private family(address: IpAddress): 'IPv4' | 'IPv6' {
    return this.mapped ? 'IPv6' : familyName(address);
  }

  protected restartIdleTimer(): void {
    this.stopIdleTimer();
    if (this.timeout <= 0 || this.destroyed) return;
    this.idleTimer = setTimeout(() => this.emit('timeout'), this.timeout);
    this.idleTimer.unref?.();
  }

  protected stopIdleTimer(): void {
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    this.idleTimer = null;
  }
}

export function familyName(address: IpAddress): 'IPv4' | 'IPv6' {
  return address.family === 4 ? 'IPv4' : 'IPv6';
}
