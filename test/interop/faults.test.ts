/** The kernel's TCP at the other end of a bad path: its loss recovery and ours, what arrives is what was sent. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAMILIES, makeTun, serve, TUN } from './command.ts';
import { Namespace, needs } from './namespace.ts';

let ns: Namespace;
beforeEach(needs('curl'));
beforeEach(() => {
  ns = new Namespace();
  makeTun(ns);
});
afterEach(async () => {
  await ns?.close();
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(FAMILIES)('over $name', (family) => {
  test('loss, bursts, duplicates, damage and reordering, both ways: every byte right both ways', async () => {
    const badPath = ns.program('bad-path.ts', [TUN, family.prefixed, family.peer, '7']);
    await badPath.seen(/^ready$/m);
    const size = 3_000_000;
    const expected = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(size));
    const down = await ns.run('curl', ['-sS', '--max-time', '100', `http://${family.host}/${size}`], {
      timeout: 110_000,
    });
    expect(down.code).toBe(0);
    expect(sha256(down.stdout)).toBe(sha256(expected));

    const sent = randomBytes(size);
    const file = path.join(ns.folder, 'sent.bin');
    writeFileSync(file, sent);
    const args = ['-sS', '--max-time', '100', '-H', 'Expect:', '--data-binary', `@${file}`, `http://${family.host}/`];
    const up = await ns.run('curl', args, { timeout: 110_000 });
    expect(up.code).toBe(0);
    expect(up.stdout.toString()).toBe(sha256(sent));

    const { stdout } = await badPath.stop();
    const { did, counted } = JSON.parse(stdout.toString().trim().split('\n').at(-1) ?? '') as {
      did: Record<string, number>;
      counted: Record<string, number>;
    };
    // The path did what it was told to, and the checksums caught what it damaged.
    for (const kind of ['dropped', 'duplicated', 'corrupted', 'reordered']) expect(did[kind]).toBeGreaterThan(5);
    expect(counted.TcpInCsumErrors + counted.IpInCsumErrors).toBeGreaterThan(0);
  });

  test('estab serve with a fifth of all packets lost: twenty calls, each answered', async () => {
    writeFileSync(path.join(ns.folder, 'page.txt'), 'well done');
    const faults = ['--loss', '20%', '--delay', '2', '--seed', '3'];
    const { port } = await serve(ns, family, '--http', ns.folder, '--port', '80', ...faults);
    const calls = Array.from({ length: 20 }, () =>
      ns.run('curl', ['-sS', '--max-time', '90', `http://${family.host}:${port}/page.txt`], { timeout: 100_000 }),
    );
    for (const { code, stdout } of await Promise.all(calls)) {
      expect(code).toBe(0);
      expect(stdout.toString()).toBe('well done');
    }
  });
});

test('estab serve --rate and --delay keep to what they say', async () => {
  const [family] = FAMILIES;
  writeFileSync(path.join(ns.folder, 'file.bin'), randomBytes(500_000));
  const { port } = await serve(ns, family, '--http', ns.folder, '--port', '80', '--rate', '4M', '--delay', '25');
  const format = '%{http_code} %{time_connect} %{time_total}';
  const url = `http://${family.host}:${port}/file.bin`;
  const { stdout } = await ns.run('curl', ['-sS', '-o', '/dev/null', '-w', format, url]);
  const [status, connected, total] = stdout.toString().split(' ').map(Number);
  expect(status).toBe(200);
  expect(connected).toBeGreaterThanOrEqual(0.05);
  // 500 kB at 4 Mbit/s take a second, headers not counted.
  expect(total).toBeGreaterThanOrEqual(1);
});
