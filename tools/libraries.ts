/**
 * Runs libraries of the ecosystem, real and unmodified, over our stack, each with data that is checked, and ends with the
 * table library by route and `N passed, N failed, N skipped`.
 *
 *   npm run libraries [-- NAME …] [--write]
 *
 * Names choose some of the libraries; `--write` writes what was checked into docs/libraries.md.
 */
import { LIBRARIES, type Library, ROUTES, routesOf } from './libraries/catalogue.ts';
import { checkDocument, table, writeDocument } from './libraries/document.ts';
import { type Result, runLibrary } from './libraries/runner.ts';
import { missing, start } from './libraries/servers.ts';

function tell({ library, route, state, checks, why, seconds }: Result): void {
  const name = `${library.name} · ${ROUTES[route]}`;
  const broken = checks.filter(({ error }) => error !== undefined);
  if (state === 'passed') process.stdout.write(`ok      ${name}  ${checks.length} checks, ${seconds.toFixed(1)} s\n`);
  else if (state === 'skipped') process.stdout.write(`skipped ${name}: ${why}\n`);
  else process.stdout.write(`FAILED  ${name}${why === '' ? '' : `: ${why}`}\n`);
  for (const { check, error } of broken)
    process.stdout.write(`        ${check}\n${(error ?? '').replace(/^/gm, '          ')}\n`);
}

/** All routes of one library, one after the other, against one server. */
async function runRoutes(library: Library): Promise<Result[]> {
  const lacking = library.server === null ? null : missing(library.server);
  const results: Result[] = [];
  const serving = library.server === null || lacking !== null ? null : await start(library.server);
  try {
    for (const route of routesOf(library)) {
      const result: Result =
        lacking === null
          ? await runLibrary(library, route, serving)
          : { library, route, state: 'skipped', checks: [], why: lacking, seconds: 0 };
      tell(result);
      results.push(result);
    }
  } finally {
    await serving?.close();
  }
  return results;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const write = args.includes('--write');
  const names = args.filter((arg) => arg !== '--write');
  const unknown = names.find((name) => !LIBRARIES.some((library) => library.name === name));
  if (unknown !== undefined || (write && names.length > 0)) {
    const known = LIBRARIES.map(({ name }) => name).join(', ');
    const what = unknown === undefined ? '--write takes all of them' : `there is no "${unknown}"; there are ${known}`;
    process.stderr.write(`libraries: ${what}\n`);
    process.exitCode = 2;
    return;
  }
  const results: Result[] = [];
  for (const library of LIBRARIES) {
    if (names.length === 0 || names.includes(library.name)) results.push(...(await runRoutes(library)));
  }
  const count = (state: Result['state']): number => results.filter((result) => result.state === state).length;
  process.stdout.write(`\n${table(results)}\n`);
  if (write && count('failed') + count('skipped') === 0) writeDocument(results);
  const stale = write ? [] : checkDocument(results);
  for (const line of stale) process.stdout.write(`${line}\n`);
  if (stale.length > 0) process.stdout.write('docs/libraries.md says otherwise: npm run libraries -- --write\n');
  process.stdout.write(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
  if (count('failed') > 0 || stale.length > 0) process.exitCode = 1;
}

await main();
