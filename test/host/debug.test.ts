/** ESTAB_DEBUG in a process of its own: what comes out on standard error. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';

const PROGRAM = path.join(import.meta.dirname, 'programs', 'talk.ts');

/** The lines, their times taken off: those are the machine's. */
async function talk(categories: string): Promise<string[]> {
  const env = { ...process.env, ESTAB_DEBUG: categories };
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  let text = '';
  child.stderr.on('data', (part) => {
    text += part;
  });
  await once(child, 'close');
  const lines = text === '' ? [] : text.trimEnd().split('\n');
  return lines.map((line) => line.replace(/^ +\d+\.\d{3} /, '').replace(/10\.0\.0\.1:\d+/, 'client'));
}

test('handshake and data: one readable line each, in the words of the ladder', async () => {
  const lines = await talk('handshake,data');
  const client = lines.filter((line) => line.includes('  client  '));
  expect(client[0]).toBe('handshake  client  client ─── 10.0.0.2:80  CLOSED → SYN-SENT');
  expect(client[1]).toMatch(
    /^handshake {2}client {2}client ──▶ 10\.0\.0\.2:80 {2}\[S\] seq \d+ win 65535 mss 1460 ws 10 sack ts {2}SYN-SENT$/,
  );
  expect(client[2]).toMatch(/^handshake .*client ◀── 10\.0\.0\.2:80 {2}\[S\.\] seq \d+ ack \d+ win .* SYN-SENT$/);
  expect(client[3]).toMatch(/SYN-SENT → ESTABLISHED$/);
  expect(
    client.filter((line) => /^data .*──▶ .*\[P?\.\] seq 1:6 ack 1 len 5 win \d+ {2}ESTABLISHED$/.test(line)),
  ).toHaveLength(1);
  expect(lines.filter((line) => /^handshake .*\[F/.test(line)).length).toBeGreaterThanOrEqual(4);
  expect(lines.some((line) => line.includes('server'))).toBe(true);
});

test('a category alone, none at all, and one there is not', async () => {
  const data = await talk('data');
  expect(data.length).toBeGreaterThan(1);
  expect(data.every((line) => line.startsWith('data '))).toBe(true);
  expect(await talk('')).toEqual([]);
  expect(await talk('tls,handshakes')).toEqual([
    'estab: ESTAB_DEBUG: "handshakes" is no category; known are handshake, data, tls, dns, timers, drops, all',
  ]);
});
