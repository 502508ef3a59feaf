/**
 * A stack in the real world: links, the real clock, real timers, the platform's random numbers. The one place where
 * they are touched; works alike in Node and in browsers.
 *
 * Each burst of frames, timer or application call ends in one {@link Host.pump}: first the application hears what
 * happened, then everything leaves, so that its answer and the acknowledgment share a segment.
 */

import type { RandomSource } from '../base/random.ts';
import type { Time } from '../base/time.ts';
import type { Interface, InterfaceOptions } from '../ip/interface.ts';
import type { Link } from '../link/link.ts';
import type { Settings } from '../stack/settings-table.ts';
import { Stack } from '../stack/stack.ts';
import type { StackTrace } from '../stack/trace.ts';
import { debugFromEnvironment } from './debug.ts';
import { EventStream, type EventsOptions } from './event-stream.ts';
import type { DnsEvent, EventKind } from './events.ts';
import type { NameResolver } from './happy-eyeballs.ts';
import { nextTurn } from './turn.ts';
import { HostWatch } from './watch.ts';

/** setTimeout's longest delay; a later deadline is reached in steps. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** Link-layer header in front of a packet: two addresses, a type, a VLAN tag. */
const LINK_HEADER = 18;
/** Frames sent in one go before other things of the process get a turn. */
const FRAMES_A_PUMP = 4096;
/** Rounds of events told in one go. */
const EVENT_ROUNDS = 16;

export interface HostOptions {
  /** What it is called in its events and in what `ESTAB_DEBUG` prints. */
  readonly name?: string;
  readonly settings?: Settings;
  readonly trace?: StackTrace | null;
  /** Its timers do not keep the process alive (Node): for a host that others keep alive by what they wait for. */
  readonly background?: boolean;
}

export interface AttachOptions {
  readonly name: string;
  /** `10.0.0.2/24`, `fd00::2/64` */
  readonly addresses: readonly string[];
  /** Take packets to any address as our own. */
  readonly acceptAny?: boolean;
}

/** One interface and the link it lives on. */
class Port {
  readonly iface: Interface;
  readonly link: Link;
  readonly buffer: Uint8Array;
  /** A frame the link had no room for: its length in `buffer`, 0 for none. */
  waiting = 0;
  open = true;

  constructor(iface: Interface, link: Link) {
    this.iface = iface;
    this.link = link;
    this.buffer = new Uint8Array(Math.max(link.mtu, link.segmentation) + LINK_HEADER);
  }
}

/** What sockets need of a host; the hosts of `estab/testing` have it too. */
export type SocketHost = Pick<Host, 'stack' | 'resolver' | 'now' | 'wake'>;

