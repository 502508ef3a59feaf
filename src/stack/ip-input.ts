/**
 * Frames as they arrive: Ethernet, the checks that RFC 1122 section 3.2.1 and RFC 9293 section 3.9.2.3 ask of IP,
 * reassembly, and to whom what is inside goes. Nothing that comes from nobody, from everybody, from ourselves, or by a
 * route it chose itself gets any further.
 */

import type { Time } from '../base/time.ts';
import { Counter, counterOfDrop } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { Reassembly } from '../ip/reassembly.ts';
import { WireDrop } from '../wire/drop.ts';
import { ETHERNET_HEADER_LENGTH, EthernetFrame, EtherType, parseEthernet } from '../wire/ethernet.ts';
import { IpPacket, Protocol, parseIp } from '../wire/ip.ts';
import { isGroupMac, macEquals } from '../wire/mac.ts';
import { type Core, isLoopbackV4, isMulticast, isUnspecified } from './core.ts';
import type { EthernetPort } from './ethernet-port.ts';
import type { IcmpInput } from './icmp-input.ts';
import type { IcmpOutput } from './icmp-output.ts';
import type { TcpInput } from './tcp-input.ts';
import type { UdpSockets } from './udp-sockets.ts';

/** How a packet's destination stands to us. */
const For = { NOBODY_HERE: 0, US: 1, MANY: 2 } as const;

const NO_MAC = new Uint8Array(6);

export class IpInput {
  readonly reassembly: Reassembly;
  private readonly core: Core;
  private readonly ports: readonly (EthernetPort | null)[];
  private readonly tcp: TcpInput;
  private readonly udp: UdpSockets;
  private readonly icmp: IcmpInput;
  private readonly icmpOutput: IcmpOutput;
  private readonly packet = new IpPacket();
  private readonly ethernet = new EthernetFrame();

  constructor(
    core: Core,
    ports: readonly (EthernetPort | null)[],
    tcp: TcpInput,
    udp: UdpSockets,
    icmp: IcmpInput,
    icmpOutput: IcmpOutput,
  ) {
    this.core = core;
    this.ports = ports;
    this.tcp = tcp;
    this.udp = udp;
    this.icmp = icmp;
    this.icmpOutput = icmpOutput;
    this.reassembly = new Reassembly(core.settings, core.keyed);
  }

  /** Takes one frame; whatever of it is needed later is copied, unless it is ours to keep. */
  frame(now: Time, iface: Interface, frame: Uint8Array, owned: boolean): void {
    const { core } = this;
    core.arriving = iface;
    core.arrivedByGroup = false;
    core.arrivedOwned = owned;
    if (iface.ethernet) this.ethernetFrame(now, iface, frame);
    else this.ip(now, iface, frame, 0, frame.length, NO_MAC);
  }

  /** Gives up datagrams whose time is up. */
  expireFragments(now: Time): void {
    const { core, packet } = this;
    for (let first = this.reassembly.expire(now); first !== null; first = this.reassembly.expire(now)) {
      core.counters.increment(Counter.IpReasmTimeout);
      core.counters.increment(Counter.IpReasmFails);
      if (first.length === 0 || parseIp(first, 0, first.length, packet) !== WireDrop.NONE) continue;
      const iface = core.route(packet.source)?.device;
      if (iface === undefined) continue;
      core.arriving = iface;
      core.arrivedByGroup = false;
      this.icmpOutput.reassemblyTimeExceeded(now, first, packet);
    }
  }

  private ethernetFrame(now: Time, iface: Interface, frame: Uint8Array): void {
    const { core, ethernet } = this;
    const drop = parseEthernet(frame, 0, frame.length, ethernet);
    if (drop !== WireDrop.NONE) {
      core.drop(counterOfDrop(drop));
      return;
    }
    if (ethernet.payloadOffset !== ETHERNET_HEADER_LENGTH) {
      core.drop(Counter.EthVlan);
      return;
    }
    const group = isGroupMac(ethernet.destination);
    if (!group && !macEquals(ethernet.destination, 0, iface.mac, 0)) {
      core.drop(Counter.EthOtherHost);
      return;
    }
    core.arrivedByGroup = group;
    const { payloadOffset, payloadLength, etherType } = ethernet;
    if (etherType === EtherType.ARP) {
      this.ports[iface.index]?.arp.input(now, frame, payloadOffset, payloadLength);
    } else if (etherType === EtherType.IPV4 || etherType === EtherType.IPV6) {
      const version = payloadLength > 0 ? frame[payloadOffset] >> 4 : 0;
      if (version === (etherType === EtherType.IPV4 ? 4 : 6)) {
        this.ip(now, iface, frame, payloadOffset, payloadLength, ethernet.source);
      } else {
        core.drop(Counter.IpInHdrErrors);
      }
    } else {
      core.drop(Counter.EthUnknownType);
    }
  }

