/** IPv4 (RFC 791) and IPv6 (RFC 8200) headers as tcpdump writes them, and the way from there to what they carry. */

import { readU16, readU32 } from '../base/bytes.ts';
import { checksumAdd, checksumFold } from '../wire/checksum.ts';
import { ipv6Text } from './addresses.ts';
import { printGre } from './print-gre.ts';
import { printIcmp } from './print-icmp.ts';
import { printIcmp6 } from './print-icmp6.ts';
import { printIpv4Options } from './print-ip-options.ts';
import { addressesText, printTcp, shouldBe } from './print-tcp.ts';
import { printUdp } from './print-udp.ts';
import type { Printer } from './printer.ts';

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'Options',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  33: 'DCCP',
  41: 'IPv6',
  43: 'Routing',
  44: 'Fragment',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  59: 'no next header',
  60: 'unknown',
  88: 'EIGRP',
  89: 'OSPF',
  103: 'PIM',
  108: 'Compressed IP',
  112: 'VRRP',
  132: 'SCTP',
};

/** An IP packet of either version, told by its first octet. */
export function printIp(p: Printer, at: number, length: number): void {
  if (length < 1) {
    p.text += `truncated-ip ${length}`;
    return;
  }
  if (!p.has(at, 1)) return;
  const version = p.data[at] >>> 4;
  if (version === 4) printIpv4(p, at, length);
  else if (version === 6) printIpv6(p, at, length);
  else p.text += `unknown ip ${version}`;
}

export function printIpv4(p: Printer, at: number, length: number): void {
  const { data } = p;
  p.protocol = 'ip';
  if (!p.has(at, 1)) return;
  if (data[at] >>> 4 !== 4) {
    p.text += data[at] >>> 4 === 6 ? 'IP6, wrong link-layer encapsulation' : `IP${data[at] >>> 4}`;
    p.invalid();
    return;
  }
  p.text += 'IP ';
  if (!p.has(at, 20)) return;
  if (length < 20) {
    p.text += `truncated-ip ${length}`;
    return;
  }
  const header = (data[at] & 15) * 4;
  if (header < 20) {
    p.text += `bad-hlen ${header}`;
    return;
  }
  const total = readU16(data, at + 2);
  if (length < total) p.text += `truncated-ip - ${total - length} bytes missing! `;
  if (total < header) {
    p.text += `bad-len ${total}`;
    return;
  }
  p.limit(at + total);
  const fragment = readU16(data, at + 6);
  const protocol = data[at + 9];
  if (p.verbose > 0) printIpv4Header(p, at, header, fragment, protocol);
  if ((fragment & 0x1fff) !== 0) {
    p.text += `${addressesText(data, at, 4)}ip-proto-${protocol}`;
    return;
  }
  if (!namesItsEndpoints(protocol)) p.text += addressesText(data, at, 4);
  if (at + header > p.end) {
    p.text += ` [remaining caplen(${p.end - at}) < header length(${header})]`;
    p.truncated();
    return;
  }
  printTransport(p, protocol, at + header, total - header, at, 4, true, (fragment & 0x2000) !== 0);
}

/** TCP, UDP, SCTP and DCCP print the addresses themselves, with their ports. */
function namesItsEndpoints(protocol: number): boolean {
  return protocol === 6 || protocol === 17 || protocol === 132 || protocol === 33;
}

const ECN = ['', ',ECT(1)', ',ECT(0)', ',CE'];

