/**
 * ARP on one interface: RFC 826, with RFC 5227's probes and defence of an address.
 *
 * Learns only what it asked for or what concerns it: replies to its own questions, requests for its own addresses, and
 * announcements of neighbours it already knows.
 */

import type { Counters } from '../base/counters.ts';
import { SECOND, type Time } from '../base/time.ts';
import { IpAddress } from '../wire/address.ts';
import { ARP_LENGTH, ArpOperation, ArpPacket, emitArp, parseArp } from '../wire/arp.ts';
import { WireDrop } from '../wire/drop.ts';
import { ETHERNET_HEADER_LENGTH, EtherType } from '../wire/ethernet.ts';
import { copyMac, isGroupMac, MAC_BROADCAST, macEquals } from '../wire/mac.ts';
import { Counter, type CounterName, counterOfDrop } from './counters.ts';
import { writeEthernetHeader } from './ethernet-header.ts';
import type { Interface } from './interface.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';

/** RFC 5227 section 2.4: an address is defended at most this often, or two defenders would shout for ever. */
const DEFEND_INTERVAL = 10 * SECOND;

const MAPPED = 0xffff;

export class Arp {
  private readonly iface: Interface;
  private readonly neighbours: Neighbours;
  private readonly counters: Counters<CounterName>;
  private readonly transmit: (frame: Uint8Array) => void;
  private readonly arrived = new ArpPacket();
  private readonly leaving = new ArpPacket();
  private readonly frame = new Uint8Array(ETHERNET_HEADER_LENGTH + ARP_LENGTH);
  private defendedAt: Time = Number.NEGATIVE_INFINITY;

  /** @param transmit takes a finished frame; the array is used again afterwards. */
  constructor(
    iface: Interface,
    neighbours: Neighbours,
    counters: Counters<CounterName>,
    transmit: (frame: Uint8Array) => void,
  ) {
    this.iface = iface;
    this.neighbours = neighbours;
    this.counters = counters;
    this.transmit = transmit;
  }

  /** Asks who has the neighbour's address; a probe of a known neighbour goes to it alone. */
  request(neighbour: Neighbour, unicast: boolean): void {
    const source = this.iface.sourceFor(neighbour.address);
    if (source === null) return;
    this.counters.increment(Counter.NeighSolicits);
    const to = unicast ? neighbour.mac : MAC_BROADCAST;
    this.send(ArpOperation.REQUEST, source.w3, neighbour.address.w3, neighbour.mac, unicast, to);
  }

  /** Gratuitous ARP: says to everybody that the address is ours (RFC 5227 section 2.3). */
  announce(address: IpAddress): void {
    this.send(ArpOperation.REQUEST, address.w3, address.w3, MAC_BROADCAST, false, MAC_BROADCAST);
  }

  /** Takes the ARP packet at `offset`. */
  input(now: Time, bytes: Uint8Array, offset: number, length: number): void {
    const arp = this.arrived;
    const drop = parseArp(bytes, offset, length, arp);
    if (drop !== WireDrop.NONE || isGroupMac(arp.senderMac)) {
      this.counters.increment(drop === WireDrop.NONE ? Counter.ArpInErrors : counterOfDrop(drop));
      return;
    }
    if (macEquals(arp.senderMac, 0, this.iface.mac, 0)) return;
    if (arp.senderAddress !== 0 && this.isOwn(arp.senderAddress)) {
      this.defend(now, arp.senderAddress);
      return;
    }
    if (this.isOwn(arp.targetAddress)) this.aboutUs(now, arp);
    else this.aboutOthers(now, arp);
  }

  private aboutUs(now: Time, arp: ArpPacket): void {
    if (arp.operation === ArpOperation.REQUEST) {
      if (this.isNeighbourly(arp.senderAddress)) {
        this.neighbours.hear(now, 0, 0, MAPPED, arp.senderAddress, arp.senderMac, 0);
      }
      this.send(ArpOperation.REPLY, arp.targetAddress, arp.senderAddress, arp.senderMac, true, arp.senderMac);
      return;
    }
    const known = this.neighbours.find(IpAddress.v4(arp.senderAddress));
    if (arp.operation !== ArpOperation.REPLY || known === null) {
      this.counters.increment(Counter.ArpInIgnored);
      return;
    }
    if (!this.neighbours.answer(now, known, arp.senderMac, 0, true, true))
      this.counters.increment(Counter.ArpConflicts);
  }

  /** An announcement moves a neighbour that is known; all other talk between third parties is none of our business. */
  private aboutOthers(now: Time, arp: ArpPacket): void {
    const announced = arp.senderAddress === arp.targetAddress;
    const known = announced ? this.neighbours.find(IpAddress.v4(arp.senderAddress)) : null;
    if (known === null) this.counters.increment(Counter.ArpInIgnored);
    else this.neighbours.answer(now, known, arp.senderMac, 0, false, true);
  }

  /** Somebody else uses our address: RFC 5227 section 2.4 (b), keep it and say so, but not too often. */
  private defend(now: Time, address: number): void {
    this.counters.increment(Counter.ArpConflicts);
    if (now - this.defendedAt < DEFEND_INTERVAL) return;
    this.defendedAt = now;
    this.announce(IpAddress.v4(address));
  }

  private isOwn(address: number): boolean {
    return this.iface.addresses.some((own) => own.address.family === 4 && own.address.w3 === address);
  }

  /** An address in one of our networks that can be a host's; 0.0.0.0, which probes carry, is none. */
  private isNeighbourly(address: number): boolean {
    if (this.iface.isBroadcast(0, 0, MAPPED, address)) return false;
    const sender = IpAddress.v4(address);
    return this.iface.addresses.some((own) => own.address.family === 4 && own.address.inPrefix(sender, own.length));
  }

  private send(
    operation: number,
    sender: number,
    target: number,
    targetMac: Uint8Array,
    knowsTarget: boolean,
    to: Uint8Array,
  ): void {
    const arp = this.leaving;
    arp.operation = operation;
    copyMac(this.iface.mac, 0, arp.senderMac, 0);
    arp.senderAddress = sender;
    if (knowsTarget) copyMac(targetMac, 0, arp.targetMac, 0);
    else arp.targetMac.fill(0);
    arp.targetAddress = target;
    writeEthernetHeader(this.frame, 0, to, this.iface.mac, EtherType.ARP);
    emitArp(arp, this.frame, ETHERNET_HEADER_LENGTH);
    this.transmit(this.frame);
  }
}
