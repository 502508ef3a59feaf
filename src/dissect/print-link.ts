/** Link layers as tcpdump (without -e) writes them: mostly not at all, but for what it cannot look into. */

import { readU16, readU32 } from '../base/bytes.ts';
import { LinkType } from '../capture/formats.ts';
import { hex4, linkAddressText } from './addresses.ts';
import { printArp } from './print-arp.ts';
import { printMpls } from './print-gre.ts';
import { printIp, printIpv4, printIpv6 } from './print-ip.ts';
import { hexLines, type Printer } from './printer.ts';

const VLAN = 0x8100;
const QINQ = 0x88a8;

/** Writes a frame of `length` octets on the wire that begins at `at`; it was captured up to p.end. */
export function printLink(p: Printer, linkType: number, at: number, length: number): void {
  switch (linkType) {
    case LinkType.ETHERNET:
      printEthernet(p, at, length);
      break;
    case LinkType.RAW:
    case LinkType.RAW_BSD:
    case LinkType.RAW_OPENBSD:
    case LinkType.IPV4:
    case LinkType.IPV6:
      p.protocol = 'raw';
      printIp(p, at, length);
      break;
    case LinkType.NULL:
    case LinkType.LOOP:
      printLoopback(p, at, length);
      break;
    case LinkType.LINUX_SLL:
      printCooked(p, at, length);
      break;
    case LinkType.LINUX_SLL2:
      printCooked2(p, at, length);
      break;
    default:
      p.text += `[link type ${linkType} is not decoded], length ${length}`;
  }
}

export function printEthernet(p: Printer, start: number, total: number): void {
  const { data } = p;
  p.protocol = 'ether';
  if (start + 14 > p.end) {
    p.truncated();
    return;
  }
  let at = start + 14;
  let type = readU16(data, start + 12);
  while (type === VLAN || type === QINQ || type === 0x9100 || type === 0x9200) {
    if (at + 4 > p.end) {
      p.protocol = 'vlan';
      p.truncated();
      return;
    }
    type = readU16(data, at + 2);
    at += 4;
  }
  const length = total - (at - start);
  if (printEtherType(p, type, at, length)) return;
  p.text += `${linkAddressText(data, start + 6, 6)} > ${linkAddressText(data, start, 6)}, `;
  p.text +=
    type <= 1500
      ? `802.3, length ${Math.min(type, length)}: `
      : `ethertype Unknown (0x${hex4(type)}), length ${total}: `;
  p.hexAndText(at, p.end - at);
}

/** False for a type nobody here understands. */
function printEtherType(p: Printer, type: number, at: number, length: number): boolean {
  switch (type) {
    case 0x0800:
      printIpv4(p, at, length);
      return true;
    case 0x86dd:
      printIpv6(p, at, length);
      return true;
    case 0x0806:
    case 0x8035:
      printArp(p, at, length);
      return true;
    case 0x8847:
    case 0x8848:
      printMpls(p, at, length);
      return true;
    case 0x8863:
    case 0x8864:
      printPppoe(p, at, length);
      return true;
    default:
      return false;
  }
}

/** RFC 2516. */
function printPppoe(p: Printer, at: number, total: number): void {
  const { data } = p;
  p.protocol = 'pppoe';
  if (total < 6) {
    p.text += ` (length ${total} < 6)`;
    p.invalid();
    return;
  }
  if (!p.has(at, 6)) return;
  if (data[at] >>> 4 !== 1) p.text += ` [ver ${data[at] >>> 4}]`;
  if ((data[at] & 15) !== 1) p.text += ` [type ${data[at] & 15}]`;
  const code = data[at + 1];
  const session = readU16(data, at + 2);
  let length = readU16(data, at + 4);
  p.text += `PPPoE ${PPPOE_CODES[code] ?? `PAD-${code.toString(16)}`}`;
  if (length > total - 6) {
    p.text += ` [len ${length} > ${total - 6}!]`;
    length = total - 6;
  }
  if (session !== 0) p.text += ` [ses 0x${session.toString(16)}]`;
  if (code !== 0) return;
  p.text += ' ';
  p.protocol = 'ppp';
  if (length < 2) {
    p.truncated();
    return;
  }
  if (!p.has(at + 6, 2)) return;
  let next = at + 6;
  if (readU16(data, next) === 0xff03) next += 2;
  if (!p.has(next, 2)) return;
  const compressed = (data[next] & 1) !== 0;
  const protocol = compressed ? data[next] : readU16(data, next);
  next += compressed ? 1 : 2;
  const rest = length - (next - at - 6);
  if (protocol === 0x21) printIpv4(p, next, rest);
  else if (protocol === 0x57) printIpv6(p, next, rest);
  else if (protocol === 0x281) printMpls(p, next, rest);
  else {
    p.text += `unknown PPP protocol (0x${hex4(protocol)}) ${hexLines(data, next, Math.min(rest, p.end - next), '\n\t')}`;
  }
}

