/**
 * From a connection's marks to a frame: the engine decides the segment, and headers and text are written right into
 * the buffer that goes to the link. The text is copied once, the checksum made over it where it lies.
 */

import { writeU16 } from '../base/bytes.ts';
import { NEVER, type Time } from '../base/time.ts';
import { Counter } from '../ip/counters.ts';
import { writeEthernetHeader } from '../ip/ethernet-header.ts';
import type { Interface } from '../ip/interface.ts';
import { output, setPathMtu } from '../tcp/index.ts';
import { checksumFold } from '../wire/checksum.ts';
import { ETHERNET_HEADER_LENGTH, EtherType } from '../wire/ethernet.ts';
import { emitIpHeader, IpPacket, Protocol, pseudoSum, setTransportChecksum } from '../wire/ip.ts';
import { emitTcp, RST, Segment } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import type { Core } from './core.ts';
import type { EthernetPort } from './ethernet-port.ts';
import type { IpOutput } from './ip-output.ts';

const CHECKSUM_FIELD = 16;

/** What became of an attempt to write a segment. */
export const Written = {
  /** The connection has nothing to send now. */
  NOTHING: -1,
  /** A segment was made, and waits for a neighbour or was lost: nothing to send in this frame. */
  ELSEWHERE: -2,
} as const;

export class TcpOutput {
  private readonly core: Core;
  private readonly ports: readonly (EthernetPort | null)[];
  private readonly ipOutput: IpOutput;
  private readonly segment = new Segment();
  private readonly packet = new IpPacket();

  constructor(core: Core, ports: readonly (EthernetPort | null)[], ipOutput: IpOutput) {
    this.core = core;
    this.ports = ports;
    this.ipOutput = ipOutput;
  }

  /**
   * The interface a connection's packets leave by now, null when there is no route. Looked up again when routes have
   * changed or its neighbour is gone.
   */
  device(now: Time, connection: Connection): Interface | null {
    const { core } = this;
    const neighbour = connection.neighbour;
    if (connection.routeGeneration === core.routes.generation && (neighbour === null || !neighbour.dead)) {
      return core.interfaces[connection.interfaceIndex];
    }
    const remote = connection.remote;
    const route = core.route(remote, connection.scope);
    if (route === null) return null;
    const port = this.ports[route.device.index];
    const mtu = this.ipOutput.pathMtu(now, remote, route.device);
    if (mtu < connection.tcb.mtu) setPathMtu(connection.tcb, mtu);
    connection.interfaceIndex = route.device.index;
    connection.neighbour = port === null ? null : port.neighbours.lookup(now, route.via ?? remote);
    connection.routeGeneration = core.routes.generation;
    return route.device;
  }

  /**
   * Writes the connection's next segment as a frame for `iface`, which {@link device} named.
   * @returns the frame's length, or one of {@link Written}.
   */
  write(now: Time, connection: Connection, iface: Interface, out: Uint8Array): number {
    const { core, segment, packet } = this;
    const { tcb } = connection;
    if (now >= connection.pmtuExpires) this.renewPathMtu(now, connection, iface);
    if (!output(tcb, now, segment)) return Written.NOTHING;
    segment.sourcePort = connection.localPort;
    segment.destinationPort = connection.remotePort;
    const start = iface.ethernet ? ETHERNET_HEADER_LENGTH : 0;
    const tcpStart = start + (tcb.family === 4 ? 20 : 40);
    const headerLength = emitTcp(segment, out, tcpStart);
    const text = segment.payloadLength;
    if (tcpStart + headerLength + text > out.length) {
      // tcp_min_snd_mss may ask for more than the link carries: as lost as on the link.
      core.drop(Counter.TcpOutTooBig);
      return Written.ELSEWHERE;
    }
    if (text > 0) this.copyText(connection, out, tcpStart + headerLength);
    const length = headerLength + text;
    this.fillHeader(connection, length);
    emitIpHeader(packet, out, start);
    if (iface.checksumTx) {
      writeU16(out, tcpStart + CHECKSUM_FIELD, ~checksumFold(pseudoSum(packet, Protocol.TCP, length)) & 0xffff);
    } else {
      setTransportChecksum(out, tcpStart, length, packet);
    }
    core.counters.increment(Counter.TcpOutSegs);
    if ((segment.flags & RST) !== 0) core.counters.increment(Counter.TcpOutRsts);
    if (core.trace !== null) core.trace.segmentSent(now, iface, connection, segment, packet);
    if (!iface.ethernet) return tcpStart + length;
    return this.frame(now, connection, iface, out, tcpStart + length);
  }

  /** Makes and drops what a connection without a route has to send: as lost as on a dead path. */
  discard(now: Time, connection: Connection): void {
    while (output(connection.tcb, now, this.segment)) this.core.drop(Counter.IpOutNoRoutes);
  }

  private copyText(connection: Connection, out: Uint8Array, at: number): void {
    const { tcb } = connection;
    const { segment } = this;
    if (tcb.textOffset >= 0) tcb.sendBuffer.copyTo(tcb.textOffset, segment.payloadLength, out, at);
    else for (let i = 0; i < segment.payloadLength; i++) out[at + i] = segment.payload[segment.payloadOffset + i];
    segment.payload = out;
    segment.payloadOffset = at;
  }

  /** The IP header: addresses of the connection, no fragmentation on the way, so that its MTU can be discovered. */
  private fillHeader(connection: Connection, length: number): void {
    const { core, packet, segment } = this;
    const { tcb, local } = connection;
    packet.family = tcb.family;
    packet.s0 = local.w0;
    packet.s1 = local.w1;
    packet.s2 = local.w2;
    packet.s3 = local.w3;
    packet.d0 = connection.r0;
    packet.d1 = connection.r1;
    packet.d2 = connection.r2;
    packet.d3 = connection.r3;
    packet.protocol = Protocol.TCP;
    packet.trafficClass = tcb.trafficClass | segment.ecn;
    packet.hopLimit = tcb.hopLimit;
    packet.payloadLength = length;
    packet.dontFragment = tcb.family === 4 && core.discoversPathMtu;
    packet.id = tcb.family === 4 && !packet.dontFragment ? core.random.nextUint32() & 0xffff : 0;
  }

  private frame(now: Time, connection: Connection, iface: Interface, out: Uint8Array, length: number): number {
    const neighbour = connection.neighbour;
    const port = this.ports[iface.index];
    if (neighbour === null || port === null) return Written.ELSEWHERE;
    if (port.neighbours.ready(now, neighbour)) {
      const type = connection.tcb.family === 4 ? EtherType.IPV4 : EtherType.IPV6;
      writeEthernetHeader(out, 0, neighbour.mac, iface.mac, type);
      return length;
    }
    const size = length - ETHERNET_HEADER_LENGTH;
    if (!port.neighbours.hold(neighbour, out, ETHERNET_HEADER_LENGTH, size)) {
      this.core.drop(Counter.NeighQueueDrops);
    }
    return Written.ELSEWHERE;
  }

  /** What was learnt of the path is ten minutes old: it may have grown (RFC 1191 section 6.3). */
  private renewPathMtu(now: Time, connection: Connection, iface: Interface): void {
    connection.pmtuExpires = NEVER;
    setPathMtu(connection.tcb, this.ipOutput.pathMtu(now, connection.remote, iface));
  }
}
