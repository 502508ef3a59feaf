/** `estab get` as a user runs it: its forms, its files, its complaints. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'estab-get-'));
afterAll(() => rmSync(directory, { recursive: true }));

const command = join(import.meta.dirname, '..', '..', 'src', 'bin', 'estab.ts');
const tsx = import.meta.resolve('tsx');

function get(args: string[], env: Record<string, string> = {}) {
  const run = spawnSync(process.execPath, ['--import', tsx, command, 'get', ...args], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...env },
  });
  return { status: run.status, out: run.stdout.toString(), err: run.stderr.toString() };
}

describe('estab get', () => {
  it.each([80, 100, 140])('keeps to %d columns', (width) => {
    const args = ['https://shop.example/', '--dhe', 'ffdhe3072', '--loss', '3%', '--delay', '3', '--timeout', '20'];
    const { status, out } = get(args, { COLUMNS: String(width) });
    expect(status).toBe(0);
    expect(out.split('\n').filter((line) => line.length > width)).toEqual([]);
    for (const kind of ['DNS', 'TCP', 'TLS', 'HTTP', 'HTML'])
      expect(out).toMatch(new RegExp(`^ +[\\d.]+ ${kind} `, 'm'));
    expect(out).toContain('ffdhe3072');
    expect(out).toMatch(/first byte .* · DOM .* · load /);
  });

  it('writes a page that stands alone, with the ladders in it', () => {
    const { status, out } = get(['https://shop.example/plain', '--html', 'page.html']);
    expect(status).toBe(0);
    expect(out).toContain('Written: page.html');
    const html = readFileSync(join(directory, 'page.html'), 'utf8');
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(/);
    expect(html).toMatch(/<details><summary>.*<svg.*SYN-SENT.*TIME-WAIT/s);
    expect(html).toContain('class="waiting"');
  });

  it('gives everything as JSON', () => {
    const { status, out } = get(['https://shop.example/', 'https://shop.example/tea', '--json', '--delay', '2']);
    expect(status).toBe(0);
    const report = JSON.parse(out);
    expect(report.pages.map(({ url }: { url: string }) => url)).toEqual([
      'https://shop.example/',
      'https://shop.example/tea',
    ]);
    expect(report.connections[0]).toMatchObject({
      dns: { addresses: ['203.0.113.10'], ttl: 300 },
      tcp: { segments: 3, mss: 1460 },
      tls: { group: 'X25519' },
      close: { firstCloser: expect.any(String) },
    });
    expect(report.pages[0].requests[0].phases.map(({ kind }: { kind: string }) => kind)).toContain('tls');
  });

  it('writes a capture that Wireshark decrypts', ({ skip }) => {
    skip(!existsSync('/usr/bin/tshark'), 'tshark is not installed');
    for (const args of [['--http1'], []]) {
      expect(get(['https://shop.example/plain', '--pcap', 'get.pcapng', ...args]).status).toBe(0);
      const filter = args.length > 0 ? 'http.request.uri == "/plain"' : 'http2.headers.path == "/plain"';
      const { stdout } = spawnSync('tshark', ['-r', join(directory, 'get.pcapng'), '-Y', filter]);
      expect(stdout.toString().trim().split('\n')).toHaveLength(1);
      expect(stdout.toString()).toContain('GET /plain');
    }
  });

  it('ends with 1 and says at which step, last', () => {
    const { status, out } = get(['https://nowhere.example/']);
    expect(status).toBe(1);
    expect(out).toContain('Failed at DNS: nowhere.example: there is no such name (10.0.0.53 says so)');
    const json = get(['https://wrong.example/', '--json']);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.out).pages[0].requests[0].failure).toMatchObject({ step: 'TLS' });
    const unwritable = get(['https://shop.example/plain', '--html', 'no/such/page.html']);
    expect(unwritable.status).toBe(1);
    expect(unwritable.err).toContain('cannot write no/such/page.html');
  });

  it.each([
    [[], 'nothing to get'],
    [['ftp://shop.example/'], 'ftp is not spoken here'],
    [['http://'], 'is no URL'],
    [['https://me:secret@shop.example/'], 'are not sent'],
    [['shop.example', '--dhe', 'modp1024'], 'there is no such group'],
    [['shop.example', '--dhe', 'X25519', '--no-tls'], 'exclude each other'],
    [['shop.example', '--loss', '200%'], '--loss'],
    [['shop.example', '--timeout', 'soon'], '--timeout'],
    [['shop.example', '--connections', '0'], '--connections'],
    [['shop.example', '--redirects', '-1'], '--redirects -1: give a number from 0 to 50'],
    [['shop.example', '--address', '10.7.0.2/24'], '--address is for a TUN device, and none is named'],
    [['shop.example', '--dns', '10.7.0.1'], '--dns is for a TUN device'],
    [['shop.example', '--tun', 'q0', '--loss', '5%'], '--loss is of the embedded network'],
    [['shop.example', '--tun', 'q0', '--ipv6'], 'give --address fd00::2/64'],
    [['shop.example', '--tun', 'q0'], 'needs an address of its own: --address 10.7.0.2/24'],
    [['shop.example', '--tun', 'q0', '--dns', 'names.example'], 'name servers go by their addresses'],
    [['shop.example', '--resolve', 'shop.example:10.7.0.1'], 'write name:port:address'],
    [['shop.example', '--cacert', 'no/such.pem'], '--cacert no/such.pem: ENOENT'],
    [['shop.example', '--nonsense'], 'unknown option'],
  ])('tells misuse in one line and ends with 2: %j', (args, words) => {
    const { status, out, err } = get(args);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(words);
    expect(err).not.toContain('secret');
  });

  it('lists what there is to get', () => {
    const { status, out } = get(['--list']);
    expect(status).toBe(0);
    expect(out).toContain('https://shop.example/ ');
  });
});
