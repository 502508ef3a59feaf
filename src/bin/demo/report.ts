/** The whole of what is printed for readers: a heading, the ladder, the summary, and where to go from there. */

import { ladder } from './ladder.ts';
import type { DemoOptions, Endpoint } from './options.ts';
import { duration, type Paint, wrap } from './paint.ts';
import type { Run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { totals } from './summary/agreement.ts';
import { summary } from './summary.ts';

export interface View {
  readonly width: number;
  readonly paint: Paint;
}

/** Prose is easier read in shorter lines than a ladder. */
const MOST_PROSE = 110;

export function report(scenario: Scenario, run: Run, view: View, captured: string): string[] {
  const { width, paint } = view;
  const rows = ladder(run.lines, run.remarks, {
    width,
    paint,
    absolute: run.options.absolute,
    clientName: `client ${endpointText(run.options.client)}`,
    serverName: `server ${endpointText(run.options.server)}`,
  });
  const usual = scenario.explainsAll === true ? [totals(run)] : summary(run, scenario.focus ?? []);
  const paragraphs = [...scenario.explain(run), ...usual];
  return [
    ...heading(scenario.name, run.options, view),
    '',
    ...rows,
    ...prose(paragraphs, view),
    '',
    ...footer(captured, scenario.name, view),
  ];
}

/** What is played, and over what. */
export function heading(name: string, options: DemoOptions, { width, paint }: View): string[] {
  const parts = [
    `${name} over an embedded network`,
    `${duration(options.delayMs)} each way`,
    ...(options.rate === null ? [] : [`${options.rate / 1e6} Mbit/s`]),
    ...(options.loss === 0 ? [] : [`${Number((options.loss * 100).toFixed(2))} % lost at random`]),
    `seed ${options.seed}`,
  ];
  const [first, ...rest] = wrap(`estab demo · ${parts.join(' · ')}`, width);
  return [paint('bold', first), ...rest];
}

/** Paragraphs, an empty line before the first, wrapped. */
export function prose(paragraphs: readonly string[], { width, paint }: View): string[] {
  return paragraphs.flatMap((paragraph) => {
    const [first, ...rest] = wrap(paragraph, Math.min(width, MOST_PROSE));
    return ['', emphasised(first, paint), ...rest];
  });
}

/** The answer that opens a paragraph stands out where there is colour: `Closed in four segments.` */
function emphasised(line: string, paint: Paint): string {
  const end = /[.:](?: |$)/.exec(line);
  if (end === null) return line;
  return `${paint('bold', line.slice(0, end.index + 1))}${line.slice(end.index + 1)}`;
}

export function footer(captured: string, name: string, { width, paint }: View): string[] {
  const next = ['estab demo --list', name === 'http' ? 'estab demo lost-last-ack' : 'estab demo', 'estab demo --help'];
  return [...wrap(captured, width), ...wrap(`Next: ${next.join(' · ')}`, width).map((line) => paint('dim', line))];
}

export function endpointText({ address, port }: Endpoint): string {
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
