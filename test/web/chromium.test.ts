/**
 * Our stack in a page: Chromium, a WebSocket as its cable, a host of ours in Node at the other end of a switch. 100 MB
 * arrive with the right hash, through web streams and through node:net's shape on a Duplex; the tab that closes resets its
 * connection.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { Host } from '../../src/host/host.ts';
import { memoryPair } from '../../src/link/memory.ts';
import { Switch } from '../../src/link/switch.ts';
import { webSocketLink } from '../../src/link/websocket.ts';
import { createNet } from '../../src/net/index.ts';
import { listen } from '../../src/web/index.ts';

const CHROMIUM = '/usr/bin/chromium';
const SOURCE = path.join(import.meta.dirname, '..', '..', 'src');
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SIZE = 100_000_000;
const PAGE = `
import { Buffer } from 'buffer';
import { createNet } from '${SOURCE}/net/portable.ts';
import { Host } from '${SOURCE}/host/host.ts';
import { connectWebSocket } from '${SOURCE}/link/websocket.ts';
import { connect } from '${SOURCE}/web/index.ts';

// The streams of Node as a package brings them to browsers look for it there.
globalThis.Buffer = Buffer;

/** A host in this page; the tab that goes away resets its connections. */
async function host(url) {
  const own = new Host();
  own.attach(await connectWebSocket(url), { name: 'ws', addresses: ['10.3.0.2/24'] });
  addEventListener('pagehide', () => own.reset());
  return own;
}
globalThis.download = async (url, size) => {
  const socket = connect(await host(url), { hostname: '10.3.0.1', port: 9000 });
  const all = new Uint8Array(size);
  let received = 0;
  const reader = socket.readable.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    all.set(part.value, received);
    received += part.value.length;
  }
  return { received, hash: await sha256(all) };
};
/** Asks in node:net's words, ends its half, and reads the answer to its end. */
globalThis.ask = async (url, size) => {
  const socket = createNet(await host(url)).connect({ host: '10.3.0.1', port: 9003, allowHalfOpen: true });
  socket.end(String(size));
  const all = new Uint8Array(size);
  let received = 0;
  let remote = '';
  socket.on('connect', () => {
    remote = socket.remoteAddress + ' ' + socket.remotePort;
  });
  for await (const part of socket) {
    all.set(part, received);
    received += part.length;
  }
  return { received, hash: await sha256(all), remote };
};
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
globalThis.watched = async (url) => {
  const own = await host(url);
  const before = own.stack.trace === null;
  const events = own.events({ kinds: ['state'] });
  const socket = connect(own, { hostname: '10.3.0.1', port: 9002 });
  await socket.opened.catch(() => {});
  own.close();
  const states = [];
  for await (const { from, to } of events) states.push(from + ' ' + to);
  return { before, after: own.stack.trace === null, states };
};
globalThis.hold = async (url) => {
  const socket = connect(await host(url), { hostname: '10.3.0.1', port: 9001 });
  await socket.opened;
};
`;

/** Why these tests cannot run here, or null. */
async function missing(): Promise<string | null> {
  if (!existsSync(CHROMIUM)) return 'chromium is not installed';
  try {
    const name = 'esbuild';
    await import(name);
  } catch {
    return 'esbuild is not here';
  }
  return null;
}
const reason = await missing();

let browser: Browser;
let web: HttpServer;
let relay: WebSocketServer;
let host: Host;
let page: Page;

const needed = reason === null;

beforeAll(async () => {
  if (!needed) return;
  const name = 'esbuild';
  const { build } = (await import(name)) as { build(options: object): Promise<{ outputFiles: { text: string }[] }> };
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: SOURCE, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    alias: { 'node:stream': 'readable-stream', 'node:events': 'events' },
    nodePaths: [path.join(SOURCE, '..', 'node_modules')],
    logLevel: 'silent',
  });
  web = createServer((request, response) => {
    const script = request.url === '/page.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? outputFiles[0].text : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const network = new Switch();
  relay = new WebSocketServer({ server: web });
  relay.on('connection', (socket) => network.plug(webSocketLink(socket as never)));
  const { a, b } = memoryPair({ layer: 'ethernet', capacity: 1 << 16 });
  network.plug(a);
  host = new Host();
  host.attach(b, { name: 'eth0', addresses: ['10.3.0.1/24'] });
  const { chromium } = await import('playwright-core');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}, 60_000);

afterAll(async () => {
  if (!needed) return;
  await browser.close();
  host.close();
  for (const client of relay.clients) client.terminate();
  relay.close();
  web.close();
});

async function openPage(): Promise<void> {
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
  await page.waitForFunction('globalThis.hold !== undefined');
}

const cable = (): string => `ws://127.0.0.1:${(web.address() as AddressInfo).port}/`;

test('100 MB arrive in a page with the right hash', async ({ skip }) => {
  if (reason !== null) skip(reason);
  const hash = createHash('sha256');
  const block = new Uint8Array(100_000);
  const listener = listen(host, { port: 9000 });
  const serving = (async () => {
    for await (const socket of listener) {
      const writer = socket.writable.getWriter();
      for (let at = 0; at < SIZE; at += block.length) {
        for (let i = 0; i < block.length; i += 97) block[i] = (at + i) >>> 3;
        hash.update(block);
        await writer.write(block);
      }
      await writer.close();
      return;
    }
  })();
  await openPage();
  const result = await page.evaluate(`download(${JSON.stringify(cable())}, ${SIZE})`);
  await serving;
  listener.close();
  expect(result).toEqual({ received: SIZE, hash: hash.digest('hex') });
  await page.close();
}, 90_000);

test('100 MB arrive in a page through a Duplex of node:net’s shape', async ({ skip }) => {
  if (reason !== null) skip(reason);
  const hash = createHash('sha256');
  const server = createNet(host).createServer({ allowHalfOpen: true }, async (socket) => {
    let asked = '';
    socket.on('data', (part) => {
      asked += part;
    });
    await once(socket, 'end');
    const block = Buffer.alloc(100_000);
    for (let at = 0; at < Number(asked); at += block.length) {
      for (let i = 0; i < block.length; i += 89) block[i] = (at + i) >>> 2;
      hash.update(block);
      if (!socket.write(Buffer.from(block))) await once(socket, 'drain');
    }
    socket.end();
  });
  server.listen(9003);
  await openPage();
  const result = await page.evaluate(`ask(${JSON.stringify(cable())}, ${SIZE})`);
  expect(result).toEqual({ received: SIZE, hash: hash.digest('hex'), remote: '10.3.0.1 9003' });
  server.close();
  await page.close();
}, 90_000);

test('a tab that is closed resets its connection', async ({ skip }) => {
  if (reason !== null) skip(reason);
  const listener = listen(host, { port: 9001 });
  const ended = (async () => {
    for await (const socket of listener)
      return socket.closed.then(
        () => null,
        (error: { code: string }) => error.code,
      );
    return null;
  })();
  await openPage();
  await page.evaluate(`hold(${JSON.stringify(cable())})`);
  await page.close({ runBeforeUnload: false });
  expect(await ended).toBe('ECONNRESET');
  listener.close();
}, 30_000);

test('a page watches its host; who does not pays nothing', async ({ skip }) => {
  if (reason !== null) skip(reason);
  await openPage();
  const seen = await page.evaluate(`globalThis.watched('${cable()}')`);
  expect(seen).toEqual({ before: true, after: true, states: ['CLOSED SYN-SENT', 'SYN-SENT CLOSED'] });
  await page.close();
});
