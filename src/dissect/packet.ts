/**
 * One pass over a frame for analysis: through whatever link layers, tags and tunnels stand before it to the innermost
 * IP packet, and its TCP segment, or the TCP segment an ICMP error speaks of. Fills one reused object and allocates
 * nothing, so that a capture of millions of packets is read at the speed of its bytes.
 *
 * Tolerant: what is cut off or malformed ends the walk and leaves `kind` at what was understood.
 */

import { readI32, readU16, readU32 } from '../base/bytes.ts';
import { LinkType } from '../capture/formats.ts';
import { checksumAdd, checksumFold } from '../wire/checksum.ts';
import { readOptions } from './packet-options.ts';
import { Reassembler } from './reassembly.ts';

export const Kind = { NONE: 0, OTHER: 1, TCP: 2, UDP: 3, ICMP_ERROR: 4, FRAGMENT: 5 } as const;

/** What the checksum says: not looked at (bytes missing), right, wrong. */
export const Sum = { UNKNOWN: 0, RIGHT: 1, WRONG: 2 } as const;

const MAX_NESTING = 16;
/** In place of the IP header's offset where a datagram was put together from fragments. */
const NO_HEADER = -1;

export class Packet {
  kind: number = Kind.NONE;
  /** The packet's bytes; replaced by a reassembled datagram where it came in fragments. */
  data: Uint8Array = new Uint8Array(0);
  end = 0;
  family: 4 | 6 = 4;
  /** What the outermost link header says it carries, 0 without one; its first VLAN, -1 for none. */
  etherType = 0;
  vlan = -1;
  /** The innermost IP header's protocol and where that header stands in `data` (-1: it was put together), and what it carries. */
  protocol = 0;
  ipOffset = 0;
  transportOffset = 0;
  /** Address words, IPv4 in the last of the four (the others 0). */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  ttl = 0;
  ipId = 0;
  dontFragment = false;
  /** The two ECN bits of the IP header. */
  ecn = 0;
  /** Octets of the IP packet, header included. */
  ipLength = 0;
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  /** The low nine flags: FIN 1 … CWR 128, AE 256. */
  flags = 0;
  window = 0;
  urgentPointer = 0;
  payloadOffset = 0;
  /** Octets of text by the IP header; fewer may have been captured. */
  payloadLength = 0;
  payloadCaptured = 0;
  checksum: number = Sum.UNKNOWN;
  options = 0;
  mss = 0;
  scale = 0;
  tsVal = 0;
  tsEcr = 0;
  sackCount = 0;
  readonly sack = new Int32Array(8);
  /** Octets of the fast-open cookie; 0 asks for one. */
  cookieLength = 0;
  icmpType = 0;
  icmpCode = 0;
  /** The next hop's MTU, from "fragmentation needed" or "packet too big". */
  icmpMtu = 0;
}

/** Decodes into one {@link Packet}; keeps fragments until their datagram is whole. */
export class PacketDecoder {
  readonly packet = new Packet();
  private readonly fragments = new Reassembler();
  private nesting = 0;
  /** Octets that the layer below the IP header carries, where it says so. */
  private carried = Number.POSITIVE_INFINITY;

  /** Reads the frame at data[offset … offset + length - 1]; returns the packet's kind. */
  decode(linkType: number, data: Uint8Array, offset: number, length: number): number {
    const p = this.packet;
    p.kind = Kind.NONE;
    p.data = data;
    p.end = offset + length;
    p.etherType = 0;
    p.vlan = -1;
    p.protocol = 0;
    p.ipOffset = NO_HEADER;
    p.transportOffset = 0;
    this.nesting = 0;
    this.link(linkType, offset);
    return p.kind;
  }

  private link(linkType: number, at: number): void {
    const { data, end } = this.packet;
    switch (linkType) {
      case LinkType.ETHERNET:
        this.ethernet(at);
        break;
      case LinkType.RAW:
      case LinkType.RAW_BSD:
      case LinkType.RAW_OPENBSD:
      case LinkType.IPV4:
      case LinkType.IPV6:
        this.ip(at);
        break;
      case LinkType.NULL:
      case LinkType.LOOP:
        this.ip(at + 4);
        break;
      case LinkType.LINUX_SLL:
        if (at + 16 <= end) this.type(readU16(data, at + 14), at + 16);
        break;
      case LinkType.LINUX_SLL2:
        if (at + 20 <= end) this.type(readU16(data, at), at + 20);
        break;
      case LinkType.IEEE802_11_RADIOTAP:
        if (at + 4 <= end) this.wireless(at + (data[at + 2] | (data[at + 3] << 8)));
        break;
      case LinkType.IEEE802_11:
        this.wireless(at);
        break;
    }
  }

