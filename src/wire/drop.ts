/**
 * Why a packet was refused by a parser: small integers, so that the stack counts drops in one array and names them when
 * it shows them. 0 is "not refused".
 */

/** One namespace for all codecs; the names double as the counters' names. */
export const WireDrop = {
  NONE: 0,
  /** Fewer bytes than an Ethernet header, or than the VLAN tags it announces. */
  ETHERNET_TRUNCATED: 1,
  /** More VLAN tags than anybody stacks. */
  ETHERNET_TAGS: 2,
  ARP_TRUNCATED: 3,
  /** Not Ethernet and IPv4, or wrong address lengths. */
  ARP_FORMAT: 4,
  /** Fewer bytes than the fixed IP header. */
  IP_TRUNCATED: 5,
  /** Neither 4 nor 6 in the version field. */
  IP_VERSION: 6,
  /** IHL below 5 or past the end. */
  IP_HEADER_LENGTH: 7,
  /** Total length below the header's, or past the end of the frame. */
  IP_TOTAL_LENGTH: 8,
  IP_CHECKSUM: 9,
  /** A fragment that would end past 65535, or a piece other than the last that is no multiple of 8. */
  IP_FRAGMENT: 10,
  /** An IPv6 extension header that is cut or lies about its length. */
  IP_EXTENSION: 11,
  /** More IPv6 extension headers than we walk. */
  IP_EXTENSION_LIMIT: 12,
  /** An IPv6 option whose type says: discard when unknown (RFC 8200 section 4.2). */
  IP_OPTION_UNKNOWN: 13,
  /** An IPv6 routing header with segments left: we are no router of theirs (RFC 5095). */
  IP_ROUTING: 14,
  /** An IPv6 header with an IPv4-mapped address, which would pass for an IPv4 peer. */
  IP_MAPPED_ADDRESS: 15,
  ICMP_TRUNCATED: 16,
  ICMP_CHECKSUM: 17,
  /** A neighbour or router message that RFC 4861 says to discard. */
  ND_INVALID: 18,
  UDP_TRUNCATED: 19,
  /** Length field below 8 or past the end. */
  UDP_LENGTH: 20,
  UDP_CHECKSUM: 21,
  /** Fewer than 20 bytes. */
  TCP_TRUNCATED: 22,
  /** Data offset below 5 or past the end. */
  TCP_DATA_OFFSET: 23,
  TCP_CHECKSUM: 24,
} as const;

export type WireDrop = (typeof WireDrop)[keyof typeof WireDrop];

/** How many reasons there are, for the size of a counter array. */
export const WIRE_DROP_COUNT = Object.keys(WireDrop).length;

const names: readonly string[] = Object.keys(WireDrop);

/** `TCP_CHECKSUM` for 22; `UNKNOWN` for what is no reason. */
export function wireDropName(drop: number): string {
  return names[drop] ?? 'UNKNOWN';
}
