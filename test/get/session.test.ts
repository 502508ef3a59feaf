/** A run of `estab get` in the process: what is loaded, agreed on, captured and closed, and where runs break off. */

import { describe, expect, it } from 'vitest';
import { type RawGetOptions, readGetOptions } from '../../src/bin/get/options.ts';
import { flowKey } from '../../src/bin/get/recorder.ts';
import type { StepLine } from '../../src/bin/get/records.ts';
import { type Result, Session } from '../../src/bin/get/session.ts';

async function get(url: string, raw: RawGetOptions = {}): Promise<Result & { readonly lines: StepLine[] }> {
  const options = readGetOptions([url], { delay: '2', ...raw });
  const lines: StepLine[] = [];
  const session = await Session.begin(options, (line) => lines.push(line));
  for (const one of options.urls) await session.load(one);
  return { ...(await session.finish()), lines };
}

describe('a page', () => {
  it('comes over HTTP/2 with all it asks for, one connection to each host', async () => {
    const { pages, connections, lines } = await get('https://shop.example/');
    const [page] = pages;
    const names = page.requests.map(({ url }) => url.replace('https://', '')).sort();
    expect(names).toEqual([
      'img.shop.example/cup.bmp',
      'img.shop.example/pot.bmp',
      'shop.example/',
      'shop.example/app.css',
      'shop.example/app.js',
      'shop.example/banner.svg',
      'shop.example/cart.js',
      'shop.example/logo.svg',
      'shop.example/paper.svg',
      'shop.example/print.css',
    ]);
    expect(page.requests.every(({ status, failure }) => status === 200 && failure === null)).toBe(true);
    expect(connections.map(({ host, protocol, requests }) => [host, protocol, requests])).toEqual([
      ['shop.example', 'h2', 8],
      ['img.shop.example', 'h2', 2],
    ]);
    // The style sheet's image is known only when the sheet has come.
    const sheet = page.requests.find(({ url }) => url.endsWith('app.css'))!;
    const image = page.requests.find(({ url }) => url.endsWith('paper.svg'))!;
    expect(image.initiator).toBe(sheet.url);
    expect(image.queuedAt).toBeGreaterThanOrEqual(sheet.endedAt!);
    expect(page.firstByteAt!).toBeLessThan(page.domAt!);
    expect(page.domAt!).toBeLessThanOrEqual(page.loadAt!);
    expect(lines.map(({ kind }) => kind).slice(0, 3)).toEqual(['DNS', 'TCP', 'TLS']);
    expect(lines[1].text[0]).toContain('three segments to 203.0.113.10:443');
  });

  it('comes over HTTP/1.1 on connections kept alive, no more of them than allowed', async () => {
    const { pages, connections } = await get('https://shop.example/', { http1: true, connections: '3' });
    expect(pages[0].requests.every(({ status }) => status === 200)).toBe(true);
    expect(connections.every(({ protocol }) => protocol === 'http/1.1')).toBe(true);
    const toShop = connections.filter(({ host }) => host === 'shop.example');
    expect(toShop.length).toBeGreaterThan(1);
    expect(toShop.length).toBeLessThanOrEqual(3);
    expect(pages[0].requests.some(({ reused }) => reused)).toBe(true);
    // Who has a ticket of the first connection is spared the certificates, not the key exchange.
    const [first, second] = toShop.map(({ tls }) => tls!);
    expect([first.resumed, second.resumed]).toEqual([false, true]);
    expect(second.flights[1].octets).toBeLessThan(first.flights[1].octets / 2);
    expect(second.serverPublic).not.toBe(first.serverPublic);
    expect(second.sharedSecrets).toBe(2);
  });

  it('comes in the clear without TLS', async () => {
    const { pages, connections, capture } = await get('shop.example', { tls: false });
    expect(pages[0].requests).toHaveLength(10);
    expect(pages[0].requests.every(({ url, status }) => url.startsWith('http://') && status === 200)).toBe(true);
    expect(connections.every(({ tls, port }) => tls === null && port === 80)).toBe(true);
    expect(Buffer.from(capture).includes('GET /app.css HTTP/1.1')).toBe(true);
  });

  it('comes whole through losses, which are counted', async () => {
    const { pages, lost } = await get('https://shop.example/', { loss: '5%', seed: '3', timeout: '20' });
    expect(pages[0].requests.map(({ status }) => status)).toEqual(new Array(10).fill(200));
    expect(lost).toBeGreaterThan(0);
  });

  it('ends every connection with a FIN from each side', async () => {
    const { connections, endings } = await get('https://shop.example/tea');
    for (const connection of connections) {
      const { ending } = connection;
      expect(endings.get(flowKey(connection))!.report.firstCloser).not.toBeNull();
      expect(ending).toMatch(/^closed by/);
      expect(endings.get(flowKey(connection))!.ladder).toMatch(/^<svg/);
    }
  });
});

