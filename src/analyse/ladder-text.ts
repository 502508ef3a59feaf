/** The ladder as text for a terminal of 80 columns and up: one line a segment, both ends' states at the edges. */

import type { Paint, Tone } from './describe.ts';
import { foldLadder, type Ladder, type LadderRow } from './ladder.ts';

export interface LadderTextOptions {
  width?: number;
  /** Longest run of plain segments shown whole; 0 shows everything. */
  keep?: number;
  range?: [number, number];
  paint?: Paint;
}

const STATE_WIDTH = 12;
const TIME_WIDTH = 9;

export function ladderText(ladder: Ladder, options: LadderTextOptions = {}): string {
  const width = Math.max(80, options.width ?? 100);
  const paint: Paint = options.paint ?? ((_, text) => text);
  const middle = width - 2 * STATE_WIDTH - TIME_WIDTH - 4;
  const { client, server } = ladder.report;
  const lines: string[] = [];
  const left = `client ${client.address}:${client.port}`;
  const right = `server ${server.address}:${server.port}`;
  lines.push(
    paint('head', `${' '.repeat(TIME_WIDTH + 1)}${left}${right.padStart(width - TIME_WIDTH - 1 - left.length)}`),
  );
  let row: LadderRow | null = null;
  for (const line of foldLadder(ladder.rows, options.keep ?? 8, options.range)) {
    if (line.kind === 'fold') {
      lines.push(paint('faint', `${' '.repeat(TIME_WIDTH + 1)}${center(line.text, width - TIME_WIDTH - 1)}`));
      continue;
    }
    const before = row;
    row = line.row;
    const showClient = before === null || before.client !== row.client;
    const showServer = before === null || before.server !== row.server;
    const time = row.time < 100 ? (row.time * 1000).toFixed(row.time < 1 ? 2 : 1) : (row.time * 1000).toFixed(0);
    const arrow = arrowOf(row, middle);
    const text = `${time.padStart(TIME_WIDTH)} ${(showClient ? row.client : '').padEnd(STATE_WIDTH)} ${arrow} ${showServer ? row.server.padStart(STATE_WIDTH) : ''}`;
    lines.push(paint(toneOf(row), text.trimEnd()));
  }
  return `${lines.join('\n')}\n`;
}

function center(text: string, width: number): string {
  return text.padStart(Math.floor((width + text.length) / 2));
}

function toneOf(row: LadderRow): Tone {
  if (row.lost || row.flags.includes('R') || row.mark === 'not the peer') return 'bad';
  if (row.mark !== '') return 'warn';
  return row.flags.includes('S') ? 'good' : 'plain';
}

/** `──[P.]─ seq 1:38 ack 1 ──▶`, broken by a ╳ where it was lost. */
function arrowOf(row: LadderRow, width: number): string {
  const length = row.length > 0 ? ` len ${row.length}` : '';
  const mark = row.mark === '' ? '' : ` (${row.mark})`;
  let label = `[${row.flags}] ${row.numbers}${length}${mark}`;
  if (label.length > width - 6) label = `${label.slice(0, width - 7)}…`;
  const rest = width - label.length - 5;
  if (row.lost) {
    const half = Math.max(0, rest - 1);
    const bar = '─'.repeat(half);
    return row.fromClient ? `── ${label} ${bar}╳` : `╳${bar} ${label} ──`;
  }
  const bar = '─'.repeat(Math.max(0, rest - 1));
  return row.fromClient ? `── ${label} ${bar}▶` : `◀${bar} ${label} ──`;
}

/** A sequence diagram in Mermaid's language, for documents that draw it themselves. */
export function ladderMermaid(ladder: Ladder, keep = 8): string {
  const { client, server } = ladder.report;
  const lines = [
    'sequenceDiagram',
    `  participant C as client ${client.address}:${client.port}`,
    `  participant S as server ${server.address}:${server.port}`,
  ];
  let before: LadderRow | null = null;
  for (const line of foldLadder(ladder.rows, keep)) {
    if (line.kind === 'fold') {
      lines.push(`  Note over C,S: ${line.text}`);
      continue;
    }
    const { row } = line;
    const arrow = row.lost ? '--x' : '->>';
    const [from, to] = row.fromClient ? ['C', 'S'] : ['S', 'C'];
    const mark = row.mark === '' ? '' : ` (${row.mark})`;
    lines.push(`  ${from}${arrow}${to}: [${row.flags}] ${row.numbers}${mark}`);
    if (before !== null && before.client !== row.client) lines.push(`  Note left of C: ${row.client}`);
    if (before !== null && before.server !== row.server) lines.push(`  Note right of S: ${row.server}`);
    before = row;
  }
  return `${lines.join('\n')}\n`;
}
