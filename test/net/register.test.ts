/** Unmodified programs under `--import estab/register`, each in a process of its own, with an eye on the kernel. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
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

async function run(program: string, args: string[], environment: Record<string, string> = {}, more: string[] = []) {
  const preload = [
    '-r',
    path.join(HERE, 'programs', 'watch-kernel.cjs'),
    '--import',
    'tsx',
    '--import',
    REGISTER,
    ...more,
  ];
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

test('UDP goes over the stack, by named imports too, and the kernel hears nothing', async () => {
  expect(await run('datagrams.mjs', [])).toEqual({
    code: 0,
    lines: [
      ...['udp4 one back true true', 'udp4 null 3', 'udp4 two back true'],
      ...['udp6 one back true true', 'udp6 null 3', 'udp6 two back true'],
      'recvmsg ECONNREFUSED',
      'kernel: nothing',
    ],
    errors: '',
  });
});

test('UDP that is not chosen goes over the kernel', async () => {
  const { lines } = await run('datagrams.mjs', [], { ESTAB_ONLY: '192.0.2.0/24', ESTAB_LISTEN: 'none' });
  expect(lines.slice(0, 3)).toEqual(['udp4 one back true true', 'udp4 null 3', 'udp4 two back true']);
  expect(lines.at(-1)).toMatch(/^kernel: .*bind.*send.*connect/);
});

/** Two name servers and a shop; the program's web server stands at the shop, the program itself on the laptop. */
const NETWORK = {
  hosts: {
    laptop: { address: ['10.0.0.1', '2001:db8:1::1'] },
    shop: {
      address: ['203.0.113.10', '2001:db8::10'],
      names: ['shop.example', 'www2.shop.example'],
      delayMs: 20,
      listens: [80],
      sysctl: ['tcp_fin_timeout=5'],
    },
    ns: {
      address: '10.0.0.53',
      zones: [
        {
          origin: 'example',
          records: [
            { name: 'shop.example', type: 'A', data: '203.0.113.10' },
            { name: 'shop.example', type: 'AAAA', data: '2001:db8::10' },
            { name: 'www.shop.example', type: 'CNAME', data: 'shop.example' },
            { name: 'shop.example', type: 'TXT', data: ['open', 'daily'] },
            { name: 'shop.example', type: 'MX', data: { preference: 5, exchange: 'mail.shop.example' } },
            {
              name: '_http._tcp.shop.example',
              type: 'SRV',
              data: { priority: 1, weight: 2, port: 80, target: 'shop.example' },
            },
          ],
        },
        {
          origin: 'in-addr.arpa',
          records: [{ name: '10.113.0.203.in-addr.arpa', type: 'PTR', data: 'shop.example' }],
        },
      ],
    },
    ns2: {
      address: '10.0.0.54',
      zones: [{ origin: 'example', records: [{ name: 'other.example', type: 'A', data: '203.0.113.99' }] }],
    },
  },
};