export class Host {
  readonly stack: Stack;
  /** Whom sockets of this host ask for names, when they are given nobody else: a `Resolver` of `estab/dns`. */
  resolver: NameResolver | null = null;
  /** Told when a link fails by itself. */
  onLinkClosed: ((iface: Interface, error: Error | null) => void) | null = null;
  private readonly ports: Port[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private timerAt: Time = Number.POSITIVE_INFINITY;
  private pumpScheduled = false;
  private turnScheduled = false;
  private pumping = false;
  private closed = false;
  private readonly background: boolean;
  private readonly watch: HostWatch;
  private readonly streams = new Set<EventStream>();

  constructor(options: HostOptions = {}) {
    this.background = options.background ?? false;
    this.stack = new Stack({
      secret: platformRandom(),
      random: platformRandom(),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
    });
    this.watch = new HostWatch(this.stack, options.name ?? '', () => this.now(), options.trace ?? null);
    const debug = debugFromEnvironment();
    if (debug !== null) this.watch.add(debug);
  }

  /** The clock the stack lives by: monotonic milliseconds. */
  now(): Time {
    return performance.now();
  }

  /**
   * What happens on this host, from now on: `for await (const event of host.events({ kinds: ['state'] }))`. Ends when
   * the host closes. @throws EstabError EINVAL for a kind there is not.
   */
  events<K extends EventKind = EventKind>(options: EventsOptions<K> = {}): EventStream<K> {
    const stream = new EventStream<K>(options, (ended) => {
      this.streams.delete(ended as unknown as EventStream);
      this.watch.delete(ended as unknown as EventStream);
    });
    if (this.closed) stream.close();
    if (stream.isEnded) return stream;
    this.streams.add(stream as unknown as EventStream);
    this.watch.add(stream as unknown as EventStream);
    return stream;
  }

  /** For resolvers: a question or answer becomes an event of this host. */
  reportDns(event: Omit<DnsEvent, 'kind' | 'time' | 'host'>): void {
    this.watch.dns(event);
  }

  /** Gives the stack an interface on `link`, and starts the link. */
  attach(link: Link, options: AttachOptions): Interface {
    const interfaceOptions: InterfaceOptions = {
      ...options,
      mtu: link.mtu,
      medium: link.layer,
      mac: link.mac,
      checksum: link.checksum,
    };
    const iface = this.stack.addInterface(interfaceOptions);
    const port = new Port(iface, link);
    this.ports.push(port);
    link.start({
      frame: (frame) => this.stack.handleFrame(this.now(), iface, frame),
      burstEnd: () => this.pump(),
      writable: () => this.pump(),
      closed: (error) => {
        port.open = false;
        if (!this.closed) this.onLinkClosed?.(iface, error);
      },
    });
    return iface;
  }

  /**
   * After any call on the stack or a connection: what it caused is sent and told soon, never within the caller's own
   * call. Calls made in one turn are served together.
   */
  wake(): void {
    if (this.pumpScheduled || this.closed) return;
    this.pumpScheduled = true;
    queueMicrotask(() => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  /**
   * Resets every connection, and sends the RSTs before it returns. A page that goes away calls it on `pagehide`: nobody
   * else will tell its peers.
   */
  reset(): void {
    this.stack.abortAll(this.now());
    this.pump();
  }

  /** Stops timers and closes the links. Connections end where they are: close them first. */
  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const port of this.ports) if (port.open) port.link.close();
    for (const stream of this.streams) stream.close();
  }

  /** Handles what is due, tells applications, sends all that may go. */
  pump(): void {
    if (this.closed || this.pumping) return;
    this.pumping = true;
    try {
      const now = this.now();
      this.stack.handleTimeout(now);
      // An application's answer to one event may cause the next; after some rounds the rest of the process has a turn.
      for (let round = 0; this.stack.deliverEvents(); round++) {
        if (round === EVENT_ROUNDS) {
          this.pumpInNextTurn();
          break;
        }
      }
      for (const port of this.ports) this.transmit(port);
    } finally {
      this.pumping = false;
    }
    this.armTimer();
  }

  private transmit(port: Port): void {
    for (let frames = 0; port.open; frames++) {
      if (frames === FRAMES_A_PUMP) {
        this.pumpInNextTurn();
        return;
      }
      const length = port.waiting > 0 ? port.waiting : this.stack.pollTransmit(this.now(), port.iface, port.buffer);
      if (length === 0) return;
      // False means full: the frame waits for `writable`, and what is behind it with it.
      port.waiting = port.link.send(port.buffer.subarray(0, length)) ? 0 : length;
      if (port.waiting > 0) return;
    }
  }

  private pumpInNextTurn(): void {
    if (this.turnScheduled || this.closed) return;
    this.turnScheduled = true;
    nextTurn(() => {
      this.turnScheduled = false;
      this.pump();
    });
  }

  private armTimer(): void {
    const next = this.stack.nextDeadline();
    if (next === this.timerAt && this.timer !== null) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.timerAt = next;
    if (next === Number.POSITIVE_INFINITY) return;
    // Whole milliseconds, rounded up: a timer that is early would only be set again.
    const delay = Math.min(Math.max(Math.ceil(next - this.now()), 0), LONGEST_TIMEOUT_MS);
    if (delay === 0) {
      // Something is on its way within the host itself; a timer would make it wait a millisecond.
      this.pumpInNextTurn();
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = null;
      this.pump();
    }, delay);
    if (this.background) (this.timer as { unref?(): void }).unref?.();
  }
}

/** The platform's CSPRNG, in blocks: one call a number would cost more than all the rest of a handshake. */
function platformRandom(): RandomSource {
  const block = new Uint32Array(256);
  let left = 0;
  return {
    nextUint32(): number {
      if (left === 0) {
        crypto.getRandomValues(block);
        left = block.length;
      }
      left--;
      const value = block[left];
      // A number handed out is not kept: memory that leaks later tells nothing about earlier secrets.
      block[left] = 0;
      return value;
    },
  };
}
