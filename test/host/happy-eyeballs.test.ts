/** RFC 8305 with a clock of our own: who is tried when, who wins, what a failure says. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectError } from '../../src/host/connect-by-name.ts';
import { type FailedAttempt, type NamedDestination, Race, tellingFailures } from '../../src/host/happy-eyeballs.ts';
import { Host } from '../../src/host/host.ts';
import { memoryPair } from '../../src/link/memory.ts';

let host: Host;
beforeEach(() => {
  vi.useFakeTimers();
  host = new Host();
  const iface = host.attach(memoryPair().a, { name: 'eth0', addresses: ['10.0.0.1/24', '2001:db8:1::1/64'] });
  host.stack.addRoute('::/0', null, iface);
});
afterEach(() => {
  host.close();
  vi.useRealTimers();
});

/** What a name server gives after so many milliseconds; null: that there is none. */
type Answer = readonly [afterMs: number, addresses: readonly string[] | null];

function answering([afterMs, addresses]: Answer): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const fail = Object.assign(new Error('queryX ENODATA'), { code: 'ENODATA' });
    setTimeout(() => (addresses === null ? reject(fail) : resolve(addresses)), afterMs);
  });
}

/** A race whose attempts end as `fates` says: after so many milliseconds, with an error or without. */
function race(
  names: { v6: Answer; v4: Answer },
  fates: Record<string, readonly [afterMs: number, error: string | null]> = {},
  options: Partial<NamedDestination> = {},
) {
  const log: string[] = [];
  const start = performance.now();
  const say = (what: string): number => log.push(`${Math.round(performance.now() - start)} ${what}`);
  const resolver = { resolve6: () => answering(names.v6), resolve4: () => answering(names.v4) };
  let failures: readonly FailedAttempt[] = [];
  const made = new Race(
    host,
    { hostname: 'shop.example', family: 0, resolver, ...options },
    {
      attempt(address, done) {
        say(`try ${address}`);
        const [afterMs, error] = fates[String(address)] ?? [1e6, null];
        const timer = setTimeout(() => done(error === null ? null : new Error(error)), afterMs);
        return () => {
          clearTimeout(timer);
          say(`give up ${address}`);
        };
      },
      opened: (address) => say(`open ${address}`),
      failed: (all) => {
        failures = all;
        say('failed');
      },
    },
  );
  return { made, log, failures: () => failures };
}

const V6 = ['2001:db8:1::a', '2001:db8:1::b'];
const V4 = ['10.0.0.8', '10.0.0.9'];

