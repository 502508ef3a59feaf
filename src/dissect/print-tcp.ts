/** TCP segments (RFC 9293 section 3.1) as tcpdump writes them. */

import { readI32, readU16 } from '../base/bytes.ts';
import { checksumAdd, checksumFold } from '../wire/checksum.ts';
import { ipv4Text, ipv6Text } from './addresses.ts';
import { printTcpOptions } from './print-tcp-options.ts';
import { printTcpPayload } from './print-text.ts';
import type { Printer } from './printer.ts';

const SYN = 2;
const FIN = 1;
const RST = 4;
const ACK = 16;
const URG = 32;
const MAX_RESET_TEXT = 30;

/** tcpdump's letters, in its order, for each value of the flags octet. */
const FLAG_TEXTS: string[] = [];
for (let flags = 0; flags < 256; flags++) {
  let text = '';
  for (let bit = 0; bit < 8; bit++) if ((flags & (1 << bit)) !== 0) text += 'FSRP.UEW'[bit];
  FLAG_TEXTS.push(text === '' ? 'none' : text);
}

/** `S.` for SYN and ACK, `none` for no flag at all. */
export function tcpFlagsText(flags: number): string {
  return FLAG_TEXTS[flags & 255];
}

/**
 * What relative numbers are counted from; `reverse` when this segment goes against the table's direction.
 * One object, reused for each segment.
 */
export const base = { reverse: false, seq: 0, ack: 0 };

/** @param ip offset of the IP header the addresses stand in; `direct`: the segment follows that header at once. */
export function printTcp(
  p: Printer,
  at: number,
  length: number,
  ip: number,
  version: 4 | 6,
  direct: boolean,
  fragmented: boolean,
): void {
  const { data } = p;
  p.protocol = 'tcp';
  if (at + 4 > p.end) {
    p.text += addressesText(data, ip, version).trimEnd();
    p.truncated();
    return;
  }
  const source = readU16(data, at);
  const destination = readU16(data, at + 2);
  p.text += direct ? endpointsText(data, ip, version, source, destination) : `${source} > ${destination}: `;
  if (!p.has(at, 20)) return;
  const header = (data[at + 12] >>> 4) * 4;
  if (header < 20) {
    p.text += ` tcp ${length - header} [bad hdr length ${header} - too short, < 20]`;
    return;
  }
  const flags = data[at + 13];
  let seq = readI32(data, at + 4);
  let ack = readI32(data, at + 8);
  p.text += `Flags [${FLAG_TEXTS[flags]}]`;
  base.reverse = false;
  base.seq = 0;
  base.ack = 0;
  if (!p.absolute && (flags & ACK) !== 0) {
    const fresh = findBase(p, ip, version, source, destination, seq, ack, flags);
    if (!fresh) {
      seq = (seq - (base.reverse ? base.ack : base.seq)) | 0;
      ack = (ack - (base.reverse ? base.seq : base.ack)) | 0;
    }
  }
  if (header > length) {
    p.text += ` [bad hdr length ${header} - too long, > ${length}]`;
    return;
  }
  if (p.verbose > 0 && !fragmented) printChecksum(p, at, length, ip, version);
  const text = length - header;
  if (p.verbose > 1 || text > 0 || (flags & (SYN | FIN | RST)) !== 0) {
    p.text += text > 0 ? `, seq ${seq >>> 0}:${(seq + text) >>> 0}` : `, seq ${seq >>> 0}`;
  }
  if ((flags & ACK) !== 0) p.text += `, ack ${ack >>> 0}`;
  p.text += `, win ${readU16(data, at + 14)}`;
  if ((flags & URG) !== 0) p.text += `, urg ${readU16(data, at + 18)}`;
  if (header > 20 && !printTcpOptions(p, at + 20, header - 20, flags)) return;
  p.text += `, length ${text}`;
  if (text === 0) return;
  if (at + header > p.end) {
    p.text += ` [remaining caplen(${p.end - at}) < header length(${header})]`;
    p.truncated();
    return;
  }
  if ((flags & RST) !== 0 && p.verbose > 0) printResetText(p, at + header, text);
  else printTcpPayload(p, at + header, text, source, destination);
}

