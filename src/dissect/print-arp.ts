/** ARP (RFC 826) and RARP as tcpdump writes them. */

import { readI32, readU16 } from '../base/bytes.ts';
import { hex4, ipv4Text, linkAddressText } from './addresses.ts';
import type { Printer } from './printer.ts';

const OPERATIONS: Readonly<Record<number, string>> = {
  1: 'Request',
  2: 'Reply',
  3: 'Reverse Request',
  4: 'Reverse Reply',
  8: 'Inverse Request',
  9: 'Inverse Reply',
};

const HARDWARE: Readonly<Record<number, string>> = {
  1: 'Ethernet',
  6: 'TokenRing',
  7: 'ArcNet',
  15: 'FrameRelay',
  19: 'ATM',
  23: 'Strip',
  24: 'IEEE 1394',
  32: 'InfiniBand',
};

export function printArp(p: Printer, at: number, length: number): void {
  const { data } = p;
  p.protocol = 'arp';
  if (!p.has(at, 8)) return;
  const hardware = readU16(data, at);
  const protocol = readU16(data, at + 2);
  const h = data[at + 4];
  const n = data[at + 5];
  const operation = readU16(data, at + 6);
  const sender = at + 8;
  const target = sender + h + n;
  if (!p.has(at, 8 + 2 * h + 2 * n)) return;
  p.text += 'ARP, ';
  const unusual = (protocol !== 0x0800 && protocol !== 0x1000) || n !== 4 || h === 0;
  if (unusual || p.verbose > 0) {
    const name = protocol === 0x0800 ? 'IPv4' : `Unknown Protocol (0x${hex4(protocol)})`;
    p.text += `${HARDWARE[hardware] ?? `Unknown Hardware (${hardware})`} (len ${h}), ${name} (len ${n})`;
    if (p.verbose === 0) {
      p.text += `, length ${length}`;
      return;
    }
    p.text += ', ';
  }
  const address = (where: number): string => {
    if (protocol !== 0x0800 && protocol !== 0x1000) return '<wrong proto type>';
    return n === 4 ? ipv4Text(readI32(data, where)) : '<wrong len>';
  };
  p.text += `${OPERATIONS[operation] ?? `Unknown (${operation})`} `;
  switch (operation) {
    case 1: {
      p.text += `who-has ${address(target + h)}`;
      let known = false;
      for (let i = 0; i < h; i++) known ||= data[target + i] !== 0;
      if (known) p.text += ` (${macText(data, target, h)})`;
      p.text += ` tell ${address(sender + h)}`;
      break;
    }
    case 2:
      p.text += `${address(sender + h)} is-at ${macText(data, sender, h)}`;
      break;
    case 3:
    case 8:
      p.text += `who-is ${macText(data, target, h)} tell ${macText(data, sender, h)}`;
      break;
    case 4:
      p.text += `${macText(data, target, h)} at ${address(target + h)}`;
      break;
    case 9:
      p.text += `${macText(data, sender, h)} at ${address(sender + h)}`;
      break;
    default:
      p.hexAndText(at, p.end - at);
      return;
  }
  p.text += `, length ${length}`;
}

function macText(data: Uint8Array, at: number, length: number): string {
  return length === 0 ? '<empty>' : linkAddressText(data, at, length);
}