function printIpv4Header(p: Printer, at: number, header: number, fragment: number, protocol: number): void {
  const { data } = p;
  const tos = data[at + 1];
  p.text += `(tos 0x${tos.toString(16)}${ECN[tos & 3]}`;
  if (data[at + 8] >= 1) p.text += `, ttl ${data[at + 8]}`;
  const flags: string[] = [];
  if ((fragment & 0x2000) !== 0) flags.push('+');
  if ((fragment & 0x4000) !== 0) flags.push('DF');
  if ((fragment & 0x8000) !== 0) flags.push('rsvd');
  p.text +=
    `, id ${readU16(data, at + 4)}, offset ${(fragment & 0x1fff) * 8}, flags [${flags.join(', ') || 'none'}]` +
    `, proto ${PROTOCOLS[protocol] ?? 'unknown'} (${protocol}), length ${readU16(data, at + 2)}`;
  if (header > 20) printIpv4Options(p, at + 20, header - 20);
  if (at + header <= p.end) {
    const sum = checksumFold(checksumAdd(0, data, at, header));
    const found = readU16(data, at + 10);
    if (sum !== 0) p.text += `, bad cksum ${found.toString(16)} (->${shouldBe(found, sum).toString(16)})!`;
  }
  p.text += ')\n    ';
}

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;

export function printIpv6(p: Printer, at: number, length: number): void {
  const { data } = p;
  p.protocol = 'ip6';
  if (!p.has(at, 40)) return;
  if (length < 40) {
    p.text += `truncated-ip6 ${length}`;
    return;
  }
  p.text += 'IP6 ';
  if (data[at] >>> 4 !== 6) {
    p.text += `version error: ${data[at] >>> 4} != 6`;
    return;
  }
  const payload = readU16(data, at + 4);
  if (payload !== 0 && length < payload + 40) {
    p.text += `truncated-ip6 - ${payload + 40 - length} bytes missing!`;
  }
  if (p.verbose > 0) {
    const flow = readU32(data, at);
    if ((flow & 0x0ff00000) !== 0) p.text += `(class 0x${hex((flow & 0x0ff00000) >>> 20, 2)}, `;
    else p.text += '(';
    if ((flow & 0xfffff) !== 0) p.text += `flowlabel 0x${hex(flow & 0xfffff, 5)}, `;
    const name = PROTOCOLS[data[at + 6]] ?? 'unknown';
    p.text += `hlim ${data[at + 7]}, next-header ${name} (${data[at + 6]}) payload length: ${payload}) `;
  }
  const total = payload !== 0 ? payload + 40 : length + 40;
  p.limit(at + total);
  printIpv6Chain(p, at, total, payload);
}

function printIpv6Chain(p: Printer, ip: number, total: number, payload: number): void {
  const { data } = p;
  let next = data[ip + 6];
  let at = ip + 40;
  let left = total - 40;
  let fragmented = false;
  if (!namesItsEndpoints(next)) p.text += addressesText(data, ip, 6);
  for (;;) {
    if (next !== HOP_BY_HOP && next !== ROUTING && next !== FRAGMENT && next !== DESTINATION_OPTIONS) break;
    if (at >= p.end && next === data[ip + 6] && at === ip + 40) {
      p.protocol = EXTENSION_NAMES[next];
      p.truncated();
      return;
    }
    if (at >= p.end) return;
    const size = printExtension(p, next, at, ip, payload);
    if (size < 0) return;
    if (next === FRAGMENT) {
      fragmented = true;
      if (p.end <= at + size) return;
    }
    next = data[at];
    if (left < size) {
      p.protocol = 'ip6';
      p.truncated();
      return;
    }
    at += size;
    left -= size;
  }
  if (payload === 0) {
    if (at !== ip + 40) {
      p.truncated();
      return;
    }
    left = 0;
    p.limit(ip + 40);
  }
  printTransport(p, next, at, left, ip, 6, next === data[ip + 6], fragmented);
}

const EXTENSION_NAMES: Readonly<Record<number, string>> = { 0: 'hbhopt', 43: 'rt6', 44: 'frag6', 60: 'dstopt' };