function findBase(
  p: Printer,
  ip: number,
  version: 4 | 6,
  source: number,
  destination: number,
  seq: number,
  ack: number,
  flags: number,
): boolean {
  const { data, sequences } = p;
  const sourceAt = version === 4 ? ip + 12 : ip + 8;
  const size = version === 4 ? 4 : 16;
  let reverse = source > destination;
  if (source === destination) reverse = compare(data, sourceAt, sourceAt + size, size) > 0;
  const { words } = sequences;
  const first = reverse ? sourceAt + size : sourceAt;
  const second = reverse ? sourceAt : sourceAt + size;
  if (version === 4) {
    words.fill(0);
    words[3] = readI32(data, first);
    words[7] = readI32(data, second);
  } else {
    for (let i = 0; i < 4; i++) {
      words[i] = readI32(data, first + 4 * i);
      words[4 + i] = readI32(data, second + 4 * i);
    }
  }
  const ports = reverse ? (destination << 16) | source : (source << 16) | destination;
  const entry = sequences.find(ports);
  const fresh = sequences.created || (flags & SYN) !== 0;
  if (fresh) {
    entry.seq = reverse ? (ack - 1) | 0 : seq;
    entry.ack = reverse ? seq : (ack - 1) | 0;
  }
  base.reverse = reverse;
  base.seq = entry.seq;
  base.ack = entry.ack;
  return fresh;
}

function compare(data: Uint8Array, a: number, b: number, length: number): number {
  for (let i = 0; i < length; i++) if (data[a + i] !== data[b + i]) return data[a + i] - data[b + i];
  return 0;
}

export function addressesText(data: Uint8Array, ip: number, version: 4 | 6): string {
  if (version === 4) return `${ipv4Text(readI32(data, ip + 12))} > ${ipv4Text(readI32(data, ip + 16))}: `;
  return `${ipv6Text(data, ip + 8)} > ${ipv6Text(data, ip + 24)}: `;
}

export function endpointsText(data: Uint8Array, ip: number, version: 4 | 6, from: number, to: number): string {
  if (version === 4) {
    return `${ipv4Text(readI32(data, ip + 12))}.${from} > ${ipv4Text(readI32(data, ip + 16))}.${to}: `;
  }
  return `${ipv6Text(data, ip + 8)}.${from} > ${ipv6Text(data, ip + 24)}.${to}: `;
}

/** Of a reset's text (RFC 9293 section 3.5.2 allows a reason there) tcpdump shows the characters. */
function printResetText(p: Printer, at: number, length: number): void {
  p.text += at + length <= p.end ? ' [RST' : ' [!RST';
  p.text += length > MAX_RESET_TEXT ? '+ ' : ' ';
  const n = Math.min(length, MAX_RESET_TEXT, p.end - at);
  for (let i = 0; i < n; i++) p.text += plainCharacter(p.data[at + i]);
  p.text += ']';
}

/** Characters as `cat -v` shows them: `^M`, `M-a`. */
function plainCharacter(octet: number): string {
  const low = octet & 127;
  const high = octet > 127 ? 'M-' : '';
  if (low === 127) return `${high}^?`;
  return low < 32 ? `${high}^${String.fromCharCode(low ^ 64)}` : high + String.fromCharCode(low);
}

function printChecksum(p: Printer, at: number, length: number, ip: number, version: 4 | 6): void {
  if (at + length > p.end) return;
  const found = readU16(p.data, at + 16);
  const sum = transportChecksum(p.data, at, length, ip, version, 6);
  p.text += `, cksum 0x${found.toString(16).padStart(4, '0')}`;
  p.text += sum === 0 ? ' (correct)' : ` (incorrect -> 0x${shouldBe(found, sum).toString(16).padStart(4, '0')})`;
}

/** The checksum over pseudo header and text; 0 when the one in the packet is right. */
export function transportChecksum(
  data: Uint8Array,
  at: number,
  length: number,
  ip: number,
  version: 4 | 6,
  protocol: number,
): number {
  const addresses = version === 4 ? checksumAdd(0, data, ip + 12, 8) : checksumAdd(0, data, ip + 8, 32);
  return checksumFold(checksumAdd(addresses + protocol + (length >>> 16) + (length & 0xffff), data, at, length));
}

/** What the checksum field ought to hold when it holds `found` and the sum over all is `sum`. */
export function shouldBe(found: number, sum: number): number {
  const value = found + sum;
  return (value & 0xffff) + (value >>> 16);
}
