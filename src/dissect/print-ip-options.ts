/** IPv4 options (RFC 791 section 3.1) as tcpdump -v writes them. */

import { readI32, readU16 } from '../base/bytes.ts';
import { hex2, ipv4Text } from './addresses.ts';
import type { Printer } from './printer.ts';

const NAMES: Readonly<Record<number, string>> = {
  0: 'EOL',
  1: 'NOP',
  7: 'RR',
  68: 'timestamp',
  130: 'security',
  131: 'LSRR',
  137: 'SSRR',
  148: 'RA',
  222: 'RFC1393',
};

export function printIpv4Options(p: Printer, at: number, length: number): void {
  const { data } = p;
  p.text += ', options (';
  let separator = '';
  for (let i = 0; i < length; ) {
    p.text += separator;
    separator = ',';
    if (at + i >= p.end) break;
    const kind = data[at + i];
    p.text += NAMES[kind] ?? `unknown ${kind}`;
    if (kind === 0) break;
    if (kind === 1) {
      i++;
      continue;
    }
    const size = data[at + i + 1];
    if (size < 2) {
      p.text += ` [invalid length ${size}]`;
      break;
    }
    if (i + size > length) break;
    printOption(p, kind, at + i, size);
    i += size;
  }
  p.text += ')';
}

function printOption(p: Printer, kind: number, at: number, size: number): void {
  const { data } = p;
  if (kind === 7 || kind === 131 || kind === 137) {
    for (let i = 3; i + 4 <= size; i += 4) {
      const mark = i + 1 === data[at + 2] ? '^' : ',';
      p.text += `${i === 3 ? ' ' : mark}${ipv4Text(readI32(data, at + i))}`;
      if (data[at + 2] === size + 1 && i + 4 >= size) p.text += '^';
    }
  } else if (kind === 148) {
    if (size !== 4) p.text += ` [invalid length ${size}]`;
    else if (readU16(data, at + 2) !== 0) p.text += ` value ${readU16(data, at + 2)}`;
  } else if (kind !== 68) {
    p.text += ' ';
    for (let i = 2; i < size; i++) p.text += hex2(data[at + i]);
  }
}