/** Writes an extension header; its size, or -1 when the line ends here. */
function printExtension(p: Printer, kind: number, at: number, ip: number, payload: number): number {
  const { data } = p;
  p.protocol = EXTENSION_NAMES[kind];
  if (!p.has(at, 8)) return -1;
  if (kind === FRAGMENT) {
    const offset = readU16(data, at + 2) & 0xfff8;
    const rest = 40 + payload - (at - ip) - 8;
    p.text +=
      p.verbose > 0 ? `frag (0x${hex(readU32(data, at + 4), 8)}:${offset}|${rest})` : `frag (${offset}|${rest})`;
    if (offset !== 0) return -1;
    p.text += ' ';
    return 8;
  }
  const size = (data[at + 1] + 1) * 8;
  if (kind === ROUTING) return printRouting(p, at, size);
  if (!p.has(at, size)) return -1;
  p.text += kind === HOP_BY_HOP ? 'HBH ' : 'DSTOPT ';
  if (p.verbose > 0) printExtensionOptions(p, at + 2, size - 2);
  return size;
}

function printExtensionOptions(p: Printer, at: number, length: number): void {
  const { data } = p;
  for (let i = 0; i < length; ) {
    const kind = data[at + i];
    if (kind === 0) p.text += '(pad1)';
    else if (kind === 1) p.text += '(padn)';
    else if (kind === 5) p.text += `(rtalert: 0x${hex(readU16(data, at + i + 2), 4)}) `;
    else p.text += `(opt_type 0x${hex(kind, 2)}: len=${data[at + i + 1]})`;
    i += kind === 0 ? 1 : data[at + i + 1] + 2;
  }
  p.text += ' ';
}

function printRouting(p: Printer, at: number, size: number): number {
  const { data } = p;
  const length = data[at + 1];
  const type = data[at + 2];
  p.text += `RT6 (len=${length}, type=${type}${type === 0 ? ' [Deprecated]' : ''}, segleft=${data[at + 3]}`;
  if (type === 4) {
    p.text += `, last-entry=${data[at + 4]}`;
    if (data[at + 5] !== 0 || p.verbose > 0) p.text += `, flags=0x${data[at + 5].toString(16)}`;
    p.text += `, tag=${readU16(data, at + 6).toString(16)}`;
  } else if (type === 0 || type === 2) {
    const reserved = readU32(data, at + 4);
    if (reserved !== 0 || p.verbose > 0) p.text += `, rsv=0x${reserved.toString(16)}`;
  } else {
    p.text += ' (unknown type)';
    p.invalid();
    return -1;
  }
  if (length % 2 === 1) {
    p.text += ` (invalid length ${length})`;
    p.invalid();
    return -1;
  }
  for (let i = 0; i < length / 2; i++) {
    if (!p.has(at + 8 + i * 16, 16)) return -1;
    p.text += `, [${i}]${ipv6Text(data, at + 8 + i * 16)}`;
  }
  p.text += ') ';
  return size;
}

/** What the packet carries. `direct`: no extension header stands between the IP header and it. */
function printTransport(
  p: Printer,
  protocol: number,
  at: number,
  length: number,
  ip: number,
  version: 4 | 6,
  direct: boolean,
  fragmented: boolean,
): void {
  switch (protocol) {
    case 6:
      printTcp(p, at, length, ip, version, direct, fragmented);
      break;
    case 17:
      printUdp(p, at, length, ip, version, direct, fragmented);
      break;
    case 1:
      if (version === 4) printIcmp(p, at, length, fragmented);
      else requires(p, 'ICMP requires IPv4');
      break;
    case 58:
      if (version === 6) printIcmp6(p, at, length, ip, fragmented);
      else requires(p, 'ICMPv6 requires IPv6');
      break;
    case 4:
      printIpv4(p, at, length);
      break;
    case 41:
      printIpv6(p, at, length);
      break;
    case 47:
      printGre(p, at, length);
      break;
    case 59:
      p.text += 'no next header';
      break;
    default:
      p.text += ` ip-proto-${protocol} ${length}`;
  }
}

function requires(p: Printer, what: string): void {
  p.text += `[${what}]`;
  p.invalid();
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