async function withFile<T>(content: unknown, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'estab-register-'));
  const file = path.join(folder, 'estab.json');
  writeFileSync(file, JSON.stringify(content));
  try {
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('names are asked over the stack in every way a program can ask, with the shapes and errors of Node', async () => {
  const config = { network: NETWORK, dns: ['10.0.0.53'] };
  // Without its web server, but with one of this test's making.
  const program = ['--import', pathToFileURL(path.join(HERE, 'programs', 'shop.cjs')).href];
  const { lines, errors, code } = await withFile(config, (file) => {
    return run('names.mjs', [], { ESTAB_CONFIG: file }, program);
  });
  expect({ errors, code }).toEqual({ errors: '', code: 0 });
  const said = Object.fromEntries(
    lines.slice(0, -1).map((line) => {
      const brace = line.search(/[[{"]/);
      return [line.slice(0, brace).trim(), JSON.parse(line.slice(brace))];
    }),
  );
  expect(said).toEqual({
    lookup: { address: '2001:db8::10', family: 6 },
    all: [
      { address: '2001:db8::10', family: 6 },
      { address: '203.0.113.10', family: 4 },
    ],
    'v4 first': { address: '203.0.113.10', family: 4 },
    family: { address: '203.0.113.10', family: 4 },
    localhost: { address: '127.0.0.1', family: 4 },
    resolve4: [{ address: '203.0.113.10', ttl: 300 }],
    resolve: ['2001:db8::10'],
    srv: [{ name: 'shop.example', port: 80, priority: 1, weight: 2 }],
    mx: [{ exchange: 'mail.shop.example', priority: 5 }],
    txt: [['open', 'daily']],
    alias: ['shop.example'],
    reverse: ['shop.example'],
    servers: ['10.0.0.53'],
    own: ['203.0.113.99'],
    'no such name': {
      message: 'getaddrinfo ENOTFOUND nobody.example',
      code: 'ENOTFOUND',
      errno: -3008,
      syscall: 'getaddrinfo',
      hostname: 'nobody.example',
    },
    'no such record': {
      message: 'queryTxt ENOTFOUND other.example',
      code: 'ENOTFOUND',
      syscall: 'queryTxt',
      hostname: 'other.example',
    },
    cancelled: {
      message: 'queryA ECANCELLED shop.example',
      code: 'ECANCELLED',
      syscall: 'queryA',
      hostname: 'shop.example',
    },
    http: 'the shop',
    fetch: 'the shop',
  });
  expect(lines.at(-1)).toBe('kernel: nothing');
});

test('a declared network: server and client of one program on two of its hosts, with the latency between them', async () => {
  const ns = { address: '10.0.0.53', zones: 'names' };
  const network = { hosts: { ...NETWORK.hosts, ns } };
  const apart = await withFile(network, (file) => run('serve-and-ask.cjs', [], { ESTAB_NETWORK: file }));
  expect(apart).toMatchObject({ code: 0, errors: '' });
  // Which family fetch takes is its own affair, and differs between versions of Node.
  expect(apart.lines[0]).toMatch(/^(::ffff:10\.0\.0\.1|2001:db8:1::1) asked 80 slow$/);
  expect(apart.lines[1]).toBe('kernel: nothing');
});

test('a capture opens decrypted: the secrets of TLS 1.2 and 1.3 stand before the packets', async ({ skip }) => {
  skip(spawnSync('tshark', ['--version']).status !== 0, 'tshark is not installed');
  const folder = mkdtempSync(path.join(tmpdir(), 'estab-secrets-'));
  const { laptop, shop } = NETWORK.hosts;
  const ns = { address: '10.0.0.53', zones: 'names' };
  const network = { hosts: { laptop, shop: { ...shop, listens: [443] }, ns } };
  try {
    const ESTAB_PCAP = path.join(folder, 'secret.pcapng');
    const ran = await withFile(network, (file) => run('secret.cjs', [], { ESTAB_NETWORK: file, ESTAB_PCAP }));
    expect(ran).toMatchObject({ code: 0, errors: '' });
    const fieldOf = (filter: string, field: string): string[] => {
      const read = spawnSync('tshark', ['-r', ESTAB_PCAP, '-Y', filter, '-T', 'fields', '-e', field]);
      return read.stdout.toString().trim().split('\n');
    };
    expect(fieldOf('http.request', 'http.request.uri')).toEqual(['/over-TLSv1.2', '/over-TLSv1.3']);
    // In version 1.3 the certificate comes encrypted in the server's first flight, with the hello that makes the secrets.
    expect(new Set(fieldOf('tls.handshake.type == 11', 'tcp.stream')).size).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the machine’s resolver keeps the names that are not chosen', async () => {
  const config = { network: NETWORK, only: ['*.example:80', 'shop.example'] };
  const { lines } = await withFile(config, (file) =>
    run('ask.cjs', ['http://nowhere.invalid/'], { ESTAB_CONFIG: file }),
  );
  expect(lines.at(-1)).toMatch(/^kernel: getaddrinfo nowhere\.invalid/);
});

test('ESTAB_DEBUG prints what happens under an unmodified program', async () => {
  const { lines, errors } = await run('datagrams.mjs', [], { ESTAB_DEBUG: 'tls,nothing' });
  expect(lines.at(-1)).toBe('kernel: nothing');
  expect(errors).toMatch(/^estab: ESTAB_DEBUG: "nothing" is no category; known are handshake, .*\n$/);
  const { errors: told } = await run('everything.cjs', [], { ESTAB_DEBUG: 'tls' });
  const messages = told.trim().split('\n');
  expect(messages[0]).toMatch(/^ *[\d.]+ tls +\S+:\d+ ──▶ 127\.0\.0\.1:\d+ {2}ClientHello len \d+, .*versions 1\.3/);
  expect(messages.every((line) => / tls /.test(line))).toBe(true);
});
