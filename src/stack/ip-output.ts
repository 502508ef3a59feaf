/**
 * Sending IP packets that are no connection's segments: route, path MTU, fragments, next hop. Callers write what IP
 * carries behind the room kept for headers, and the headers are then written before it: nothing is copied twice.
 *
 * Identifications (RFC 6864): 0 for packets that may not be fragmented, random for the others. A counter shared by
 * destinations would tell each of them how much the host sends to the others (CVE-2020-36516).
 */

import { writeU16 } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import { Counter } from '../ip/counters.ts';
import { writeEthernetHeader } from '../ip/ethernet-header.ts';
import { fragmentPayload, writeFragment } from '../ip/fragments.ts';
import type { Interface } from '../ip/interface.ts';
import type { Neighbour } from '../ip/neighbours.ts';
import type { IpAddress } from '../wire/address.ts';
import { checksumFold } from '../wire/checksum.ts';
import { ETHERNET_HEADER_LENGTH, EtherType } from '../wire/ethernet.ts';
import { emitIpHeader, IpPacket, Protocol, pseudoSum, setTransportChecksum } from '../wire/ip.ts';
import { MAC_BROADCAST, multicastMacV4, multicastMacV6 } from '../wire/mac.ts';
import type { Core } from './core.ts';
import type { Egress } from './egress.ts';
import type { EthernetPort } from './ethernet-port.ts';

/** Where callers put what IP carries. Room for an Ethernet header and the longest IP header that we write. */
export const PAYLOAD_AT = 64;
const MAX_PAYLOAD = 65_535;
const IP_HEADER_LENGTH = { 4: 20, 6: 40 } as const;

export class IpOutput {
  /** Holds the payload, from {@link PAYLOAD_AT} on, of the packet to be sent next. */
  readonly buffer = new Uint8Array(PAYLOAD_AT + MAX_PAYLOAD);
  /** Its header: family, addresses, protocol, traffic class, hop limit and `dontFragment` are the caller's to set. */
  readonly packet = new IpPacket();
  private readonly core: Core;
  private readonly egresses: readonly Egress[];
  private readonly ports: readonly (EthernetPort | null)[];
  private fragment = new Uint8Array(0);
  private readonly groupMac = new Uint8Array(6);
  /** The interface the last packet left by. */
  device: Interface;
  private scope: Interface | null = null;

  /**
   * @param egresses by interface number, and so `ports`, null where there is no Ethernet. Both grow with the interfaces.
   */
  constructor(core: Core, egresses: readonly Egress[], ports: readonly (EthernetPort | null)[]) {
    this.core = core;
    this.egresses = egresses;
    this.ports = ports;
    this.device = core.loopback;
  }

  /**
   * A header with defaults between two addresses.
   * @param scope for an answer: the interface it answers something from.
   */
  prepare(source: IpAddress, destination: IpAddress, protocol: number, scope: Interface | null = null): IpPacket {
    this.scope = scope;
    const { packet } = this;
    packet.reset();
    packet.family = destination.family;
    packet.setSource(source);
    packet.setDestination(destination);
    packet.protocol = protocol;
    packet.hopLimit = this.core.settings.ip_default_ttl;
    packet.dontFragment = packet.family === 4 && this.core.discoversPathMtu;
    return packet;
  }

  /**
   * Sends `length` bytes of payload with the header in {@link packet}; makes the transport checksum.
   * @returns 0, or the counter of why nothing left (already counted).
   */
  send(now: Time, length: number): number {
    const { core, packet, buffer } = this;
    const destination = packet.destination;
    const route = core.route(destination, this.scope);
    if (route === null) return this.lost(Counter.IpOutNoRoutes);
    const iface = route.device;
    this.device = iface;
    // A gateway is no way to everybody on the link.
    const nextHop =
      destination.isMulticast || destination.isLimitedBroadcast ? destination : (route.via ?? destination);
    const headerLength = IP_HEADER_LENGTH[packet.family];
    const mtu = this.pathMtu(now, destination, iface);
    core.counters.increment(Counter.IpOutRequests);
    if (headerLength + length > mtu) return this.sendFragments(now, iface, nextHop, length, mtu);
    packet.payloadLength = length;
    packet.id = packet.family === 4 && !packet.dontFragment ? core.random.nextUint32() & 0xffff : 0;
    this.checksum(iface.checksumTx, length);
    const start = PAYLOAD_AT - headerLength;
    emitIpHeader(packet, buffer, start);
    return this.toLink(now, iface, nextHop, buffer, start, headerLength + length);
  }

