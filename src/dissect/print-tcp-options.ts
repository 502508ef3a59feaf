/** TCP options as tcpdump writes them: `options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7]`. */

import { readI32, readU16, readU32 } from '../base/bytes.ts';
import { hex2, ipv4Text, ipv6Text } from './addresses.ts';
import { base } from './print-tcp.ts';
import type { Printer } from './printer.ts';

const Kind = {
  EOL: 0,
  NOP: 1,
  MSS: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  ECHO: 6,
  ECHO_REPLY: 7,
  TIMESTAMPS: 8,
  CC: 11,
  CC_NEW: 12,
  CC_ECHO: 13,
  MD5: 19,
  SCPS: 20,
  USER_TIMEOUT: 28,
  AUTHENTICATION: 29,
  MULTIPATH: 30,
  FAST_OPEN: 34,
  EXPERIMENT: 254,
} as const;

const NAMES: (string | undefined)[] = [];
NAMES[Kind.EOL] = 'eol';
NAMES[Kind.NOP] = 'nop';
NAMES[Kind.MSS] = 'mss';
NAMES[Kind.WINDOW_SCALE] = 'wscale';
NAMES[Kind.SACK_PERMITTED] = 'sackOK';
NAMES[Kind.SACK] = 'sack';
NAMES[Kind.ECHO] = 'echo';
NAMES[Kind.ECHO_REPLY] = 'echoreply';
NAMES[Kind.TIMESTAMPS] = 'TS';
NAMES[Kind.CC] = 'cc';
NAMES[Kind.CC_NEW] = 'ccnew';
NAMES[Kind.CC_ECHO] = '';
NAMES[Kind.MD5] = 'md5';
NAMES[Kind.SCPS] = 'scps';
NAMES[Kind.USER_TIMEOUT] = 'uto';
NAMES[Kind.AUTHENTICATION] = 'tcp-ao';
NAMES[Kind.MULTIPATH] = 'mptcp';
NAMES[Kind.FAST_OPEN] = 'tfo';
NAMES[Kind.EXPERIMENT] = 'exp';

const TRUNCATED = -2;
const BAD = -1;

/** Writes the options at `at`; false when the line ends there (cut short, or malformed). */
export function printTcpOptions(p: Printer, at: number, length: number, flags: number): boolean {
  const { data } = p;
  p.text += ', options [';
  let left = length;
  let cp = at;
  let separator = '';
  // The commonest layout of all: nop, nop, timestamps.
  if (left === 12 && cp + 12 <= p.end && data[cp] === 1 && data[cp + 1] === 1 && readU16(data, cp + 2) === 0x080a) {
    p.text += `nop,nop,TS val ${readU32(data, cp + 4)} ecr ${readU32(data, cp + 8)}]`;
    return true;
  }
  while (left > 0) {
    p.text += separator;
    if (!p.has(cp, 1)) return false;
    const kind = data[cp];
    let size = 1;
    if (kind > 1) {
      if (!p.has(cp, 2)) return false;
      size = data[cp + 1];
      if (size < 2 || size > left) return bad(p, separator);
    }
    const body = kind > 1 ? size - 2 : 0;
    p.text += NAMES[kind] ?? `unknown-${kind}`;
    const room = left - (kind > 1 ? 2 : 1);
    const used = printOption(p, kind, cp + 2, body, room, flags);
    if (used === TRUNCATED) return cut(p, separator);
    if (used === BAD) return bad(p, separator);
    const taken = used + (kind > 1 ? 2 : 1);
    if (taken !== size) p.text += `[len ${size}]`;
    cp += taken;
    left -= taken;
    separator = ',';
    if (kind === Kind.EOL) break;
  }
  p.text += ']';
  return true;
}

function cut(p: Printer, separator: string): false {
  p.truncated();
  if (separator !== '') p.text += '>';
  return false;
}

function bad(p: Printer, separator: string): false {
  p.text += separator === '' ? '[bad opt]' : '[bad opt]]';
  return false;
}

/** Writes what follows an option's name; returns the octets of the body it read, or BAD or TRUNCATED. */
function printOption(p: Printer, kind: number, at: number, body: number, room: number, flags: number): number {
  const { data } = p;
  switch (kind) {
    case Kind.EOL:
    case Kind.NOP:
    case Kind.SACK_PERMITTED:
      return 0;
    case Kind.MSS:
      if (room < 2) return BAD;
      if (at + 2 > p.end) return TRUNCATED;
      p.text += ` ${readU16(data, at)}`;
      return 2;
    case Kind.WINDOW_SCALE:
      if (room < 1) return BAD;
      if (at + 1 > p.end) return TRUNCATED;
      p.text += ` ${data[at]}`;
      return 1;
    case Kind.SACK:
      return printSack(p, at, body, room);
    case Kind.TIMESTAMPS:
      if (room < 8) return BAD;
      if (at + 8 > p.end) return TRUNCATED;
      p.text += ` val ${readU32(data, at)} ecr ${readU32(data, at + 4)}`;
      return 8;
    case Kind.CC:
    case Kind.CC_NEW:
    case Kind.CC_ECHO:
    case Kind.ECHO:
    case Kind.ECHO_REPLY:
      if (room < 4) return BAD;
      if (at + 4 > p.end) return TRUNCATED;
      p.text += ` ${readU32(data, at)}`;
      return 4;
    default:
      return printRareOption(p, kind, at, body, room, flags);
  }
}

