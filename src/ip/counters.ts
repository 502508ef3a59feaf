/**
 * What a host counts: one number for each thing that happens and for each reason to drop something. Names are those of
 * Linux's SNMP tables (`nstat`) where Linux has one, without inventing a second name for the same thing.
 */

import { Counters } from '../base/counters.ts';
import { WIRE_DROP_COUNT, WireDrop } from '../wire/drop.ts';

const NAMES = [
  // IP in and out (RFC 4293)
  'IpInReceives',
  'IpInHdrErrors',
  'IpInTruncatedPkts',
  'IpInAddrErrors',
  'IpInUnknownProtos',
  'IpInDelivers',
  'IpInCsumErrors',
  'IpOutRequests',
  'IpOutNoRoutes',
  'IpReasmReqds',
  'IpReasmOKs',
  'IpReasmFails',
  'IpReasmTimeout',
  'IpReasmOverlaps',
  'IpReasmOverflows',
  'IpFragOKs',
  'IpFragFails',
  'IpFragCreates',
  // Drops at the host's door, each with its reason
  'InLand',
  'InMartianSource',
  'InSourceRoute',
  'InLoopbackFromWire',
  'InTinyFragment',
  'InBroadcastTcp',
  'EthTruncated',
  'EthTags',
  'EthUnknownType',
  'EthVlan',
  'EthOtherHost',
  // ARP and neighbour discovery
  'ArpInErrors',
  'ArpInIgnored',
  'ArpConflicts',
  'NdInErrors',
  'NdInIgnored',
  'NeighSolicits',
  'NeighFailures',
  'NeighQueueDrops',
  // ICMP
  'IcmpInMsgs',
  'IcmpInErrors',
  'IcmpInCsumErrors',
  'IcmpInEchos',
  'IcmpInEchoIgnored',
  'IcmpInIgnored',
  'IcmpOutMsgs',
  'IcmpOutEchoReps',
  'IcmpOutErrors',
  'IcmpOutNotAllowed',
  'IcmpOutRateLimitHost',
  'IcmpOutRateLimitGlobal',
  'OutOfWindowIcmps',
  'SourceQuenchIgnored',
  // UDP
  'UdpInDatagrams',
  'UdpNoPorts',
  'UdpInErrors',
  'UdpInCsumErrors',
  'UdpRcvbufErrors',
  'UdpSndbufErrors',
  'UdpOutDatagrams',
  // TCP
  'TcpActiveOpens',
  'TcpPassiveOpens',
  'TcpAttemptFails',
  'TcpEstabResets',
  'TcpInSegs',
  'TcpInErrs',
  'TcpInCsumErrors',
  'TcpOutSegs',
  'TcpOutTooBig',
  'TcpOutRsts',
  'TcpOutRstsLimited',
  'SyncookiesSent',
  'SyncookiesRecv',
  'SyncookiesFailed',
  'TCPReqQFullDoCookies',
  'TCPReqQFullDrop',
  'TCPReqUnproven',
  'ListenOverflows',
  'ListenDrops',
  'ListenNotSyn',
  'TCPAbortOnOverflow',
  'TCPSynRetransCut',
  'TW',
  'TWRecycled',
  'TWReused',
  'TCPTimeWaitOverflow',
  'TCPAbortOnMemory',
  'TCPMemoryPressures',
  'TCPMemoryRefused',
  'TCPOrphanOverflow',
  'OutQueueDrops',
] as const;

export type CounterName = (typeof NAMES)[number];

/** A counter's number: an index into {@link Counters}. Kept as an integer so that counting costs one addition. */
export const Counter = Object.fromEntries(NAMES.map((name, index) => [name, index])) as {
  readonly [name in CounterName]: number;
};

/** The name of a counter's number. */
export function counterName(counter: number): CounterName {
  return NAMES[counter];
}

/** A host's counters, all at 0. */
export function hostCounters(): Counters<CounterName> {
  return new Counters(Counter);
}

/** The counter for each reason a parser has to refuse a packet. */
const OF_WIRE_DROP = new Uint16Array(WIRE_DROP_COUNT).fill(Counter.IpInHdrErrors);
for (const [drop, counter] of [
  [WireDrop.ETHERNET_TRUNCATED, Counter.EthTruncated],
  [WireDrop.ETHERNET_TAGS, Counter.EthTags],
  [WireDrop.ARP_TRUNCATED, Counter.ArpInErrors],
  [WireDrop.ARP_FORMAT, Counter.ArpInErrors],
  [WireDrop.IP_TRUNCATED, Counter.IpInTruncatedPkts],
  [WireDrop.IP_TOTAL_LENGTH, Counter.IpInTruncatedPkts],
  [WireDrop.IP_CHECKSUM, Counter.IpInCsumErrors],
  [WireDrop.IP_FRAGMENT, Counter.IpReasmFails],
  [WireDrop.IP_ROUTING, Counter.InSourceRoute],
  [WireDrop.IP_MAPPED_ADDRESS, Counter.InMartianSource],
  [WireDrop.ICMP_TRUNCATED, Counter.IcmpInErrors],
  [WireDrop.ICMP_CHECKSUM, Counter.IcmpInCsumErrors],
  [WireDrop.ND_INVALID, Counter.NdInErrors],
  [WireDrop.UDP_TRUNCATED, Counter.UdpInErrors],
  [WireDrop.UDP_LENGTH, Counter.UdpInErrors],
  [WireDrop.UDP_CHECKSUM, Counter.UdpInCsumErrors],
  [WireDrop.TCP_TRUNCATED, Counter.TcpInErrs],
  [WireDrop.TCP_DATA_OFFSET, Counter.TcpInErrs],
  [WireDrop.TCP_CHECKSUM, Counter.TcpInCsumErrors],
]) {
  OF_WIRE_DROP[drop] = counter;
}

/** Which counter a parser's refusal goes to. */
export function counterOfDrop(drop: WireDrop): number {
  return OF_WIRE_DROP[drop];
}
