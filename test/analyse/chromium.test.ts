/**
 * In a real browser: the bundle of reader, dissector, analysis and drawing says the same of the same captures as in Node,
 * and two hosts of the engine talk to each other in the page. Needs Debian's chromium.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { type Ladder, ladderOf } from '../../src/analyse/ladder.ts';
import { ladderSvg } from '../../src/analyse/ladder-svg.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import { ANALYSIS, type Bundled, bundle } from './bundled.ts';

const PROGRAM = '/usr/bin/chromium';
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const CAPTURES = [
  ...['g01-client-closes', 'g05-simultaneous-open', 'g10-loss-sack-sender', 'g12-reorder', 'g14-zero-window'],
  ...['g17-rto-backoff', 'g22-connect-scan', 'g26-pmtu-icmp', 'g31-challenge-ack'],
].map((name) => `${name}.pcap`);

const ENGINE = `
import { connect, Host, listen, memoryPair } from 'estab-entry';
export async function talk(text) {
  const { a, b } = memoryPair();
  const alice = new Host();
  alice.attach(a, { name: 'eth0', addresses: ['10.0.0.1/24'] });
  const bob = new Host();
  bob.attach(b, { name: 'eth0', addresses: ['10.0.0.2/24'] });
  const listener = listen(bob, { port: 7 });
  const echo = (async () => {
    for await (const socket of listener) await socket.readable.pipeTo(socket.writable);
  })();
  const socket = connect(alice, { hostname: '10.0.0.2', port: 7 });
  await socket.opened;
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const reader = socket.readable.getReader();
  let heard = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    heard += new TextDecoder().decode(part.value);
  }
  listener.close();
  await echo;
  alice.close();
  bob.close();
  return heard;
}`;

const missing = existsSync(PROGRAM) ? null : `there is no ${PROGRAM}`;
const analysis: Bundled | null = missing === null ? await bundle(ANALYSIS) : null;
const reason = missing ?? (analysis === null ? 'esbuild is not here' : null);

describe.skipIf(reason !== null)(`in Chromium (${reason === null ? PROGRAM : `skipped: ${reason}`})`, () => {
  let context: BrowserContext;
  let page: Page;
  const profile = mkdtempSync(join(tmpdir(), 'estab-chromium-'));

  beforeAll(async () => {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: PROGRAM,
      args: FLAGS,
      timeout: 60_000,
    });
    page = await context.newPage();
  });
  afterAll(async () => {
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
  });

  it('analyses and draws as in Node', async () => {
    await load(page, 'analysis', analysis!.text);
    for (const name of CAPTURES) {
      const bytes = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'captures', name));
      const inPage = await page.evaluate(RUN, bytes.toString('base64'));
      expect(inPage, name).toEqual(inNode(bytes));
    }
  });

  it('runs the engine: two hosts in one page exchange a message', async () => {
    const engine = await bundle(ENGINE);
    // What it asks of Node (diagnostics_channel, ESTAB_DEBUG) it asks only where there is a Node.
    expect(/\bBuffer\b|\brequire\(|(?:\bfrom|\bimport)\s*\(?\s*["']node:/.exec(engine!.text)?.[0]).toBeUndefined();
    await load(page, 'engine', engine!.text);
    expect(await page.evaluate("globalThis.engine.talk('hello from a page')")).toBe('hello from a page');
  });
});

/** Makes a module's exports `globalThis[name]` of the page. */
async function load(page: Page, name: string, source: string): Promise<void> {
  const url = `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
  await page.evaluate(`import(${JSON.stringify(url)}).then((made) => { globalThis.${name} = made; })`);
}

/** What the page does with a capture; what {@link inNode} does here. */
const RUN = new Function(
  'text',
  `const { Analyser, CaptureReader, ladderOf, ladderSvg } = globalThis.analysis;
  let ladder = null;
  const analyser = new Analyser({ inspect: (facts, report) => { ladder ??= ladderOf(facts, report); } });
  const reader = new CaptureReader(analyser);
  reader.push(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  const json = JSON.stringify(analyser.finish('x', reader.end()));
  return { json, svg: ladderSvg(ladder) };`,
) as (text: string) => { json: string; svg: string };

function inNode(bytes: Uint8Array): { json: string; svg: string } {
  let ladder: Ladder | null = null;
  const analyser = new Analyser({
    inspect: (facts, report) => {
      ladder ??= ladderOf(facts, report);
    },
  });
  const reader = new CaptureReader(analyser);
  reader.push(bytes);
  const json = JSON.stringify(analyser.finish('x', reader.end()));
  return { json, svg: ladderSvg(ladder!) };
}
