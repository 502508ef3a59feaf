/** `estab get --tun`: the life of a request to real servers of other people's making, and where it breaks off. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandFile, FAMILIES, makeTun, TUN } from './command.ts';
import { Namespace, needs, type Running } from './namespace.ts';
import { capture } from './packets.ts';
import {
  addKernelAddresses,
  Certificates,
  dnsmasq,
  KERNEL,
  listening,
  nginx,
  orderly,
  STACK,
  writeSite,
} from './servers.ts';

let ns: Namespace;
let certificates: Certificates;
beforeEach(needs('ip', 'ss', 'nginx', 'dnsmasq', 'openssl', 'nc.openbsd', 'tcpdump', 'tshark'));
beforeEach(async () => {
  ns = new Namespace();
  makeTun(ns);
  addKernelAddresses(ns);
  certificates = await Certificates.create(ns);
});
afterEach(async () => {
  await ns?.close();
});

interface Got {
  code: number | null;
  out: string;
  err: string;
}

const ADDRESSES = ['--address', STACK.v4, '--address', STACK.v6];

async function get(...args: string[]): Promise<Got> {
  const device = args.includes('--address') ? [] : ADDRESSES;
  const command = [commandFile(), 'get', '--tun', TUN, ...device, '--timeout', '8', ...args];
  const { code, stdout, stderr } = await ns.run('env', ['COLUMNS=160', process.execPath, ...command]);
  return { code, out: stdout.toString(), err: stderr };
}

async function site(gzip: 'on' | 'off', extra = ''): Promise<Running> {
  const root = writeSite(ns);
  // A kernel that forwards says so when it cannot.
  ns.runNow('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
  const { key, chain } = await certificates.issue('shop', { names: ['shop.test', 'www.shop.test', KERNEL.v4] });
  const packing = `gzip ${gzip}; gzip_types text/css text/javascript image/svg+xml; gzip_min_length 64;`;
  const secure = `ssl_certificate ${chain}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;`;
  const plain = `listen ${KERNEL.v4}:80; listen [${KERNEL.v6}]:80;`;
  const both = `listen ${KERNEL.v4}:443 ssl http2; listen [${KERNEL.v6}]:443 ssl http2;`;
  const moves = 'location = /old { return 301 https://shop.test/; } location = /round { return 302 /round; }';
  const server = `root ${root}; ${extra} ${moves} location = /none { return 204; }`;
  const running = await nginx(
    ns,
    443,
    `${packing}\nserver { ${plain} ${server} }\nserver { ${both} ${secure} ${server} }`,
  );
  const names = [`shop.test,${KERNEL.v4},${KERNEL.v6}`, `four.test,${KERNEL.v4}`, `six.test,${KERNEL.v6}`];
  await dnsmasq(ns, [...names.map((record) => `--host-record=${record}`), '--cname=www.shop.test,shop.test']);
  return running;
}

describe('a page of nginx', () => {
  for (const family of FAMILIES) {
    test(`HTTP/2 over TLS, ${family.name}: every step shown, the capture decrypts`, async () => {
      await site('on');
      const seen = await capture(ns, TUN);
      const file = path.join(ns.folder, 'get.pcapng');
      const trust = ['--cacert', certificates.rootFile, '--dns', KERNEL.v4, '--pcap', file];
      const own = family.name === 'IPv4' ? STACK.v4 : STACK.v6;
      // The name server is reached by IPv4: the run over IPv6 has both, and prefers it.
      const addresses = family.name === 'IPv4' ? ['--address', own] : ADDRESSES;
      const { code, out, err } = await get('https://shop.test/', ...addresses, ...trust);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const asked = family.name === 'IPv4' ? 'shop.test A?' : 'shop.test AAAA? A?';
      expect(out).toContain(`DNS  ${asked}  → `);
      expect(out).toContain(`three segments to ${family.name === 'IPv4' ? '10.7.0.1' : '[fd00:7::1]'}:443`);
      expect(out).toMatch(/TLS {2}c1 · 1\.3 · X25519 · AES-256-GCM-SHA384 · h2/);
      expect(out).toContain("the same secrets on both ends: the server's Finished, made with them, was right");
      expect(out).toMatch(/GET \/ → 200 text\/html [\d.]+ k?B gzip of 5\.\d kB/);
      for (const name of ['/app.css', '/app.js', '/logo.svg', '/paper.svg']) expect(out).toContain(`GET ${name} → 200`);
      expect(out).toMatch(/h2, 5 requests; closed by/);
      const decrypted = await ns.run('tshark', [
        '-r',
        file,
        '-Y',
        'http2.headers.path',
        '-T',
        'fields',
        '-e',
        'http2.headers.path',
      ]);
      expect(decrypted.stdout.toString().trim().split(/[\n,]/).sort()).toEqual([
        '/',
        '/app.css',
        '/app.js',
        '/logo.svg',
        '/paper.svg',
      ]);
      expect(await orderly(seen)).toBe(1);
    });
  }

  test('HTTP/1.1 in the clear: redirected to the secure site, by way of an alias', async () => {
    await site('off');
    const seen = await capture(ns, TUN);
    const trust = ['--cacert', certificates.rootFile, '--dns', KERNEL.v4];
    const { code, out, err } = await get('http://www.shop.test/old', '--http1', '--connections', '3', ...trust);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('by way of shop.test');
    expect(out).toContain('GET /old → 301 on to https://shop.test/');
    expect(out).toMatch(/GET shop\.test\/ → 200 text\/html 5\.\d kB, first byte/);
    expect(out).toMatch(/c2 shop\.test :\d+ → \[fd00:7::1\]:443 http\/1\.1, \d requests?; closed by/);
    // Whoever comes second shows a ticket.
    expect(out).toMatch(/c[34] · 1\.3 · X25519 · \S+ · http\/1\.1 · resumed, no certificates · the same secrets/);
    expect(await orderly(seen)).toBeGreaterThanOrEqual(3);
  });

  test.each(['http/1.1', 'h2'])(
    '%s: a server that takes so many requests on a connection and no more',
    async (version) => {
      await site('off', 'keepalive_requests 2;');
      const seen = await capture(ns, TUN);
      const trust = ['--cacert', certificates.rootFile, '--resolve', `shop.test:443:${KERNEL.v4}`];
      const { code, out } = await get('https://shop.test/', ...trust, ...(version === 'h2' ? [] : ['--http1']));
      expect(out).not.toContain('Failed');
      expect(code).toBe(0);
      expect(out).toMatch(/5 requests, [\d.]+ kB, on [345] connections/);
      // nginx closes at once.
      expect(await orderly(seen, { hasty: true })).toBeGreaterThanOrEqual(3);
    },
  );

  test('a connection that was kept alive and is closed just when it is used: asked again on another', async () => {
    const answering = `import('node:net').then(({ createServer }) => createServer((socket) => {
      let asked = 0;
      socket.on('error', () => {}).on('data', (text) => {
        if (asked++ > 0) return socket.destroy();
        const body = String(text).startsWith('GET / ') ? '<script src="/a.js"></script>' : '// tea';
        socket.write('HTTP/1.1 200 OK\\r\\ncontent-type: text/html\\r\\ncontent-length: ' + body.length + '\\r\\n\\r\\n' + body);
      });
    }).listen(4434))`;
    await listening(ns, 4434, ns.start(process.execPath, ['-e', answering]));
    const { code, out } = await get(`http://${KERNEL.v4}:4434/`);
    expect(out).toMatch(/2 requests, 35 B, on 2 connections/);
    expect(code).toBe(0);
  });

  test('an answer without a body, by address, and everything as JSON', async () => {
    await site('on');
    const { code, out } = await get(`https://${KERNEL.v4}/none`, '--cacert', certificates.rootFile, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report.network).toMatchObject({ kind: 'tun', device: TUN, addresses: [STACK.v4, STACK.v6] });
    expect(report.pages[0].requests[0]).toMatchObject({ status: 204, octets: 0, failure: null });
    expect(report.connections[0]).toMatchObject({ dns: null, tls: { distrust: null, sharedSecrets: null } });
    expect(report.connections[0].close.firstCloser).not.toBeNull();
  });
});

describe('the key exchange with openssl s_server', () => {
  test.each([
    ['X25519', 32, '1.3'],
    ['P-256', 65, '1.3'],
    ['ffdhe2048', 256, '1.3'],
    ['X25519', 32, '1.2'],
    ['P-256', 65, '1.2'],
  ])('%s, %d octets, TLS %s', async (group, octets, version) => {
    const { key, chain } = await certificates.issue('server', { names: ['keys.test'] });
    const version12 = version === '1.2' ? ['-tls1_2'] : [];
    const own = ['s_server', '-accept', '4433', '-cert', chain, '-cert_chain', chain, '-key', key, '-www'];
    const server = ns.start('openssl', [...own, '-groups', group, ...version12]);
    await listening(ns, 4433, server);
    const seen = await capture(ns, TUN);
    const file = path.join(ns.folder, 'get.pcapng');
    const where = ['--resolve', `keys.test:4433:${KERNEL.v4}`, '--cacert', certificates.rootFile, '--pcap', file];
    const { code, out, err } = await get('https://keys.test:4433/', '--json', ...where);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { tls, dns } = JSON.parse(out).connections[0];
    expect(dns).toMatchObject({ addresses: [KERNEL.v4], server: null });
    // A server that takes another group than the one guessed asks for it first.
    expect(tls).toMatchObject({ version: `TLSv${version}`, group, retried: version === '1.3' && group !== 'X25519' });
    for (const value of [tls.clientPublic, tls.serverPublic]) {
      expect(value).toHaveLength(2 * octets);
      expect(readFileSync(file).includes(Buffer.from(value, 'hex'))).toBe(true);
    }
    expect(tls.clientPublic).not.toBe(tls.serverPublic);
    const decrypted = await ns.run('tshark', ['-r', file, '-d', 'tcp.port==4433,tls', '-Y', 'http.request.uri == "/"']);
    expect(decrypted.stdout.toString()).toContain('GET / HTTP/1.1');
    expect(await orderly(seen, { hasty: true })).toBe(1);
  });
});

describe('where it breaks off: exit 1, and the step named last', () => {
  test.each<[what: string, args: string[], words: RegExp]>([
    ['a closed port', ['https://shop.test:8443/', '--http1'], /TCP: .*:8443 answered the SYN with a RST/],
    ['no such name', ['https://nowhere.test/'], /DNS: nowhere\.test: there is no such name \(10\.7\.0\.1 says so\)/],
    [
      'no such name in any zone',
      ['https://www.example/'],
      /DNS: www\.example: the name server does not answer for this/,
    ],
    ["another's certificate", ['https://four.test/'], /TLS: the certificate is not for four\.test but for shop\.test/],
    ['TLS to a port in the clear', ['https://four.test:80/'], /TLS: what answers there speaks no TLS/],
    ['redirects without end', ['http://four.test/round', '--redirects', '3'], /HTTP: .* after 3 redirects; given up/],
    ['a network that is not there', ['http://198.51.100.1/', '--timeout', '2'], /TCP: .*network unreachable/],
  ])('%s', async (_what, args, words) => {
    await site('off');
    const { code, out, err } = await get(...args, '--cacert', certificates.rootFile, '--dns', KERNEL.v4);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^Failed at ${words.source}`));
  });

  test('a certificate that nobody known has signed', async () => {
    await site('off');
    const { code, out } = await get('https://shop.test/', '--dns', KERNEL.v4);
    expect(code).toBe(1);
    expect(out).toContain(
      'Failed at TLS: the certificate of shop.test is refused: whoever signed it is not known here',
    );
  });

  test('a certificate that has expired, unless one insists', async () => {
    const { key, chain } = await certificates.issue('old', { names: ['old.test'], from: -90, until: -2 });
    const server = ns.start('openssl', [
      's_server',
      '-accept',
      '4433',
      '-cert',
      chain,
      '-cert_chain',
      chain,
      '-key',
      key,
      '-www',
    ]);
    await listening(ns, 4433, server);
    const args = ['https://old.test:4433/', '--resolve', `old.test:4433:${KERNEL.v4}`];
    const expired = await get(...args, '--cacert', certificates.rootFile);
    expect(expired.code).toBe(1);
    expect(expired.out).toContain('Failed at TLS: the certificate of old.test is refused: it has expired');
    const insisted = await get(...args, '--cacert', certificates.rootFile, '--insecure');
    expect(insisted.code).toBe(0);
    expect(insisted.out).toContain('NOT trusted, taken all the same: CERT_HAS_EXPIRED');
  });

  test('a server that takes the connection and says nothing, and one that says nothing more', async () => {
    const mute = ns.start('nc.openbsd', ['-lk', KERNEL.v4, '4433']);
    await listening(ns, 4433, mute);
    const where = ['--resolve', `mute.test:4433:${KERNEL.v4}`, '--timeout', '1.5'];
    const secure = await get('https://mute.test:4433/', ...where);
    expect(secure.code).toBe(1);
    expect(secure.out).toMatch(/Failed at TLS: ClientHello sent \(\d+ B\), but the server has not said a word/);
    const plain = await get('http://mute.test:4433/', ...where);
    expect(plain.code).toBe(1);
    expect(plain.out).toContain(
      'Failed at HTTP: GET http://mute.test:4433/ was sent, but no answer came in 1.5 seconds',
    );
    const half =
      "import('node:net').then(({ createServer }) => createServer((socket) => { socket.on('error', () => {});" +
      " socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 9\\r\\n\\r\\ncut'); }).listen(4434))";
    const cutting = ns.start(process.execPath, ['-e', half]);
    await listening(ns, 4434, cutting);
    const cut = await get(`http://${KERNEL.v4}:4434/`);
    expect(cut.code).toBe(1);
    expect(cut.out).toContain('the server ended the connection after 3 B of the answer');
  });

  test.each(['http/1.1', 'h2'])('a server that dies in the middle of an answer, %s', async (version) => {
    const server = await site('off', 'location = /slow { limit_rate 2k; try_files /app.js =404; }');
    const trust = ['--cacert', certificates.rootFile, '--resolve', `shop.test:443:${KERNEL.v4}`];
    const http1 = version === 'h2' ? [] : ['--http1'];
    const command = [commandFile(), 'get', '--tun', TUN, ...ADDRESSES, 'https://shop.test/slow', ...trust, ...http1];
    const running = ns.start(process.execPath, command);
    await running.seen(/TLS .* h/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    server.child.kill('SIGKILL');
    const { code, stdout } = await running.done();
    expect(code).toBe(1);
    expect(stdout.toString()).toMatch(
      /Failed at HTTP: GET \S+: the server ended the connection after \d+ B of the answer/,
    );
  });

  test('a name server that is not there', async () => {
    const none = await get('http://shop.test/', '--dns', KERNEL.v4, '--timeout', '2');
    expect(none.code).toBe(1);
    expect(none.out).toContain(
      `Failed at DNS: shop.test: no name server can be reached; nothing answers at ${KERNEL.v4}`,
    );
  });

  test('an address that does not answer is no failure where there is another', async () => {
    await site('off');
    const file = path.join(ns.folder, 'get.pcapng');
    const two = `shop.test:80:${KERNEL.v4}9,${KERNEL.v4}`;
    const { code, out } = await get('http://shop.test/none', '--resolve', two, '--pcap', file);
    expect(code).toBe(0);
    expect(out).toContain('c1 · 10.7.0.19:80 had not answered when 10.7.0.1:80 did; given up');
    expect(out).toContain('GET /none → 204');
  });
});

test('names from a DNS server on another stack of ours, routed by the kernel in between', async () => {
  await site('off');
  const server = ns.program('name-server.ts', [
    'names0',
    '10.8.0.53/24',
    '10.8.0.1',
    'shop.test',
    KERNEL.v4,
    KERNEL.v6,
  ]);
  await server.seen(/^ready$/m);
  const args = ['--dns', '10.8.0.53', '--cacert', certificates.rootFile];
  const { code, out, err } = await get('https://shop.test/none', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/shop\.test AAAA\? A\? {2}→ fd00:7::1, 10\.7\.0\.1 \(ttl 300\) from 10\.8\.0\.53/);
});

test('Ctrl-C leaves no half of a connection behind', async () => {
  const mute = ns.start('nc.openbsd', ['-lk', KERNEL.v4, '4433']);
  await listening(ns, 4433, mute);
  const command = [commandFile(), 'get', `http://${KERNEL.v4}:4433/`, '--tun', TUN, ...ADDRESSES];
  const running = ns.start(process.execPath, command);
  await running.seen(/three segments/);
  await ns.untilSocket('ESTAB');
  expect((await running.stop('SIGINT')).code).toBe(130);
  expect(ns.sockets()).toEqual([]);
});
