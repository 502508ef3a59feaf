/** The link of a host on the embedded network: end `a` of a simulated wire that keeps pace with the real clock. */

import { EstabError } from '../base/errors.ts';
import type { Link, LinkHandlers } from '../link/link.ts';
import type { Wire } from '../sim/wire.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import type { RealTimeWorld } from './clock.ts';

export class WireLink implements Link {
  readonly mtu: number;
  readonly layer: 'ip' | 'ethernet';
  readonly mac: Uint8Array | null;
  readonly checksum = { tx: false, rx: false };
  readonly segmentation = 0;
  protected readonly clock: RealTimeWorld;
  protected readonly wire: Wire;
  private handlers: LinkHandlers | null = null;
  private arrived = false;
  private open = true;

  constructor(clock: RealTimeWorld, wire: Wire, { mtu, layer, mac }: Pick<Link, 'mtu' | 'layer' | 'mac'>) {
    this.clock = clock;
    this.wire = wire;
    this.mtu = mtu;
    this.layer = layer;
    this.mac = mac;
  }

  start(handlers: LinkHandlers): void {
    this.handlers = handlers;
    this.wire.attach('a', (frame) => {
      if (!this.open) return;
      handlers.frame(frame, true);
      if (this.arrived) return;
      // All that arrives at one instant is one burst.
      this.arrived = true;
      queueMicrotask(() => {
        this.arrived = false;
        if (this.open) handlers.burstEnd();
      });
    });
  }

  /** Never full: the wire's own queue drops, as a router's does. @throws EstabError EMSGSIZE above the MTU. */
  send(frame: Uint8Array): boolean {
    const room = this.layer === 'ethernet' ? this.mtu + ETHERNET_HEADER_LENGTH : this.mtu;
    if (frame.length > room) {
      throw new EstabError('EMSGSIZE', `a frame of ${frame.length} bytes does not fit the link's ${room}`);
    }
    if (!this.open) return true;
    const copy = frame.slice();
    this.clock.do(() => this.wire.send('a', copy));
    return true;
  }

  close(): void {
    this.end(null);
  }

  /** Nothing more comes or goes; `error` says why, null for {@link close}. */
  protected end(error: Error | null): void {
    if (!this.open) return;
    this.open = false;
    this.wire.attach('a', null);
    this.handlers?.closed(error);
  }
}