function printSack(p: Printer, at: number, body: number, room: number): number {
  if (body % 8 !== 0) {
    p.text += ' invalid sack';
    return body;
  }
  p.text += ` ${body / 8} `;
  const from = base.reverse ? base.seq : base.ack;
  for (let i = 0; i < body; i += 8) {
    if (i + 8 > room) return BAD;
    if (at + i + 8 > p.end) return TRUNCATED;
    const left = (readI32(p.data, at + i) - from) >>> 0;
    const right = (readI32(p.data, at + i + 4) - from) >>> 0;
    p.text += `{${left}:${right}}`;
  }
  return body;
}

function printRareOption(p: Printer, kind: number, at: number, body: number, room: number, flags: number): number {
  const { data } = p;
  switch (kind) {
    case Kind.MD5:
      if (room < 16) return BAD;
      if (at + 16 > p.end) return TRUNCATED;
      p.text += ` can't check - ${hexText(data, at, 16)}`;
      return 16;
    case Kind.SCPS:
      if (room < 2) return BAD;
      if (at + 2 > p.end) return TRUNCATED;
      p.text += ` cap ${hex2(data[at])} id ${data[at + 1]}`;
      return 2;
    case Kind.USER_TIMEOUT: {
      if (room < 2) return BAD;
      if (at + 2 > p.end) return TRUNCATED;
      const value = readU16(data, at);
      p.text += ` 0x${value.toString(16)} ${(value & 1) !== 0 ? (value >>> 1) * 60 : value >>> 1}`;
      return 2;
    }
    case Kind.AUTHENTICATION:
      if (body < 2) {
        p.invalid();
        return body;
      }
      if (at + body > p.end) return TRUNCATED;
      p.text += ` keyid ${data[at]} rnextkeyid ${data[at + 1]}`;
      if (body > 2) p.text += ` mac 0x${hexText(data, at + 2, body - 2)}`;
      return body;
    case Kind.MULTIPATH:
      if (at + body > p.end) return TRUNCATED;
      return printMultipath(p, at - 2, body + 2, flags) ? body : BAD;
    case Kind.FAST_OPEN:
      if (at + body > p.end) return TRUNCATED;
      p.text += ' ';
      printFastOpen(p, at, body);
      return body;
    case Kind.EXPERIMENT: {
      if (at + body > p.end) return TRUNCATED;
      if (body < 2) return BAD;
      const magic = readU16(data, at);
      p.text += '-';
      if (magic === 0xf989) {
        p.text += 'tfo';
        printFastOpen(p, at + 2, body - 2);
      } else p.text += magic.toString(16).padStart(4, '0');
      return body;
    }
    default:
      if (at + body > p.end) return TRUNCATED;
      if (body > 0) p.text += ` 0x${hexText(data, at, body)}`;
      return body;
  }
}

/** RFC 7413: an empty option asks for a cookie. */
function printFastOpen(p: Printer, at: number, length: number): void {
  if (length === 0) p.text += ' cookiereq';
  else if (length % 2 !== 0 || length < 4 || length > 16) p.invalid();
  else p.text += ` cookie ${hexText(p.data, at, length)}`;
}

const MULTIPATH_NAMES = ['capable', 'join', 'dss', 'add-addr', 'rem-addr', 'prio', 'fail', 'fast-close', 'unknown'];

/** Multipath TCP, RFC 8684 section 3; false when the length does not fit what the option says it is. */
function printMultipath(p: Printer, at: number, length: number, flags: number): boolean {
  p.protocol = 'mptcp';
  if (length < 3) return false;
  const { data } = p;
  const subtype = Math.min(data[at + 2] >>> 4, 8);
  p.text += ` ${length} ${MULTIPATH_NAMES[subtype]}`;
  switch (subtype) {
    case 0:
      return printCapable(p, at, length, flags);
    case 1:
      return printJoin(p, at, length, flags);
    case 2:
      return printDataSequence(p, at, length, flags);
    case 3:
      return printAddAddress(p, at, length);
    case 4:
      if (length < 4) return false;
      p.text += ' id';
      for (let i = 3; i < length; i++) p.text += ` ${data[at + i]}`;
      return true;
    case 5:
      if (length !== 3 && length !== 4) return false;
      p.text += (data[at + 2] & 1) !== 0 ? ' backup' : ' non-backup';
      if (length === 4) p.text += ` id ${data[at + 3]}`;
      return true;
    case 6:
      if (length !== 12) return false;
      p.text += ` seq ${u64(data, at + 4)}`;
      return true;
    case 7:
      if (length !== 12) return false;
      p.text += ` key 0x${u64(data, at + 4).toString(16)}`;
      return true;
    default:
      return true;
  }
}