  private ethernet(at: number): void {
    const { data, end } = this.packet;
    if (at + 14 <= end) this.type(readU16(data, at + 12), at + 14);
  }

  /** IEEE 802.11 data frames that are not encrypted: the LLC/SNAP header stands behind the MAC header. */
  private wireless(at: number): void {
    const { data, end } = this.packet;
    if (at + 24 > end || (data[at] & 0x0c) !== 0x08 || (data[at + 1] & 0x40) !== 0) return;
    let header = 24;
    if ((data[at + 1] & 3) === 3) header += 6;
    if ((data[at] & 0x80) !== 0) header += 2;
    const llc = at + header;
    if (llc + 8 <= end && data[llc] === 0xaa && data[llc + 1] === 0xaa) this.type(readU16(data, llc + 6), llc + 8);
  }

  private type(first: number, from: number): void {
    const { data, end } = this.packet;
    let type = first;
    let at = from;
    while (type === 0x8100 || type === 0x88a8 || type === 0x9100 || type === 0x9200) {
      if (at + 4 > end) return;
      if (this.packet.vlan < 0) this.packet.vlan = readU16(data, at) & 0xfff;
      type = readU16(data, at + 2);
      at += 4;
    }
    if (this.nesting === 0) this.packet.etherType = type;
    if (++this.nesting > MAX_NESTING) return;
    if (type === 0x0800 || type === 0x86dd) this.ip(at);
    else if (type === 0x8847 || type === 0x8848) this.mpls(at);
    else if (type === 0x8864) this.pppoe(at);
    else if (type === 0x6558) this.ethernet(at);
  }

  private mpls(from: number): void {
    const { data, end } = this.packet;
    let at = from;
    while (at + 4 <= end) {
      const last = (data[at + 2] & 1) !== 0;
      at += 4;
      if (!last) continue;
      // RFC 4385: a control word (first nibble 0) leads an Ethernet pseudowire.
      if (at < end && data[at] >>> 4 === 0) this.ethernet(at + 4);
      else this.ip(at);
      return;
    }
  }

  private pppoe(at: number): void {
    const { data, end } = this.packet;
    if (at + 8 > end || data[at + 1] !== 0) return;
    const protocol = readU16(data, at + 6);
    if (protocol !== 0x21 && protocol !== 0x57) return;
    // What stands behind the length PPPoE gives is padding, whatever the IP header says (RFC 2516 section 4).
    const stop = at + 6 + readU16(data, at + 4);
    this.carried = stop - at - 8;
    this.ip(at + 8);
    this.carried = Number.POSITIVE_INFINITY;
  }

  private ip(at: number): void {
    const { data, end } = this.packet;
    if (at >= end) return;
    if (++this.nesting > MAX_NESTING) return;
    const version = data[at] >>> 4;
    if (version === 4) this.ipv4(at);
    else if (version === 6) this.ipv6(at);
  }

  private ipv4(at: number): void {
    const p = this.packet;
    const { data } = p;
    if (at + 20 > p.end) return;
    const header = (data[at] & 15) * 4;
    let total = readU16(data, at + 2);
    // Segmentation offload hands packets over with the length still 0.
    if (total === 0) total = p.end - at;
    if (total > this.carried) total = this.carried;
    if (header < 20 || total < header) return;
    p.kind = Kind.OTHER;
    p.family = 4;
    p.ipOffset = at;
    p.s0 = p.s1 = p.s2 = p.d0 = p.d1 = p.d2 = 0;
    p.s3 = readI32(data, at + 12);
    p.d3 = readI32(data, at + 16);
    p.ecn = data[at + 1] & 3;
    p.ipId = readU16(data, at + 4);
    p.ttl = data[at + 8];
    p.ipLength = total;
    const fragment = readU16(data, at + 6);
    p.dontFragment = (fragment & 0x4000) !== 0;
    if (at + total < p.end) p.end = at + total;
    const protocol = data[at + 9];
    if ((fragment & 0x3fff) !== 0) {
      const more = (fragment & 0x2000) !== 0;
      this.fragment(protocol, p.ipId, at + header, (fragment & 0x1fff) * 8, total - header, more);
      return;
    }
    this.transport(protocol, at + header, total - header, at);
  }

