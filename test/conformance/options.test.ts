/** RFC 9293 section 3.2: options, from the octets of a header through to what the engine makes of them. */

import { describe, expect, test } from 'vitest';
import { seqAdd } from '../../src/base/seq.ts';
import { segmentArrives, status, type Tcb } from '../../src/tcp/index.ts';
import { IRS, ISS, Scenario } from '../../src/testing/index.ts';
import { flagsFrom } from '../../src/testing/segments.ts';
import { emitTcp, parseTcp, Segment, TCP_HEADER_LENGTH } from '../../src/wire/tcp.ts';

/** A segment of octets: a header with exactly these option octets (a multiple of 4) and some text, parsed. */
function parsed(flags: string, seq: number, ack: number, options: readonly number[], text = ''): Segment {
  if (options.length % 4 !== 0) throw new Error('options fill words');
  const head = new Segment();
  head.flags = flagsFrom(flags);
  head.seq = seqAdd(IRS, seq);
  head.ack = seqAdd(ISS, ack);
  head.window = 65_535;
  const payload = new TextEncoder().encode(text);
  const bytes = new Uint8Array(TCP_HEADER_LENGTH + options.length + payload.length);
  emitTcp(head, bytes, 0);
  bytes[12] = ((TCP_HEADER_LENGTH + options.length) / 4) << 4;
  bytes.set(options, TCP_HEADER_LENGTH);
  bytes.set(payload, TCP_HEADER_LENGTH + options.length);
  const segment = new Segment();
  expect(parseTcp(bytes, 0, bytes.length, segment)).toBe(0);
  return segment;
}

/** A listener that got a SYN with these options. */
function afterSyn(options: readonly number[]): Tcb {
  const t = Scenario.listening();
  t.call((tcb, now) => segmentArrives(tcb, parsed('S', 0, 0, options), now));
  t.sends({ flags: 'SA', seq: 0, ack: 1 });
  return t.tcb;
}

/** What an open connection reads from a text segment with these options. */
function textWith(options: readonly number[]): string {
  const t = Scenario.established();
  t.call((tcb, now) => segmentArrives(tcb, parsed('PA', 1, 1, options, 'text'), now));
  t.state('ESTABLISHED');
  return t.read();
}

/** The option octets of a segment that is sent. */
function octetsOf(fill: (segment: Segment) => void): Uint8Array {
  const segment = new Segment();
  segment.flags = flagsFrom('S');
  fill(segment);
  const bytes = new Uint8Array(60).fill(0xee);
  return bytes.subarray(TCP_HEADER_LENGTH, emitTcp(segment, bytes, 0));
}

const MSS_1000 = [2, 4, 0x03, 0xe8];

describe('reading options', () => {
  test('[MUST-4] end of list, no-operation and MSS are understood', () => {
    expect(afterSyn(MSS_1000).peerMss).toBe(1000);
    expect(afterSyn([1, 1, 1, 1, ...MSS_1000]).peerMss).toBe(1000);
    // Behind the end of the list nothing counts.
    expect(afterSyn([0, 0, 0, 0, ...MSS_1000]).peerMss).toBe(536);
    expect(afterSyn([...MSS_1000, 0, 0, 0, 0]).peerMss).toBe(1000);
  });

  test('[MUST-64] an option may begin at any octet', () => {
    expect(afterSyn([1, ...MSS_1000, 1, 1, 1]).peerMss).toBe(1000);
    expect(afterSyn([1, 1, ...MSS_1000, 1, 1]).peerMss).toBe(1000);
    expect(afterSyn([1, 1, 1, ...MSS_1000, 0]).peerMss).toBe(1000);
    const withTimestamps = afterSyn([1, 8, 10, 0, 0, 0, 77, 0, 0, 0, 0, 1]);
    expect(withTimestamps.timestampsOk).toBe(true);
    expect(withTimestamps.tsRecent).toBe(77);
  });

  test('[MUST-5] options are taken on any segment, not only on a SYN', () => {
    const t = Scenario.established({}, { timestamps: [100, 0] });
    const timestamps = [1, 1, 8, 10, 0, 0, 0, 150, 0, 0, 0, 0];
    t.call((tcb, now) => segmentArrives(tcb, parsed('PA', 1, 1, timestamps, 'text'), now));
    expect(t.read()).toBe('text');
    t.advance(40);
    expect(t.sends({ flags: 'A', ack: 5 }).timestamps[1]).toBe(150);
  });

  test('[MUST-6] [MUST-68] options nobody knows are skipped by their length octet, on SYN and text alike', () => {
    // Kinds 6 (echo), 19 (MD5), 253 (experiments) and 77 (unassigned) before an MSS.
    for (const kind of [6, 19, 77, 253]) {
      expect(afterSyn([kind, 4, 2, 4, ...MSS_1000]).peerMss).toBe(1000);
      expect(afterSyn([kind, 6, 9, 9, 9, 9, 1, 1, ...MSS_1000]).peerMss).toBe(1000);
      expect(textWith([kind, 3, 0xff, 0])).toBe('text');
    }
    // The shortest there is: a kind and a length.
    expect(afterSyn([77, 2, 1, 1, ...MSS_1000]).peerMss).toBe(1000);
  });

  test('[MUST-7] a length of 0 or 1, or one that points out of the header, ends the options and nothing else', () => {
    for (const length of [0, 1, 41, 255]) {
      expect(afterSyn([...MSS_1000, 77, length, 0, 0]).peerMss).toBe(1000);
      expect(afterSyn([77, length, 0, 0, ...MSS_1000]).peerMss).toBe(536);
      expect(afterSyn([77, length, 1, 1, ...MSS_1000]).peerMss).toBe(536);
      expect(textWith([77, length, 0, 0])).toBe('text');
      expect(textWith([5, length, 0, 0])).toBe('text');
    }
    // A kind in the last octet, its length missing.
    expect(textWith([1, 1, 1, 8])).toBe('text');
  });

  test('a known option of a wrong length is ignored, and so are SYN options on other segments', () => {
    expect(afterSyn([2, 3, 9, 1]).peerMss).toBe(536);
    expect(afterSyn([3, 4, 9, 9]).wscaleOk).toBe(false);
    const t = Scenario.established({}, { mss: 1200 });
    t.call((tcb, now) => segmentArrives(tcb, parsed('A', 1, 1, [...MSS_1000, 1, 3, 3, 5]), now));
    expect(status(t.tcb)).toMatchObject({ peerMss: 1200, sndWscale: 0 });
  });

  test('an MSS of 0 is none, and one below the floor counts as the floor (CVE-2019-11479)', () => {
    expect(afterSyn([2, 4, 0, 0]).sndMss).toBe(536);
    expect(afterSyn([2, 4, 0, 1]).sndMss).toBe(48);
    expect(afterSyn([2, 4, 0xff, 0xff]).sndMss).toBe(1460);
  });
});

