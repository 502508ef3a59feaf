/** What packet filters ask of a packet: ports, addresses, and the display-filter fields of Wireshark by their names. */

import { IpAddress } from '../wire/address.ts';
import { Kind, type Packet } from './packet.ts';
import { Option } from './packet-options.ts';

/** What a filter may know of the frame beside its packet. */
export interface FrameFacts {
  /** Counted from 1. */
  number: number;
  /** Octets on the wire, link header included. */
  length: number;
}

export type Direction = 'src' | 'dst' | 'either';

/** Values a field has in a packet: none, one, or for `tcp.port` and its like both. */
export type Field = (p: Packet, frame: FrameFacts) => number[];

/** Names for ports, as in pcap-filter's `port http`. */
export const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  http: 80,
  pop3: 110,
  ntp: 123,
  imap: 143,
  bgp: 179,
  ldap: 389,
  https: 443,
  smb: 445,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  mysql: 3306,
  postgresql: 5432,
};

export function comparer(operator: string): ((a: number, b: number) => boolean) | null {
  switch (operator) {
    case '==':
    case '=':
    case 'eq':
      return (a, b) => a === b;
    case '!=':
    case 'ne':
      return (a, b) => a !== b;
    case '>':
    case 'gt':
      return (a, b) => a > b;
    case '<':
    case 'lt':
      return (a, b) => a < b;
    case '>=':
    case 'ge':
      return (a, b) => a >= b;
    case '<=':
    case 'le':
      return (a, b) => a <= b;
    default:
      return null;
  }
}

export function padded(text: string): string {
  if (text.includes(':')) return text;
  const parts = text.split('.');
  while (parts.length < 4) parts.push('0');
  return parts.join('.');
}

export function hasPort(p: Packet, n: number, side: Direction): boolean {
  if (p.kind !== Kind.TCP && p.kind !== Kind.UDP) return false;
  return (side !== 'dst' && p.sourcePort === n) || (side !== 'src' && p.destinationPort === n);
}

export function hasAddress(p: Packet, wanted: IpAddress, bits: number, side: Direction): boolean {
  if (p.kind === Kind.NONE || p.family !== wanted.family) return false;
  const source = p.family === 4 ? IpAddress.v4(p.s3) : new IpAddress(p.s0, p.s1, p.s2, p.s3);
  const destination = p.family === 4 ? IpAddress.v4(p.d3) : new IpAddress(p.d0, p.d1, p.d2, p.d3);
  return (side !== 'dst' && source.inPrefix(wanted, bits)) || (side !== 'src' && destination.inPrefix(wanted, bits));
}

/** Whether a segment begins an HTTP/1 request, a response, or either. */
export function startsHttp(p: Packet, request: boolean, response: boolean): boolean {
  if (p.kind !== Kind.TCP || p.payloadCaptured < 5) return false;
  const text = String.fromCharCode(...p.data.subarray(p.payloadOffset, p.payloadOffset + 8));
  return (response && text.startsWith('HTTP/')) || (request && METHOD.test(text));
}

const METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT) /;

const tcpOnly =
  (read: (p: Packet) => number): Field =>
  (p) =>
    p.kind === Kind.TCP ? [read(p)] : [];
const bit = (n: number): Field => tcpOnly((p) => ((p.flags & n) !== 0 ? 1 : 0));
const ofFamily =
  (family: 4 | 6, read: (p: Packet) => number): Field =>
  (p) =>
    p.kind !== Kind.NONE && p.family === family ? [read(p)] : [];
const ofOption =
  (option: number, read: (p: Packet) => number): Field =>
  (p) =>
    p.kind === Kind.TCP && (p.options & option) !== 0 ? [read(p)] : [];

export const FIELDS: Readonly<Record<string, Field>> = {
  'frame.number': (_, frame) => [frame.number],
  'frame.len': (_, frame) => [frame.length],
  'eth.type': (p) => [p.etherType],
  'vlan.id': (p) => (p.vlan < 0 ? [] : [p.vlan]),
  'tcp.flags': tcpOnly((p) => p.flags),
  'tcp.flags.fin': bit(1),
  'tcp.flags.syn': bit(2),
  'tcp.flags.reset': bit(4),
  'tcp.flags.push': bit(8),
  'tcp.flags.ack': bit(16),
  'tcp.flags.urg': bit(32),
  'tcp.flags.ece': bit(64),
  'tcp.flags.cwr': bit(128),
  'tcp.port': (p) => (p.kind === Kind.TCP ? [p.sourcePort, p.destinationPort] : []),
  'tcp.srcport': tcpOnly((p) => p.sourcePort),
  'tcp.dstport': tcpOnly((p) => p.destinationPort),
  'tcp.len': tcpOnly((p) => p.payloadLength),
  'tcp.hdr_len': tcpOnly((p) => (p.data[p.transportOffset + 12] >>> 4) * 4),
  'tcp.seq_raw': tcpOnly((p) => p.seq >>> 0),
  'tcp.ack_raw': tcpOnly((p) => p.ack >>> 0),
  'tcp.window_size_value': tcpOnly((p) => p.window),
  'tcp.urgent_pointer': tcpOnly((p) => p.urgentPointer),
  'tcp.options.mss_val': ofOption(Option.MSS, (p) => p.mss),
  'tcp.options.wscale.shift': ofOption(Option.SCALE, (p) => p.scale),
  'tcp.options.timestamp.tsval': ofOption(Option.TIMESTAMPS, (p) => p.tsVal >>> 0),
  'tcp.options.timestamp.tsecr': ofOption(Option.TIMESTAMPS, (p) => p.tsEcr >>> 0),
  'tcp.options.sack.count': (p) => (p.kind === Kind.TCP && p.sackCount > 0 ? [p.sackCount] : []),
  'udp.port': (p) => (p.kind === Kind.UDP ? [p.sourcePort, p.destinationPort] : []),
  'udp.srcport': (p) => (p.kind === Kind.UDP ? [p.sourcePort] : []),
  'udp.dstport': (p) => (p.kind === Kind.UDP ? [p.destinationPort] : []),
  'ip.addr': () => [],
  'ip.src': () => [],
  'ip.dst': () => [],
  'ipv6.addr': () => [],
  'ipv6.src': () => [],
  'ipv6.dst': () => [],
  'ip.ttl': ofFamily(4, (p) => p.ttl),
  'ip.id': ofFamily(4, (p) => p.ipId),
  'ip.len': ofFamily(4, (p) => p.ipLength),
  'ip.proto': ofFamily(4, (p) => p.protocol),
  'ip.flags.df': ofFamily(4, (p) => (p.dontFragment ? 1 : 0)),
  'ip.dsfield.ecn': ofFamily(4, (p) => p.ecn),
  'ipv6.hlim': ofFamily(6, (p) => p.ttl),
  'ipv6.nxt': ofFamily(6, (p) => p.protocol),
};
