/**
 * Neighbour discovery on one interface, the host's share: RFC 4861 section 7. Addresses and routes are set by hand, so
 * router advertisements are not acted on, and neither are redirects: a forged one steals traffic.
 */

import type { Counters } from '../base/counters.ts';
import type { Time } from '../base/time.ts';
import type { IpAddress } from '../wire/address.ts';
import { WireDrop } from '../wire/drop.ts';
import { ETHERNET_HEADER_LENGTH, EtherType } from '../wire/ethernet.ts';
import { Icmpv6Type } from '../wire/icmpv6.ts';
import { emitIpv6Header, IpPacket, Protocol, setTransportChecksum } from '../wire/ip.ts';
import { IPV6_HEADER_LENGTH } from '../wire/ipv6.ts';
import { copyMac, isGroupMac, macEquals, multicastMacV6 } from '../wire/mac.ts';
import {
  ALL_NODES,
  ND_HOP_LIMIT,
  NeighbourDiscovery,
  parseNeighbourDiscovery,
  solicitedNode,
} from '../wire/neighbour-discovery.ts';
import { emitNeighbourDiscovery, neighbourDiscoveryLength } from '../wire/neighbour-discovery-emit.ts';
import { Counter, type CounterName, counterOfDrop } from './counters.ts';
import { writeEthernetHeader } from './ethernet-header.ts';
import type { Interface } from './interface.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';

const PAYLOAD_AT = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH;
const LONGEST_MESSAGE = 32;

export class Nd {
  private readonly iface: Interface;
  private readonly neighbours: Neighbours;
  private readonly counters: Counters<CounterName>;
  private readonly transmit: (frame: Uint8Array) => void;
  private readonly arrived = new NeighbourDiscovery();
  private readonly leaving = new NeighbourDiscovery();
  private readonly packet = new IpPacket();
  private readonly buffer = new Uint8Array(PAYLOAD_AT + LONGEST_MESSAGE);
  private readonly groupMac = new Uint8Array(6);

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

  /** Asks for a neighbour's MAC address; a probe of a known neighbour goes to it alone. */
  solicit(neighbour: Neighbour, unicast: boolean): void {
    const source = this.iface.sourceFor(neighbour.address);
    if (source === null) return;
    this.counters.increment(Counter.NeighSolicits);
    const nd = this.leaving;
    nd.reset();
    nd.type = Icmpv6Type.NEIGHBOUR_SOLICITATION;
    nd.setTarget(neighbour.address);
    nd.hasSourceLink = true;
    copyMac(this.iface.mac, 0, nd.sourceLink, 0);
    if (unicast) this.send(source, neighbour.address, neighbour.mac);
    else this.sendToGroup(source, solicitedNode(neighbour.address));
  }

  /** Unsolicited advertisement: says to everybody that the address is ours (RFC 4861 section 7.2.6). */
  announce(address: IpAddress): void {
    this.advertise(address, false);
    this.sendToGroup(address, ALL_NODES);
  }

  /**
   * Takes a message whose checksum is right.
   * @param sourceMac whom the frame came from.
   */
  input(now: Time, bytes: Uint8Array, packet: IpPacket, sourceMac: Uint8Array): void {
    const nd = this.arrived;
    const drop = parseNeighbourDiscovery(bytes, packet, nd);
    if (drop !== WireDrop.NONE) this.counters.increment(counterOfDrop(drop));
    else if (nd.type === Icmpv6Type.NEIGHBOUR_SOLICITATION) this.solicited(now, packet, nd, sourceMac);
    else if (nd.type === Icmpv6Type.NEIGHBOUR_ADVERTISEMENT) this.advertised(now, nd);
    else this.counters.increment(Counter.NdInIgnored);
  }

  /** RFC 4861 section 7.2.3 and 7.2.4. */
  private solicited(now: Time, packet: IpPacket, nd: NeighbourDiscovery, sourceMac: Uint8Array): void {
    const own = this.ownTarget(nd);
    if (own === null || isGroupMac(sourceMac) || macEquals(sourceMac, 0, this.iface.mac, 0)) {
      this.counters.increment(Counter.NdInIgnored);
      return;
    }
    if ((packet.s0 | packet.s1 | packet.s2 | packet.s3) === 0) {
      // Duplicate address detection: another host is about to take our address, and learns here that it may not.
      this.counters.increment(Counter.ArpConflicts);
      this.announce(own);
      return;
    }
    if (nd.hasSourceLink && !isGroupMac(nd.sourceLink)) {
      this.neighbours.hear(now, packet.s0, packet.s1, packet.s2, packet.s3, nd.sourceLink, 0);
    }
    this.advertise(own, true);
    this.send(own, packet.source, nd.hasSourceLink ? nd.sourceLink : sourceMac);
  }

  /** RFC 4861 section 7.2.5. */
  private advertised(now: Time, nd: NeighbourDiscovery): void {
    if (this.ownTarget(nd) !== null) {
      this.counters.increment(Counter.ArpConflicts);
      return;
    }
    const known = this.neighbours.find(nd.target);
    // Without its address an answer still tells that the neighbour we know lives, but nothing of one we don't.
    const tells = nd.hasTargetLink && !isGroupMac(nd.targetLink);
    if (known === null || (!tells && !known.found)) {
      this.counters.increment(Counter.NdInIgnored);
      return;
    }
    known.isRouter = nd.router;
    this.neighbours.answer(now, known, tells ? nd.targetLink : known.mac, 0, nd.solicited, nd.override);
  }

  private ownTarget(nd: NeighbourDiscovery): IpAddress | null {
    for (const { address: a } of this.iface.addresses) {
      if (a.w3 === nd.t3 && a.w2 === nd.t2 && a.w1 === nd.t1 && a.w0 === nd.t0) return a;
    }
    return null;
  }

  private advertise(address: IpAddress, solicited: boolean): void {
    const nd = this.leaving;
    nd.reset();
    nd.type = Icmpv6Type.NEIGHBOUR_ADVERTISEMENT;
    nd.setTarget(address);
    nd.solicited = solicited;
    nd.override = true;
    nd.hasTargetLink = true;
    copyMac(this.iface.mac, 0, nd.targetLink, 0);
  }

  private sendToGroup(source: IpAddress, group: IpAddress): void {
    multicastMacV6(group.w3, this.groupMac, 0);
    this.send(source, group, this.groupMac);
  }

  private send(source: IpAddress, destination: IpAddress, mac: Uint8Array): void {
    const { packet, buffer, leaving } = this;
    const length = neighbourDiscoveryLength(leaving);
    packet.reset();
    packet.family = 6;
    packet.setSource(source);
    packet.setDestination(destination);
    packet.protocol = Protocol.ICMPV6;
    packet.hopLimit = ND_HOP_LIMIT;
    packet.payloadLength = length;
    writeEthernetHeader(buffer, 0, mac, this.iface.mac, EtherType.IPV6);
    emitIpv6Header(packet, buffer, ETHERNET_HEADER_LENGTH);
    emitNeighbourDiscovery(leaving, buffer, PAYLOAD_AT);
    setTransportChecksum(buffer, PAYLOAD_AT, length, packet);
    this.counters.increment(Counter.IcmpOutMsgs);
    this.transmit(buffer.subarray(0, PAYLOAD_AT + length));
  }
}