const PPPOE_CODES: Readonly<Record<number, string>> = {
  0: '',
  9: 'PADI',
  7: 'PADO',
  25: 'PADR',
  101: 'PADS',
  167: 'PADT',
};

/** A host-order address family: of the writing host for NULL, network order for LOOP, so either may come. */
function printLoopback(p: Printer, at: number, length: number): void {
  const { data } = p;
  p.protocol = 'null';
  if (!p.has(at, 4)) return;
  let family = readU32(data, at);
  if (family > 0xffff) {
    family = ((data[at + 3] << 24) | (data[at + 2] << 16) | (data[at + 1] << 8) | data[at]) >>> 0;
  }
  if (family === 2) printIpv4(p, at + 4, length - 4);
  else if (family === 24 || family === 28 || family === 30) printIpv6(p, at + 4, length - 4);
  else {
    p.text += `AF Unknown (${family}), length ${length}: `;
    p.hexAndText(at + 4, p.end - at - 4);
  }
}

function printCooked(p: Printer, at: number, length: number): void {
  p.protocol = 'sll';
  if (!p.has(at, 16)) return;
  const type = readU16(p.data, at + 14);
  if (printCookedType(p, type, at + 16, length - 16)) return;
  p.text += `${(COOKED_KINDS[readU16(p.data, at)] ?? '?').padStart(3)} `;
  if (readU16(p.data, at + 4) === 6) p.text += `${linkAddressText(p.data, at + 6, 6)} `;
  p.text += `ethertype Unknown (0x${hex4(type)}), length ${length}: `;
  p.hexAndText(at + 16, p.end - at - 16);
}

/**
 * tcpdump puts the name its own host has for the interface's number before the line, on whatever host the capture was
 * made; a name from another machine is worse than none, so the number's place is kept and filled with "?".
 */
function printCooked2(p: Printer, at: number, length: number): void {
  p.protocol = 'sll2';
  if (!p.has(at, 20)) return;
  p.text += `?     ${(COOKED_KINDS[p.data[at + 10]] ?? '?').padEnd(3)} `;
  const type = readU16(p.data, at);
  if (printCookedType(p, type, at + 20, length - 20)) return;
  p.text += `ifindex ${readU32(p.data, at + 4)} `;
  if (p.data[at + 11] === 6) p.text += `${linkAddressText(p.data, at + 12, 6)} `;
  p.text += `ethertype Unknown (0x${hex4(type)}), length ${length}: `;
  p.hexAndText(at + 20, p.end - at - 20);
}

const COOKED_KINDS: Readonly<Record<number, string>> = { 0: 'In', 1: 'B', 2: 'M', 3: 'P', 4: 'Out' };

function printCookedType(p: Printer, first: number, at: number, length: number): boolean {
  if (first !== VLAN) return printEtherType(p, first, at, length);
  if (at + 4 > p.end) {
    p.protocol = 'vlan';
    p.truncated();
    return true;
  }
  const type = readU16(p.data, at + 2);
  p.text += `ethertype ${ETHERTYPES[type] ?? 'Unknown'}, `;
  return printEtherType(p, type, at + 4, length - 4);
}

const ETHERTYPES: Readonly<Record<number, string>> = { 2048: 'IPv4', 34525: 'IPv6', 2054: 'ARP' };