describe('redirects', () => {
  it('are followed to other hosts, and what the page names is meant from there', async () => {
    const { pages, connections, lines } = await get('http://www.shop.example/old');
    const [first, second, ...rest] = pages[0].requests;
    expect(first).toMatchObject({ status: 301, location: 'http://shop.example/tea', redirectedFrom: null });
    expect(second).toMatchObject({ status: 200, url: 'http://shop.example/tea', redirectedFrom: first.id });
    expect(rest.map(({ status, initiator }) => [status, new URL(initiator!).host])).toEqual(
      new Array(7).fill([200, 'shop.example']),
    );
    expect(connections.map(({ host }) => host).slice(0, 2)).toEqual(['www.shop.example', 'shop.example']);
    expect(lines.some(({ text }) => text[0].includes('GET /old → 301 on to http://shop.example/tea'))).toBe(true);
  });

  it('are followed so often and no more', async () => {
    const { pages } = await get('http://shop.example/circle', { redirects: '3' });
    expect(pages[0].requests.map(({ status }) => status)).toEqual([302, 302, 302, 302]);
    const { failure } = pages[0].requests.at(-1)!;
    expect(failure).toMatchObject({ step: 'HTTP', code: 'EREDIRECTS' });
    expect(failure!.message).toContain('after 3 redirects');
    expect(pages[0].requests[0].failure).toBeNull();
    const none = await get('http://shop.example/old', { redirects: '0' });
    expect(none.pages[0].requests).toMatchObject([{ status: 301, failure: { code: 'EREDIRECTS' } }]);
  });
});

describe('IPv6', () => {
  it('is asked for as AAAA and spoken throughout', async () => {
    const { pages, connections, capture, lines } = await get('https://shop.example/', { ipv6: true });
    expect(pages[0].requests.map(({ status }) => status)).toEqual(new Array(10).fill(200));
    expect(connections.map(({ address }) => address)).toEqual(['2001:db8::10', '2001:db8::20']);
    expect(lines[0].text[0]).toContain('shop.example AAAA?  → 2001:db8::10');
    expect(Buffer.from(capture).includes(Buffer.from('20010db8000000000000000000000010', 'hex'))).toBe(true);
  });
});

