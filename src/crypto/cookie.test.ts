import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { type Seq, seq, seqAdd } from '../base/seq.ts';
import { decodeOptions, encodeOptions, SynCookies } from './cookie.ts';

const IRS = seq(-16);
const v4 = {
  local: { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000001 },
  remote: { w0: 0, w1: 0, w2: 0xffff, w3: 0x0a000002 },
};
const v6 = { local: { w0: 0x20010db8, w1: 0, w2: 0, w3: 1 }, remote: { w0: 0x20010db8, w1: 0, w2: 0, w3: 2 } };
const PERIOD = 64_000;

type Hosts = typeof v4;

function make(cookies: SynCookies, now: number, mss: number, hosts: Hosts = v4): Seq {
  return cookies.make(now, hosts.local, 80, hosts.remote, 40000, IRS, mss);
}

function check(cookies: SynCookies, now: number, cookie: Seq, hosts: Hosts = v4): number {
  return cookies.check(now, hosts.local, 80, hosts.remote, 40000, IRS, cookie);
}

describe('SYN cookies', () => {
  it.each([
    ['IPv4', v4, [48, 256, 536, 1300, 1440, 1460]],
    ['IPv6', v6, [48, 536, 1220, 1420, 1440, 8940]],
  ] as const)('bring every MSS back, rounded down to the table: %s', (_name, hosts, table) => {
    const cookies = new SynCookies(new SeededRandom(1));
    for (let mss = 1; mss <= 65535; mss++) {
      const expected = table.findLast((entry) => entry <= mss) ?? 48;
      const got = check(cookies, 500, make(cookies, 400, mss, hosts), hosts);
      if (got !== expected) throw new Error(`MSS ${mss} came back as ${got}, not ${expected}`);
    }
  });

  it('hold for the period they were made in and the next, whatever keys are replaced meanwhile', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    for (let period = 0; period < 300; period++) {
      for (const made of [period * PERIOD, (period + 1) * PERIOD - 0.001]) {
        const cookie = make(cookies, made, 1460);
        expect(check(cookies, made, cookie)).toBe(1460);
        expect(check(cookies, (period + 2) * PERIOD - 0.001, cookie)).toBe(1460);
      }
    }
  });

  it('are refused two periods later, and when the eight bits of the period come round', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    const old = Array.from({ length: 3 }, (_, i) => make(cookies, i * PERIOD + 5, 1460));
    for (let age = 2; age < 600; age++) {
      old.forEach((cookie, period) => {
        expect(check(cookies, (period + age) * PERIOD + 5, cookie), `age ${age}`).toBe(0);
      });
    }
  });

  it('cannot be renewed by who has an old one', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    const old = make(cookies, 0, 1460);
    for (let period = 1; period < 64; period++) {
      expect(check(cookies, period * PERIOD, seqAdd(old, period << 24))).toBe(0);
    }
  });

  it('have their key replaced within hours (C05)', () => {
    let drawn = 0;
    const counting = { nextUint32: () => ++drawn };
    const cookies = new SynCookies(counting);
    make(cookies, 0, 1460);
    const before = drawn;
    make(cookies, 2 * 3_600_000, 1460);
    expect(drawn - before).toBe(4);
  });

  it('are refused for any other pair of sockets', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    const cookie = make(cookies, 0, 1460, v6);
    const { local, remote } = v6;
    for (const field of ['w0', 'w1', 'w2', 'w3'] as const) {
      expect(cookies.check(0, { ...local, [field]: 77 }, 80, remote, 40000, IRS, cookie)).toBe(0);
      expect(cookies.check(0, local, 80, { ...remote, [field]: 77 }, 40000, IRS, cookie)).toBe(0);
    }
    expect(cookies.check(0, local, 81, remote, 40000, IRS, cookie)).toBe(0);
    expect(cookies.check(0, local, 80, remote, 40001, IRS, cookie)).toBe(0);
    expect(cookies.check(0, remote, 40000, local, 80, IRS, cookie)).toBe(0);
    expect(cookies.check(0, local, 80, remote, 40000, IRS, cookie)).toBe(1440);
  });

  it('are refused with any other sequence number of the client, near or far', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    const cookie = make(cookies, 0, 536);
    for (const off of [...Array(2000).keys(), 1 << 24, 1 << 25, -(1 << 24), 0x7fffffff]) {
      for (const isn of off === 0 ? [] : [seqAdd(IRS, off), seqAdd(IRS, -off)]) {
        expect(cookies.check(0, v4.local, 80, v4.remote, 40000, isn, cookie), `${off}`).toBe(0);
      }
    }
  });

  it('are refused under another secret', () => {
    const cookie = make(new SynCookies(new SeededRandom(1)), 0, 1460);
    expect(check(new SynCookies(new SeededRandom(2)), 0, cookie)).toBe(0);
  });

  it('are the same for a SYN that comes again within the period', () => {
    const cookies = new SynCookies(new SeededRandom(1));
    expect(make(cookies, 100, 1460)).toBe(make(cookies, 2100, 1460));
  });
});

describe('options in the timestamp', () => {
  it('come back, in a timestamp at most 63 behind the clock and never ahead, across its wraps', () => {
    for (const base of [0, 1, 12_345, 0x7fffffc0, -64, -0x80000000]) {
      for (let step = 0; step < 130; step++) {
        const clock = (base + step) | 0;
        for (let windowScale = -1; windowScale <= 14; windowScale++) {
          for (const sack of [false, true]) {
            for (const ecn of [false, true]) {
              const stamp = encodeOptions(clock, windowScale, sack, ecn);
              expect(stamp | 0).toBe(stamp);
              const behind = (clock - stamp) | 0;
              if (behind < 0 || behind > 63) throw new Error(`clock ${clock}: ${behind} behind`);
              const options = decodeOptions(stamp);
              if (options.windowScale !== windowScale || options.sack !== sack || options.ecn !== ecn)
                throw new Error(`clock ${clock}: ${JSON.stringify(options)}`);
            }
          }
        }
      }
    }
  });

  it('take a shift above 14 for 14 (RFC 7323 section 2.3)', () => {
    expect(decodeOptions(encodeOptions(1000, 15, false, false)).windowScale).toBe(14);
    expect(decodeOptions(encodeOptions(1000, 255, true, true))).toEqual({ windowScale: 14, sack: true, ecn: true });
  });
});
