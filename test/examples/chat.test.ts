/** The chat in tabs of Chromium: what one says the others read, over TCP from page to page. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { commandFile } from '../interop/command.ts';
import { ROOT } from '../interop/namespace.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

let server: ChildProcess | undefined;
let browser: Browser | undefined;
let site = '';

beforeEach(({ skip }) => {
  if (!existsSync(CHROMIUM)) skip('needs chromium');
});
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) return;
  commandFile();
  server = spawn(process.execPath, [path.join(ROOT, 'examples', 'chat', 'server.mjs'), '0'], { stdio: 'pipe' });
  const [line] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  site = /http:\S+\//.exec(line.toString())?.[0] ?? '';
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});
afterAll(async () => {
  await browser?.close();
  server?.kill();
});

/** A tab of its own, once its state says so. */
async function tab(number: number, state: RegExp): Promise<Page> {
  const page = await (browser as Browser).newPage();
  await page.goto(`${site}#${number}`);
  await page.locator('#state', { hasText: state }).waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

async function read(page: Page, count: number): Promise<string[]> {
  await page
    .locator('#lines li')
    .nth(count - 1)
    .waitFor();
  return page.locator('#lines li').allTextContents();
}

test('three tabs talk to one another; the first is the server, and its end is heard', async () => {
  const first = await tab(1, /listens on port 5222/);
  const second = await tab(2, /10\.4\.0\.2:\d+ is connected to 10\.4\.0\.1:5222/);
  const third = await tab(3, /10\.4\.0\.3:\d+ is connected/);
  await say(second, 'hello from two');
  await read(third, 1);
  await say(third, 'and from three');
  await read(first, 2);
  await say(first, 'welcome');
  const expected = ['2: hello from two', '3: and from three', '1: welcome'];
  for (const page of [first, second, third]) expect(await read(page, 3)).toEqual(expected);
  await first.close({ runBeforeUnload: true });
  await second.locator('#state', { hasText: 'tab 1 has gone' }).waitFor();
});
