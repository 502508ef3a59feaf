/**
 * What a host counts: one number for each thing that happens and for each reason to drop something. Names are those of
 * Linux's SNMP tables (`nstat`) where Linux has one, without inventing a second name for the same thing.
 */

const NAMES = [
  // IP in and out (RFC 4293)
  'IpInReceives',
  'IpInHdrErrors',
  'IpInTruncatedPkts',
  'IpInAddrErrors',
  'IpInUnknownProtos',
  'IpInDiscards',
  'IpInDelivers',
  'IpInCsumErrors',
  'IpInNoRoutes',
  'IpOutRequests',
  'IpOutDiscards',
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
  'EthOtherHost',
  'FrameTooLong',
  // ARP and neighbour discovery
  'ArpInErrors',
  'ArpInIgnored',
  'ArpConflicts',
  'NdInErrors',
  'NdInIgnored',
  'NeighSolicits',
  'NeighFailures',
  'NeighQueueDrops',
  'NeighTableFull',
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

export class Counters {
  private readonly values = new Float64Array(NAMES.length);

  /** Counts one. */
  inc(counter: number): void {
    this.values[counter]++;
  }

  get(name: CounterName): number {
    return this.values[Counter[name]];
  }

  /** Every counter that is not zero, in the table's order. */
  nonZero(): [CounterName, number][] {
    const list: [CounterName, number][] = [];
    NAMES.forEach((name, index) => {
      if (this.values[index] !== 0) list.push([name, this.values[index]]);
    });
    return list;
  }
}
