/** The examples behind a TUN, as their readers run them: an HTTP server for curl, a client of a real PostgreSQL. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { missing, start } from '../../tools/libraries/servers.ts';
import { commandFile } from '../interop/command.ts';
import { Namespace, needs, ROOT } from '../interop/namespace.ts';

let ns: Namespace | null = null;
beforeEach(needs('curl'));
afterEach(async () => {
  await ns?.close();
});

test('http-on-tun answers curl, and shows the connection that curl came by', async () => {
  commandFile();
  ns = new Namespace();
  const server = ns.start(process.execPath, ['examples/http-on-tun/server.mjs']);
  await server.seen(/^ready/m);
  const hello = await ns.run('curl', ['-s', 'http://10.9.0.2/']);
  expect(hello.stdout.toString()).toMatch(/^hello (::ffff:)?10\.9\.0\.1, no kernel made this connection\n$/);
  const sockets = (await ns.run('curl', ['-s', 'http://10.9.0.2/sockets'])).stdout.toString();
  expect(sockets).toMatch(/^LISTEN .*10\.9\.0\.2:80/m);
  expect(sockets).toMatch(/^ESTAB .*10\.9\.0\.2:80 +10\.9\.0\.1:\d+\n\t .*rtt:/m);
  expect((await server.stop()).code).toBe(0);
});

test('postgres reports its harvest', async ({ skip }) => {
  const lacking = missing('postgres');
  if (lacking !== null) skip(lacking);
  if (!existsSync(path.join(ROOT, 'examples', 'node_modules', 'pg')))
    skip('the packages of libraries/ are not installed');
  commandFile();
  const serving = await start('postgres');
  try {
    const where = { PGHOST: serving.peer, PGUSER: 'postgres', PGPASSWORD: 'secret', PGDATABASE: 'postgres' };
    const environment = Object.entries(where).map(([name, value]) => `${name}=${value}`);
    const program = [process.execPath, 'examples/postgres/report.mjs', serving.tun, serving.local];
    const { code, stdout, stderr } = await serving.run('env', [...environment, ...program]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [apples, plums, market, connection] = stdout.toString().split('\n');
    expect([apples, plums, market]).toEqual(['apples: 120 kg', 'plums: 80 kg', 'market: sold out']);
    expect(connection).toMatch(/^ESTAB 10\.77\.0\.2:\d+ → 10\.77\.0\.1:5432, round trip \d+\.\d ms$/);
  } finally {
    await serving.close();
  }
});
