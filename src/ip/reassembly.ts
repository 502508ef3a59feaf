/**
 * Reassembly of fragmented datagrams: RFC 791 section 3.2, RFC 1122 section 3.3.2, RFC 8200 section 4.5.
 *
 * A fragment that overlaps another kills the whole datagram (RFC 5722 for IPv6; for IPv4 as well, as Linux does), an
 * exact duplicate is ignored. Memory is bounded for all datagrams together, life by ipfrag_time from the first fragment
 * on. A first fragment too short for a TCP header is refused (RFC 1858, RFC 3128): nobody sends one but to hide flags.
 */

import { readU16, writeU16 } from '../base/bytes.ts';
import { NEVER, SECOND, type Time } from '../base/time.ts';
import { checksumSet } from '../wire/checksum.ts';
import { type IpPacket, Protocol } from '../wire/ip-packet.ts';
import { Counter } from './counters.ts';
import { Fit, FragmentMap } from './fragment-map.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** The settings it goes by, by their Linux names. */
export interface ReassemblyLimits {
  /** Bytes of memory for all datagrams together, our own overhead included. */
  readonly ipfrag_high_thresh: number;
  /** Life of an incomplete datagram, in seconds. */
  readonly ipfrag_time: number;
}

const IP_MAX_LENGTH = 65_535;
const TCP_HEADER_LENGTH = 20;
const IPV6_HEADER_LENGTH = 40;
/** What an entry and a piece cost beside their bytes, generously. */
const DATAGRAM_COST = 512;
const PIECE_COST = 128;
const BUCKETS = 1024;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A datagram of which some fragments have arrived. */
class Datagram {
  readonly family: 4 | 6;
  readonly words: Int32Array;
  readonly protocol: number;
  readonly id: number;
  readonly bucket: number;
  readonly expires: Time;
  chain: Datagram | null = null;
  older: Datagram | null = null;
  newer: Datagram | null = null;
  readonly map = new FragmentMap();
  readonly pieces: Piece[] = [];
  memory = DATAGRAM_COST;
  received = 0;
  /** Length of the payload, -1 until the last fragment has come. */
  total = -1;
  farthest = 0;
  /** What stands before the payload, from the first fragment, as it will stand in the whole packet. */
  header: Uint8Array | null = null;
  /** The first fragment as it came, for the ICMP error when time runs out. */
  first: Uint8Array | null = null;
  /** Set of ECN codepoints seen, as bits. */
  ecnSeen = 0;

  constructor(packet: IpPacket, bucket: number, expires: Time) {
    this.family = packet.family;
    this.words = Int32Array.of(packet.s0, packet.s1, packet.s2, packet.s3, packet.d0, packet.d1, packet.d2, packet.d3);
    this.protocol = packet.protocol;
    this.id = packet.id;
    this.bucket = bucket;
    this.expires = expires;
  }

  matches(packet: IpPacket): boolean {
    const w = this.words;
    return (
      this.id === packet.id &&
      w[3] === packet.s3 &&
      w[7] === packet.d3 &&
      this.family === packet.family &&
      (this.family === 6 || this.protocol === packet.protocol) &&
      w[0] === packet.s0 &&
      w[1] === packet.s1 &&
      w[2] === packet.s2 &&
      w[4] === packet.d0 &&
      w[5] === packet.d1 &&
      w[6] === packet.d2
    );
  }
}

export class Reassembly {
  /** Bytes charged to ipfrag_high_thresh now. */
  memory = 0;
  /** Datagrams under way. */
  size = 0;
  /** Why the last {@link add} lost the fragment (a counter), 0 when it did not. */
  dropped = 0;
  private readonly limits: ReassemblyLimits;
  private readonly keyed: KeyedHash;
  private readonly buckets = new Array<Datagram | null>(BUCKETS).fill(null);
  private oldest: Datagram | null = null;
  private newest: Datagram | null = null;