  private ip(
    now: Time,
    iface: Interface,
    bytes: Uint8Array,
    offset: number,
    length: number,
    sourceMac: Uint8Array,
  ): void {
    const { core, packet } = this;
    core.counters.increment(Counter.IpInReceives);
    packet.problemCode = -1;
    const drop = parseIp(bytes, offset, length, packet);
    const refusal = drop !== WireDrop.NONE ? counterOfDrop(drop) : this.refuses(iface, packet);
    if (refusal !== 0) {
      core.drop(refusal);
      this.reportProblem(now, iface, bytes, drop);
      return;
    }
    const target = this.target(iface, packet);
    if (target === For.NOBODY_HERE) {
      core.drop(Counter.IpInAddrErrors);
      return;
    }
    if (packet.isFragment) this.fragment(now, iface, bytes, sourceMac);
    else this.deliver(now, iface, bytes, target === For.MANY, sourceMac);
  }

  /** ICMPv6 parameter problem, where RFC 8200 asks for one; not to those whom other checks would have turned away. */
  private reportProblem(now: Time, iface: Interface, bytes: Uint8Array, drop: WireDrop): void {
    const { packet } = this;
    if (drop === WireDrop.NONE || packet.family !== 6 || packet.problemCode < 0) return;
    const forUs = this.target(iface, packet) === For.US && this.martian(iface, packet) === 0;
    if (forUs) this.icmpOutput.problem(now, bytes, packet, packet.problemCode, packet.problemOffset);
  }

  private fragment(now: Time, iface: Interface, bytes: Uint8Array, sourceMac: Uint8Array): void {
    const { core, reassembly } = this;
    core.counters.increment(Counter.IpReasmReqds);
    const whole = reassembly.add(now, this.packet, bytes);
    if (reassembly.dropped !== 0) {
      core.counters.increment(Counter.IpReasmFails);
      core.drop(reassembly.dropped);
    }
    if (whole === null) return;
    core.counters.increment(Counter.IpReasmOKs);
    core.arrivedOwned = true;
    // A whole packet is no fragment, so this goes one step deep and no further.
    this.ip(now, iface, whole, 0, whole.length, sourceMac);
  }

  private deliver(now: Time, iface: Interface, bytes: Uint8Array, toMany: boolean, sourceMac: Uint8Array): void {
    const { core, packet } = this;
    core.counters.increment(Counter.IpInDelivers);
    switch (packet.protocol) {
      case Protocol.TCP:
        // MUST-57: connections are between two.
        if (toMany || core.arrivedByGroup) core.drop(Counter.InBroadcastTcp);
        else this.tcp.input(now, iface, bytes, packet);
        return;
      case Protocol.UDP:
        this.udp.input(now, iface, bytes, packet);
        return;
      case packet.family === 4 ? Protocol.ICMP : Protocol.ICMPV6:
        this.icmp.input(now, iface, bytes, packet, sourceMac);
        return;
      case Protocol.NO_NEXT_HEADER:
        return;
      default:
        core.drop(Counter.IpInUnknownProtos);
        this.icmpOutput.protocolUnreachable(now, bytes, packet);
    }
  }

  /** A counter that says why the packet must not be looked at any further, 0 when it may. */
  private refuses(iface: Interface, packet: IpPacket): number {
    if (packet.sourceRoute) return Counter.InSourceRoute;
    return this.martian(iface, packet);
  }

  /** RFC 1122 section 3.2.1.3: sources that cannot be; MUST-63. */
  private martian(iface: Interface, p: IpPacket): number {
    if (isMulticast(p.s0, p.s1, p.s2, p.s3)) return Counter.InMartianSource;
    if (iface.loopback) return 0;
    if (isLoopback(p.s0, p.s1, p.s2, p.s3) || isLoopback(p.d0, p.d1, p.d2, p.d3)) return Counter.InLoopbackFromWire;
    if (isUnspecified(p.s0, p.s1, p.s2, p.s3)) {
      // Duplicate address detection has no address to ask from yet (RFC 4862); neither has a DHCP client.
      const nobodyYet = p.protocol === Protocol.ICMPV6 || p.protocol === Protocol.UDP;
      return nobodyYet ? 0 : Counter.InMartianSource;
    }
    if (iface.isBroadcast(p.s0, p.s1, p.s2, p.s3)) return Counter.InMartianSource;
    if (p.s3 === p.d3 && p.s2 === p.d2 && p.s1 === p.d1 && p.s0 === p.d0) return Counter.InLand;
    return this.core.ownAddress(p.s0, p.s1, p.s2, p.s3) === null ? 0 : Counter.InMartianSource;
  }

  private target(iface: Interface, p: IpPacket): number {
    const { d0, d1, d2, d3 } = p;
    if (this.core.ownAddress(d0, d1, d2, d3) !== null) return For.US;
    if (isMulticast(d0, d1, d2, d3)) return iface.inGroup(d0, d1, d2, d3) ? For.MANY : For.NOBODY_HERE;
    if (iface.isBroadcast(d0, d1, d2, d3)) return For.MANY;
    if (isUnspecified(d0, d1, d2, d3)) return For.NOBODY_HERE;
    return iface.acceptAny ? For.US : For.NOBODY_HERE;
  }
}

/** 127.0.0.0/8 or ::1 as words. */
function isLoopback(w0: number, w1: number, w2: number, w3: number): boolean {
  return isLoopbackV4(w0, w1, w2, w3) || ((w0 | w1 | w2) === 0 && w3 === 1);
}
