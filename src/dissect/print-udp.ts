/** UDP (RFC 768) as tcpdump writes it; of the protocols above, only DNS queries and answers are looked into. */

import { readU16 } from '../base/bytes.ts';
import { printDns } from './print-dns.ts';
import { addressesText, endpointsText, shouldBe, transportChecksum } from './print-tcp.ts';
import type { Printer } from './printer.ts';

export function printUdp(
  p: Printer,
  at: number,
  total: number,
  ip: number,
  version: 4 | 6,
  direct: boolean,
  fragmented: boolean,
): void {
  const { data } = p;
  p.protocol = 'udp';
  if (at + 4 > p.end) {
    if (direct) p.text += addressesText(data, ip, version);
    p.truncated();
    return;
  }
  const source = readU16(data, at);
  const destination = readU16(data, at + 2);
  p.text += direct ? endpointsText(data, ip, version, source, destination) : `${source} > ${destination}: `;
  if (total < 8) {
    p.text += `truncated-udp ${total}`;
    return;
  }
  if (!p.has(at, 6)) return;
  const stated = readU16(data, at + 4);
  if (stated < 8) {
    p.text += `truncated-udplength ${stated}`;
    return;
  }
  if (!p.has(at, 8)) return;
  const room = total - 8;
  const length = Math.min(stated - 8, room);
  if (p.verbose > 0 && !fragmented && (version === 6 || p.verbose > 1)) {
    printChecksum(p, at, length + 8, ip, version);
  }
  if (source === 53 || destination === 53) printDns(p, at + 8, length);
  else if (stated - 8 > room && !fragmented) p.text += `UDP, bad length ${stated - 8} > ${room}`;
  else p.text += `UDP, length ${stated - 8}`;
}

function printChecksum(p: Printer, at: number, length: number, ip: number, version: 4 | 6): void {
  const found = readU16(p.data, at + 6);
  if (version === 4 && found === 0) {
    p.text += '[no cksum] ';
    return;
  }
  if (at + length > p.end) return;
  const sum = transportChecksum(p.data, at, length, ip, version, 17);
  p.text += sum === 0 ? '[udp sum ok] ' : `[bad udp cksum 0x${hex(found)} -> 0x${hex(shouldBe(found, sum))}!] `;
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}
