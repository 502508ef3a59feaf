/** RFC 9293 section 3.7.1: the maximum segment size (RFC 6691); 3.7.2 and 3.7.3 as far as TCP sees them. */

import { describe, expect, test } from 'vitest';
import { icmpTooBig, setPathMtu, status } from '../../src/tcp/index.ts';
import { ISS, Scenario } from '../../src/testing/index.ts';

const firstLength = (t: Scenario): number => {
  t.send(20_000);
  return t.takeSent()[0].length;
};

describe('the option we send', () => {
  test('[MUST-14] [SHLD-5] [MAY-3] is on every SYN and SYN,ACK, for IPv4 and IPv6', () => {
    for (const [family, mss] of [
      [4, 1460],
      [6, 1440],
    ] as const) {
      const active = Scenario.connecting({ family });
      active.sends({ flags: 'S', mss });
      active.advance(1000);
      active.sends({ flags: 'S', mss });
      const passive = Scenario.listening({ family });
      passive.arrives({ flags: 'S', seq: 0 });
      passive.sends({ flags: 'SA', mss });
    }
  });

  test('[MAY-3] is sent even where it says no more than the default', () => {
    Scenario.connecting({ mtu: 576 }).sends({ flags: 'S', mss: 536 });
    Scenario.connecting({ family: 6, mtu: 1280 }).sends({ flags: 'S', mss: 1220 });
  });

  test('[MUST-67] is what an MTU leaves beside the fixed headers, never more; options are not taken off', () => {
    for (const [family, mtu, mss] of [
      [4, 1500, 1460],
      [4, 9000, 8960],
      [4, 65_535, 65_495],
      [6, 1500, 1440],
      [6, 1280, 1220],
    ] as const) {
      const t = Scenario.connecting({ family, mtu });
      // With timestamps on the SYN, which take 12 octets of each segment.
      expect(t.sends({ flags: 'S', mss }).timestamps[0]).not.toBe(0);
    }
  });

  test('[SHLD-6] is made from the smallest MTU known when the SYN goes out', () => {
    const t = Scenario.listening();
    setPathMtu(t.tcb, 1400);
    t.arrives({ flags: 'S', seq: 0, mss: 1460 });
    t.sends({ flags: 'SA', mss: 1360 });
  });
});

describe('the option we receive', () => {
  test('[MUST-14] [MUST-16] bounds the text of our segments', () => {
    for (const mss of [200, 536, 1000, 1460]) {
      expect(firstLength(Scenario.established({}, { mss }))).toBe(mss);
      expect(firstLength(Scenario.connected({}, { mss }))).toBe(mss);
    }
  });

  test('[MUST-15] missing, 536 (IPv4) and 1220 (IPv6) are assumed', () => {
    for (const [family, mss] of [
      [4, 536],
      [6, 1220],
    ] as const) {
      expect(firstLength(Scenario.established({ family }, { mss: 0 }))).toBe(mss);
      expect(firstLength(Scenario.connected({ family }, { mss: 0 }))).toBe(mss);
    }
  });

  test('[MUST-16] larger than our own path, the path decides', () => {
    expect(firstLength(Scenario.established({}, { mss: 9000 }))).toBe(1460);
    expect(firstLength(Scenario.established({ mtu: 1000 }, { mss: 9000 }))).toBe(960);
    expect(firstLength(Scenario.established({ family: 6, mtu: 1280 }, { mss: 65_535 }))).toBe(1220);
  });

  test('[MUST-16] options in each segment are taken off', () => {
    const t = Scenario.established({}, { mss: 1000, timestamps: [1, 0] });
    expect(firstLength(t)).toBe(988);
  });
});

describe('the path', () => {
  test('[MUST-16] a packet too big makes our segments smaller at once, and sends again what was too large', () => {
    const t = Scenario.established();
    t.send(1460);
    t.sends({ seq: 1, length: 1460 });
    t.call((tcb) => icmpTooBig(tcb, ISS, 1400));
    t.sendsNothing();
    t.call((tcb) => icmpTooBig(tcb, tcb.sndUna, 1400));
    t.sends({ flags: 'A', seq: 1, length: 1360 });
    t.sends({ flags: 'PA', seq: 1361, length: 100 });
    expect(status(t.tcb).sndMss).toBe(1360);
  });
});