function printCapable(p: Printer, at: number, length: number, flags: number): boolean {
  const syn = (flags & 2) !== 0;
  const onSyn = (length === 12 || length === 4) && syn;
  const onAck = (length === 20 || length === 22) && (flags & 18) === 16;
  if (!onSyn && !onAck) return false;
  const version = p.data[at + 2] & 15;
  if (version > 1) {
    p.text += ` Unknown Version (${version})`;
    return true;
  }
  p.text += ` v${version}`;
  if ((p.data[at + 3] & 0x80) !== 0) p.text += ' csum';
  if (length === 12 || length >= 20) {
    p.text += ` {0x${u64(p.data, at + 4).toString(16)}`;
    if (length >= 20) p.text += `,0x${u64(p.data, at + 12).toString(16)}`;
    p.text += '}';
  }
  return true;
}

function printJoin(p: Printer, at: number, length: number, flags: number): boolean {
  const { data } = p;
  const fits =
    (length === 12 && (flags & 2) !== 0) ||
    (length === 16 && (flags & 18) === 18) ||
    (length === 24 && (flags & 16) !== 0);
  if (!fits) return false;
  if (length !== 24) {
    if ((data[at + 2] & 1) !== 0) p.text += ' backup';
    p.text += ` id ${data[at + 3]}`;
  }
  if (length === 12) {
    p.text += ` token 0x${readU32(data, at + 4).toString(16)} nonce 0x${readU32(data, at + 8).toString(16)}`;
  } else if (length === 16) {
    p.text += ` hmac 0x${u64(data, at + 4).toString(16)} nonce 0x${readU32(data, at + 12).toString(16)}`;
  } else {
    p.text += ` hmac 0x${hexText(data, at + 4, 20)}`;
  }
  return true;
}

function printDataSequence(p: Printer, option: number, length: number, flags: number): boolean {
  const { data } = p;
  if (length < 4 || (flags & 2) !== 0) return false;
  const bits = data[option + 3];
  if ((bits & 0x10) !== 0) p.text += ' fin';
  let at = option + 4;
  const end = option + length;
  if ((bits & 0x01) !== 0) {
    const size = (bits & 0x02) !== 0 ? 8 : 4;
    p.text += ' ack ';
    if (at + size > end) return false;
    p.text += size === 8 ? `${u64(data, at)}` : `${readU32(data, at)}`;
    at += size;
  }
  if ((bits & 0x04) !== 0) {
    const size = (bits & 0x08) !== 0 ? 8 : 4;
    p.text += ' seq ';
    if (at + size > end) return false;
    p.text += size === 8 ? `${u64(data, at)}` : `${readU32(data, at)}`;
    at += size;
    if (at + 4 > end) return false;
    p.text += ` subseq ${readU32(data, at)}`;
    at += 4;
    if (at + 2 > end) return false;
    p.text += ` len ${readU16(data, at)}`;
    at += 2;
    if (at + 2 <= end) {
      p.text += ` csum 0x${readU16(data, at).toString(16)}`;
      at += 2;
    }
  }
  return at === end;
}

const ADDRESS_KINDS: Readonly<Record<number, string>> = { 6: 'v0-ip6', 4: 'v0-ip4', 1: 'v1-echo', 0: 'v1' };

function printAddAddress(p: Printer, at: number, length: number): boolean {
  const { data } = p;
  const v4 = length === 8 || length === 10 || length === 16 || length === 18;
  const v6 = length === 20 || length === 22 || length === 28 || length === 30;
  if (!v4 && !v6) return false;
  p.text += ` ${ADDRESS_KINDS[data[at + 2] & 15] ?? '[bad version/echo]'} id ${data[at + 3]}`;
  p.text += v4 ? ` ${ipv4Text(readI32(data, at + 4))}` : ` ${ipv6Text(data, at + 4)}`;
  let next = at + (v4 ? 8 : 20);
  const rest = at + length - next;
  if (rest === 2 || rest === 10) {
    p.text += `:${readU16(data, next)}`;
    next += 2;
  }
  if (rest >= 8) p.text += ` hmac 0x${u64(data, next).toString(16)}`;
  return true;
}

function u64(data: Uint8Array, at: number): bigint {
  return (BigInt(readU32(data, at)) << 32n) | BigInt(readU32(data, at + 4));
}

function hexText(data: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += hex2(data[at + i]);
  return text;
}