describe('writing options', () => {
  test('[MUST-69] what follows the last option up to the header length is zero or no-operations, never left-overs', () => {
    const options = [
      octetsOf((s) => {
        s.mss = 1460;
        s.fastOpen = true;
      }),
      octetsOf((s) => {
        s.windowScale = 7;
        s.sackPermitted = true;
      }),
      octetsOf((s) => {
        s.timestamps = true;
        s.tsVal = 0x22222222;
        s.tsEcr = 0x33333333;
        s.sackCount = 2;
        s.sackEdges.fill(0x44444444);
      }),
    ];
    for (const octets of options) {
      expect(octets.length % 4).toBe(0);
      // Walk as a receiver would: every octet belongs to an option, or is padding that is 0 or 1.
      let ended = false;
      for (let at = 0; at < octets.length; ) {
        if (ended) expect(octets[at]).toBe(0);
        if (octets[at] <= 1 || ended) {
          ended ||= octets[at] === 0;
          at++;
        } else {
          expect(octets[at + 1]).toBeGreaterThanOrEqual(2);
          at += octets[at + 1];
          expect(at).toBeLessThanOrEqual(octets.length);
        }
      }
    }
  });

  test('[MUST-68] every option that is sent but EOL and NOP has its length octet', () => {
    const octets = octetsOf((s) => {
      s.mss = 1460;
      s.windowScale = 7;
      s.sackPermitted = true;
      s.timestamps = true;
    });
    const lengths = new Map<number, number>();
    for (let at = 0; at < octets.length; ) {
      const kind = octets[at];
      if (kind <= 1) at++;
      else {
        lengths.set(kind, octets[at + 1]);
        at += octets[at + 1];
      }
    }
    expect(Object.fromEntries(lengths)).toEqual({ 2: 4, 3: 3, 4: 2, 8: 10 });
  });

  test('[MUST-65] the MSS option is on SYNs and on no other segment', () => {
    const t = Scenario.connecting();
    expect(t.sends({ flags: 'S' }).mss).toBe(1460);
    t.arrives({ flags: 'SA', seq: 0, ack: 1, mss: 1460 });
    t.send(5000);
    t.arrives({ flags: 'PA', seq: 1, ack: 1, length: 3000 });
    t.advance(3000);
    t.close();
    t.advance(3000);
    t.abort();
    const later = t.takeSent();
    expect(later.length).toBeGreaterThan(8);
    for (const segment of later) {
      expect(segment.mss).toBe(0);
      expect(segment.windowScale).toBe(-1);
      expect(segment.sackPermitted).toBe(false);
    }
  });
});

describe('options are used when both ends offered them, and only then', () => {
  const offers = { windowScale: 7, sackPermitted: true, timestamps: [5, 0] as const };

  test('passive side: the SYN,ACK answers what the SYN offered', () => {
    const t = Scenario.listening();
    t.arrives({ flags: 'S', seq: 0, mss: 1460, ...offers });
    const answer = t.sends({ flags: 'SA', sackPermitted: true });
    expect(answer.windowScale).toBeGreaterThanOrEqual(0);
    expect(answer.timestamps[1]).toBe(5);
    const plain = Scenario.listening();
    plain.arrives({ flags: 'S', seq: 0 });
    plain.sends({ flags: 'SA', windowScale: -1, sackPermitted: false, timestamps: [0, 0] });
  });

  test('active side: what the SYN,ACK leaves out is off', () => {
    const t = Scenario.connected();
    expect(status(t.tcb)).toMatchObject({ timestamps: false, sack: false, sndWscale: 0, rcvWscale: 0 });
    const all = Scenario.connected({}, { ...offers, timestamps: [5, 1000] });
    expect(status(all.tcb)).toMatchObject({ timestamps: true, sack: true, sndWscale: 7 });
  });

  test('configured off they are not offered', () => {
    const t = Scenario.connecting({ config: { timestamps: false, sack: false, windowScaling: false } });
    t.sends({ flags: 'S', mss: 1460, windowScale: -1, sackPermitted: false, timestamps: [0, 0] });
    t.arrives({ flags: 'SA', seq: 0, ack: 1, ...offers });
    expect(status(t.tcb)).toMatchObject({ timestamps: false, sack: false, sndWscale: 0, rcvWscale: 0 });
  });
});