  private ipv6(at: number): void {
    const p = this.packet;
    const { data } = p;
    if (at + 40 > p.end) return;
    p.kind = Kind.OTHER;
    p.family = 6;
    p.ipOffset = at;
    p.s0 = readI32(data, at + 8);
    p.s1 = readI32(data, at + 12);
    p.s2 = readI32(data, at + 16);
    p.s3 = readI32(data, at + 20);
    p.d0 = readI32(data, at + 24);
    p.d1 = readI32(data, at + 28);
    p.d2 = readI32(data, at + 32);
    p.d3 = readI32(data, at + 36);
    p.ecn = (data[at + 1] >>> 4) & 3;
    p.ipId = 0;
    p.ttl = data[at + 7];
    p.dontFragment = true;
    const payload = readU16(data, at + 4);
    p.ipLength = payload === 0 ? p.end - at : payload + 40;
    if (at + p.ipLength < p.end) p.end = at + p.ipLength;
    const stop = at + p.ipLength;
    let next = data[at + 6];
    let cursor = at + 40;
    for (let n = 0; n < MAX_NESTING; n++) {
      if (next !== 0 && next !== 43 && next !== 44 && next !== 60 && next !== 51 && next !== 135) break;
      if (cursor + 8 > p.end) return;
      if (next === 44) {
        const field = readU16(data, cursor + 2);
        const id = readI32(data, cursor + 4);
        if ((field & 0xfff9) === 0) {
          next = data[cursor];
          cursor += 8;
          continue;
        }
        this.fragment(data[cursor], id, cursor + 8, field & 0xfff8, stop - cursor - 8, (field & 1) !== 0);
        return;
      }
      const size = next === 51 ? (data[cursor + 1] + 2) * 4 : (data[cursor + 1] + 1) * 8;
      next = data[cursor];
      cursor += size;
    }
    this.transport(next, cursor, stop - cursor, at);
  }

  private fragment(protocol: number, id: number, at: number, offset: number, length: number, more: boolean): void {
    const p = this.packet;
    p.kind = Kind.FRAGMENT;
    p.protocol = protocol;
    const whole = at + length <= p.end ? this.fragments.add(p, protocol, id, at, offset, length, more) : null;
    if (whole === null) return;
    p.data = whole;
    p.end = whole.length;
    p.kind = Kind.OTHER;
    // The header's fields stand in the packet already; there is no header before the reassembled text.
    this.transport(protocol, 0, whole.length, NO_HEADER);
  }

  private transport(protocol: number, at: number, length: number, ip: number): void {
    const { data, end } = this.packet;
    this.packet.protocol = protocol;
    this.packet.ipOffset = ip;
    this.packet.transportOffset = at;
    switch (protocol) {
      case 6:
        this.tcp(at, length, ip);
        break;
      case 17:
        if (at + 8 <= end) {
          this.packet.kind = Kind.UDP;
          this.packet.sourcePort = readU16(data, at);
          this.packet.destinationPort = readU16(data, at + 2);
          this.packet.payloadLength = length - 8;
        }
        break;
      case 1:
        this.icmp(at);
        break;
      case 58:
        this.icmp6(at);
        break;
      case 4:
      case 41:
        this.ip(at);
        break;
      case 47:
        this.gre(at);
        break;
    }
  }

