/** Local ports that nobody chose: RFC 6056 through crypto's selector, within ip_local_port_range, without the reserved. */

import { EstabError } from '../base/errors.ts';
import { PortSelector } from '../crypto/ports.ts';
import type { IpAddress } from '../wire/address.ts';
import type { Core } from './core.ts';
import { parsePortList } from './settings.ts';

export class Ports {
  private readonly core: Core;
  private selector: PortSelector | null = null;
  private range: readonly number[] = [];
  private reservedText = '';
  private reserved: readonly [first: number, last: number][] = [];

  constructor(core: Core) {
    this.core = core;
  }

  /**
   * A free port for a conversation with a remote end (`::` and 0 for none in particular).
   * @param isFree called with candidates, each port of the range once at most.
   * @throws EstabError EADDRNOTAVAIL when no port of the range is free.
   */
  choose(local: IpAddress, remote: IpAddress, remotePort: number, isFree: (port: number) => boolean): number {
    const selector = this.current();
    selector.start(local, remote, remotePort);
    for (let port = selector.next(); port !== 0; port = selector.next()) {
      if (!this.isReserved(port) && isFree(port)) return port;
    }
    const [low, high] = this.range;
    throw new EstabError(
      'EADDRNOTAVAIL',
      `no free port in ${low} … ${high} on ${local} towards ${remote} port ${remotePort}; close some or widen ip_local_port_range`,
    );
  }

  /** The selector for the settings as they are now. */
  private current(): PortSelector {
    const { ip_local_port_range: range, ip_local_reserved_ports: text } = this.core.settings;
    if (text !== this.reservedText) {
      this.reservedText = text;
      this.reserved = parsePortList('ip_local_reserved_ports', text);
    }
    if (this.selector === null || range !== this.range) {
      this.range = range;
      this.selector = new PortSelector(this.core.secret, range[0], range[1]);
    }
    return this.selector;
  }

  private isReserved(port: number): boolean {
    return this.reserved.some(([first, last]) => port >= first && port <= last);
  }
}

/** @throws EstabError EINVAL unless it is an integer in `least` … 65535. */
export function checkPort(port: number, least: number): void {
  if (Number.isInteger(port) && port >= least && port <= 65_535) return;
  throw new EstabError('EINVAL', `port ${port} is not in ${least} … 65535`);
}
