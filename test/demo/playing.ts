/** Playing a story in a test, and reading what it came to. */

import { scenarioNamed } from '../../src/bin/demo/catalogue.ts';
import { jsonLines } from '../../src/bin/demo/json-lines.ts';
import { type RawOptions, readOptions } from '../../src/bin/demo/options.ts';
import { painter } from '../../src/bin/demo/paint.ts';
import { perform } from '../../src/bin/demo/perform.ts';
import { report } from '../../src/bin/demo/report.ts';
import type { Run } from '../../src/bin/demo/run.ts';

/** A line of `--json`. */
export interface JsonLine {
  readonly t: number;
  readonly from: 'client' | 'server' | null;
  readonly flags?: string;
  readonly seq: number;
  readonly ack: number;
  readonly len: number;
  readonly win: number;
  readonly options: { readonly mss?: number; readonly sack?: readonly (readonly number[])[] };
  readonly urg?: number;
  readonly lost?: true;
  readonly injected?: string;
  readonly cause?: string;
  readonly clientState: readonly [string, string];
  readonly serverState: readonly [string, string];
}

export interface Played {
  readonly run: Run;
  readonly lines: readonly JsonLine[];
  /** Each segment as `client SA SYN-SENT>ESTABLISHED LISTEN`, other lines with `-` for the end. */
  readonly told: readonly string[];
  /** What is printed at 100 columns. */
  readonly text: string;
  /** The words under the ladder, line breaks taken out. */
  readonly words: string;
}

export function play(name: string, raw: RawOptions = {}, width = 100): Played {
  const scenario = scenarioNamed(name)!;
  const run = perform(scenario, readOptions(raw, scenario.port));
  const lines = jsonLines(run.lines).map((line) => JSON.parse(line) as JsonLine);
  const rows = report(scenario, run, { width, paint: painter(false) }, 'Captured: nothing.');
  const text = rows.join('\n');
  // Prose begins after the first empty line that is followed by a row without a time.
  const words = rows
    .slice(rows.findLastIndex((row) => /[─▶◀]|→CLOSED/.test(row)) + 1)
    .join(' ')
    .replace(/ +/g, ' ');
  return { run, lines, told: lines.map(tell), text, words };
}

function tell(line: JsonLine): string {
  const who = line.from === null ? '-' : `${line.from} ${line.flags}${line.lost ? ' lost' : ''}`;
  return `${who} ${state(line.clientState)} ${state(line.serverState)}`;
}

function state([before, after]: readonly [string, string]): string {
  return before === after ? after : `${before}>${after}`;
}

/** The states an end went through, from the lines. */
export function lifeOf(end: 'client' | 'server', lines: readonly JsonLine[]): string[] {
  const pairs = lines.map((line) => (end === 'client' ? line.clientState : line.serverState));
  const life = [pairs[0][0]];
  for (const [before, after] of pairs) if (before !== after) life.push(after);
  return life as string[];
}
