/**
 * A frame as a tree of fields, each with the octets it stands in: link layer, tags, IP, TCP with its options. For people
 * who want to see what a bit means, and for tests that count octets. Names are Wireshark's where it has one.
 */

import { readU16, readU32 } from '../base/bytes.ts';
import { LinkType } from '../capture/formats.ts';
import { hex2, ipv4Text, ipv6Text, linkAddressText } from './addresses.ts';
import { tcpFlagsText } from './print-tcp.ts';

export interface Field {
  name: string;
  value: string;
  /** First octet in the frame, and how many. */
  offset: number;
  length: number;
  children: Field[];
}

class Tree {
  readonly data: Uint8Array;
  readonly end: number;

  constructor(data: Uint8Array) {
    this.data = data;
    this.end = data.length;
  }

  /** A field of `length` octets, null when they are not there. */
  add(into: Field[], name: string, at: number, length: number, value: (at: number) => string): Field | null {
    if (at + length > this.end) return null;
    const field: Field = { name, value: value(at), offset: at, length, children: [] };
    into.push(field);
    return field;
  }

  u8(into: Field[], name: string, at: number, text?: (n: number) => string): number {
    this.add(into, name, at, 1, () => (text === undefined ? String(this.data[at]) : text(this.data[at])));
    return at < this.end ? this.data[at] : -1;
  }

  u16(into: Field[], name: string, at: number, text?: (n: number) => string): number {
    const n = readU16(this.data, at);
    this.add(into, name, at, 2, () => (text === undefined ? String(n) : text(n)));
    return at + 2 <= this.end ? n : -1;
  }

  u32(into: Field[], name: string, at: number, text?: (n: number) => string): void {
    const n = readU32(this.data, at);
    this.add(into, name, at, 4, () => (text === undefined ? String(n) : text(n)));
  }
}

const hex16 = (n: number): string => `0x${n.toString(16).padStart(4, '0')}`;

/** The tree of a whole frame; what is not understood stays as one field "data". */
export function fieldTree(linkType: number, frame: Uint8Array): Field[] {
  const t = new Tree(frame);
  const root: Field[] = [];
  link(t, root, linkType);
  return root;
}

function link(t: Tree, root: Field[], linkType: number): void {
  switch (linkType) {
    case LinkType.ETHERNET: {
      const eth = layer(t, root, 'eth', 'Ethernet', 0, 14);
      if (eth === null) return;
      t.add(eth.children, 'eth.dst', 0, 6, (at) => linkAddressText(t.data, at, 6));
      t.add(eth.children, 'eth.src', 6, 6, (at) => linkAddressText(t.data, at, 6));
      t.u16(eth.children, 'eth.type', 12, hex16);
      etherType(t, root, readU16(t.data, 12), 14);
      break;
    }
    case LinkType.NULL:
    case LinkType.LOOP:
      if (layer(t, root, 'null', 'loopback', 0, 4) !== null) ip(t, root, 4);
      break;
    case LinkType.LINUX_SLL:
      if (layer(t, root, 'sll', 'Linux cooked', 0, 16) !== null) etherType(t, root, readU16(t.data, 14), 16);
      break;
    case LinkType.LINUX_SLL2:
      if (layer(t, root, 'sll', 'Linux cooked v2', 0, 20) !== null) etherType(t, root, readU16(t.data, 0), 20);
      break;
    default:
      ip(t, root, 0);
  }
}

function layer(t: Tree, root: Field[], name: string, value: string, at: number, length: number): Field | null {
  return t.add(root, name, at, length, () => value);
}

function etherType(t: Tree, root: Field[], first: number, from: number): void {
  let type = first;
  let at = from;
  while (type === 0x8100 || type === 0x88a8) {
    const tag = layer(t, root, 'vlan', 'VLAN tag', at, 4);
    if (tag === null) return;
    t.u16(tag.children, 'vlan.id', at, (n) => String(n & 0xfff));
    type = t.u16(tag.children, 'vlan.etype', at + 2, hex16);
    at += 4;
  }
  if (type === 0x0800 || type === 0x86dd) ip(t, root, at);
  else if (at < t.end) t.add(root, 'data', at, t.end - at, () => `${t.end - at} bytes`);
}

