/** A report as text for people: the answer first, the evidence under it. Plain text; colour is the command's affair. */

import type { CaptureReport, ConnectionReport, Finding } from './report.ts';
import { tellingOf } from './telling.ts';
import { duration, list, plural, thousands } from './words.ts';

/** How a line is meant, for whoever paints it. */
export type Tone = 'head' | 'bad' | 'warn' | 'good' | 'plain' | 'faint';
export type Paint = (tone: Tone, text: string) => string;

export interface DescribeOptions {
  /** Columns to stay within; 100 if left out. */
  width?: number;
  /** Only this connection. */
  connection?: number;
  /** Every connection, however many; otherwise the first and those with findings. */
  all?: boolean;
  /** How many connections the capture has, where the report holds only some of them. */
  total?: number;
  paint?: Paint;
}

const GOOD = new Set(['clean']);
const BAD = new Set([
  ...['loss', 'synack-lost', 'injected-reset', 'injected-syn', 'syn-flood', 'outage', 'overlap', 'keepalive-dead'],
  ...['unanswered', 'refused', 'abort', 'half-open', 'unread-data-reset', 'corruption', 'port-scan', 'retry-storm'],
]);

export function describe(report: CaptureReport, options: DescribeOptions = {}): string {
  const paint: Paint = options.paint ?? ((_, text) => text);
  const width = options.width ?? 100;
  const total = options.total ?? report.connections.length;
  const lines: string[] = [headline(report, total, paint)];
  const chosen =
    options.connection === undefined
      ? options.all
        ? report.connections
        : tellingOf(report, total)
      : report.connections.filter((c) => c.id === options.connection);
  if (options.connection === undefined && total !== 1) {
    for (const finding of report.findings) lines.push(...findingLines(finding, '', width, paint));
  }
  for (const c of chosen) lines.push('', ...connectionLines(c, width, paint));
  const hidden = options.connection === undefined ? total - chosen.length : 0;
  if (hidden > 0) lines.push('', paint('faint', `… ${plural(hidden, 'more connection')}: --all, or --connection N`));
  return `${lines.join('\n')}\n`;
}

function headline(report: CaptureReport, total: number, paint: Paint): string {
  const place = total === 1 ? placeText(report.connections[0]) : '';
  const parts = [
    report.file,
    `${plural(report.packets, 'packet')} in ${duration(report.duration)}`,
    plural(total, 'connection'),
    ...(place === '' ? [] : [place]),
  ];
  return paint('head', parts.join('  ·  '));
}

function placeText(c: ConnectionReport): string {
  if (c.capturePoint === null) return '';
  if (c.capturePoint === 'middle') return 'captured between the two';
  const bytes = c.sides.client.bytes - c.sides.server.bytes;
  const sender = bytes > 0 ? 'client' : 'server';
  const role = Math.abs(bytes) < 1000 ? '' : sender === c.capturePoint ? ' (the sender)' : ' (the receiver)';
  return `captured at the ${c.capturePoint}${role}`;
}

function connectionLines(c: ConnectionReport, width: number, paint: Paint): string[] {
  const who = `${c.id}  ${endpoint(c.client)} → ${endpoint(c.server)}`;
  const rtt = c.rtt.handshake ?? c.rtt.client?.min ?? c.rtt.server?.min ?? null;
  const facts = [
    openedText(c),
    ...(rtt === null ? [] : [`RTT ${duration(rtt / 1000)}`]),
    `${thousands(c.sides.client.bytes)} B ↑  ${thousands(c.sides.server.bytes)} B ↓`,
    closedText(c),
  ];
  const lines = [paint('head', who), ...wrap(facts.join('   '), '   ', width)];
  const counted = Object.entries(c.counts).filter(([, n]) => n > 0);
  for (const finding of c.findings) lines.push(...findingLines(finding, '   ', width, paint));
  if (counted.length > 0) {
    const text = counted.map(([kind, n]) => `${COUNT_WORDS[kind] ?? kind} ${n}`).join(' · ');
    lines.push(...wrap(text, '   ', width).map((line) => paint('faint', line)));
  }
  const labels = Object.entries(c.wireshark.flags);
  if (labels.length > 0) {
    const said = list(labels.map(([kind, n]) => `${n} ${kind.replaceAll('_', ' ')}`));
    lines.push(...wrap(`Wireshark's labels here: ${said}.`, '   ', width).map((line) => paint('faint', line)));
  }
  return lines;
}

