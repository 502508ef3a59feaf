/** `estab connect` against programs of the kernel's side: who closes first, half-close both ways, refused, reset. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, FAMILIES, makeTun, TUN } from './command.ts';
import { Namespace, needs, type Running } from './namespace.ts';
import { capture } from './packets.ts';
import { byConnection, distance, firstToClose, problems, tell, textAfterFinOf, textLength } from './stories.ts';

const PORT = 5000;
const WAIT = 20_000;

let ns: Namespace;
beforeEach(needs('nc.openbsd', 'ss', 'tc', 'tcpdump', 'tshark'));
beforeEach(() => {
  ns = new Namespace();
  makeTun(ns);
});
afterEach(async () => {
  await ns?.close();
});

describe.each(FAMILIES)('over $name', (family) => {
  /** Gives the kernel its address before we come, so that something can listen on it. */
  function addPeer(): void {
    const length = family.prefixed.split('/')[1];
    const nodad = family.name === 'IPv6' ? ['nodad'] : [];
    ns.runNow('ip', ['address', 'replace', `${family.peer}/${length}`, 'dev', TUN, ...nodad]);
  }

  /** nc on the kernel's side, listening; its standard input stays open. */
  async function listen(): Promise<Running> {
    addPeer();
    const nc = ns.start('nc.openbsd', ['-n', '-v', '-N', '-l', family.name === 'IPv6' ? '-6' : '-4', String(PORT)]);
    await nc.seen(/Listening on/);
    return nc;
  }

  test('we close first: our end of the story is over, the other end still talks, and we hold TIME-WAIT', async () => {
    addPeer();
    const server = ns.program('kernel-peer.ts', [family.peer, String(PORT)]);
    await server.seen(/listening/);
    const seen = await capture(ns, TUN);
    const client = connect(ns, family, PORT);
    client.child.stdin.end('question\n');
    await server.seen(/question/);
    await ns.untilSocket('CLOSE-WAIT');
    server.child.stdin.write('an answer after your FIN\n');
    await client.seen(/an answer after your FIN/);
    server.child.stdin.end('and the last of it\n');
    const { code, stdout } = await client.done();
    expect(code).toBe(0);
    expect(stdout.toString()).toBe('an answer after your FIN\nand the last of it\n');
    expect((await server.done()).stdout.toString()).toBe('question\n');
    expect(ns.sockets()).toEqual([]);
    const story = tell(await seen.segments());
    expect(problems(story, family.mss)).toEqual([]);
    expect(firstToClose(story)).toBe(family.local);
    expect(textAfterFinOf(story.accepter, story.opener)).toBe(44);
  });

  test('the kernel closes first: we still talk, and it holds TIME-WAIT', async () => {
    const server = await listen();
    const seen = await capture(ns, TUN);
    const client = connect(ns, family, PORT);
    server.child.stdin.end('that was all\n');
    await client.seen(/that was all/);
    await ns.run('sleep', ['0.2']);
    client.child.stdin.write('not from here\n');
    await server.seen(/not from here/);
    client.child.stdin.end('but now\n');
    expect((await client.done()).code).toBe(0);
    expect((await server.done()).stdout.toString()).toBe('not from here\nbut now\n');
    expect(ns.sockets().map((socket) => socket.state)).toEqual(['TIME-WAIT']);
    const story = tell(await seen.segments());
    expect(problems(story, family.mss)).toEqual([]);
    expect(firstToClose(story)).toBe(family.peer);
    expect(textAfterFinOf(story.opener, story.accepter)).toBe(22);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s leaves a RST behind, not half a connection', async (signal, code) => {
    const server = await listen();
    const client = connect(ns, family, PORT);
    client.child.stdin.write('hello\n');
    await server.seen(/hello/);
    expect((await client.stop(signal)).code).toBe(code);
    await server.done(WAIT);
    expect(ns.sockets()).toEqual([]);
  });

  test('a reader that has seen enough ends it quietly', async () => {
    const server = await listen();
    const client = connect(ns, family, PORT);
    server.child.stdin.write('one\n');
    await client.seen(/one/);
    client.child.stdout.destroy();
    server.child.stdin.write('two\n');
    const { code, stderr } = await client.done(WAIT);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await server.done(WAIT);
  });

  test('both close at once: FINs that cross, acknowledged crosswise', async () => {
    const server = await listen();
    const client = connect(ns, family, PORT);
    client.child.stdin.write('ready\n');
    await server.seen(/ready/);
    const seen = await capture(ns, TUN);
    // The kernel's packets queue behind some 5 KB at 10 KB/s: its FIN is under way for half a second.
    ns.runNow('tc', ['qdisc', 'add', 'dev', TUN, 'root', 'tbf', 'rate', '80kbit', 'burst', '1600', 'latency', '10s']);
    for (let i = 0; i < 4; i++) {
      await ns.run('nc.openbsd', ['-n', '-u', '-q', '0', family.local, '9'], { input: 'x'.repeat(1300) });
    }
    server.child.stdin.end();
    await ns.untilSocket('FIN-WAIT-1');
    client.child.stdin.end();
    expect((await client.done(WAIT)).code).toBe(0);
    await server.done(WAIT);
    expect(ns.sockets().map((socket) => socket.state)).toEqual(['TIME-WAIT']);
    const segments = (await seen.segments()).filter((segment) => segment.fromPort === PORT || segment.toPort === PORT);
    // The first of each: behind that queue both ends send theirs again before an answer can come.
    const finOf = (end: string) => segments.find((segment) => segment.from === end && segment.flags.includes('F'));
    const [ours, theirs] = [finOf(family.local), finOf(family.peer)];
    if (ours === undefined || theirs === undefined) throw new Error('one end sent no FIN');
    // Neither FIN acknowledges the other one: that is what makes the close simultaneous (RFC 9293, figure 13).
    expect(distance(ours.ack, theirs.seq)).toBe(0);
    expect(distance(theirs.ack, ours.seq)).toBe(0);
    for (const fin of [ours, theirs]) {
      const acked = segments.some((segment) => segment.from !== fin.from && distance(segment.ack, fin.seq) === 1);
      expect(acked).toBe(true);
    }
    expect(segments.filter((segment) => segment.flags.includes('R'))).toEqual([]);
  });

  test('1 MB each way at the same time', async () => {
    const server = await listen();
    const seen = await capture(ns, TUN);
    const client = connect(ns, family, PORT);
    const [ours, theirs] = [randomBytes(1_000_000), randomBytes(1_000_000)];
    client.child.stdin.end(ours);
    server.child.stdin.end(theirs);
    expect((await client.done()).stdout.equals(theirs)).toBe(true);
    expect((await server.done()).stdout.equals(ours)).toBe(true);
    const story = tell(await seen.segments());
    expect(problems(story, family.mss)).toEqual([]);
    expect([textLength(story.opener), textLength(story.accepter)]).toEqual([1_000_000, 1_000_000]);
  });

  test('half-close with nc as the client: it still talks after our FIN', async () => {
    const ours = ns.program('ours.ts', [TUN, family.prefixed, family.peer, 'half-close', String(PORT)]);
    await ours.seen(/^ready$/m);
    const seen = await capture(ns, TUN);
    const client = ns.start('nc.openbsd', ['-n', '-N', family.local, String(PORT)]);
    await client.seen(/goodbye/);
    await ns.untilSocket('CLOSE-WAIT');
    client.child.stdin.write('wait, one more thing\n');
    await ours.seen(/one more thing/);
    client.child.stdin.end('and that was it\n');
    expect((await client.done()).stdout.toString()).toBe('goodbye\n');
    await ours.seen(/^closed$/m);
    expect(ours.stdout.toString()).toBe('ready\nwait, one more thing\nand that was it\nclosed\n');
    const story = tell(await seen.segments());
    expect(problems(story, family.mss)).toEqual([]);
    expect(firstToClose(story)).toBe(family.local);
    expect(textAfterFinOf(story.opener, story.accepter)).toBe(37);
  });

  test('we abort: the kernel sees a reset that it believes', async () => {
    const ours = ns.program('ours.ts', [TUN, family.prefixed, family.peer, 'abort', String(PORT)]);
    await ours.seen(/^ready$/m);
    const seen = await capture(ns, TUN);
    const { stdout } = await ns.program('kernel-abort.ts', [family.local, String(PORT)]).done();
    expect(stdout.toString()).toBe('error read ECONNRESET\nclosed\n');
    expect(ns.sockets()).toEqual([]);
    const { accepter, opener } = tell(await seen.segments());
    const resets = accepter.filter((segment) => segment.flags.includes('R'));
    expect(resets).toHaveLength(1);
    // RFC 5961 section 3.2: a reset is believed at exactly RCV.NXT, which the opener last acknowledged.
    expect(resets[0]?.seq).toBe(opener.at(-1)?.ack);
  });

  test.each([
    [1000, 1],
    [500, 500],
  ])(
    '%i connections to the kernel, %i at a time',
    async (count, atOnce) => {
      addPeer();
      await ns.program('kernel-echo.ts', [family.peer, String(PORT)]).seen(/listening/);
      const seen = await capture(ns, TUN);
      const own = [TUN, family.prefixed, family.peer, 'crowd', String(PORT), String(count), String(atOnce)];
      const { stdout } = await ns.program('ours.ts', own).done(120_000);
      expect(stdout.toString()).toBe(`${count} echoed, 0 failed\n`);
      const connections = byConnection(await seen.segments());
      expect(connections).toHaveLength(count);
      for (const connection of connections) expect(problems(tell(connection), family.mss)).toEqual([]);
    },
    180_000,
  );

  test('refused: one line that says so, exit code 1', async () => {
    const seen = await capture(ns, TUN);
    const client = connect(ns, family, PORT);
    client.child.stdin.end();
    const { code, stdout, stderr } = await client.done();
    expect(code).toBe(1);
    expect(stdout.toString()).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/refused/i);
    const segments = await seen.segments();
    expect(segments.map((segment) => segment.flags.replace(/[EC]/g, ''))).toEqual(['S', 'RA']);
  });

  test('reset by the kernel in mid-stream: what came before is delivered, then exit code 1', async () => {
    const server = await listen();
    const seen = await capture(ns, TUN);
    const client = connect(ns, family, PORT);
    server.child.stdin.write('so far\n');
    await client.seen(/so far/);
    // A socket that is closed with unread data answers with RST; a stopped nc does not read.
    server.child.kill('SIGSTOP');
    client.child.stdin.write('never read\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    server.child.kill('SIGKILL');
    const { code, stdout, stderr } = await client.done();
    expect(code).toBe(1);
    expect(stdout.toString()).toBe('so far\n');
    expect(stderr).toMatch(/reset/i);
    const { accepter, opener } = tell(await seen.segments());
    expect(accepter.some((segment) => segment.flags.includes('R'))).toBe(true);
    expect(opener.some((segment) => segment.flags.includes('R'))).toBe(false);
  });
});
