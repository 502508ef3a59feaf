/**
 * DNS messages (RFC 1035) as tcpdump writes them: queries, and answers of the common types. Compression pointers are
 * followed only backwards, so a name that points at itself ends.
 */

import { readI32, readU16, readU32 } from '../base/bytes.ts';
import { ipv4Text, ipv6Text } from './addresses.ts';
import type { Printer } from './printer.ts';

const OPERATIONS = [
  ...['', ' inv_q', ' stat', ' op3', ' notify', ' update', ' op6', ' op7', ' op8', ' updateA', ' updateD'],
  ...[' updateDA', ' updateM', ' updateMA', ' zoneInit', ' zoneRef'],
];
const RESULTS = [
  ...['', ' FormErr', ' ServFail', ' NXDomain', ' NotImp', ' Refused', ' YXDomain', ' YXRRSet', ' NXRRSet', ' NotAuth'],
  ...[' NotZone', ' Resp11', ' Resp12', ' Resp13', ' Resp14', ' NoChange', ' BadVers'],
];
const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  13: 'HINFO',
  15: 'MX',
  16: 'TXT',
  24: 'SIG',
  25: 'KEY',
  28: 'AAAA',
  29: 'LOC',
  33: 'SRV',
  35: 'NAPTR',
  36: 'KX',
  37: 'CERT',
  39: 'DNAME',
  41: 'OPT',
  43: 'DS',
  44: 'SSHFP',
  45: 'IPSECKEY',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  99: 'SPF',
  249: 'TKEY',
  250: 'TSIG',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
  256: 'URI',
};
const CLASSES: Readonly<Record<number, string>> = { 1: 'IN', 3: 'CHAOS', 4: 'HS', 255: 'ANY' };
const OPT = 41;

/** Writes the message of `length` octets at `at`. */
export function printDns(p: Printer, at: number, length: number): void {
  const { data } = p;
  p.protocol = 'domain';
  if (length < 12) {
    p.text += `domain [length ${length} < 12]`;
    p.invalid();
    return;
  }
  if (!p.has(at, 12)) return;
  const flags = readU16(data, at + 2);
  const counts = [readU16(data, at + 4), readU16(data, at + 6), readU16(data, at + 8), readU16(data, at + 10)];
  p.text += `${readU16(data, at)}${OPERATIONS[(flags >>> 11) & 15]}`;
  const end = (flags & 0x8000) !== 0 ? printAnswer(p, at, flags, counts) : printQuery(p, at, flags, counts);
  if (end < 0) p.truncated();
  else p.text += ` (${length})`;
}

function printQuery(p: Printer, at: number, flags: number, counts: number[]): number {
  p.text += `${(flags & 0x0100) !== 0 ? '+' : ''}${(flags & 0x0010) !== 0 ? '%' : ''}`;
  if ((flags & 0x06cf) !== 0) p.text += ` [b2&3=0x${flags.toString(16)}]`;
  const inverse = ((flags >>> 11) & 15) === 1;
  if (inverse ? counts[0] !== 0 : false) p.text += ` [${counts[0]}q]`;
  if (counts[1] !== (inverse ? 1 : 0)) p.text += ` [${counts[1]}a]`;
  if (!inverse && counts[0] !== 1) p.text += ` [${counts[0]}q]`;
  if (counts[2] !== 0) p.text += ` [${counts[2]}n]`;
  if (counts[3] !== 0) p.text += ` [${counts[3]}au]`;
  let next = at + 12;
  for (let i = 0; i < counts[0]; i++) {
    next = printQuestion(p, next, at);
    if (next < 0) return -1;
  }
  if (p.verbose <= 1) return next;
  next = printRecords(p, next, at, counts[1], '');
  if (next >= 0) next = printRecords(p, next, at, counts[2], ' ns:');
  return next < 0 ? -1 : printRecords(p, next, at, counts[3], ' ar:');
}

function printAnswer(p: Printer, at: number, flags: number, counts: number[]): number {
  p.text += RESULTS[flags & 15];
  p.text += (flags & 0x0400) !== 0 ? '*' : '';
  p.text += (flags & 0x0080) !== 0 ? '' : '-';
  p.text += (flags & 0x0200) !== 0 ? '|' : '';
  p.text += (flags & 0x0020) !== 0 ? '$' : '';
  if (counts[0] !== 1) p.text += ` [${counts[0]}q]`;
  let next = at + 12;
  for (let i = 0; i < counts[0]; i++) {
    if (i > 0) p.text += ',';
    if (p.verbose > 1) {
      p.text += ' q:';
      next = printQuestion(p, next, at);
    } else {
      next = skipName(p, next);
      if (next >= 0) next += 4;
    }
    if (next < 0) return -1;
  }
  p.text += ` ${counts[1]}/${counts[2]}/${counts[3]}`;
  next = printRecords(p, next, at, counts[1], '');
  if (p.verbose <= 1 || next < 0) return next;
  next = printRecords(p, next, at, counts[2], ' ns:');
  return next < 0 ? -1 : printRecords(p, next, at, counts[3], ' ar:');
}