  constructor(limits: ReassemblyLimits, keyed: KeyedHash) {
    this.limits = limits;
    this.keyed = keyed;
  }

  /**
   * Takes the fragment that `packet` describes in `bytes`.
   * @returns the whole packet, header included, when this was the last piece missing; null otherwise.
   */
  add(now: Time, packet: IpPacket, bytes: Uint8Array): Uint8Array | null {
    this.dropped = 0;
    if (hidesTcpHeader(packet)) return this.drop(Counter.InTinyFragment);
    const bucket = this.bucketOf(packet);
    let datagram = this.find(packet, bucket);
    const cost = packet.payloadLength + PIECE_COST + (datagram === null ? DATAGRAM_COST : 0);
    if (this.memory + cost > this.limits.ipfrag_high_thresh) return this.drop(Counter.IpReasmOverflows);
    if (datagram === null) datagram = this.begin(now, packet, bucket);
    const reason = this.store(datagram, packet, bytes);
    if (reason !== 0) {
      this.remove(datagram);
      return this.drop(reason);
    }
    if (datagram.received !== datagram.total || datagram.header === null) return null;
    this.remove(datagram);
    return this.assemble(datagram, datagram.header);
  }

  /** When the oldest datagram's time is up, NEVER without one. */
  nextDeadline(): Time {
    return this.oldest === null ? NEVER : this.oldest.expires;
  }

  /**
   * Gives up one datagram whose time is up. Call until null.
   * @returns its first fragment as it came, or an empty array when that never did (no ICMP error is due then).
   */
  expire(now: Time): Uint8Array | null {
    const datagram = this.oldest;
    if (datagram === null || datagram.expires > now) return null;
    this.remove(datagram);
    return datagram.first ?? new Uint8Array(0);
  }

  private drop(reason: number): null {
    this.dropped = reason;
    return null;
  }

  private bucketOf(packet: IpPacket): number {
    const { keyed } = this;
    keyed.begin();
    keyed.add(packet.s0 ^ packet.family);
    keyed.add(packet.s1);
    keyed.add(packet.s2);
    keyed.add(packet.s3);
    keyed.add(packet.d3);
    keyed.add(packet.id);
    return keyed.end() & (BUCKETS - 1);
  }

  private find(packet: IpPacket, bucket: number): Datagram | null {
    let datagram = this.buckets[bucket];
    while (datagram !== null && !datagram.matches(packet)) datagram = datagram.chain;
    return datagram;
  }

  private begin(now: Time, packet: IpPacket, bucket: number): Datagram {
    const datagram = new Datagram(packet, bucket, now + this.limits.ipfrag_time * SECOND);
    datagram.memory += datagram.map.memory;
    datagram.chain = this.buckets[bucket];
    this.buckets[bucket] = datagram;
    datagram.older = this.newest;
    if (this.newest === null) this.oldest = datagram;
    else this.newest.newer = datagram;
    this.newest = datagram;
    this.memory += datagram.memory;
    this.size++;
    return datagram;
  }

  /** Puts one fragment in its place; a counter says why the whole datagram must go. */
  private store(datagram: Datagram, packet: IpPacket, bytes: Uint8Array): number {
    const start = packet.fragmentOffset;
    const end = start + packet.payloadLength;
    if (!packet.moreFragments) {
      if (datagram.farthest > end || (datagram.total >= 0 && datagram.total !== end)) return Counter.IpReasmOverlaps;
      datagram.total = end;
    } else if (datagram.total >= 0 && end > datagram.total) {
      return Counter.IpReasmOverlaps;
    }
    const mapBefore = datagram.map.memory;
    const fit = datagram.map.add(start >> 3, (end + 7) >> 3);
    if (fit === Fit.OVERLAP) return Counter.IpReasmOverlaps;
    if (fit === Fit.DUPLICATE) return 0;
    datagram.farthest = Math.max(datagram.farthest, end);
    datagram.received += packet.payloadLength;
    datagram.ecnSeen |= 1 << (packet.trafficClass & 3);
    datagram.pieces.push({
      offset: start,
      bytes: bytes.slice(packet.payloadOffset, packet.payloadOffset + packet.payloadLength),
    });
    let cost = packet.payloadLength + PIECE_COST + datagram.map.memory - mapBefore;
    if (start === 0) {
      datagram.header = headerOfWhole(packet, bytes);
      datagram.first = bytes.slice(packet.headerOffset, packet.payloadOffset + packet.payloadLength);
      cost += datagram.header.length + datagram.first.length;
    }
    datagram.memory += cost;
    this.memory += cost;
    return 0;
  }

