/**
 * From an IP packet to the connection, listener or TIME-WAIT entry the segment in it is for. Whether the packet is
 * for us at all, and from somebody who can be answered, has been decided before.
 */

import type { Time } from '../base/time.ts';
import { Counter, counterOfDrop } from '../ip/counters.ts';
import type { Interface } from '../ip/interface.ts';
import { WireDrop } from '../wire/drop.ts';
import { type IpPacket, transportChecksumOk } from '../wire/ip.ts';
import { ACK, parseTcp, RST, Segment, SYN } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import type { Core } from './core.ts';
import { type Endpoint, EndpointKind } from './endpoint.ts';
import type { Listener } from './listener.ts';
import type { Listening } from './listening.ts';
import type { TcpReplies } from './tcp-replies.ts';
import type { TimeWait } from './time-wait.ts';

export class TcpInput {
  private readonly core: Core;
  private readonly connections: Connections;
  private readonly listening: Listening;
  private readonly replies: TcpReplies;
  private readonly segment = new Segment();

  constructor(core: Core, connections: Connections, listening: Listening, replies: TcpReplies) {
    this.core = core;
    this.connections = connections;
    this.listening = listening;
    this.replies = replies;
  }

  input(now: Time, iface: Interface, bytes: Uint8Array, packet: IpPacket): void {
    const { core, segment, connections } = this;
    const drop = parseTcp(bytes, packet.payloadOffset, packet.payloadLength, segment);
    if (drop !== WireDrop.NONE) {
      core.drop(counterOfDrop(drop));
      return;
    }
    if (!iface.checksumRx && !transportChecksumOk(bytes, packet.payloadOffset, packet.payloadLength, packet)) {
      core.drop(Counter.TcpInCsumErrors);
      return;
    }
    core.counters.increment(Counter.TcpInSegs);
    segment.ecn = packet.trafficClass & 3;
    const endpoint = connections.demux.findConnected(packet, segment.sourcePort, segment.destinationPort);
    if (endpoint === null) this.unconnected(now, iface, packet, null);
    else if (endpoint.kind === EndpointKind.CONNECTION) this.connected(now, iface, packet, endpoint as Connection);
    else this.timeWait(now, iface, packet, endpoint as TimeWait);
  }

  private connected(now: Time, iface: Interface, packet: IpPacket, connection: Connection): void {
    const { core, segment } = this;
    if (core.trace !== null) core.trace.segmentReceived(now, iface, connection, segment, packet);
    connection.tcb.receivedTrafficClass = packet.trafficClass;
    if (connection.inSynQueue && !this.listening.mayComplete(now, connection, segment)) return;
    this.connections.segment(now, connection, segment);
  }

  /** @param succeeded the TIME-WAIT entry whose place a SYN takes. */
  private unconnected(now: Time, iface: Interface, packet: IpPacket, succeeded: TimeWait | null): void {
    const { core, segment } = this;
    const listener = this.listenerFor(packet);
    if (core.trace !== null) core.trace.segmentReceived(now, iface, listener, segment, packet);
    const remote = packet.source;
    const local = core.ownAddress(packet.d0, packet.d1, packet.d2, packet.d3) ?? packet.destination;
    if (listener === null) this.replies.reset(now, segment, local, remote);
    else this.listening.segment(now, listener, segment, local, remote, succeeded?.successorIss() ?? null);
  }

  private timeWait(now: Time, iface: Interface, packet: IpPacket, entry: TimeWait): void {
    const { core, segment } = this;
    const { timeWaits } = this.connections;
    if ((segment.flags & (SYN | ACK | RST)) === SYN && timeWaits.maySucceed(now, entry, segment)) {
      const listener = this.listenerFor(packet);
      if (listener !== null && this.listening.hasRoom(listener)) {
        timeWaits.succeed(now, entry, Counter.TWRecycled);
        this.unconnected(now, iface, packet, entry);
        return;
      }
    }
    if (core.trace !== null) core.trace.segmentReceived(now, iface, entry, segment, packet);
    timeWaits.segment(now, entry, segment, this.replies);
  }

  private listenerFor(p: IpPacket): Listener | null {
    const found: Endpoint | null = this.connections.demux.findBound(
      p.d0,
      p.d1,
      p.d2,
      p.d3,
      this.segment.destinationPort,
    );
    return found as Listener | null;
  }
}