describe('Happy Eyeballs', () => {
  test('both families in turn, an attempt every 250 ms; the first that opens wins, the others are given up', async () => {
    const { log } = race({ v6: [10, V6], v4: [20, V4] }, { '10.0.0.8': [300, null] });
    await vi.advanceTimersByTimeAsync(5000);
    expect(log).toEqual([
      '10 try 2001:db8:1::a',
      '260 try 10.0.0.8',
      '510 try 2001:db8:1::b',
      '560 give up 2001:db8:1::a',
      '560 give up 2001:db8:1::b',
      '560 open 10.0.0.8',
    ]);
  });

  test('A alone waits 50 ms for AAAA, and no longer', async () => {
    const soon = race({ v6: [40, V6], v4: [10, V4] }, { '2001:db8:1::a': [5, null] });
    const late = race({ v6: [200, V6], v4: [10, V4] }, { '2001:db8:1::a': [5, null] });
    await vi.advanceTimersByTimeAsync(5000);
    expect(soon.log).toEqual(['40 try 2001:db8:1::a', '45 open 2001:db8:1::a']);
    // Late AAAA stand in line with what was not tried yet, IPv6 in front: an IPv4 address was the last.
    expect(late.log).toEqual([
      '60 try 10.0.0.8',
      '310 try 2001:db8:1::a',
      '315 give up 10.0.0.8',
      '315 open 2001:db8:1::a',
    ]);
  });

  test('that there is no AAAA is an answer: nothing is waited for', async () => {
    const none = race({ v6: [5, null], v4: [30, V4] }, { '10.0.0.8': [1, null] });
    const empty = race({ v6: [40, []], v4: [10, V4] }, { '10.0.0.8': [1, null] });
    await vi.advanceTimersByTimeAsync(5000);
    expect(none.log).toEqual(['30 try 10.0.0.8', '31 open 10.0.0.8']);
    expect(empty.log).toEqual(['40 try 10.0.0.8', '41 open 10.0.0.8']);
  });

  test('what fails is not waited for: the next is tried at once, and late addresses too', async () => {
    const fates = { '2001:db8:1::a': [20, 'refused'], '10.0.0.8': [20, 'refused'], '10.0.0.9': [1, null] } as const;
    const { log } = race({ v6: [0, V6.slice(0, 1)], v4: [100, V4] }, fates);
    await vi.advanceTimersByTimeAsync(5000);
    expect(log).toEqual(['0 try 2001:db8:1::a', '100 try 10.0.0.8', '120 try 10.0.0.9', '121 open 10.0.0.9']);
  });

  test('an address that comes when the last attempt has had its time is tried at once', async () => {
    const { log } = race({ v6: [0, V6.slice(0, 1)], v4: [600, V4] }, { '10.0.0.8': [1, null] });
    await vi.advanceTimersByTimeAsync(5000);
    expect(log.slice(0, 2)).toEqual(['0 try 2001:db8:1::a', '600 try 10.0.0.8']);
  });

  test('the delay between attempts can be chosen, 100 ms … 2 s', async () => {
    const { log } = race({ v6: [0, V6], v4: [0, []] }, {}, { attemptDelayMs: 100 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(log).toEqual(['0 try 2001:db8:1::a', '100 try 2001:db8:1::b']);
    expect(() => race({ v6: [0, V6], v4: [0, V4] }, {}, { attemptDelayMs: 99 })).toThrow('99 is not in 100 … 2000 ms');
    expect(() => race({ v6: [0, V6], v4: [0, V4] }, {}, { attemptDelayMs: 2001 })).toThrow('not in');
  });

  test('one family alone', async () => {
    const { log } = race({ v6: [0, V6], v4: [10, V4] }, { '10.0.0.8': [1, null] }, { family: 4 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(log).toEqual(['10 try 10.0.0.8', '11 open 10.0.0.8']);
  });

  test('when all fail, each is told; a name without addresses tells the name server’s reason', async () => {
    const fates = { '2001:db8:1::a': [1, 'refused'], '10.0.0.8': [1, 'unreachable'] } as const;
    const all = race({ v6: [0, V6.slice(0, 1)], v4: [0, V4.slice(0, 1)] }, fates);
    const none = race({ v6: [0, null], v4: [5, null] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(all.log.at(-1)).toBe('2 failed');
    const told = tellingFailures(all.failures());
    expect(told.map(({ address, error }) => `${address} ${error.message}`)).toEqual([
      '2001:db8:1::a refused',
      '10.0.0.8 unreachable',
    ]);
    expect(connectError('shop.example:80', told).message).toBe(
      'no connection to shop.example:80: refused, unreachable',
    );
    expect(tellingFailures(none.failures())).toHaveLength(1);
    expect(connectError('shop.example:80', tellingFailures(none.failures())).message).toBe('queryX ENODATA');
  });

  test('given up, it tells nothing more', async () => {
    const { made, log } = race({ v6: [0, V6], v4: [0, V4] }, { '2001:db8:1::a': [100, null] });
    await vi.advanceTimersByTimeAsync(50);
    made.cancel();
    await vi.advanceTimersByTimeAsync(5000);
    expect(log).toEqual(['0 try 2001:db8:1::a', '50 give up 2001:db8:1::a']);
  });

  test('localhost is known to everybody', async () => {
    const { log } = race(
      { v6: [0, null], v4: [0, null] },
      { '::1': [1, 'refused'] },
      { hostname: 'localhost', resolver: null },
    );
    await vi.advanceTimersByTimeAsync(10);
    expect(log).toEqual(['0 try ::1', '1 try 127.0.0.1']);
    expect(() => race({ v6: [0, V6], v4: [0, V4] }, {}, { resolver: null })).toThrow(
      '"shop.example" is a name and nobody',
    );
  });
});
