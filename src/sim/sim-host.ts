/**
 * A host in a simulated world: a {@link Stack} at the end of one or more wires. It hands over what arrives, asks for
 * what is to be sent, wakes the stack at its deadlines and lets its events be delivered, all at the world's time. It can
 * crash without a word and come back having forgotten everything.
 */

import { EstabError } from '../base/errors.ts';
import { NEVER, type Time } from '../base/time.ts';
import { LinkType } from '../capture/formats.ts';
import type { PcapngWriter } from '../capture/pcapng-writer.ts';
import type { Interface, InterfaceOptions } from '../ip/interface.ts';
import type { Settings } from '../stack/settings-table.ts';
import { Stack, type StackOptions } from '../stack/stack.ts';
import type { StackTrace } from '../stack/trace.ts';
import type { End, Wire } from './wire.ts';
import type { Participant, World } from './world.ts';

export interface SimHostOptions {
  /** As `defaultSettings` and `applySetting` made them; every incarnation gets a copy. */
  readonly settings?: Settings;
  readonly trace?: StackTrace | null;
  /** Anything else the stack takes. */
  readonly stack?: Partial<StackOptions>;
}

/** What the host is doing at the moment, for those who want to know what a state change comes from. */
export type Activity = 'frame' | 'timeout' | 'transmit' | 'events' | 'idle';

/** Told of every frame at the host's own end of a wire. */
export type Tap = (frame: Uint8Array, direction: 'inbound' | 'outbound', time: Time) => void;

interface Port {
  readonly wire: Wire;
  readonly end: End;
  readonly options: InterfaceOptions;
  readonly defaultRoutes: boolean;
  readonly out: Uint8Array;
  iface: Interface | null;
}

const ETHERNET_HEADER = 14;

export class SimHost implements Participant {
  readonly name: string;
  activity: Activity = 'idle';
  tap: Tap | null = null;
  /** Called when a frame that arrived has been processed, before anything answers it. */
  afterFrame: (() => void) | null = null;
  private readonly world: World;
  private readonly options: SimHostOptions;
  private readonly ports: Port[] = [];
  private current: Stack | null = null;

  constructor(world: World, name: string, options: SimHostOptions = {}) {
    this.world = world;
    this.name = name;
    this.options = options;
    this.start();
    world.add(this);
  }

  /** Whether it runs: it has not crashed, or was restarted since. */
  get running(): boolean {
    return this.current !== null;
  }

  /** @throws EstabError ENOTCONN while the host is down. */
  get stack(): Stack {
    if (this.current === null) throw new EstabError('ENOTCONN', `${this.name} has crashed; restart it first`);
    return this.current;
  }

  /**
   * Puts the host at an end of a wire.
   * @param defaultRoutes whether everything that is in no other network is sent there.
   */
  attach(wire: Wire, end: End, options: InterfaceOptions, defaultRoutes = true): void {
    const room = options.mtu + (options.medium === 'ethernet' ? ETHERNET_HEADER : 0);
    const port: Port = { wire, end, options, defaultRoutes, out: new Uint8Array(room), iface: null };
    this.ports.push(port);
    this.plugIn(port);
  }

  /** The interface at the wire attached as the n-th. */
  iface(index = 0): Interface {
    const iface = this.ports[index]?.iface ?? null;
    if (iface === null) throw new EstabError('ENOTCONN', `${this.name} has no interface ${index} that is up`);
    return iface;
  }

  /** The host is gone from this moment on: no FIN, no RST, and what arrives finds nobody. */
  crash(): void {
    this.current = null;
    for (const port of this.ports) {
      port.iface = null;
      port.wire.attach(port.end, null);
    }
  }

  /** The host comes back, with fresh secrets and no memory of any connection. */
  restart(): void {
    if (this.current === null) this.start();
  }

  /** Writes everything that passes its interfaces to a capture, from now on; `epochMs` is the date at which the world began. */
  captureTo(writer: PcapngWriter, epochMs: number): void {
    const first = this.ports[0];
    const linkType = first?.options.medium === 'ethernet' ? LinkType.ETHERNET : LinkType.RAW;
    const id = writer.addInterface({ linkType, name: this.name });
    this.tap = (frame, direction, time) => writer.packet(id, epochMs + time, frame, { direction });
  }

  nextDeadline(): Time {
    return this.current === null ? NEVER : this.current.nextDeadline();
  }

  handleTimeout(now: Time): void {
    this.doing('timeout', () => this.current?.handleTimeout(now));
  }

  settle(now: Time): boolean {
    const stack = this.current;
    if (stack === null) return false;
    let busy = false;
    for (const port of this.ports) if (this.transmit(now, stack, port)) busy = true;
    // What was decided leaves before the application is heard: its answer to an event is a later decision.
    this.doing('events', () => {
      if (stack.deliverEvents()) busy = true;
    });
    return busy;
  }

  private start(): void {
    const { settings, trace = null, stack } = this.options;
    this.current = new Stack({
      secret: this.world.fork(),
      random: this.world.fork(),
      ...(settings === undefined ? {} : { settings: { ...settings } }),
      trace,
      ...stack,
    });
    for (const port of this.ports) this.plugIn(port);
  }

  private plugIn(port: Port): void {
    const { stack } = this;
    const iface = stack.addInterface(port.options);
    port.iface = iface;
    if (port.defaultRoutes) {
      stack.addRoute('0.0.0.0/0', null, iface);
      stack.addRoute('::/0', null, iface);
    }
    port.wire.attach(port.end, (frame, now) => {
      this.tap?.(frame, 'inbound', now);
      this.doing('frame', () => this.current?.handleFrame(now, iface, frame));
      this.afterFrame?.();
    });
  }

  private transmit(now: Time, stack: Stack, port: Port): boolean {
    let sent = false;
    this.doing('transmit', () => {
      for (;;) {
        const length = stack.pollTransmit(now, port.iface!, port.out);
        if (length === 0) return;
        sent = true;
        const frame = port.out.subarray(0, length);
        this.tap?.(frame, 'outbound', now);
        port.wire.send(port.end, frame);
      }
    });
    return sent;
  }

  private doing(activity: Activity, action: () => void): void {
    const before = this.activity;
    this.activity = activity;
    try {
      action();
    } finally {
      this.activity = before;
    }
  }
}
