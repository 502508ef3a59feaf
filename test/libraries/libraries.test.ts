/**
 * Libraries of the ecosystem over our stack, both ends of each, by every route: `npm run libraries` without the real
 * servers. What is checked stands in libraries/checks, and docs/libraries.md says it.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FOLDER, LIBRARIES, ROUTES, routesOf } from '../../tools/libraries/catalogue.ts';
import { checkDocument } from '../../tools/libraries/document.ts';
import { type Result, runLibrary } from '../../tools/libraries/runner.ts';
import { commandFile } from '../interop/command.ts';

const installed = existsSync(path.join(FOLDER, 'node_modules', '.estab-packages'));

describe.each(LIBRARIES.filter(({ server }) => server === null))('$name', (library) => {
  beforeEach(({ skip }) => {
    if (!installed) skip('the packages of libraries/ are not installed');
  });
  const results: Result[] = [];
  const routes = routesOf(library).map((route) => ({ route, name: ROUTES[route] }));

  test.each(routes)('by $name', async ({ route }) => {
    commandFile();
    const result = await runLibrary(library, route);
    results.push(result);
    expect(result.checks.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(result.why).toBe('');
    expect(result.state).toBe('passed');
  });

  test('docs/libraries.md says what was checked', () => {
    expect(results).toHaveLength(routes.length);
    expect(checkDocument(results)).toEqual([]);
  });
});
