/** The payloads tcpdump shows a line of, told by their port: HTTP, RTSP, FTP, SMTP, WHOIS, SSH's first line. */

import type { Printer } from './printer.ts';

const HTTP_METHODS = new Set(
  (
    'GET PUT COPY HEAD LOCK MOVE POLL POST BCOPY BMOVE MKCOL TRACE LABEL MERGE DELETE SEARCH UNLOCK REPORT UPDATE ' +
    'NOTIFY BDELETE CONNECT OPTIONS CHECKIN PROPFIND CHECKOUT CCM_POST SUBSCRIBE PROPPATCH BPROPFIND BPROPPATCH ' +
    'UNCHECKOUT MKACTIVITY MKWORKSPACE UNSUBSCRIBE RPC_CONNECT VERSION-CONTROL BASELINE-CONTROL'
  ).split(' '),
);
const RTSP_METHODS = new Set(
  'OPTIONS DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT RECORD'.split(' '),
);
const MAX_TOKEN = 128;

const LF = 10;
const CR = 13;

/** Writes what tcpdump writes after `length N` for a payload on these ports; nothing for all others. */
export function printTcpPayload(p: Printer, at: number, length: number, source: number, destination: number): void {
  // tcpdump asks in this order, for either port: telnet and SMTP go before SSH, SSH before FTP and HTTP.
  if (source === 23 || destination === 23) return;
  if (source === 25 || destination === 25) printText(p, at, length, 'SMTP', null);
  else if (source === 43 || destination === 43) printText(p, at, length, 'WHOIS', null);
  else if (isUndecoded(source) || isUndecoded(destination)) return;
  else if (source === 22 || destination === 22) printSshVersion(p, at, length);
  else if (source === 21 || destination === 21) printText(p, at, length, 'FTP', null);
  else if (source === 80 || destination === 80 || source === 8080 || destination === 8080) {
    printText(p, at, length, 'HTTP', HTTP_METHODS);
  } else if (source === 554 || destination === 554 || source === 8554 || destination === 8554) {
    printText(p, at, length, 'RTSP', RTSP_METHODS);
  }
}

/** BGP, PPTP and Redis: tcpdump takes them for what they are before it looks for the text protocols. */
function isUndecoded(port: number): boolean {
  return port === 179 || port === 1723 || port === 6379;
}

function printText(p: Printer, at: number, length: number, name: string, methods: Set<string> | null): void {
  p.protocol = name.toLowerCase();
  p.text += `: ${name}`;
  if (methods !== null && !startsMessage(p, at, length, methods)) return;
  if (p.verbose === 0) {
    printLine(p, ': ', at, 0, length);
    return;
  }
  p.text += `, length: ${length}`;
  for (let index = 0; index < length; ) {
    index = printLine(p, '\n\t', at, index, length);
    if (index === 0) break;
  }
}

/** Whether the payload begins with a method, or its second word is a response code of three digits. */
function startsMessage(p: Printer, at: number, length: number, methods: Set<string>): boolean {
  const first = token(p, at, 0, length);
  if (first === null) return false;
  if (methods.has(first.text.toUpperCase())) return true;
  const second = token(p, at, first.next, length);
  return second !== null && /^\d{3}$/.test(second.text);
}

function token(p: Printer, at: number, from: number, length: number): { text: string; next: number } | null {
  let text = '';
  let index = from;
  for (; index < length; index++) {
    if (at + index >= p.end) return null;
    const c = p.data[at + index];
    if (c === 32 || c === 9 || c === CR || c === LF) break;
    if (c < 32 || c > 126 || text.length + 2 > MAX_TOKEN + 1) return null;
    text += String.fromCharCode(c);
  }
  if (text === '') return null;
  while (index < length && at + index < p.end && p.data[at + index] === 32) index++;
  return { text, next: index };
}

/** Writes one line of printable characters; returns the index after it, 0 when there is none (or no more). */
function printLine(p: Printer, prefix: string, at: number, from: number, length: number): number {
  const { data } = p;
  let line = '';
  let index = from;
  for (; index < length; index++) {
    if (!p.has(at + index, 1)) return 0;
    const c = data[at + index];
    if (c === LF) {
      p.text += prefix + line;
      return index + 1;
    }
    if (c === CR) {
      if (index + 1 >= length) return 0;
      if (!p.has(at + index + 1, 1)) return 0;
      if (data[at + index + 1] !== LF) return 0;
      p.text += prefix + line;
      return index + 2;
    }
    if ((c < 32 || c > 126) && c !== 9) return 0;
    line += String.fromCharCode(c);
  }
  p.text += prefix + line;
  p.truncated();
  return 0;
}

/** RFC 4253 section 4.2: only the version line of SSH is text. */
function printSshVersion(p: Printer, at: number, length: number): void {
  p.protocol = 'ssh';
  const { data } = p;
  const start = 'SSH-';
  for (let i = 0; i < 4; i++) {
    if (!p.has(at + i, 1)) return;
    if (data[at + i] !== start.charCodeAt(i)) return;
  }
  let line = start;
  for (let index = 4; index < length; index++) {
    if (!p.has(at + index, 1)) return;
    const c = data[at + index];
    if (c === CR) {
      if (index + 1 >= length || data[at + index + 1] !== LF) return;
    }
    if (c === LF || c === CR) {
      p.text += `: SSH: ${line}`;
      return;
    }
    if (c < 32 || c > 126) return;
    line += String.fromCharCode(c);
  }
}