  private assemble(datagram: Datagram, header: Uint8Array): Uint8Array | null {
    const length = header.length + datagram.total;
    if (length - (datagram.family === 6 ? IPV6_HEADER_LENGTH : 0) > IP_MAX_LENGTH)
      return this.drop(Counter.IpReasmFails);
    const ecn = joinedEcn(datagram.ecnSeen);
    if (ecn === MIXED_ECN) return this.drop(Counter.IpReasmFails);
    const whole = new Uint8Array(length);
    whole.set(header);
    for (const piece of datagram.pieces) whole.set(piece.bytes, header.length + piece.offset);
    if (datagram.family === 4) {
      whole[1] = (whole[1] & 0xfc) | (ecn === FIRST_ECN ? whole[1] & 3 : ecn);
      writeU16(whole, 2, length);
      checksumSet(0, whole, 0, header.length, 10);
    } else {
      if (ecn !== FIRST_ECN) whole[1] = (whole[1] & 0xcf) | (ecn << 4);
      writeU16(whole, 4, length - IPV6_HEADER_LENGTH);
    }
    return whole;
  }

  private remove(datagram: Datagram): void {
    let at = this.buckets[datagram.bucket];
    if (at === datagram) {
      this.buckets[datagram.bucket] = datagram.chain;
    } else {
      while (at !== null && at.chain !== datagram) at = at.chain;
      if (at !== null) at.chain = datagram.chain;
    }
    if (datagram.older === null) this.oldest = datagram.newer;
    else datagram.older.newer = datagram.newer;
    if (datagram.newer === null) this.newest = datagram.older;
    else datagram.newer.older = datagram.older;
    this.memory -= datagram.memory;
    this.size--;
  }
}

/** RFC 1858 and RFC 3128: the first fragment is cut inside the TCP header, or the second one begins inside it. */
function hidesTcpHeader(packet: IpPacket): boolean {
  if (packet.protocol !== Protocol.TCP) return false;
  if (packet.fragmentOffset === 0) return packet.payloadLength < TCP_HEADER_LENGTH;
  return packet.fragmentOffset < TCP_HEADER_LENGTH;
}

/** A copy of what will stand before the payload: without IPv4's fragment fields, without IPv6's fragment header. */
function headerOfWhole(packet: IpPacket, bytes: Uint8Array): Uint8Array {
  if (packet.family === 4) {
    const header = bytes.slice(packet.headerOffset, packet.payloadOffset);
    writeU16(header, 6, readU16(header, 6) & 0x4000);
    return header;
  }
  const header = bytes.slice(packet.headerOffset, packet.fragmentHeaderOffset);
  header[packet.fragmentLinkOffset - packet.headerOffset] = bytes[packet.fragmentHeaderOffset];
  return header;
}

const FIRST_ECN = -1;
const MIXED_ECN = -2;

/**
 * The ECN field of the whole, RFC 3168 section 5.3: a mark on any fragment is a mark on the datagram; fragments that
 * disagree on whether the transport knows ECN cannot stem from one datagram.
 */
function joinedEcn(seen: number): number {
  const notEct = (seen & 1) !== 0;
  if (notEct && seen !== 1) return MIXED_ECN;
  return (seen & 8) !== 0 ? 3 : FIRST_ECN;
}