const COUNT_WORDS: Readonly<Record<string, string>> = {
  lost: 'lost',
  lostAcks: 'of them bare ACKs',
  retransmitted: 'retransmitted',
  needless: 'needless',
  reordered: 'reordered',
  networkDuplicates: 'doubled by the network',
  capturedTwice: 'captured twice',
  captureGaps: 'capture gaps',
  zeroWindows: 'zero windows',
  windowProbes: 'window probes',
  keepAlives: 'keep-alives',
  challengeAcks: 'challenge ACKs',
  duplicateAcks: 'duplicate ACKs',
  windowFull: 'window full',
  ceMarks: 'CE marks',
  tailProbes: 'tail probes',
  timeouts: 'timeouts',
  corrupted: 'corrupted',
};

function endpoint(e: { address: string; port: number }): string {
  return e.address.includes(':') ? `[${e.address}]:${e.port}` : `${e.address}:${e.port}`;
}

function openedText(c: ConnectionReport): string {
  const words: Record<string, string> = {
    complete: 'opened by 3 segments',
    'simultaneous-open': 'opened by both at once',
    split: 'opened by a split handshake',
    refused: 'refused',
    unanswered: 'never answered',
    'half-open': 'never completed',
    'mid-stream': 'seen from the middle on',
    'fast-open': 'opened with text in the SYN',
  };
  return words[c.handshake] ?? c.handshake;
}

function closedText(c: ConnectionReport): string {
  const first = c.firstCloser === null || c.firstCloser === 'both' ? null : c.firstCloser;
  switch (c.closing) {
    case 'four-segments':
      return `${first} closed first (4 segments), ${holder(c)}`;
    case 'three-segments':
      return `${first} closed first (3 segments), ${holder(c)}`;
    case 'half-close':
      return `${first} closed its half first, ${holder(c)}`;
    case 'simultaneous':
      return `both closed at once, ${holder(c)}`;
    case 'fin-in-gap':
      return `${first} most likely closed first`;
    case 'half-closed':
      return `only the ${first} closed`;
    case 'fin-then-reset':
      return `the ${first} closed, then a reset`;
    case 'reset':
      return `reset by the ${first}`;
    case 'refused':
      return `reset by the ${first}`;
    default:
      return 'not closed in this capture';
  }
}

function holder(c: ConnectionReport): string {
  if (c.timeWaitHolder === null) return 'nobody holds TIME-WAIT yet';
  return c.timeWaitHolder === 'both' ? 'both hold TIME-WAIT' : `${c.timeWaitHolder} holds TIME-WAIT`;
}

function findingLines(finding: Finding, indent: string, width: number, paint: Paint): string[] {
  const tone: Tone = GOOD.has(finding.kind) ? 'good' : BAD.has(finding.kind) ? 'bad' : 'warn';
  const sure = finding.confidence === 'proven' ? '' : ` (${finding.confidence})`;
  const tail: string[] = [finding.kind];
  if (finding.frames.length > 0)
    tail.push(`${finding.frames.length === 1 ? 'frame' : 'frames'} ${list(finding.frames)}`);
  if (finding.rfc !== null) tail.push(finding.rfc);
  const body = wrap(`${finding.text}${sure}`, `${indent}  `, width);
  body[0] = `${indent}${paint(tone, '●')} ${body[0].trimStart()}`;
  body.push(paint('faint', `${indent}  ${tail.join('   ')}`));
  return body;
}

/** Breaks text into lines of at most `width` columns, each led by `indent`. */
export function wrap(text: string, indent: string, width: number): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/(?<=\S) (?=\S)/)) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  lines.push(line);
  return lines;
}
