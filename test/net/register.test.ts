/** Unmodified programs under `--import estab/register`, each in a process of its own, with an eye on the kernel. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../libraries/certificate.ts';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REGISTER = pathToFileURL(path.resolve(HERE, '..', '..', 'src', 'register.ts')).href;
const { key, cert } = selfSigned();
const servers: Server[] = [];
let plain = 0;
let secure = 0;

/** Servers of the kernel's, in this process. */
async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  plain = await listen(createServer((_request, response) => response.end('by the kernel')));
  secure = await listen(
    createSecureServer({ key, cert }, (_request, response) => response.end('by the kernel, sealed')),
  );
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function run(program: string, args: string[], environment: Record<string, string> = {}) {
  const preload = ['-r', path.join(HERE, 'programs', 'watch-kernel.cjs'), '--import', 'tsx', '--import', REGISTER];
  const child = spawn(process.execPath, [...preload, path.join(HERE, 'programs', program), ...args], {
    env: { ...process.env, KEY: key, CERT: cert, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  child.stderr.on('data', (part) => {
    errors += part;
  });
  const [code] = await once(child, 'close');
  return { code, lines: output.trim().split('\n'), errors };
}

test('http, https, http2, fetch, tls and net of one program meet on the embedded network, and the kernel hears nothing', async () => {
  expect(await run('everything.cjs', [])).toEqual({
    code: 0,
    lines: [
      'http /get over 1.1',
      'fetch /fetched over 1.1',
      'https /s over 1.1',
      'http2 /two over 2.0',
      'net echo',
      'tls hello ::ffff:127.0.0.1 true',
      'refused connect ECONNREFUSED 127.0.0.1:1',
      'kernel: nothing',
    ],
    errors: '',
  });
});

test('what is not chosen goes over the kernel: by address, by name, with TLS too', async () => {
  const urls = [`http://127.0.0.1:${plain}`, `https://127.0.0.1:${secure}`];
  const over = await run('ask.cjs', urls, { ESTAB_ONLY: '192.0.2.0/24,*.example' });
  expect(over.lines).toEqual(['by the kernel', 'by the kernel, sealed', 'kernel: connect connect']);
  const named = [`http://localhost:${plain}`, `https://localhost:${secure}`];
  const split = await run('ask.cjs', [...named, ...urls], { ESTAB_ONLY: 'localhost' });
  expect(split.lines.slice(0, 4)).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'by the kernel', 'by the kernel, sealed']);
});

test('listeners may stay with the kernel', async () => {
  const { lines } = await run('everything.cjs', [], { ESTAB_ONLY: '192.0.2.0/24', ESTAB_LISTEN: 'none' });
  expect(lines.slice(0, 5)).toEqual([
    'http /get over 1.1',
    'fetch /fetched over 1.1',
    'https /s over 1.1',
    'http2 /two over 2.0',
    'net echo',
  ]);
  expect(lines.at(-1)).toMatch(/^kernel: .*listen.*connect/);
});

test('a configuration that makes no sense ends the program with the reason', async () => {
  const { code, errors } = await run('ask.cjs', [], { ESTAB_ONLY: 'http://somewhere' });
  expect(code).toBe(1);
  expect(errors).toContain('"http://somewhere" chooses no destination');
});
