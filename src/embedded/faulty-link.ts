/**
 * A link with a simulated wire in front of it: what passes is lost, late, doubled, damaged or out of order as declared,
 * in real time, so that real kernels and programs can be watched on a bad path.
 */

import type { Link, LinkHandlers } from '../link/link.ts';
import { Wire, type WireObserver, type WireOptions } from '../sim/wire.ts';
import { RealTimeWorld } from './clock.ts';
import { WireLink } from './link.ts';

export interface FaultyLinkOptions extends WireOptions {
  /** Of all faults; 1 if left out. */
  readonly seed?: number;
  /** Told what becomes of every frame; `a` is the stack's end, `b` the link's. */
  readonly observe?: WireObserver;
}

/**
 * Wraps `link`: what goes either way passes over a wire of these options. Checksums are made and verified by the stack,
 * whatever the link could do, since a frame may be damaged on the way. What the link refuses because it is full is lost.
 */
export function faultyLink(link: Link, { seed = 1, observe, ...faults }: FaultyLinkOptions): Link {
  const clock = new RealTimeWorld(seed);
  const wire = new Wire(clock.world, faults);
  if (observe !== undefined) wire.observe(observe);
  return new FaultyLink(link, clock, wire);
}

class FaultyLink extends WireLink {
  private readonly beyond: Link;

  constructor(link: Link, clock: RealTimeWorld, wire: Wire) {
    super(clock, wire, link);
    this.beyond = link;
  }

  override start(handlers: LinkHandlers): void {
    super.start(handlers);
    this.wire.attach('b', (frame) => this.beyond.send(frame));
    this.beyond.start({
      frame: (frame) => {
        const copy = frame.slice();
        this.clock.do(() => this.wire.send('b', copy));
      },
      burstEnd: () => undefined,
      writable: () => undefined,
      closed: (error) => {
        this.clock.close();
        this.end(error);
      },
    });
  }

  override close(): void {
    this.beyond.close();
    this.clock.close();
    this.end(null);
  }
}
