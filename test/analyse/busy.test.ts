/** What a busy host does, and what only looks like it: stalls of Nagle against delayed ACK, copies sent in vain. */
import { describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { CaptureReader, LinkType, PcapngWriter } from '../../src/capture/index.ts';
import { type Fields, madeFrame } from '../demo/made-frames.ts';

const SYN = 2;
const ACK = 16;
const PUSH = 24;
const ISS = 0x7ffffff0;
const IRS = -16;

type Step = readonly [ms: number, from: 'client' | 'server', Fields];

/** The kinds of what the analysis finds in a connection with these segments after its opening. */
function findings(segments: readonly Step[], stamps = false): string[] {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block));
  const id = writer.addInterface({ linkType: LinkType.RAW });
  const stamp = (own: number, heard: number) => (stamps ? { timestamps: [own, heard] as const } : {});
  const opening = [
    [-5, 'client', { flags: SYN, seq: ISS, mss: 1460, ...stamp(100, 0) }],
    [-1, 'server', { flags: SYN | ACK, seq: IRS, ack: ISS + 1, mss: 1460, ...stamp(900, 100) }],
    [-0.99, 'client', { flags: ACK, seq: ISS + 1, ack: IRS + 1, ...stamp(104, 900) }],
  ] as const;
  for (const [ms, from, fields] of [...opening, ...segments])
    writer.packet(id, 1e12 + ms, madeFrame(from, fields).bytes);
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  for (const block of blocks) reader.push(block);
  const report = analyser.finish('made', reader.end());
  return report.connections.flatMap((connection) => connection.findings.map(({ kind }) => kind));
}

const request = (n: number, heard = 0): Fields => ({
  flags: PUSH,
  seq: ISS + 1 + 40 * n,
  ack: IRS + 1 + heard,
  text: 'r'.repeat(40),
});

describe('Nagle against delayed ACK', () => {
  it('is a small segment that leaves when the one before is acknowledged, late', () => {
    const late = [41, 'server', { flags: ACK, seq: IRS + 1, ack: ISS + 41 }] as const;
    expect(findings([[1, 'client', request(0)], late, [41.1, 'client', request(1)]])).toContain('nagle-delayed-ack');
  });

  it('is not a server that took long, acknowledged meanwhile, and whose answer the next request waits for', () => {
    const late = [41, 'server', { flags: ACK, seq: IRS + 1, ack: ISS + 41 }] as const;
    const answer = [41.5, 'server', { flags: PUSH, seq: IRS + 1, ack: ISS + 41, text: 'a'.repeat(60) }] as const;
    const kinds = findings([[1, 'client', request(0)], late, answer, [41.6, 'client', request(1, 60)]]);
    expect(kinds).not.toContain('nagle-delayed-ack');
  });
});

describe('a host that is too busy to hear what it is told', () => {
  const text = (n: number, stamp: number): Fields => ({
    flags: ACK,
    seq: IRS + 1 + 1000 * n,
    ack: ISS + 1,
    text: 't'.repeat(1000),
    timestamps: [stamp, 104],
  });
  const heard = (n: number, stamp: number, sack?: Fields['sack']): Fields => ({
    flags: ACK,
    seq: ISS + 1,
    ack: IRS + 1 + 1000 * n,
    timestamps: [stamp, 905],
    ...(sack === undefined ? {} : { sack }),
  });
  const told: Step[] = [0, 1, 2, 3, 4, 5].flatMap((n): Step[] => [
    [5 * n, 'server', text(n, 905 + 5 * n)],
    [5 * n + 0.02, 'client', heard(n + 1, 109 + 5 * n)],
  ]);
  const second: Fields['sack'] = [IRS + 1, IRS + 1001];

  it('repeats what had arrived: the stamp of the copy says that it was sent now', () => {
    const copy = [272, 'server', text(0, 1177)] as const;
    const kinds = findings([...told, copy, [272.02, 'client', heard(6, 376, second)]], true);
    expect(kinds).toContain('needless-retransmission');
    expect(kinds).not.toContain('reordering');
    expect(kinds).not.toContain('network-duplicate');
  });
});
