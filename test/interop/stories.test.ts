/** The judge of packets, on a made-up connection: silent on a good one, and it names each thing done wrong. */
import { describe, expect, test } from 'vitest';
import type { SeenSegment } from './packets.ts';
import { byConnection, firstToClose, problems, tell, textAfterFinOf, textLength } from './stories.ts';

const ISS = 0x7ffffff0;
const IRS = 0xfffffff0;

function segment(side: 'a' | 'b', flags: string, seq: number, ack: number, length = 0): SeenSegment {
  const syn = flags.includes('S');
  return {
    time: 0,
    from: side,
    to: side === 'a' ? 'b' : 'a',
    fromPort: side === 'a' ? 1000 : 80,
    toPort: side === 'a' ? 80 : 1000,
    flags,
    seq: (side === 'a' ? ISS + seq : IRS + seq) >>> 0,
    ack: flags.includes('A') ? (side === 'a' ? IRS + ack : ISS + ack) >>> 0 : 0,
    length,
    window: 1000,
    mss: syn ? 1460 : null,
    windowScale: syn ? 7 : null,
    sackPermitted: syn,
    timestamps: true,
    checksumGood: true,
    stream: 0,
  };
}

/** Opens, 20 bytes from a, which closes; 30 more from b, which closes too: across both wraps. */
function good(): SeenSegment[] {
  return [
    segment('a', 'S', 0, 0),
    segment('b', 'SA', 0, 1),
    segment('a', 'A', 1, 1),
    segment('a', 'PA', 1, 1, 20),
    segment('a', 'FA', 21, 1),
    segment('b', 'A', 1, 22),
    segment('b', 'PA', 1, 22, 30),
    segment('b', 'FA', 31, 22),
    segment('a', 'A', 22, 32),
  ];
}

const judge = (change: (segments: SeenSegment[]) => void): string => {
  const segments = good();
  change(segments);
  return problems(tell(segments), 1460).join('\n');
};

test('a good connection', () => {
  const story = tell(good());
  expect(problems(story, 1460)).toEqual([]);
  expect(firstToClose(story)).toBe('a');
  expect(textAfterFinOf(story.accepter, story.opener)).toBe(30);
  expect(textAfterFinOf(story.opener, story.accepter)).toBe(0);
  expect([textLength(story.opener), textLength(story.accepter)]).toEqual([20, 30]);
});

test('a retransmission is no problem and is not counted twice', () => {
  const segments = good();
  segments.splice(4, 0, segment('a', 'PA', 1, 1, 20), segment('a', 'A', 11, 1, 5));
  const story = tell(segments);
  expect(problems(story, 1460)).toEqual([]);
  expect(textLength(story.opener)).toBe(20);
});

test('a RST is no problem once both ends have closed: a FIN sent twice leads to it', () => {
  const segments = [...good(), segment('a', 'A', 22, 32), segment('b', 'R', 32, 0)];
  expect(problems(tell(segments), 1460)).toEqual([]);
});

describe('what is wrong is named', () => {
  test.each<[string, (segments: SeenSegment[]) => void, string]>([
    [
      'a SYN-ACK that acknowledges nothing of ours',
      (s) => Object.assign(s[1] ?? {}, { ack: ISS }),
      'does not acknowledge the SYN',
    ],
    ['no third segment', (s) => s.splice(2, 7), 'fewer than three'],
    ['a wrong third segment', (s) => Object.assign(s[2] ?? {}, { ack: IRS }), 'does not acknowledge the SYN-ACK'],
    ['another MSS', (s) => Object.assign(s[1] ?? {}, { mss: 536 }), 'announces an MSS of 536, not 1460'],
    ['no window scale', (s) => Object.assign(s[0] ?? {}, { windowScale: null }), 'S has no window scale'],
    ['a hole', (s) => s.splice(6, 1), 'b skips from'],
    ['too much at once', (s) => Object.assign(s[6] ?? {}, { length: 1461 }), 'over the MSS of 1460'],
    ['a FIN that nobody acknowledges', (s) => s.splice(8, 1), 'nobody acknowledged the FIN of b'],
    ['no FIN', (s) => s.splice(7, 2), 'b sent no FIN'],
    ['a RST', (s) => s.splice(8, 0, segment('a', 'RA', 22, 31)), 'a RST in an orderly connection'],
    ['a wrong checksum', (s) => Object.assign(s[3] ?? {}, { checksumGood: false }), 'a wrong checksum'],
  ])('%s', (_name, change, message) => {
    expect(judge(change)).toContain(message);
  });

  test('a capture that does not begin with a SYN', () => {
    expect(() => tell(good().slice(1))).toThrow('the first segment is no SYN');
    expect(() => tell([])).toThrow('no SYN');
  });
});

test('connections are told apart', () => {
  const other = good().map((each) => ({ ...each, stream: 7 }));
  expect(byConnection([...good(), ...other]).map((list) => list.length)).toEqual([9, 9]);
});