function ip(t: Tree, root: Field[], at: number): void {
  if (at >= t.end) return;
  if (t.data[at] >>> 4 === 4) ipv4(t, root, at);
  else if (t.data[at] >>> 4 === 6) ipv6(t, root, at);
  else t.add(root, 'data', at, t.end - at, () => `${t.end - at} bytes`);
}

function ipv4(t: Tree, root: Field[], at: number): void {
  const header = (t.data[at] & 15) * 4;
  const field = layer(t, root, 'ip', 'IPv4', at, Math.max(20, header));
  if (field === null) return;
  const c = field.children;
  t.u8(c, 'ip.version', at, (n) => String(n >>> 4));
  t.u8(c, 'ip.hdr_len', at, (n) => `${(n & 15) * 4}`);
  t.u8(c, 'ip.dsfield', at + 1, (n) => `0x${hex2(n)}`);
  const total = t.u16(c, 'ip.len', at + 2);
  t.u16(c, 'ip.id', at + 4, hex16);
  t.u16(
    c,
    'ip.flags',
    at + 6,
    (n) => `${(n & 0x4000) !== 0 ? 'DF ' : ''}${(n & 0x2000) !== 0 ? 'MF ' : ''}offset ${(n & 0x1fff) * 8}`,
  );
  t.u8(c, 'ip.ttl', at + 8);
  t.u8(c, 'ip.proto', at + 9);
  t.u16(c, 'ip.checksum', at + 10, hex16);
  t.add(c, 'ip.src', at + 12, 4, (o) => ipv4Text(readU32(t.data, o) | 0));
  t.add(c, 'ip.dst', at + 16, 4, (o) => ipv4Text(readU32(t.data, o) | 0));
  if (header > 20) t.add(c, 'ip.options', at + 20, header - 20, () => `${header - 20} bytes`);
  transport(t, root, t.data[at + 9], at + header, Math.min(t.end, at + total));
}

function ipv6(t: Tree, root: Field[], at: number): void {
  const field = layer(t, root, 'ipv6', 'IPv6', at, 40);
  if (field === null) return;
  const c = field.children;
  t.u8(c, 'ipv6.version', at, (n) => String(n >>> 4));
  t.u32(c, 'ipv6.flow', at, (n) => `class 0x${hex2((n >>> 20) & 255)} label 0x${(n & 0xfffff).toString(16)}`);
  const payload = t.u16(c, 'ipv6.plen', at + 4);
  t.u8(c, 'ipv6.nxt', at + 6);
  t.u8(c, 'ipv6.hlim', at + 7);
  t.add(c, 'ipv6.src', at + 8, 16, (o) => ipv6Text(t.data, o));
  t.add(c, 'ipv6.dst', at + 24, 16, (o) => ipv6Text(t.data, o));
  let next = t.data[at + 6];
  let cursor = at + 40;
  const end = Math.min(t.end, at + 40 + payload);
  while ((next === 0 || next === 43 || next === 44 || next === 60) && cursor + 8 <= end) {
    const size = next === 44 ? 8 : (t.data[cursor + 1] + 1) * 8;
    if (layer(t, root, 'ipv6.ext', `extension header ${next}`, cursor, Math.min(size, end - cursor)) === null) return;
    next = t.data[cursor];
    cursor += size;
  }
  transport(t, root, next, cursor, end);
}

function transport(t: Tree, root: Field[], protocol: number, at: number, end: number): void {
  if (protocol === 6) tcp(t, root, at, end);
  else if (protocol === 4 || protocol === 41) ip(t, root, at);
  else if (protocol === 17 && at + 8 <= t.end) {
    const field = layer(t, root, 'udp', 'UDP', at, 8);
    if (field === null) return;
    t.u16(field.children, 'udp.srcport', at);
    t.u16(field.children, 'udp.dstport', at + 2);
    t.u16(field.children, 'udp.length', at + 4);
    t.u16(field.children, 'udp.checksum', at + 6, hex16);
    if (end > at + 8) t.add(root, 'udp.payload', at + 8, end - at - 8, () => `${end - at - 8} bytes`);
  } else if (end > at) t.add(root, 'data', at, end - at, () => `protocol ${protocol}, ${end - at} bytes`);
}

