/** The TUN link against the kernel of a namespace of its own: what it carries, how it closes, how it fails. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Namespace, needs } from './namespace.ts';
import { capture } from './packets.ts';

let ns: Namespace;
beforeEach(needs('ping', 'tcpdump', 'tshark'));
beforeEach(() => {
  ns = new Namespace();
});
afterEach(async () => {
  await ns?.close();
});

const V4 = ['10.7.0.2/24', '10.7.0.1'];
const V6 = ['fd00:7::2/64', 'fd00:7::1'];

async function ping(...args: string[]): Promise<string> {
  const { stdout } = await ns.run('ping', ['-n', '-W', '2', ...args]);
  return stdout.toString();
}

describe('packets', () => {
  test('ping is answered over IPv4 and IPv6, of every size up to the MTU', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4, ...V6]);
    await echo.seen(/^ready t0 1500$/m);
    const seen = await capture(ns, 't0');
    expect(await ping('-c', '20', '-i', '0.01', '10.7.0.2')).toContain('20 received, 0% packet loss');
    expect(await ping('-c', '20', '-i', '0.01', 'fd00:7::2')).toContain('20 received, 0% packet loss');
    expect(await ping('-c', '2', '-i', '0.01', '-M', 'do', '-s', '1472', '10.7.0.2')).toContain('2 received');
    expect(await seen.count('icmp.type == 0 && icmp.checksum.status == 1')).toBe(22);
    expect(await seen.count('icmpv6.type == 129 && icmpv6.checksum.status == 1')).toBe(20);
    const { code, stdout } = await echo.stop('SIGINT');
    expect(stdout.toString()).toContain('closed by us');
    expect(code).toBe(0);
  });

  test('a flood loses nothing', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4]);
    await echo.seen(/^ready/m);
    expect(await ping('-f', '-c', '20000', '-s', '1400', '10.7.0.2')).toContain('20000 received, 0% packet loss');
  });

  test('an MTU is set and used', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4, '--mtu', '9000']);
    await echo.seen(/^ready t0 9000$/m);
    expect(await ping('-c', '2', '-M', 'do', '-s', '8972', '10.7.0.2')).toContain('2 received');
  });

  test('a point-to-point pair has no prefix to share', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', '10.8.0.2/32', '192.168.9.1', 'fd00:8::2/128', 'fd00:9::1']);
    await echo.seen(/^ready/m);
    expect(await ping('-c', '1', '10.8.0.2')).toContain('1 received');
    expect(await ping('-c', '1', 'fd00:8::2')).toContain('1 received');
  });
});

describe('hazards', () => {
  test('a link that nobody holds goes on while garbage is collected', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4, '--forget'], ['--expose-gc']);
    await echo.seen(/^ready/m);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await ping('-c', '100', '-i', '0.01', '10.7.0.2')).toContain('100 received, 0% packet loss');
  });

  test('buffers stay where the kernel writes while garbage is collected under load', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4, '--forget'], ['--expose-gc', '--stress-compaction']);
    await echo.seen(/^ready/m);
    expect(await ping('-f', '-c', '3000', '-s', '1400', '-p', 'a5', '10.7.0.2')).toMatch(
      /3000 received, 0% packet loss/,
    );
  });

  test('promises and ticks made in a handler run at once, not after some other event', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4, '--later']);
    await echo.seen(/^ready/m);
    expect(await ping('-c', '3', '-i', '0.3', '-W', '0.2', '10.7.0.2')).toContain('3 received');
  });

  test('an exception in a handler ends the program as any other would', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4, '--throw']);
    await echo.seen(/^ready/m);
    void ping('-c', '1', '10.7.0.2');
    const { code, stderr } = await echo.done();
    expect(code).toBe(1);
    expect(stderr).toContain('thrown in a handler');
  });

  test.each(['close', 'exit'])('a Worker with an open device ends by %s and takes nothing down', async (how) => {
    const { code, signal, stdout } = await ns.program('tun-in-worker.ts', [how]).done();
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stdout.toString()).toContain('worker ended');
    expect(stdout.toString()).toContain('device free');
  });
});

describe('the device', () => {
  test('one that an administrator made is used as it is, and stays', async () => {
    ns.runNow('ip', ['tuntap', 'add', 'dev', 'mine', 'mode', 'tun']);
    ns.runNow('ip', ['address', 'add', '10.7.0.1/24', 'dev', 'mine']);
    ns.runNow('ip', ['link', 'set', 'mine', 'up', 'mtu', '1400']);
    for (let i = 0; i < 2; i++) {
      const echo = ns.program('echo-responder.ts', ['mine', ...V4]);
      await echo.seen(/^ready mine 1400$/m);
      expect(await ping('-c', '2', '-i', '0.01', '10.7.0.2')).toContain('2 received');
      await echo.stop('SIGINT');
    }
    expect(ns.runNow('ip', ['-brief', 'link'])).toContain('mine');
  });

  test('one of our own is gone after closing', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4]);
    await echo.seen(/^ready/m);
    await echo.stop('SIGINT');
    expect(ns.runNow('ip', ['-brief', 'link'])).not.toContain('t0');
  });

  test('in use by another program', async () => {
    await ns.program('echo-responder.ts', ['t0', ...V4]).seen(/^ready/m);
    const second = await ns.program('echo-responder.ts', ['t0', ...V4]).done();
    expect(second.stdout.toString()).toMatch(/^error EBUSY TUN device t0 is in use by another program/);
  });

  test('of another kind', async () => {
    ns.runNow('ip', ['tuntap', 'add', 'dev', 'd0', 'mode', 'tap']);
    const { stdout } = await ns.program('echo-responder.ts', ['d0', ...V4]).done();
    expect(stdout.toString()).toMatch(/^error EINVAL d0 is an interface of another kind/);
  });

  test('deleted under our hands', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4]);
    await echo.seen(/^ready/m);
    ns.runNow('ip', ['link', 'delete', 't0']);
    const { code, stdout } = await echo.done();
    expect(stdout.toString()).toMatch(/closed TUN device t0 is gone/);
    expect(code).toBe(0);
  });

  test('set down and up again: what is sent meanwhile is lost, nothing else', async () => {
    const echo = ns.program('echo-responder.ts', ['t0', ...V4]);
    await echo.seen(/^ready/m);
    ns.runNow('ip', ['link', 'set', 't0', 'down']);
    ns.runNow('ip', ['link', 'set', 't0', 'up']);
    expect(await ping('-c', '3', '-i', '0.01', '10.7.0.2')).toContain('3 received');
  });

  test('without rights: says what to do', async () => {
    const { stdout } = await ns.program('tun-without-rights.ts').done();
    expect(stdout.toString()).toMatch(
      /^error EPERM .*run as root or give node CAP_NET_ADMIN, or create the device first/,
    );
  });
});