  /**
   * Sends a finished IP packet over an interface to a next hop: at once, or when its MAC address is known.
   * @param offset at least 14, whose bytes before it may be written to.
   */
  toLink(now: Time, iface: Interface, nextHop: IpAddress, bytes: Uint8Array, offset: number, length: number): number {
    const port = this.ports[iface.index];
    if (port === null) return this.push(iface, bytes, offset, length);
    const group = this.groupOf(iface, nextHop);
    if (group !== null) return this.pushFramed(iface, group, bytes, offset, length);
    const neighbour = port.neighbours.lookup(now, nextHop);
    if (port.neighbours.ready(now, neighbour)) return this.pushFramed(iface, neighbour.mac, bytes, offset, length);
    return port.neighbours.hold(neighbour, bytes, offset, length) ? 0 : this.lost(Counter.NeighQueueDrops);
  }

  /** Sends packets that waited for a neighbour. */
  release(iface: Interface, neighbour: Neighbour, packets: readonly Uint8Array[]): void {
    for (const held of packets) {
      this.reserveFragment(ETHERNET_HEADER_LENGTH + held.length);
      this.fragment.set(held, ETHERNET_HEADER_LENGTH);
      this.pushFramed(iface, neighbour.mac, this.fragment, ETHERNET_HEADER_LENGTH, held.length);
    }
  }

  /** Queues a finished frame. */
  pushFrame(iface: Interface, frame: Uint8Array): number {
    return this.push(iface, frame, 0, frame.length);
  }

  /** The MTU towards a destination as far as it is known. */
  pathMtu(now: Time, destination: IpAddress, iface: Interface): number {
    return this.core.pmtu.get(now, destination, iface.mtu);
  }

  private pushFramed(iface: Interface, mac: Uint8Array, bytes: Uint8Array, offset: number, length: number): number {
    const start = offset - ETHERNET_HEADER_LENGTH;
    writeEthernetHeader(bytes, start, mac, iface.mac, bytes[offset] >> 4 === 4 ? EtherType.IPV4 : EtherType.IPV6);
    return this.push(iface, bytes, start, ETHERNET_HEADER_LENGTH + length);
  }

  private push(iface: Interface, bytes: Uint8Array, offset: number, length: number): number {
    if (this.egresses[iface.index].queue.push(bytes, offset, length)) return 0;
    return this.lost(Counter.OutQueueDrops);
  }

  private lost(reason: number): number {
    this.core.drop(reason);
    return reason;
  }

  /** Links that make checksums themselves want the pseudo header's sum in the field; ICMP they leave to us. */
  private checksum(byLink: boolean, length: number): void {
    const { packet, buffer } = this;
    if (byLink && (packet.protocol === Protocol.TCP || packet.protocol === Protocol.UDP)) {
      const field = PAYLOAD_AT + (packet.protocol === Protocol.TCP ? 16 : 6);
      writeU16(buffer, field, ~checksumFold(pseudoSum(packet, packet.protocol, length)) & 0xffff);
    } else {
      setTransportChecksum(buffer, PAYLOAD_AT, length, packet);
    }
  }

  private sendFragments(now: Time, iface: Interface, nextHop: IpAddress, length: number, mtu: number): number {
    const { core, packet, buffer } = this;
    if (length > MAX_PAYLOAD) return this.lost(Counter.IpFragFails);
    const share = fragmentPayload(packet.family, mtu);
    const random = core.random.nextUint32();
    packet.id = packet.family === 4 ? random & 0xffff : random | 0;
    this.checksum(false, length);
    this.reserveFragment(ETHERNET_HEADER_LENGTH + mtu);
    for (let from = 0; from < length; from += share) {
      const size = writeFragment(
        packet,
        buffer,
        PAYLOAD_AT,
        length,
        from,
        share,
        this.fragment,
        ETHERNET_HEADER_LENGTH,
      );
      const reason = this.toLink(now, iface, nextHop, this.fragment, ETHERNET_HEADER_LENGTH, size);
      // Without one piece the others are of no use.
      if (reason !== 0) return reason;
      core.counters.increment(Counter.IpFragCreates);
    }
    core.counters.increment(Counter.IpFragOKs);
    return 0;
  }

  private reserveFragment(size: number): void {
    if (this.fragment.length < size) this.fragment = new Uint8Array(size);
  }

  /** The group MAC address of a broadcast or multicast destination, null for a single host. */
  private groupOf(iface: Interface, a: IpAddress): Uint8Array | null {
    if (iface.isBroadcast(a.w0, a.w1, a.w2, a.w3)) return MAC_BROADCAST;
    if (!a.isMulticast) return null;
    if (a.family === 4) multicastMacV4(a.w3, this.groupMac, 0);
    else multicastMacV6(a.w3, this.groupMac, 0);
    return this.groupMac;
  }
}
