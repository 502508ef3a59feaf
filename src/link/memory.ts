/**
 * Two links joined back to back in one process: what one sends, the other receives. Nothing is lost or reordered, and
 * the same calls give the same deliveries; for a medium with faults see the simulated wire (sim/).
 *
 * Delivery never happens inside `send`. Either the caller pumps, or each burst runs in a microtask of its own, with a
 * pause for the event loop now and then: two stacks that keep answering one another must not starve timers.
 */
import { EstabError } from '../base/errors.ts';
import type { Link, LinkHandlers } from './link.ts';

export interface MemoryPairOptions {
  /** Largest IP packet, bytes; 1500 if left out. */
  mtu?: number;
  /** With `ethernet` the ends have the MAC addresses 02:00:00:00:00:01 and …:02. `ip` if left out. */
  layer?: 'ip' | 'ethernet';
  /** Frames on their way in one direction before `send` says no; 1024 if left out. */
  capacity?: number;
  /** `microtask` (if left out): by itself. `pump`: only when {@link MemoryPair.pump} is called. */
  delivery?: 'microtask' | 'pump';
}

export interface MemoryPair {
  readonly a: Link;
  readonly b: Link;
  /**
   * Delivers what is under way now, first to `b`, then to `a`, each as one burst; answers sent meanwhile wait for the
   * next call. Returns how many frames were delivered.
   */
  pump(): number;
}

const ETHERNET_HEADER = 18; // two addresses, type, and one VLAN tag at most
const MICROTASK_BURSTS = 64;

/** @throws EstabError EINVAL for an MTU under 68 (RFC 791) or over 65535, or a capacity under 1. */
export function memoryPair(options: MemoryPairOptions = {}): MemoryPair {
  const { mtu = 1500, layer = 'ip', capacity = 1024, delivery = 'microtask' } = options;
  if (!(mtu >= 68 && mtu <= 65535)) throw new EstabError('EINVAL', `mtu ${mtu} is not between 68 and 65535`);
  if (!(capacity >= 1)) throw new EstabError('EINVAL', `capacity ${capacity} is under one frame`);
  const schedule = delivery === 'pump' ? () => {} : microtasks();
  const a = new MemoryLink(mtu, layer, 1, capacity, schedule);
  const b = new MemoryLink(mtu, layer, 2, capacity, schedule);
  a.peer = b;
  b.peer = a;
  const pump = (): number => {
    // Both counts first: one call is one flight of the medium in each direction.
    const toB = a.underWay;
    const toA = b.underWay;
    return a.deliver(toB) + b.deliver(toA);
  };
  return { a, b, pump };
}

/** Runs each burst as a microtask, every 64th of them as a task, so that timers and other input get their turn. */
function microtasks(): (run: () => void) => void {
  let bursts = 0;
  return (run) => {
    bursts = (bursts + 1) % MICROTASK_BURSTS;
    if (bursts === 0) setTimeout(run, 0);
    else queueMicrotask(run);
  };
}

class MemoryLink implements Link {
  readonly mtu: number;
  readonly layer: 'ip' | 'ethernet';
  readonly mac: Uint8Array | null;
  readonly checksum = { tx: false, rx: false };
  readonly segmentation = 0;
  peer: MemoryLink | null = null;

  private readonly capacity: number;
  private readonly largest: number;
  private readonly schedule: (run: () => void) => void;
  private readonly run = (): void => {
    this.scheduled = false;
    this.deliver(this.queue.length);
  };
  private handlers: LinkHandlers | null = null;
  private open = true;
  private queue: Uint8Array[] = [];
  private scheduled = false;
  private refused = false;

  constructor(
    mtu: number,
    layer: 'ip' | 'ethernet',
    end: number,
    capacity: number,
    schedule: (run: () => void) => void,
  ) {
    this.mtu = mtu;
    this.layer = layer;
    this.mac = layer === 'ethernet' ? Uint8Array.of(2, 0, 0, 0, 0, end) : null;
    this.capacity = capacity;
    this.largest = mtu + (layer === 'ethernet' ? ETHERNET_HEADER : 0);
    this.schedule = schedule;
  }

  /** Frames sent here and not yet delivered. */
  get underWay(): number {
    return this.queue.length;
  }

  start(handlers: LinkHandlers): void {
    if (this.handlers !== null) throw new EstabError('EINVAL', 'this link has been started already');
    this.handlers = handlers;
    // Frames that came before now waited in the peer's queue.
    this.peer?.wake();
  }

  /** @throws EstabError EMSGSIZE for a frame larger than the link carries. */
  send(frame: Uint8Array): boolean {
    if (frame.length > this.largest) {
      throw new EstabError('EMSGSIZE', `a frame of ${frame.length} bytes does not fit the link's ${this.largest}`);
    }
    if (!this.open || this.peer?.open !== true) return true;
    if (this.queue.length >= this.capacity) {
      this.refused = true;
      return false;
    }
    this.queue.push(frame.slice());
    this.wake();
    return true;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.handlers?.closed(null);
  }

  wake(): void {
    if (this.scheduled || this.queue.length === 0 || this.peer?.handlers == null) return;
    this.scheduled = true;
    this.schedule(this.run);
  }

  /** Hands the first `count` frames of the queue to the peer as one burst; returns how many there were. */
  deliver(count: number): number {
    const peer = this.peer;
    if (peer === null || peer.handlers === null || count === 0) return 0;
    const frames = this.queue.splice(0, count);
    for (const frame of frames) {
      if (peer.open) peer.handlers.frame(frame, true);
    }
    if (peer.open) peer.handlers.burstEnd();
    if (this.refused && this.open) {
      this.refused = false;
      this.handlers?.writable();
    }
    return frames.length;
  }
}
