/**
 * Other people's programs at the other end of a TUN: curl, wrk, ab, openssl and nginx with Node's own servers and
 * clients on our stack, psql, pgbench and redis-benchmark with real databases behind a relay on it. Every run's packets
 * go through the analysis (packets.ts), which must find nothing that nobody planted.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAMILIES, type Family, makeTun, TUN } from './command.ts';
import { Namespace, needs, ROOT, type Running } from './namespace.ts';
import { capture } from './packets.ts';
import { pattern } from './programs/pattern.ts';
import { addKernelAddresses, Certificates, KERNEL, listening, nginx, orderly, STACK, writeSite } from './servers.ts';
import { byConnection } from './stories.ts';

const REGISTER = pathToFileURL(path.join(ROOT, 'src', 'register.ts')).href;
const PROGRAMS = path.join(ROOT, 'test', 'interop', 'programs');
const OURS = STACK.v4.replace(/\/\d+$/, '');
const MEGABYTE = 1 << 20;

let ns: Namespace;
let certificates: Certificates;
beforeEach(needs('ip', 'ss', 'curl', 'tcpdump', 'tshark'));
beforeEach(async () => {
  ns = new Namespace();
  makeTun(ns);
  addKernelAddresses(ns);
  certificates = await Certificates.create(ns);
});
afterEach(async () => {
  await ns?.close();
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Node with a program that knows nothing of us, its connections on our stack. */
function registered(
  file: string,
  args: readonly string[],
  variables: Record<string, string> = {},
  family = FAMILIES[0],
): Running {
  const { prefixed, peer } = family as Family;
  const environment = { ESTAB_TUN: TUN, ESTAB_ADDRESS: prefixed, ESTAB_PEER: peer, ...variables };
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const preload = ['--import', 'tsx', '--import', REGISTER];
  return ns.start('env', [...settings, process.execPath, ...preload, path.join(PROGRAMS, file), ...args]);
}

/** The servers of sites.ts, by one way or the other. */
async function sites(way: 'estab/register' | 'estab/net', family = FAMILIES[0] as Family): Promise<void> {
  const { key, chain } = await certificates.issue('site', { names: ['shop.test', family.local] });
  copyFileSync(key, path.join(ns.folder, 'key.pem'));
  copyFileSync(chain, path.join(ns.folder, 'cert.pem'));
  const device = [TUN, family.prefixed, family.peer];
  const running =
    way === 'estab/net'
      ? ns.program('sites.ts', [ns.folder, ...device])
      : registered('sites.ts', [ns.folder], {}, family);
  await running.seen(/^ready$/m);
  // Nothing of it is the kernel's.
  expect(ns.runNow('ss', ['-Htln'])).toBe('');
}