function printQuestion(p: Printer, at: number, message: number): number {
  const after = skipName(p, at);
  if (after < 0 || after + 4 > p.end) return -1;
  const type = readU16(p.data, after);
  const cls = readU16(p.data, after + 2);
  p.text += ` ${TYPES[type] ?? `Type${type}`}`;
  if (cls !== 1) p.text += ` ${CLASSES[cls] ?? `(Class ${cls})`}`;
  p.text += '? ';
  return printName(p, at, message) < 0 ? -1 : after + 4;
}

function printRecords(p: Printer, at: number, message: number, count: number, heading: string): number {
  let next = at;
  if (count > 0) p.text += heading;
  for (let i = 0; i < count; i++) {
    if (i > 0) p.text += ',';
    if (next >= p.end) return -1;
    next = printRecord(p, next, message);
    if (next < 0) return -1;
  }
  return next;
}

function printRecord(p: Printer, start: number, message: number): number {
  const { data } = p;
  if (p.verbose > 0) {
    p.text += ' ';
    if (printName(p, start, message) < 0) return -1;
  }
  const at = skipName(p, start);
  if (at < 0 || at + 10 > p.end) return p.end;
  const type = readU16(data, at);
  const cls = readU16(data, at + 2);
  if (cls !== 1 && type !== OPT) p.text += ` ${CLASSES[cls] ?? `(Class ${cls})`}`;
  p.text += ` ${TYPES[type] ?? `Type${type}`}`;
  const body = at + 10;
  const after = body + readU16(data, at + 8);
  if (after > p.end) return -1;
  if (type === OPT) p.text += ` UDPsize=${cls}${(readU16(data, at + 6) & 0x8000) !== 0 ? ' DO' : ''}`;
  else if (!printRecordBody(p, type, body, after, message)) return -1;
  return after;
}

function printRecordBody(p: Printer, type: number, at: number, end: number, message: number): boolean {
  const { data } = p;
  switch (type) {
    case 1:
      if (at + 4 > p.end) return false;
      p.text += ` ${ipv4Text(readI32(data, at))}`;
      return true;
    case 28:
      if (at + 16 > p.end) return false;
      p.text += ` ${ipv6Text(data, at)}`;
      return true;
    case 2:
    case 5:
    case 12:
    case 39:
      p.text += ' ';
      return printName(p, at, message) >= 0;
    case 15:
      p.text += ' ';
      if (printName(p, at + 2, message) < 0) return false;
      p.text += ` ${readU16(data, at)}`;
      return true;
    case 16:
      return printStrings(p, at, end);
    case 33:
      p.text += ' ';
      if (at + 6 > p.end || printName(p, at + 6, message) < 0) return false;
      p.text += `:${readU16(data, at + 4)} ${readU16(data, at)} ${readU16(data, at + 2)}`;
      return true;
    case 6:
      return p.verbose === 0 || printAuthority(p, at, message);
    default:
      return true;
  }
}

function printStrings(p: Printer, from: number, end: number): boolean {
  for (let at = from; at < end; ) {
    const length = p.data[at];
    if (at + 1 + length > p.end) return false;
    p.text += ' "';
    for (let i = 1; i <= length; i++) p.text += printable(p.data[at + i]);
    p.text += '"';
    at += 1 + length;
  }
  return true;
}

function printAuthority(p: Printer, at: number, message: number): boolean {
  p.text += ' ';
  const second = printName(p, at, message);
  if (second < 0) return false;
  p.text += ' ';
  const numbers = printName(p, second, message);
  if (numbers < 0 || numbers + 20 > p.end) return false;
  for (let i = 0; i < 5; i++) p.text += ` ${readU32(p.data, numbers + 4 * i)}`;
  return true;
}

/** The offset after a name, or -1. */
function skipName(p: Printer, from: number): number {
  let at = from;
  for (;;) {
    if (at >= p.end) return -1;
    const length = p.data[at];
    if (length >= 0xc0) return at + 2;
    if (length >= 0x40) return -1;
    at += 1 + length;
    if (length === 0) return at;
  }
}

/** Writes a name with its final dot; returns the offset after it, or -1. */
function printName(p: Printer, from: number, message: number): number {
  const { data } = p;
  let at = from;
  let after = -1;
  let limit = from;
  let first = true;
  for (;;) {
    if (at >= p.end) return -1;
    const length = data[at];
    if (length >= 0xc0) {
      if (at + 2 > p.end) return -1;
      if (after < 0) after = at + 2;
      const target = message + (readU16(data, at) & 0x3fff);
      if (target >= limit) {
        p.text += '<BAD PTR>';
        return -1;
      }
      limit = target;
      at = target;
      continue;
    }
    if (length >= 0x40) {
      p.text += '<BAD LABEL TYPE>';
      return -1;
    }
    if (length === 0) {
      p.text += '.';
      return after < 0 ? at + 1 : after;
    }
    if (!first) p.text += '.';
    first = false;
    if (at + 1 + length > p.end) return -1;
    for (let i = 1; i <= length; i++) p.text += printable(data[at + i]);
    at += 1 + length;
  }
}

/** Characters as `cat -v` shows them. */
function printable(octet: number): string {
  const low = octet & 127;
  const high = octet > 127 ? 'M-' : '';
  if (low === 127) return `${high}^?`;
  return low < 32 ? `${high}^${String.fromCharCode(low ^ 64)}` : high + String.fromCharCode(low);
}