  private gre(start: number): void {
    const { data, end } = this.packet;
    if (start + 4 > end) return;
    const flags = readU16(data, start);
    let at = start + 4;
    if ((flags & 7) === 1) {
      // Version 1 (RFC 2637, PPTP): key always, sequence and acknowledgment numbers when flagged.
      at += 4 + ((flags & 0x1000) !== 0 ? 4 : 0) + ((flags & 0x0080) !== 0 ? 4 : 0);
      if (at + 4 > end) return;
      if (data[at] === 0xff && data[at + 1] === 3) at += 2;
      const protocol = (data[at] & 1) !== 0 ? data[at] : readU16(data, at);
      if (protocol === 0x21 || protocol === 0x57) this.ip(at + ((data[at] & 1) !== 0 ? 1 : 2));
      return;
    }
    if ((flags & 0xc000) !== 0) at += 4;
    if ((flags & 0x2000) !== 0) at += 4;
    if ((flags & 0x1000) !== 0) at += 4;
    this.type(readU16(data, start + 2), at);
  }

  private icmp(at: number): void {
    const p = this.packet;
    if (at + 8 + 28 > p.end) return;
    const type = p.data[at];
    if (type !== 3 && type !== 11 && type !== 12) return;
    p.icmpType = type;
    p.icmpCode = p.data[at + 1];
    p.icmpMtu = type === 3 && p.icmpCode === 4 ? readU16(p.data, at + 6) : 0;
    const inner = at + 8;
    const header = (p.data[inner] & 15) * 4;
    if (p.data[inner] >>> 4 !== 4 || p.data[inner + 9] !== 6 || inner + header + 8 > p.end) return;
    p.s3 = readI32(p.data, inner + 12);
    p.d3 = readI32(p.data, inner + 16);
    p.ipLength = readU16(p.data, inner + 2);
    p.ipId = readU16(p.data, inner + 4);
    this.quoted(inner + header);
  }

  private icmp6(at: number): void {
    const p = this.packet;
    const { data } = p;
    const inner = at + 8;
    if (inner + 48 > p.end || data[at] > 4 || data[at] === 0 || data[inner + 6] !== 6) return;
    p.icmpType = data[at];
    p.icmpCode = data[at + 1];
    p.icmpMtu = data[at] === 2 ? readU32(data, at + 4) : 0;
    p.s0 = readI32(data, inner + 8);
    p.s1 = readI32(data, inner + 12);
    p.s2 = readI32(data, inner + 16);
    p.s3 = readI32(data, inner + 20);
    p.d0 = readI32(data, inner + 24);
    p.d1 = readI32(data, inner + 28);
    p.d2 = readI32(data, inner + 32);
    p.d3 = readI32(data, inner + 36);
    p.ipLength = readU16(data, inner + 4) + 40;
    this.quoted(inner + 40);
  }

  private quoted(at: number): void {
    const p = this.packet;
    p.kind = Kind.ICMP_ERROR;
    p.sourcePort = readU16(p.data, at);
    p.destinationPort = readU16(p.data, at + 2);
    p.seq = readI32(p.data, at + 4);
  }

  private tcp(at: number, length: number, ip: number): void {
    const p = this.packet;
    const { data } = p;
    if (at + 20 > p.end) return;
    const header = (data[at + 12] >>> 4) * 4;
    if (header < 20 || header > length) return;
    p.kind = Kind.TCP;
    p.sourcePort = readU16(data, at);
    p.destinationPort = readU16(data, at + 2);
    p.seq = readI32(data, at + 4);
    p.ack = readI32(data, at + 8);
    p.flags = data[at + 13] | ((data[at + 12] & 1) << 8);
    p.window = readU16(data, at + 14);
    p.urgentPointer = readU16(data, at + 18);
    p.payloadOffset = at + header;
    p.payloadLength = length - header;
    p.payloadCaptured = Math.max(0, Math.min(p.end - at - header, p.payloadLength));
    p.checksum = ip >= 0 && at + length <= p.end ? checksumOf(p, at, length, ip) : Sum.UNKNOWN;
    p.options = 0;
    p.sackCount = 0;
    if (header > 20) readOptions(p, at + 20, Math.min(at + header, p.end));
  }
}

function checksumOf(p: Packet, at: number, length: number, ip: number): number {
  const addresses = p.family === 4 ? checksumAdd(0, p.data, ip + 12, 8) : checksumAdd(0, p.data, ip + 8, 32);
  const sum = checksumAdd(addresses + 6 + (length >>> 16) + (length & 0xffff), p.data, at, length);
  return checksumFold(sum) === 0 ? Sum.RIGHT : Sum.WRONG;
}
