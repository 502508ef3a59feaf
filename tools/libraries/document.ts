/** The table library by route, as people see it after a run and in docs/libraries.md. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LIBRARIES, type Library, ROOT, ROUTES, type Route, routesOf, versionsOf } from './catalogue.ts';
import type { Result } from './runner.ts';

const DOCUMENT = path.join(ROOT, 'docs', 'libraries.md');
const MARK = '<!-- from here on written by: npm run libraries -- --write -->';
const COLUMNS = Object.keys(ROUTES) as Route[];

/** The results of one library, and its claims in the order in which they were made, with the routes that made each. */
interface Row {
  readonly library: Library;
  readonly cells: readonly string[];
  readonly claims: ReadonlyMap<string, readonly Route[]>;
}

function rowsOf(results: readonly Result[]): Row[] {
  const libraries = LIBRARIES.filter((library) => results.some((result) => result.library === library));
  return libraries.map((library) => {
    const own = results.filter((result) => result.library === library);
    const claims = new Map<string, Route[]>();
    for (const { route, checks } of own) {
      for (const { check } of checks) claims.set(check, [...(claims.get(check) ?? []), route]);
    }
    const cells = COLUMNS.map((route) => {
      const result = own.find((one) => one.route === route);
      return result === undefined ? '–' : result.state === 'passed' ? counted(result.checks.length) : result.state;
    });
    return { library, cells, claims };
  });
}

function counted(checks: number): string {
  return `${checks} ${checks === 1 ? 'check' : 'checks'}`;
}

/** `(preload)` where not every route of the library makes the claim. */
function claimLines({ library, claims }: Row): string[] {
  const all = routesOf(library).length;
  return [...claims].map(([claim, routes]) => {
    const some = routes.length === all ? '' : ` (${routes.map((route) => ROUTES[route]).join(', ')})`;
    return `${claim}${some}`;
  });
}

/** For the terminal: a line a library, and under it what was checked. */
export function table(results: readonly Result[]): string {
  const rows = rowsOf(results);
  const titles = ['library', ...COLUMNS.map((route) => ROUTES[route]), 'against'];
  const lines = [titles, ...rows.map(({ library, cells }) => [library.name, ...cells, library.against])];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const [head, ...body] = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  const text = [head];
  for (const [i, line] of body.entries()) text.push(line, ...claimLines(rows[i]).map((claim) => `    ${claim}`));
  return `${text.join('\n')}\n– the library takes no streams: only the preload reaches it\n`;
}

function markdown(results: readonly Result[]): string {
  const rows = rowsOf(results);
  const lines = [
    `| library | against | ${COLUMNS.map((route) => ROUTES[route]).join(' | ')} | streams go in by |`,
    `|---|---|${'---|'.repeat(COLUMNS.length + 1)}`,
    ...rows.map(
      ({ library, cells }) =>
        `| ${library.name} (${versionsOf(library)}) | ${library.against} | ${cells.join(' | ')} | ${library.hook ?? '–'} |`,
    ),
    '',
  ];
  for (const row of rows) {
    lines.push(`**${row.library.name}**`, '', ...claimLines(row).map((claim) => `- ${claim}`), '');
  }
  return lines.join('\n');
}

export function writeDocument(results: readonly Result[]): void {
  const [written] = readFileSync(DOCUMENT, 'utf8').split(MARK);
  writeFileSync(DOCUMENT, `${written}${MARK}\n\n${markdown(results)}`);
}

/** What was checked in this run and the document does not say. */
export function checkDocument(results: readonly Result[]): string[] {
  const said = new Set(readFileSync(DOCUMENT, 'utf8').split('\n'));
  const whole = rowsOf(results.filter(({ state }) => state === 'passed'));
  return whole
    .filter(({ library, cells }) => cells.filter((cell) => cell !== '–').length === routesOf(library).length)
    .flatMap((row) =>
      claimLines(row)
        .filter((claim) => !said.has(`- ${claim}`))
        .map((claim) => `${row.library.name}: ${claim}`),
    );
}