describe('what the user gives', () => {
  it('an address in place of a name server, the next one when the first is silent', async () => {
    const resolve = ['shop.example:80:203.0.113.68,203.0.113.10'];
    const { pages, connections, lines } = await get('http://shop.example/plain', { resolve });
    expect(pages[0].requests[0]).toMatchObject({ status: 200, connection: { address: '203.0.113.10' } });
    expect(lines[0].text[0]).toBe('shop.example → 203.0.113.68, 203.0.113.10, as --resolve says');
    expect(lines[1].text[0]).toContain('c2 · three segments to 203.0.113.10:80');
    expect(lines[2].text[0]).toBe('c1 · 203.0.113.68:80 had not answered when 203.0.113.10:80 did; given up');
    expect(lines[2].ms).toBeGreaterThanOrEqual(250);
    expect(connections.map(({ ending }) => ending)).toEqual(['never opened', expect.stringMatching(/^closed by/)]);
  });

  it('addresses of which one refuses: told, and the next is tried at once', async () => {
    const resolve = ['shop.example:81:203.0.113.10,10.0.0.53', 'two.example:80:10.0.0.53,203.0.113.10'];
    const { pages, lines } = await get('http://two.example/plain', { resolve });
    expect(pages[0].requests[0].status).toBe(200);
    expect(lines[1].text[0]).toContain('10.0.0.53:80 answered the SYN with a RST');
    expect(lines[1].text[0]).toContain('; two.example has another address');
    const none = await get('http://shop.example:81/', { resolve });
    expect(none.pages[0].requests[0].failure).toMatchObject({ step: 'TCP', code: 'ECONNREFUSED' });
    expect(none.lines.filter(({ kind }) => kind === 'TCP')).toHaveLength(2);
  });

  it('trust in a certificate that deserves none, which is said', async () => {
    const { pages, connections, lines } = await get('https://self.example/plain', { insecure: true });
    expect(pages[0].requests[0].status).toBe(200);
    expect(connections[0].tls!.distrust).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(lines.find(({ kind }) => kind === 'TLS')!.text).toContain(
      'NOT trusted, taken all the same: DEPTH_ZERO_SELF_SIGNED_CERT',
    );
  });
});

describe('the key exchange', () => {
  it.each([
    ['X25519', 32],
    ['P-256', 65],
    ['ffdhe2048', 256],
  ])('shows both public values of %s as they went over the wire', async (group, octets) => {
    const { connections, capture } = await get('https://shop.example/plain', { dhe: group });
    const { tls } = connections[0];
    expect(tls).toMatchObject({ version: 'TLSv1.3', group, resumed: false, retried: false });
    expect(tls!.chain).toEqual(['shop.example', 'estab issuing', 'estab root']);
    for (const value of [tls!.clientPublic!, tls!.serverPublic!]) {
      expect(value).toHaveLength(2 * octets);
      expect(Buffer.from(capture).includes(Buffer.from(value, 'hex'))).toBe(true);
    }
    expect(tls!.clientPublic).not.toBe(tls!.serverPublic);
    expect([tls!.sharedSecrets, tls!.clientSecrets]).toEqual([2, 2]);
    expect(tls!.flights.map(({ side }) => side)).toEqual(['client', 'server', 'client']);
  });

  it('keeps the secrets with the packets', async () => {
    const { capture } = await get('https://shop.example/plain');
    const text = Buffer.from(capture).toString('latin1');
    expect(text).toContain('CLIENT_TRAFFIC_SECRET_0 ');
    expect(text).toContain('KSLT');
  });
});

describe('where it breaks off', () => {
  it.each([
    ['https://nowhere.example/', 'DNS', 'ENOTFOUND', 'there is no such name'],
    ['https://elsewhere.test/', 'DNS', 'EREFUSED', 'does not answer for this name'],
    ['https://shop.example:8443/', 'TCP', 'ECONNREFUSED', 'answered the SYN with a RST'],
    ['https://gone.example/', 'TCP', 'ETIMEDOUT', 'nothing came back'],
    ['https://stalled.example/', 'TLS', 'ETIMEDOUT', 'the server has not said a word'],
    ['https://shop.example:80/', 'TLS', '', ''],
    ['https://expired.example/', 'TLS', 'CERT_HAS_EXPIRED', 'it has expired'],
    ['https://wrong.example/', 'TLS', 'ERR_TLS_CERT_ALTNAME_INVALID', 'not for wrong.example but for shop.example'],
    ['https://self.example/', 'TLS', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'signed by nobody but itself'],
    ['https://silent.example/', 'HTTP', 'ETIMEDOUT', 'no answer came'],
    ['http://stalled.example/', 'HTTP', 'ETIMEDOUT', 'no answer came'],
  ])('%s: at %s', async (url, step, code, words) => {
    const { pages } = await get(url, { timeout: '1.5' });
    const { failure } = pages[0].requests[0];
    expect(failure).toMatchObject({ step });
    if (code !== '') expect(failure!.code).toBe(code);
    expect(failure!.message).toContain(words);
  });
});
