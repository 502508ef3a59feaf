/**
 * The ladder as SVG: time runs down, arrows slant by the flight time, lost segments break off with a cross. The scale is
 * compressed: each row is a line of text high, and a long pause costs one row more and says how long it was.
 */

import { foldLadder, type Ladder, type LadderLine, type LadderRow } from './ladder.ts';
import { escapeXml, svgDocument } from './svg.ts';
import { duration } from './words.ts';

export interface LadderSvgOptions {
  keep?: number;
  range?: [number, number];
}

const WIDTH = 920;
const LEFT = 210;
const RIGHT = 710;
const ROW = 26;
const TOP = 64;
/** How far an arrow slants at most, in pixels. */
const SLANT = 16;

export function ladderSvg(ladder: Ladder, options: LadderSvgOptions = {}): string {
  const lines = foldLadder(ladder.rows, options.keep ?? 8, options.range);
  const parts: string[] = [];
  const longest = Math.max(0.000001, ...ladder.rows.map((row) => row.received - row.sent));
  let y = TOP;
  let before: LadderRow | null = null;
  for (const line of lines) {
    const first = line.kind === 'row' ? line.row : line.from;
    const pause: number = before === null ? 0 : first.time - before.time;
    if (before !== null && pause > 10 * longest && pause > 0.05) {
      parts.push(
        `<text class="faint" x="${(LEFT + RIGHT) / 2}" y="${y + 4}" text-anchor="middle">${duration(pause)} pass</text>`,
      );
      y += ROW;
    }
    parts.push(drawLine(line, y, longest, before));
    before = line.kind === 'row' ? line.row : line.to;
    y += ROW;
  }
  const height = y + 24;
  const { client, server } = ladder.report;
  const head = [
    '<text class="faint" x="70" y="43" text-anchor="end">ms</text>',
    `<text class="head" x="${LEFT}" y="26" text-anchor="middle">client</text>`,
    `<text class="faint" x="${LEFT}" y="43" text-anchor="middle">${escapeXml(client.address)}:${client.port}</text>`,
    `<text class="head" x="${RIGHT}" y="26" text-anchor="middle">server</text>`,
    `<text class="faint" x="${RIGHT}" y="43" text-anchor="middle">${escapeXml(server.address)}:${server.port}</text>`,
    `<path class="axis" d="M${LEFT} 50V${height - 10}M${RIGHT} 50V${height - 10}"/>`,
  ];
  const title = `${client.address}:${client.port} and ${server.address}:${server.port}, segment by segment`;
  const { handshake, closing } = ladder.report;
  const description = `${ladder.rows.length} segments; opened: ${handshake}, ended: ${closing}.`;
  return svgDocument(WIDTH, height, title, description, head.join('') + parts.join(''));
}

function drawLine(line: LadderLine, y: number, longest: number, before: LadderRow | null): string {
  if (line.kind === 'fold') {
    const middle = (LEFT + RIGHT) / 2;
    return (
      `<rect class="band" x="${LEFT + 1}" y="${y - 11}" width="${RIGHT - LEFT - 2}" height="22"/>` +
      `<text class="faint" x="${middle}" y="${y + 4}" text-anchor="middle">${escapeXml(line.text)}</text>`
    );
  }
  const { row } = line;
  const parts = [
    `<text class="faint" x="70" y="${y + 4}" text-anchor="end">${(row.time * 1000).toFixed(row.time < 10 ? 2 : 0)}</text>`,
    arrow(row, y, longest),
  ];
  if (before === null || before.client !== row.client) {
    parts.push(`<text x="${LEFT - 10}" y="${y + 4}" text-anchor="end">${row.client}</text>`);
  }
  if (before === null || before.server !== row.server) {
    parts.push(`<text x="${RIGHT + 10}" y="${y + 4}">${row.server}</text>`);
  }
  return parts.join('');
}

function arrow(row: LadderRow, y: number, longest: number): string {
  const slant = (SLANT * (row.received - row.sent)) / longest;
  const [x1, x2] = row.fromClient ? [LEFT, RIGHT] : [RIGHT, LEFT];
  const y1 = y - slant / 2;
  const y2 = y + slant / 2;
  const kind =
    row.lost || row.flags.includes('R') ? 'lost' : row.mark !== '' ? 'warn' : row.flags.includes('S') ? 'good' : 'line';
  const fill = kind === 'line' ? 'fill' : `fill-${kind}`;
  const direction = row.fromClient ? 1 : -1;
  const mark = row.mark === '' ? '' : ` (${row.mark})`;
  const length = row.length > 0 ? ` len ${row.length}` : '';
  const label = escapeXml(`[${row.flags}] ${row.numbers}${length}${mark}`);
  const half = (label.length * 7.25) / 2 + 5;
  const middle = (LEFT + RIGHT) / 2;
  const plate = `<rect class="plate" x="${middle - half}" y="${y - 9}" width="${2 * half}" height="18"/>`;
  const text = `<text x="${middle}" y="${y + 4}" text-anchor="middle"${kind === 'line' ? '' : ` class="t-${kind}"`}>${label}</text>`;
  if (row.lost) {
    const stop = x2 - direction * 60;
    const yStop = y1 + ((y2 - y1) * Math.abs(stop - x1)) / Math.abs(x2 - x1);
    const cross = `M${stop - 5} ${yStop - 5}l10 10M${stop + 5} ${yStop - 5}l-10 10`;
    return `<path class="lost" stroke-dasharray="6 4" d="M${x1} ${y1}L${stop} ${yStop}"/><path class="lost" stroke-width="2" d="${cross}"/>${plate}${text}`;
  }
  const head = `<path class="${fill}" d="M${x2} ${y2}l${-direction * 9} -4v8z"/>`;
  return `<path class="${kind}" d="M${x1} ${y1}L${x2} ${y2}"/>${head}${plate}${text}`;
}
