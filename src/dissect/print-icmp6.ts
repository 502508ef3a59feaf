/** ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861) as tcpdump writes them. */

import { readU16, readU32 } from '../base/bytes.ts';
import { ipv6Text } from './addresses.ts';
import { shouldBe, transportChecksum } from './print-tcp.ts';
import type { Printer } from './printer.ts';

const NAMES: Readonly<Record<number, string>> = {
  1: 'destination unreachable',
  2: 'packet too big',
  3: 'time exceeded in-transit',
  4: 'parameter problem',
  128: 'echo request',
  129: 'echo reply',
  130: 'multicast listener query',
  131: 'multicast listener report',
  132: 'multicast listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  137: 'redirect',
  138: 'router renumbering',
  141: 'inverse neighbor solicitation',
  142: 'inverse neighbor advertisement',
  143: 'multicast listener report v2',
};

const UNREACHABLE: Readonly<Record<number, string>> = {
  0: 'unreachable route',
  1: ' unreachable prohibited',
  2: 'beyond scope',
  3: 'unreachable address',
  4: 'unreachable port',
};

const PARAMETER = ['erroneous', 'next header', 'option', 'incomplete header chain'];

export function printIcmp6(p: Printer, at: number, length: number, ip: number, fragmented: boolean): void {
  p.protocol = 'icmp6';
  if (length === 0) {
    p.text += 'ICMP6, length 0';
    p.invalid();
    return;
  }
  if (p.verbose > 0 && !fragmented && at + length <= p.end && length >= 4) {
    const sum = transportChecksum(p.data, at, length, ip, 6, 58);
    const found = readU16(p.data, at + 2);
    p.text += sum === 0 ? '[icmp6 sum ok] ' : `[bad icmp6 cksum 0x${hex(found)} -> 0x${hex(shouldBe(found, sum))}!] `;
  }
  if (!p.has(at, 1)) return;
  const type = p.data[at];
  p.text += `ICMP6, ${NAMES[type] ?? `unknown icmp6 type (${type})`}`;
  if (!p.has(at, 2)) return;
  if (NAMES[type] === undefined) {
    p.text += `, length ${length}`;
    if (p.verbose <= 1) p.hexAndText(at, length);
    return;
  }
  if (p.verbose > 0 && type >= 133 && type <= 137) p.text += `, length ${length}`;
  if (!describe(p, at, type, p.data[at + 1])) {
    p.truncated();
    return;
  }
  if (p.verbose === 0) p.text += `, length ${length}`;
}

/** Writes what the message says; false when it is cut short. */
function describe(p: Printer, at: number, type: number, code: number): boolean {
  const { data, end } = p;
  const inner = at + 8;
  switch (type) {
    case 1:
      return printUnreachable(p, inner, code);
    case 2:
      if (at + 8 > end) return false;
      p.text += `, mtu ${readU32(data, at + 4)}`;
      return true;
    case 3:
      if (code === 0) {
        if (inner + 40 > end) return false;
        p.text += ` for ${ipv6Text(data, inner + 24)}`;
      } else p.text += code === 1 ? ' (reassembly)' : `, unknown code (${code})`;
      return true;
    case 4:
      if (inner + 40 > end) return false;
      p.text += code < 4 ? `, ${PARAMETER[code]} - octet ${readU32(data, at + 4)}` : `, code-#${code}`;
      return true;
    case 128:
    case 129:
      if (at + 8 > end) return false;
      p.text += `, id ${readU16(data, at + 4)}, seq ${readU16(data, at + 6)}`;
      return true;
    case 135:
    case 136:
      if (at + 24 > end) return false;
      p.text += `${type === 135 ? ', who has ' : ', tgt is '}${ipv6Text(data, at + 8)}`;
      return true;
    case 137:
      if (at + 40 > end) return false;
      p.text += `, ${ipv6Text(data, at + 24)} to ${ipv6Text(data, at + 8)}`;
      return true;
    case 130:
    case 131:
    case 132:
      if (at + 24 > end) return true;
      p.text += `max resp delay: ${readU16(data, at + 4)} addr: ${ipv6Text(data, at + 8)}`;
      return true;
    case 143:
      return printGroupRecords(p, at);
    default:
      return true;
  }
}

function printUnreachable(p: Printer, inner: number, code: number): boolean {
  const { data, end } = p;
  p.text += `, ${UNREACHABLE[code] ?? `unknown unreach code (${code})`}`;
  if (code > 4) return true;
  if (inner + 40 > end) return false;
  const destination = ipv6Text(data, inner + 24);
  if (code === 2) p.text += ` ${destination}, source address ${ipv6Text(data, inner + 8)}`;
  else if (code !== 4) p.text += ` ${destination}`;
  else return printUnreachablePort(p, inner, destination);
  return true;
}

/** The port stands behind whatever extension headers the packet had. */
function printUnreachablePort(p: Printer, inner: number, destination: string): boolean {
  const { data, end } = p;
  let next = data[inner + 6];
  let at = inner + 40;
  while (next === 0 || next === 43 || next === 44 || next === 60) {
    if (at + 8 > end) return false;
    const size = next === 44 ? 8 : (data[at + 1] + 1) * 8;
    if (next === 44 && (readU16(data, at + 2) & 0xfff8) !== 0) return false;
    next = data[at];
    at += size;
  }
  if ((next !== 6 && next !== 17) || at + 4 > end) return false;
  p.text += `, ${destination} ${next === 6 ? 'tcp' : 'udp'} port ${readU16(data, at + 2)}`;
  return true;
}

const RECORDS: Readonly<Record<number, string>> = {
  1: 'is_in',
  2: 'is_ex',
  3: 'to_in',
  4: 'to_ex',
  5: 'allow',
  6: 'block',
};

/** RFC 3810 section 5.2. */
function printGroupRecords(p: Printer, at: number): boolean {
  const { data, end } = p;
  if (at + 8 > end) return false;
  const count = readU16(data, at + 6);
  p.text += `, ${count} group record(s)`;
  if (p.verbose === 0) return true;
  let record = at + 8;
  for (let i = 0; i < count; i++) {
    if (record + 20 > end) return false;
    const sources = readU16(data, record + 2);
    p.text += ` [gaddr ${ipv6Text(data, record + 4)} ${RECORDS[data[record]] ?? ` [v2-report-#${data[record]}]`}`;
    if (record + 20 + sources * 16 > end) return false;
    if (p.verbose === 1) p.text += `, ${sources} source(s)`;
    else {
      p.text += ' {';
      for (let s = 0; s < sources; s++) p.text += ` ${ipv6Text(data, record + 20 + s * 16)}`;
      p.text += ' }';
    }
    p.text += ']';
    record += 20 + sources * 16;
  }
  return true;
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}
