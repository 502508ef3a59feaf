/** GRE (RFC 2784, RFC 2890) and MPLS (RFC 3032) as tcpdump writes them: headers with another packet inside. */

import { readU16, readU32 } from '../base/bytes.ts';
import { printIpv4, printIpv6 } from './print-ip.ts';
import { printEthernet } from './print-link.ts';
import type { Printer } from './printer.ts';

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;

export function printGre(p: Printer, start: number, length: number): void {
  const { data } = p;
  p.protocol = 'gre';
  if (!p.has(start, 2)) return;
  const flags = readU16(data, start);
  if ((flags & 7) !== 0) {
    p.text += `GREv${flags & 7}, length ${length}`;
    return;
  }
  p.text += 'GREv0';
  if (p.verbose > 0) p.text += `, Flags [${flagsText(flags)}]`;
  if (!p.has(start, 4)) return;
  const type = readU16(data, start + 2);
  let at = start + 4;
  if ((flags & (CHECKSUM | ROUTING)) !== 0) {
    if (!p.has(at, 4)) return;
    if (p.verbose > 0) p.text += `, sum 0x${readU16(data, at).toString(16)}`;
    p.text += `, off 0x${readU16(data, at + 2).toString(16)}`;
    at += 4;
  }
  if ((flags & KEY) !== 0) {
    if (!p.has(at, 4)) return;
    p.text += `, key=0x${readU32(data, at).toString(16)}`;
    at += 4;
  }
  if ((flags & SEQUENCE) !== 0) {
    if (!p.has(at, 4)) return;
    p.text += `, seq ${readU32(data, at)}`;
    at += 4;
  }
  p.text += `, length ${length}${p.verbose > 0 ? '\n\t' : ': '}`;
  const rest = length - (at - start);
  if (type === 0x0800) printIpv4(p, at, rest);
  else if (type === 0x86dd) printIpv6(p, at, rest);
  else if (type === 0x8847) printMpls(p, at, rest);
  else if (type === 0x6558) printEthernet(p, at, rest);
  else p.text += `gre-proto-0x${type.toString(16)}`;
}

function flagsText(flags: number): string {
  const names: string[] = [];
  if ((flags & CHECKSUM) !== 0) names.push('checksum present');
  if ((flags & ROUTING) !== 0) names.push('routing present');
  if ((flags & KEY) !== 0) names.push('key present');
  if ((flags & SEQUENCE) !== 0) names.push('sequence# present');
  return names.length > 0 ? names.join(', ') : 'none';
}

const LABELS = ['IPv4 explicit NULL', 'router alert', 'IPv6 explicit NULL', 'implicit NULL'];

export function printMpls(p: Printer, start: number, total: number): void {
  const { data } = p;
  p.protocol = 'mpls';
  p.text += 'MPLS';
  let at = start;
  let length = total;
  let label = 0;
  for (let depth = 0; ; depth++) {
    if (length < 4) {
      p.invalid();
      return;
    }
    if (!p.has(at, 4)) return;
    const entry = readU32(data, at);
    label = entry >>> 12;
    const last = (entry & 0x100) !== 0;
    p.text += `${depth > 0 && p.verbose > 0 ? '\n\t' : ' '}(label ${label}`;
    if (p.verbose > 0 && label < 4) p.text += ` (${LABELS[label]})`;
    p.text += `, tc ${(entry >>> 9) & 7}${last ? ', [S]' : ''}, ttl ${entry & 255})`;
    at += 4;
    length -= 4;
    if (last) break;
  }
  if (length < 1) return;
  if (!p.has(at, 1)) return;
  const first = data[at];
  const v4 = label === 0 || label === 3 || (label !== 2 && first >= 0x45 && first <= 0x4f);
  const v6 = label === 2 || (!v4 && first >= 0x60 && first <= 0x6f);
  if (v4 || v6) p.text += p.verbose > 0 ? '\n\t' : ' ';
  if (v4) printIpv4(p, at, length);
  else if (v6) printIpv6(p, at, length);
  else p.hexAndText(at, length);
}