const FLAGS = ['fin', 'syn', 'reset', 'push', 'ack', 'urg', 'ece', 'cwr'];

function tcp(t: Tree, root: Field[], at: number, end: number): void {
  const header = (t.data[at + 12] >>> 4) * 4;
  const field = layer(t, root, 'tcp', 'TCP', at, Math.min(Math.max(20, header), Math.max(20, end - at)));
  if (field === null) return;
  const c = field.children;
  t.u16(c, 'tcp.srcport', at);
  t.u16(c, 'tcp.dstport', at + 2);
  t.u32(c, 'tcp.seq_raw', at + 4);
  t.u32(c, 'tcp.ack_raw', at + 8);
  t.u8(c, 'tcp.hdr_len', at + 12, (n) => `${(n >>> 4) * 4}`);
  const flags = t.add(
    c,
    'tcp.flags',
    at + 12,
    2,
    (o) => `${hex16(readU16(t.data, o) & 0xfff)} [${tcpFlagsText(t.data[o + 1])}]`,
  );
  for (let bit = 0; bit < 8 && flags !== null; bit++) {
    t.add(flags.children, `tcp.flags.${FLAGS[bit]}`, at + 13, 1, (o) => String((t.data[o] >>> bit) & 1));
  }
  t.u16(c, 'tcp.window_size_value', at + 14);
  t.u16(c, 'tcp.checksum', at + 16, hex16);
  t.u16(c, 'tcp.urgent_pointer', at + 18);
  tcpOptions(t, c, at + 20, Math.min(at + header, end));
  if (end > at + header && header >= 20)
    t.add(root, 'tcp.payload', at + header, end - at - header, () => `${end - at - header} bytes`);
}

const OPTION_NAMES: Readonly<Record<number, string>> = {
  0: 'eol',
  1: 'nop',
  2: 'mss',
  3: 'wscale',
  4: 'sack_perm',
  5: 'sack',
  8: 'timestamp',
  19: 'md5',
  28: 'user_to',
  29: 'ao',
  30: 'mptcp',
  34: 'fast_open',
};

function tcpOptions(t: Tree, into: Field[], from: number, end: number): void {
  let at = from;
  while (at < end) {
    const kind = t.data[at];
    const size = kind < 2 ? 1 : at + 1 < end ? t.data[at + 1] : 0;
    const name = `tcp.options.${OPTION_NAMES[kind] ?? `kind_${kind}`}`;
    if (size < 1 || (kind > 1 && size < 2) || at + size > end) {
      t.add(into, name, at, end - at, () => 'malformed: its length does not fit');
      return;
    }
    t.add(into, name, at, size, () => optionValue(t, kind, at, size));
    at += size;
    if (kind === 0) return;
  }
}

function optionValue(t: Tree, kind: number, at: number, size: number): string {
  if (kind === 2 && size === 4) return String(readU16(t.data, at + 2));
  if (kind === 3 && size === 3) return `${t.data[at + 2]} (times ${2 ** Math.min(14, t.data[at + 2])})`;
  if (kind === 8 && size === 10) return `val ${readU32(t.data, at + 2)} ecr ${readU32(t.data, at + 6)}`;
  let text = '';
  if (kind === 5) {
    for (let k = at + 2; k + 8 <= at + size; k += 8)
      text += `${text === '' ? '' : ' '}${readU32(t.data, k)}-${readU32(t.data, k + 4)}`;
    return text;
  }
  for (let k = at + 2; k < at + size; k++) text += hex2(t.data[k]);
  return text;
}

/** The tree as lines: `[0020-0021]  tcp.dstport 80`, children indented. */
export function fieldLines(fields: readonly Field[], indent = ''): string {
  let text = '';
  for (const field of fields) {
    const last = field.offset + field.length - 1;
    const range = `[${field.offset.toString(16).padStart(4, '0')}-${last.toString(16).padStart(4, '0')}]`;
    text += `${range}  ${indent}${field.name} ${field.value}\n${fieldLines(field.children, `${indent}  `)}`;
  }
  return text;
}
