/** `estab serve`, `connect` and `get --tun` called wrongly, or into nothing: one line that says what to do, and an end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandFile } from './command.ts';
import { Namespace, needs } from './namespace.ts';

let ns: Namespace;
beforeEach(needs('ip', 'setpriv'));
beforeEach(() => {
  ns = new Namespace();
});
afterEach(async () => {
  await ns?.close();
});

const OWN = ['--tun', 'qa0', '--address', '10.7.0.2/24'];

async function estab(...args: string[]): Promise<{ code: number | null; stdout: string; lines: string[] }> {
  const { code, stdout, stderr } = await ns.run(process.execPath, [commandFile(), ...args], { timeout: 8000 });
  return { code, stdout: stdout.toString(), lines: stderr.trimEnd().split('\n') };
}

describe('misused: exit code 2, one line', () => {
  test.each([
    [['serve'], /--tun/],
    [['serve', '--tun', 'qa0'], /--address 10\.7\.0\.2\/24/],
    [['serve', ...OWN, '--backlog', '0'], /--backlog 0: give a whole number from 1 to 65535/],
    [['serve', ...OWN, '--port', '65536'], /--port 65536: give a whole number from 1 to 65535/],
    [['serve', ...OWN, '--mtu', 'large'], /MTU/i],
    [['serve', ...OWN, '--mtu', '100'], /MTU/i],
    [['serve', ...OWN, '--echo', '--discard'], /one service at a time/],
    [['serve', ...OWN, '--sysctl', 'tcp_syncookies=9'], /tcp_syncookies/],
    [['serve', ...OWN, '--sysctl', 'tcp_syn_cookies=1'], /did you mean tcp_syncookies/],
    [['serve', ...OWN, '--loss', '200%'], /--loss 200%: give a probability/],
    [['serve', ...OWN, '--nosuch'], /estab: serve: unknown option '--nosuch'; "estab serve --help"/],
    [['serve', '--tun', 'qa0', '--address', '127.0.0.1/8'], /cannot be a host's address/],
    [['serve', ...OWN, '--peer', '10.8.0.1'], /10\.8\.0\.1 is not in the network of 10\.7\.0\.2\/24/],
    [['serve', ...OWN, '--peer', '10.7.0.2'], /the kernel needs another/],
    [['serve', '--tun', 'lo', '--address', '10.7.0.2/24'], /choose another name/],
    [['connect', 'nowhere', ...OWN], /write 10\.7\.0\.1:80/],
    [['connect', 'example.com:80', ...OWN], /names are not looked up/],
    [['connect', '10.7.0.1:0', ...OWN], /write 10\.7\.0\.1:80/],
    [['get', 'http://10.7.0.1/', '--tun', 'lo', '--address', '10.7.0.2/24'], /get: lo is an interface of another kind/],
    [['get', 'http://10.7.0.1/', ...OWN, '--peer', '10.8.0.1'], /get: 10\.8\.0\.1 is not in the network of/],
    [['nonsense'], /estab: unknown command 'nonsense'; "estab --help" names all commands/],
  ])('%j', async (args, complaint) => {
    const { code, stdout, lines } = await estab(...args);
    expect({ code, stdout, lines }).toEqual({ code: 2, stdout: '', lines: [expect.stringMatching(complaint)] });
  });
});

describe('nobody to talk to: exit code 1, one line', () => {
  test.each([
    ['10.7.0.1:99', /ECONNREFUSED 10\.7\.0\.1:99: nothing listens there/],
    ['[fd00::1]:99', /ENETUNREACH fd00::1:99: no way leads there/],
  ])('%s', async (target, complaint) => {
    const { code, lines } = await estab('connect', target, ...OWN);
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringMatching(complaint)] });
  });
});

test('Ctrl-C while nobody answers ends it at once', async () => {
  const client = ns.start(process.execPath, [commandFile(), 'connect', '10.99.0.1:99', ...OWN, '--trace']);
  await client.seen(/SYN-SENT/, 8000);
  expect((await client.stop('SIGINT', 3000)).code).toBe(130);
});

test.each([['serve'], ['connect', '10.7.0.1:80'], ['get', 'http://10.7.0.1/']])(
  'without the right to make a TUN, %s says what to do, and ends with 1',
  async (...command) => {
    const args = ['--bounding-set=-net_admin', process.execPath, commandFile(), ...command, ...OWN];
    const { code, stdout, stderr } = await ns.run('setpriv', args, { timeout: 8000 });
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^estab: ${command[0]}: no permission to use TUN device qa0; run as root or give node CAP_NET_ADMIN.*\n$`,
      ),
    );
  },
);
