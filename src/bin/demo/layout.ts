/**
 * How a ladder is laid out in the width there is:
 *
 *   wide    time, `BEFORE → AFTER`, arrow, `BEFORE → AFTER`, time of the other end
 *   medium  time, `BEFORE→AFTER`, arrow, `BEFORE→AFTER`
 *   narrow  time, AFTER, arrow, AFTER: what it was before stands in the row above
 *   stacked time and segment in one row, and below it the states that changed
 */

import type { Line, StatePair } from './lines.ts';

export interface Layout {
  readonly kind: 'wide' | 'medium' | 'narrow' | 'stacked';
  readonly width: number;
  readonly timeWidth: number;
  /** Spaces between the columns. */
  readonly gap: number;
  readonly clientWidth: number;
  readonly serverWidth: number;
  /** For the arrow and the segment on it. */
  readonly middle: number;
}

/** Room an arrow with a segment on it needs to be worth drawing. */
const MIDDLE = { wide: 60, medium: 43, narrow: 34 } as const;

/** What there is room for, the roomiest first; the last one always is. */
export function layoutsFor(width: number, lines: readonly Line[], timeWidth: number): Layout[] {
  const layouts: Layout[] = [];
  for (const kind of ['wide', 'medium', 'narrow'] as const) {
    const clientWidth = longest(lines.map((line) => stateText(kind, line.client)));
    const serverWidth = longest(lines.map((line) => stateText(kind, line.server)));
    const times = kind === 'wide' ? 2 : 1;
    const gap = kind === 'medium' ? 1 : 2;
    const middle = width - times * (timeWidth + gap) - clientWidth - serverWidth - 2 * gap;
    if (middle >= MIDDLE[kind]) layouts.push({ kind, width, timeWidth, gap, clientWidth, serverWidth, middle });
  }
  const middle = width - timeWidth - 2;
  layouts.push({ kind: 'stacked', width, timeWidth, gap: 2, clientWidth: 0, serverWidth: 0, middle });
  return layouts;
}

export function stateText(kind: Layout['kind'], [before, after]: StatePair): string {
  if (before === after || kind === 'narrow') return after;
  return kind === 'medium' ? `${before}→${after}` : `${before} → ${after}`;
}

function longest(texts: readonly string[]): number {
  return Math.max(6, ...texts.map((text) => text.length));
}
