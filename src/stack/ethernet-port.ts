/** An Ethernet interface's neighbours, and how they are asked for: ARP for IPv4, neighbour discovery for IPv6. */

import type { Time } from '../base/time.ts';
import { Arp } from '../ip/arp.ts';
import { Counter } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { Nd } from '../ip/nd.ts';
import { type Neighbour, type NeighbourActions, Neighbours } from '../ip/neighbours.ts';
import type { Core } from './core.ts';

/** What the port asks of the host around it. */
export interface EthernetPortActions {
  /** Queues a finished frame; the array is used again afterwards. Returns 0 or the counter of why it was lost. */
  transmit(iface: Interface, frame: Uint8Array): number;
  /** A neighbour was found: these packets can go. */
  release(iface: Interface, neighbour: Neighbour, packets: readonly Uint8Array[]): void;
  /** A neighbour does not answer: these packets, ours, cannot be delivered. */
  unreachable(now: Time, iface: Interface, packets: readonly Uint8Array[]): void;
}

export class EthernetPort implements NeighbourActions {
  readonly neighbours: Neighbours;
  readonly arp: Arp;
  readonly nd: Nd;
  private readonly core: Core;
  private readonly iface: Interface;
  private readonly actions: EthernetPortActions;

  constructor(core: Core, iface: Interface, actions: EthernetPortActions) {
    this.core = core;
    this.iface = iface;
    this.actions = actions;
    this.neighbours = new Neighbours(core.keyed, core.random, this);
    const transmit = (frame: Uint8Array): void => {
      actions.transmit(iface, frame);
    };
    this.arp = new Arp(iface, this.neighbours, core.counters, transmit);
    this.nd = new Nd(iface, this.neighbours, core.counters, transmit);
  }

  /** Tells the link which addresses are ours, so that neighbours who knew another MAC address learn the new one. */
  announce(): void {
    for (const { address } of this.iface.addresses) {
      if (address.family === 4) this.arp.announce(address);
      else this.nd.announce(address);
    }
  }

  solicit(_now: Time, neighbour: Neighbour, unicast: boolean): void {
    if (neighbour.address.family === 4) this.arp.request(neighbour, unicast);
    else this.nd.solicit(neighbour, unicast);
  }

  resolved(_now: Time, neighbour: Neighbour, packets: readonly Uint8Array[]): void {
    this.actions.release(this.iface, neighbour, packets);
  }

  unreachable(now: Time, _neighbour: Neighbour, packets: readonly Uint8Array[]): void {
    if (packets.length === 0) return;
    this.core.counters.increment(Counter.NeighFailures);
    this.actions.unreachable(now, this.iface, packets);
  }
}
