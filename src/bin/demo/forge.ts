/** Packets no host sends: made by hand for stories of strays and floods. */

import type { IpAddress } from '../../wire/address.ts';
import { emitIpHeader, setTransportChecksum } from '../../wire/ip.ts';
import { IpPacket, Protocol } from '../../wire/ip-packet.ts';
import { emitTcp, type Segment, tcpHeaderLength } from '../../wire/tcp.ts';

const HEADER = { 4: 20, 6: 40 } as const;
const HOP_LIMIT = 64;

/** The segment (without text) in a packet from `source` to `destination`, checksums made. */
export function packetWith(segment: Segment, source: IpAddress, destination: IpAddress): Uint8Array {
  const length = tcpHeaderLength(segment);
  const start = HEADER[source.family];
  const bytes = new Uint8Array(start + length);
  const packet = new IpPacket();
  packet.family = source.family;
  packet.setSource(source);
  packet.setDestination(destination);
  packet.protocol = Protocol.TCP;
  packet.hopLimit = HOP_LIMIT;
  packet.payloadLength = length;
  packet.dontFragment = source.family === 4;
  emitTcp(segment, bytes, start);
  emitIpHeader(packet, bytes, 0);
  setTransportChecksum(bytes, start, length, packet);
  return bytes;
}