async function curl(...args: string[]): Promise<string> {
  const common = ['-sSg', '--max-time', '60', '--cacert', certificates.rootFile];
  const { code, stdout, stderr } = await ns.run('curl', [...common, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.toString();
}

describe.each(FAMILIES)("curl with Node's servers, $name", (family) => {
  test.each(['estab/register', 'estab/net'] as const)('HTTP/1.1, HTTP/2, TLS 1.2 and 1.3, by %s', async (way) => {
    await sites(way, family);
    const seen = await capture(ns, TUN);
    const { host } = family;
    expect(await curl('--http1.1', `http://${host}/a`, `http://${host}/b`)).toBe(
      'GET /a by HTTP/1.1\nGET /b by HTTP/1.1\n',
    );
    expect(await curl('--http2-prior-knowledge', `http://${host}:81/a`)).toBe('GET /a by HTTP/2.0\n');
    const secure = ['-w', '%{http_version} %{num_connects}\n'];
    expect(await curl(...secure, '--http2', `https://${host}/c`)).toBe('GET /c by HTTP/2.0\n2 1\n');
    expect(await curl(...secure, '--http1.1', '--tls-max', '1.2', `https://${host}/d`)).toBe(
      'GET /d by HTTP/1.1\n1.1 1\n',
    );
    expect(await curl(...secure, '--tlsv1.3', `https://${host}:444/e`)).toBe('GET /e by HTTP/1.1\n1.1 1\n');
    // The two of the first line came over one connection.
    expect(await orderly(seen, { hasty: true })).toBe(5);
  });
});

describe("curl with Node's servers, large", () => {
  test.each([
    ['HTTP/1.1', '--http1.1', `http://${OURS}`],
    ['HTTP/2 over TLS', '--http2', `https://${OURS}`],
    ['HTTP/1.1 over TLS', '--http1.1', `https://${OURS}:444`],
  ])('%s: 8 MiB each way, then thirty answers side by side', async (_name, version, from) => {
    await sites('estab/register');
    const seen = await capture(ns, TUN, 120);
    const body = pattern(8 * MEGABYTE);
    const file = path.join(ns.folder, 'body');
    await curl(version, '-o', file, `${from}/bytes/${body.length}`);
    expect(ns.runNow('sha256sum', [file]).split(' ')[0]).toBe(sha256(body));
    expect(await curl(version, '-T', file, `${from}/put`)).toBe(`${sha256(body)}\n`);
    const many = ['--no-progress-meter', '-Z', '--parallel-max', '10', '-o', path.join(ns.folder, 'part-#1')];
    await curl(version, ...many, `${from}/bytes/20000?[1-30]`.replace('?', '#'));
    expect(await orderly(seen, { whole: false, hasty: true })).toBeGreaterThanOrEqual(3);
  });
});

describe('load', () => {
  beforeEach(needs('wrk', 'ab'));

  test('wrk: 64 kept-alive connections, every answer good', async () => {
    await sites('estab/register');
    const seen = await capture(ns, TUN, 120);
    const { stdout } = await ns.run('wrk', ['-t1', '-c64', '-d2s', `http://${OURS}/load`]);
    expect(stdout.toString()).toMatch(/[1-9]\d* requests in/);
    expect(stdout.toString()).not.toMatch(/Socket errors|Non-2xx/);
    // One more, by which it tries the server first.
    expect(byConnection(await seen.segments('tcp.flags.syn == 1 && tcp.flags.ack == 0'))).toHaveLength(65);
  });

  test.each([
    ['each on a connection of its own', [], 2000],
    ['on fifty kept-alive connections', ['-k'], 50],
  ])('ab: 2,000 requests, fifty at once, %s', async (_how, keep, connections) => {
    await sites('estab/net');
    const seen = await capture(ns, TUN, 120);
    const { stdout } = await ns.run('ab', ['-q', '-n', '2000', '-c', '50', ...keep, `http://${OURS}/bytes/3000`]);
    const report = stdout.toString();
    expect(report).toMatch(/Complete requests: +2000\n/);
    expect(report).toMatch(/Failed requests: +0\n/);
    expect(report).toMatch(/HTML transferred: +6000000 bytes/);
    const opened = await orderly(seen, { whole: false });
    // It opens the next ones before it counts that it is done.
    expect(opened).toBeGreaterThanOrEqual(connections);
    expect(opened).toBeLessThanOrEqual(connections + 50);
  });
});

describe('openssl', () => {
  beforeEach(needs('openssl'));

  test.each([
    ['X25519', 'X25519, 253 bits'],
    ['P-256', 'ECDH, prime256v1, 256 bits'],
    ['ffdhe2048', 'DH, 2048 bits'],
  ])('s_client -groups %s with a tls server on our stack', async (group, key) => {
    await sites('estab/register');
    const seen = await capture(ns, TUN);
    const where = [
      '-connect',
      `${OURS}:7`,
      '-CAfile',
      certificates.rootFile,
      '-verify_return_error',
      '-verify_ip',
      OURS,
    ];
    const client = ns.start('openssl', ['s_client', '-groups', group, '-no_ign_eof', ...where]);
    await client.seen(/Verify return code: 0 \(ok\)/);
    expect(client.stdout.toString()).toContain(`Server Temp Key: ${key}`);
    client.child.stdin.write('hello over there\n');
    await client.seen(/^hello over there$/m);
    client.child.stdin.end();
    expect((await client.done()).code).toBe(0);
    expect(await orderly(seen)).toBe(1);
  });

  test.each(['X25519', 'P-256', 'ffdhe2048'])('s_server -groups %s with a tls client on our stack', async (group) => {
    const { key, chain } = await certificates.issue('server', { names: ['shop.test'] });
    const own = ['s_server', '-accept', '4433', '-cert', chain, '-cert_chain', chain, '-key', key, '-groups', group];
    const server = ns.start('openssl', [...own, '-rev', '-quiet']);
    await listening(ns, 4433, server);
    const seen = await capture(ns, TUN);
    const client = registered('tls-lines.cjs', [KERNEL.v4, '4433', certificates.rootFile, group, '200']);
    const { code, stdout, stderr } = await client.done();
    expect({ code, stderr, stdout: stdout.toString() }).toEqual({
      code: 0,
      stderr: '',
      stdout: `200 reversed, ${group}\n`,
    });
    expect(await orderly(seen)).toBe(1);
  });
});

describe('nginx', () => {
  beforeEach(needs('nginx'));

  test.each(['http', 'https'])('as origin of %s: 200 requests of an http client on our stack', async (scheme) => {
    const root = writeSite(ns);
    writeFileSync(path.join(root, 'large'), pattern(100_000));
    const { key, chain } = await certificates.issue('site', { names: ['shop.test', KERNEL.v4] });
    const secure = `listen ${KERNEL.v4}:443 ssl; ssl_certificate ${chain}; ssl_certificate_key ${key};`;
    await nginx(ns, 443, `server { listen ${KERNEL.v4}:80; ${secure} root ${root}; }`);
    const seen = await capture(ns, TUN, 120);
    const authorities = scheme === 'https' ? [certificates.rootFile] : [];
    const client = registered('fetcher.cjs', [`${scheme}://${KERNEL.v4}/large`, '200', '20', ...authorities]);
    const { code, stdout, stderr } = await client.done();
    expect({ code, stderr, stdout: stdout.toString() }).toEqual({
      code: 0,
      stderr: '',
      stdout: `200 ${sha256(pattern(100_000))} 20\n`,
    });
    expect(await orderly(seen, { whole: false })).toBe(20);
  });

  test('as reverse proxy to Node on our stack, with connections kept alive between them', async (context) => {
    needs('ab')(context);
    await sites('estab/register');
    const upstream = `upstream ours { server ${OURS}:80; keepalive 8; }`;
    const pass = 'proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection "";';
    const proxy = await nginx(
      ns,
      8080,
      `${upstream} server { listen 127.0.0.1:8080; client_max_body_size 0; location / { ${pass} } }`,
    );
    const seen = await capture(ns, TUN, 120);
    const body = pattern(4 * MEGABYTE);
    const file = path.join(ns.folder, 'body');
    writeFileSync(file, body);
    expect(await curl('-T', file, 'http://127.0.0.1:8080/put')).toBe(`${sha256(body)}\n`);
    await curl('-o', `${file}-back`, `http://127.0.0.1:8080/bytes/${body.length}`);
    expect(ns.runNow('sha256sum', [`${file}-back`]).split(' ')[0]).toBe(sha256(body));
    const { stdout } = await ns.run('ab', ['-q', '-n', '1000', '-c', '8', 'http://127.0.0.1:8080/bytes/3000']);
    expect(stdout.toString()).toMatch(/Failed requests: +0\n/);
    // What nginx keeps it closes when it ends.
    await proxy.stop('SIGQUIT');
    const connections = await orderly(seen, { whole: false });
    expect(connections).toBeLessThan(200);
    expect(proxy.stderr).not.toMatch(/\[(error|crit|alert|emerg)\]/);
  });
});

describe('databases behind a relay on our stack', () => {
  /** The client of the kernel's side speaks with our stack, the relay hands on to a real server on loopback. */
  async function relay(port: number, to: number): Promise<void> {
    await registered('relay.cjs', [String(port), '127.0.0.1', String(to)], { ESTAB_ONLY: '10.7.0.0/24' }).seen(
      /^ready$/m,
    );
  }

  test('redis-benchmark and redis-cli with Redis, pipelined and not', async (context) => {
    needs('redis-server', 'redis-cli', 'redis-benchmark')(context);
    const own = ['--port', '6379', '--bind', '127.0.0.1', '--save', '', '--dir', ns.folder];
    await listening(ns, 6379, ns.start('redis-server', own));
    await relay(6380, 6379);
    const seen = await capture(ns, TUN, 120);
    const at = ['-h', OURS, '-p', '6380'];
    const load = ['-q', '-n', '2000', '-c', '30', '-d', '200', '-t', 'set,get,lpush,lrange_100'];
    for (const pipelined of [[], ['-P', '16']]) {
      const { code, stdout } = await ns.run('redis-benchmark', [...at, ...load, ...pipelined]);
      expect(code).toBe(0);
      expect(stdout.toString().match(/requests per second/g)).toHaveLength(5);
      expect(stdout.toString()).not.toMatch(/error/i);
    }
    const value = pattern(3 * MEGABYTE).toString('hex');
    await ns.run('redis-cli', [...at, '-x', 'set', 'large'], { input: value });
    const { stdout } = await ns.run('redis-cli', [...at, '--raw', 'get', 'large']);
    expect(sha256(stdout.subarray(0, -1))).toBe(sha256(Buffer.from(value)));
    expect(byConnection(await seen.segments('tcp.flags.syn == 1 && tcp.flags.ack == 0')).length).toBeGreaterThan(200);
  });

  test('psql and pgbench with PostgreSQL', async (context) => {
    needs('psql', 'setpriv')(context);
    const folders = ['/usr/lib/postgresql'].filter((folder) => existsSync(folder));
    const bin = folders.flatMap((folder) => readdirSync(folder).map((version) => path.join(folder, version, 'bin')));
    const server = bin.find((folder) =>
      ['initdb', 'postgres', 'pgbench'].every((name) => existsSync(path.join(folder, name))),
    );
    if (server === undefined) return context.skip('needs a PostgreSQL server (Debian: postgresql)');
    const data = path.join(ns.folder, 'pg');
    mkdirSync(data, { mode: 0o700 });
    ns.runNow('chown', ['65534:65534', data]);
    ns.runNow('chmod', ['755', ns.folder]);
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const init = [...asNobody, path.join(server, 'initdb'), '-D', data, '-U', 'tea', '-A', 'trust', '--no-sync'];
    expect((await ns.run('setpriv', init)).code).toBe(0);
    const settings = ['-D', data, '-p', '5432', '-k', data, '-F', '-c', 'listen_addresses=127.0.0.1'];
    const postgres = ns.start('setpriv', [...asNobody, path.join(server, 'postgres'), ...settings]);
    await postgres.seen(/ready to accept connections/);
    await relay(5433, 5432);
    const seen = await capture(ns, TUN, 120);
    const at = ['-h', OURS, '-p', '5433', '-U', 'tea'];
    const query = 'select i, md5(i::text) from generate_series(1, 100000) i';
    const { stdout, stderr } = await ns.run('psql', [...at, '-d', 'postgres', '-Atc', query]);
    expect(stderr).toBe('');
    const rows = Array.from(
      { length: 100_000 },
      (_, i) =>
        `${i + 1}|${createHash('md5')
          .update(String(i + 1))
          .digest('hex')}`,
    );
    expect(sha256(stdout)).toBe(sha256(Buffer.from(`${rows.join('\n')}\n`)));
    const bench = path.join(server, 'pgbench');
    expect((await ns.run(bench, [...at, '-i', '-q', 'postgres'])).code).toBe(0);
    const load = await ns.run(bench, [...at, '-n', '-c', '8', '-t', '100', '-C', 'postgres']);
    expect(load.stdout.toString()).toContain('number of transactions actually processed: 800/800');
    expect(await orderly(seen, { whole: false })).toBeGreaterThan(800);
  });
});
