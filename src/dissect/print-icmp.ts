/** ICMP (RFC 792) as tcpdump writes it. */

import { readI32, readU16, readU32 } from '../base/bytes.ts';
import { checksumAdd, checksumFold } from '../wire/checksum.ts';
import { ipv4Text } from './addresses.ts';
import { printIpv4 } from './print-ip.ts';
import { shouldBe } from './print-tcp.ts';
import type { Printer } from './printer.ts';

const PROTOCOL_UNREACHABLE = 2;
const PORT_UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;

/** What stands after the address for each code of "destination unreachable" but the three above. */
const UNREACHABLE: Readonly<Record<number, [before: string, after: string]>> = {
  0: ['net ', ' unreachable'],
  1: ['host ', ' unreachable'],
  5: ['', ' unreachable - source route failed'],
  6: ['net ', ' unreachable - unknown'],
  7: ['host ', ' unreachable - unknown'],
  8: ['', ' unreachable - source host isolated'],
  9: ['net ', ' unreachable - admin prohibited'],
  10: ['host ', ' unreachable - admin prohibited'],
  11: ['net ', ' unreachable - tos prohibited'],
  12: ['host ', ' unreachable - tos prohibited'],
  13: ['host ', ' unreachable - admin prohibited filter'],
  14: ['host ', ' unreachable - host precedence violation'],
  15: ['host ', ' unreachable - precedence cutoff'],
};

const OTHER: Readonly<Record<number, string>> = {
  4: 'source quench',
  10: 'router solicitation',
  15: 'information request',
  16: 'information reply',
  17: 'address mask request',
};

export function printIcmp(p: Printer, at: number, length: number, fragmented: boolean): void {
  p.protocol = 'icmp';
  if (!p.has(at, 2)) return;
  const type = p.data[at];
  const what = describe(p, at, type, p.data[at + 1]);
  if (what === null) {
    p.truncated();
    return;
  }
  p.text += `ICMP ${what}, length ${length}`;
  if (p.verbose === 0) return;
  if (!fragmented && at + length <= p.end) {
    const sum = checksumFold(checksumAdd(0, p.data, at, length));
    const found = readU16(p.data, at + 2);
    if (sum !== 0) p.text += ` (wrong icmp cksum ${found.toString(16)} (->${shouldBe(found, sum).toString(16)})!)`;
  }
  if (type === 3 || type === 11 || type === 12) {
    p.text += '\n\t';
    if (!p.has(at + 8, 4)) return;
    const inner = readU16(p.data, at + 10);
    p.limit(at + 8 + inner);
    printIpv4(p, at + 8, inner);
  }
}

/** The message in words, null when it is cut short. */
function describe(p: Printer, at: number, type: number, code: number): string | null {
  const { data, end } = p;
  switch (type) {
    case 0:
    case 8:
      if (at + 8 > end) return null;
      return `echo ${type === 8 ? 'request' : 'reply'}, id ${readU16(data, at + 4)}, seq ${readU16(data, at + 6)}`;
    case 3:
      return at + 28 > end ? null : unreachable(p, at, code);
    case 5: {
      if (at + 28 > end) return null;
      const kinds = ['redirect', 'redirect', 'redirect-tos', 'redirect-tos'];
      const target = code < 4 ? (code % 2 === 0 ? 'to net' : 'to host') : 'to';
      const name = kinds[code] ?? `redirect-#${code}`;
      return `${name} ${ipv4Text(readI32(data, at + 24))} ${target} ${ipv4Text(readI32(data, at + 4))}`;
    }
    case 11:
      if (at + 28 > end) return null;
      if (code === 0) return 'time exceeded in-transit';
      return code === 1 ? 'ip reassembly time exceeded' : `time exceeded-#${code}`;
    case 12:
      if (code !== 0) return `parameter problem - code ${code}`;
      return at + 5 > end ? null : `parameter problem - octet ${data[at + 4]}`;
    case 13:
      if (at + 8 > end) return null;
      return `time stamp query id ${readU16(data, at + 4)} seq ${readU16(data, at + 6)}`;
    case 18:
      if (at + 12 > end) return null;
      return `address mask is 0x${readU32(data, at + 8)
        .toString(16)
        .padStart(8, '0')}`;
    default:
      return OTHER[type] ?? `type-#${type}`;
  }
}

function unreachable(p: Printer, at: number, code: number): string | null {
  const { data, end } = p;
  const address = ipv4Text(readI32(data, at + 24));
  if (code === PROTOCOL_UNREACHABLE) return `${address} protocol ${data[at + 17]} unreachable`;
  if (code === FRAGMENTATION_NEEDED) {
    const mtu = readU16(data, at + 6);
    return `${address} unreachable - need to frag${mtu !== 0 ? ` (mtu ${mtu})` : ''}`;
  }
  if (code === PORT_UNREACHABLE) {
    const inner = at + 8 + (data[at + 8] & 15) * 4;
    if (inner + 4 > end) return null;
    const port = readU16(data, inner + 2);
    const protocol = data[at + 17];
    if (protocol === 6) return `${address} tcp port ${port} unreachable`;
    if (protocol === 17) return `${address} udp port ${port} unreachable`;
    return `${address} protocol ${protocol} port ${port} unreachable`;
  }
  const words = UNREACHABLE[code];
  return words === undefined ? `${address} unreachable - #${code}` : words[0] + address + words[1];
}
