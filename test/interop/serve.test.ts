/** `estab serve` against the kernel's own programs, over IPv4 and IPv6, each judged in the packets on the TUN too. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAMILIES, makeTun, serve, TUN } from './command.ts';
import { Namespace, needs } from './namespace.ts';
import { capture } from './packets.ts';
import { byConnection, firstToClose, problems, tell, textLength } from './stories.ts';

let ns: Namespace;
beforeEach(needs('curl', 'nc.openbsd', 'ping', 'ss', 'tcpdump', 'tshark'));
beforeEach(() => {
  ns = new Namespace();
  makeTun(ns);
});
afterEach(async () => {
  await ns?.close();
});

describe.each(FAMILIES)('over $name', (family) => {
  test('curl fetches 100 MB, every byte right', async () => {
    const size = 100_000_000;
    const file = randomBytes(size);
    const hash = createHash('sha256').update(file).digest('hex');
    writeFileSync(path.join(ns.folder, 'large.bin'), file);
    const { running, port } = await serve(ns, family, '--http', ns.folder, '--port', '80');
    const seen = await capture(ns, TUN, 120);
    const script = `curl -sS --max-time 150 http://${family.host}:${port}/large.bin | sha256sum`;
    const { stdout } = await ns.run('sh', ['-c', script], { timeout: 160_000 });
    expect(stdout.toString()).toContain(hash);
    const story = tell(await seen.segments());
    expect(problems(story, family.mss, false)).toEqual([]);
    expect(textLength(story.accepter)).toBeGreaterThan(size);
    expect(textLength(story.accepter)).toBeLessThan(size + 2000);
    expect((await running.stop()).code).toBe(0);
  });

  test('curl sends 20 MB that the other end reads slowly enough to fill its window', async () => {
    const { port } = await serve(ns, family, '--discard');
    const seen = await capture(ns, TUN, 120);
    const script = `head -c 20000000 /dev/zero | nc.openbsd -n -N ${family.local} ${port}`;
    const { code } = await ns.run('sh', ['-c', script]);
    expect(code).toBe(0);
    const story = tell(await seen.segments());
    expect(problems(story, family.mss, false)).toEqual([]);
    expect(textLength(story.opener)).toBe(20_000_000);
  });

  test('the kernel closes first: what it sent is echoed after its FIN, and it holds TIME-WAIT', async () => {
    const { port } = await serve(ns, family, '--echo');
    const seen = await capture(ns, TUN);
    const text = randomBytes(200_000).toString('hex');
    const { stdout, code } = await ns.run('nc.openbsd', ['-n', '-N', family.local, String(port)], { input: text });
    expect(code).toBe(0);
    expect(stdout.toString() === text).toBe(true);
    expect(ns.sockets().map((socket) => socket.state)).toEqual(['TIME-WAIT']);
    const story = tell(await seen.segments());
    expect(problems(story, family.mss)).toEqual([]);
    expect(firstToClose(story)).toBe(family.peer);
    expect(textLength(story.accepter)).toBe(text.length);
  });

  test('a client of another network, behind the kernel', async () => {
    const { port } = await serve(ns, family, '--echo');
    const elsewhere = family.name === 'IPv4' ? '198.18.0.1' : 'fd00:99::1';
    ns.runNow('ip', ['address', 'add', elsewhere, 'dev', 'lo', ...(family.name === 'IPv6' ? ['nodad'] : [])]);
    const args = ['-n', '-N', '-w', '5', '-s', elsewhere, family.local, String(port)];
    const { stdout } = await ns.run('nc.openbsd', args, { input: 'from afar\n' });
    expect(stdout.toString()).toBe('from afar\n');
  });

  test('refused: a closed port answers with RST, its ACK covering the SYN', async () => {
    const { port } = await serve(ns, family, '--echo');
    const seen = await capture(ns, TUN);
    const { code, stderr } = await ns.run('nc.openbsd', ['-n', '-v', family.local, String(port + 1)]);
    expect(code).toBe(1);
    expect(stderr).toContain('refused');
    const [syn, rst, ...more] = await seen.segments();
    expect(more).toEqual([]);
    expect(rst).toMatchObject({ flags: 'RA', seq: 0, ack: ((syn?.seq ?? 0) + 1) >>> 0, length: 0, checksumGood: true });
  });

  test('the kernel aborts: one connection is gone, the others are not', async () => {
    const { port } = await serve(ns, family, '--echo');
    const seen = await capture(ns, TUN);
    const other = ns.start('nc.openbsd', ['-n', '-N', family.local, String(port)]);
    other.child.stdin.write('one\n');
    await other.seen(/^one$/m);
    const { stdout } = await ns.program('kernel-abort.ts', [family.local, String(port)]).done();
    expect(stdout.toString()).toBe('closed\n');
    other.child.stdin.end('two\n');
    expect((await other.done()).stdout.toString()).toBe('one\ntwo\n');
    const [first, second] = byConnection(await seen.segments());
    expect(problems(tell(first ?? []), family.mss)).toEqual([]);
    const reset = second?.findIndex((segment) => segment.flags.includes('R')) ?? -1;
    expect(second?.[reset]?.from).toBe(family.peer);
    // Nothing answers a RST, and nothing is sent into a connection that is gone.
    expect(second?.slice(reset + 1).filter((segment) => segment.from === family.local)).toEqual([]);
  });

  test('1,000 connections in a row', async () => {
    await crowd(1000, 1);
  }, 180_000);

  test('500 connections at once', async () => {
    await crowd(500, 500);
  }, 180_000);

  async function crowd(count: number, atOnce: number): Promise<void> {
    const { running, port } = await serve(ns, family, '--echo');
    const seen = await capture(ns, TUN);
    const program = ns.program('many-connections.ts', [family.local, String(port), String(count), String(atOnce)]);
    const { stdout } = await program.done(120_000);
    expect(stdout.toString()).toBe(`${count} echoed, 0 failed\n`);
    const connections = byConnection(await seen.segments());
    expect(connections).toHaveLength(count);
    for (const connection of connections) expect(problems(tell(connection), family.mss)).toEqual([]);
    expect((await running.stop()).code).toBe(0);
  }

  test('ping', async () => {
    await serve(ns, family, '--echo');
    const seen = await capture(ns, TUN);
    const { stdout } = await ns.run('ping', ['-n', '-c', '10', '-i', '0.02', '-s', '1000', family.local]);
    expect(stdout.toString()).toContain('10 received, 0% packet loss');
    const reply =
      family.name === 'IPv4'
        ? 'icmp.type == 0 && icmp.checksum.status == 1'
        : 'icmpv6.type == 129 && icmpv6.checksum.status == 1';
    expect(await seen.count(reply)).toBe(10);
  });

  test('larger than the MTU: a ping in fragments is put together and answered in fragments', async () => {
    await serve(ns, family, '--echo');
    const { stdout } = await ns.run('ping', ['-n', '-c', '3', '-i', '0.1', '-s', '5000', family.local]);
    expect(stdout.toString()).toContain('3 received, 0% packet loss');
  });

  test('Ctrl-C closes what is open in an orderly way and exits with 0', async () => {
    const { running, port } = await serve(ns, family, '--echo');
    const seen = await capture(ns, TUN);
    const client = ns.start('nc.openbsd', ['-n', '-N', family.local, String(port)]);
    client.child.stdin.write('hello\n');
    await client.seen(/^hello$/m);
    const stopped = running.stop();
    await ns.untilSocket('CLOSE-WAIT');
    client.child.stdin.end();
    const { code, stdout } = await stopped;
    expect(code).toBe(0);
    expect(stdout.toString()).toContain(family.peer);
    const story = tell(await seen.segments());
    expect(firstToClose(story)).toBe(family.local);
    expect(problems(story, family.mss)).toEqual([]);
  });
});

test('Ctrl-C does not wait for peers that never close: after two seconds they are reset, and the table says so', async () => {
  const [family] = FAMILIES;
  if (family === undefined) throw new Error('no family');
  const { running, port } = await serve(ns, family, '--echo');
  const client = ns.start('nc.openbsd', ['-n', family.local, String(port)]);
  client.child.stdin.write('hello\n');
  await client.seen(/^hello$/m);
  client.child.kill('SIGSTOP');
  const { code, stdout } = await running.stop();
  expect(code).toBe(0);
  expect(stdout.toString()).toMatch(/10\.7\.0\.1:\d+ +6 +6 +[23]\.\d{3} s +reset by us/);
  expect(ns.sockets()).toEqual([]);
  client.child.kill('SIGKILL');
});

test('the web server keeps to its directory, and hidden files to itself', async () => {
  const [family] = FAMILIES;
  if (family === undefined) throw new Error('no family');
  const site = path.join(ns.folder, 'site');
  for (const [folder, file] of [
    ['site', 'index.html'],
    ['site', '.htpasswd'],
    ['site/.git', 'config'],
    ['site-beside', 'secret'],
    ['site/a b', 'c.txt'],
  ] as const) {
    mkdirSync(path.join(ns.folder, folder), { recursive: true });
    writeFileSync(path.join(ns.folder, folder, file), file);
  }
  await serve(ns, family, '--http', site, '--port', '80');
  const status = async (target: string): Promise<string> => {
    const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--path-as-is', `http://${family.host}${target}`];
    return (await ns.run('curl', args)).stdout.toString();
  };
  expect(await status('/')).toBe('200');
  expect(await status('/a%20b/c.txt?x=../..')).toBe('200');
  for (const target of [
    '/.htpasswd',
    '/%2ehtpasswd',
    '/.git/config',
    '/../site-beside/secret',
    '/%2e%2e%2fsite-beside/secret',
    '/%',
  ]) {
    expect([target, await status(target)]).toEqual([target, '404']);
  }
});

test('the capture that serve writes is what tcpdump saw', async () => {
  const [family] = FAMILIES;
  if (family === undefined) throw new Error('no family');
  const file = path.join(ns.folder, 'own.pcapng');
  const { running, port } = await serve(ns, family, '--echo', '--pcap', file);
  const seen = await capture(ns, TUN);
  await ns.run('nc.openbsd', ['-n', '-N', family.local, String(port)], { input: 'over the wire\n' });
  const theirs = await seen.segments();
  await running.stop();
  const fields = ['-T', 'fields', '-e', 'ip.src', '-e', 'tcp.seq_raw', '-e', 'tcp.ack_raw', '-e', 'tcp.len'];
  const { stdout, stderr } = await ns.run('tshark', ['-r', file, '-n', '-Y', 'tcp', ...fields]);
  expect(stderr).not.toMatch(/cut short|malformed|error/i);
  const own = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([from, ...numbers]) => ({ from, numbers: numbers.map(Number) }));
  // Each direction in its order: what crosses between the kernel and the process is seen by each in an order of its own.
  const ofOne = <T extends { from: string | undefined }>(seen: readonly T[], sender: string): T[] => {
    return seen.filter(({ from }) => from === sender);
  };
  const kernel = theirs.map(({ from, seq, ack, length }) => ({ from, numbers: [seq, ack, length] }));
  for (const sender of [family.local, family.peer]) {
    expect(ofOne(own, sender).length).toBeGreaterThan(2);
    expect(ofOne(own, sender)).toEqual(ofOne(kernel, sender));
  }
});
