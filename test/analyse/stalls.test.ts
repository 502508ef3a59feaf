/** Stalls of Nagle against delayed ACK, and what only looks like one. */
import { describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { CaptureReader, LinkType, PcapngWriter } from '../../src/capture/index.ts';
import { type Fields, madeFrame } from '../demo/made-frames.ts';

const SYN = 2;
const ACK = 16;
const PUSH = 24;
const ISS = 0x7ffffff0;
const IRS = -16;

/** The kinds of what the analysis finds in a connection with these segments after its opening. */
function findings(segments: readonly (readonly [ms: number, from: 'client' | 'server', Fields])[]): string[] {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block));
  const id = writer.addInterface({ linkType: LinkType.RAW });
  const opening = [
    [0, 'client', { flags: SYN, seq: ISS, mss: 1460 }],
    [0.2, 'server', { flags: SYN | ACK, seq: IRS, ack: ISS + 1, mss: 1460 }],
    [0.3, 'client', { flags: ACK, seq: ISS + 1, ack: IRS + 1 }],
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
  ...{ flags: PUSH, seq: ISS + 1 + 40 * n, ack: IRS + 1 + heard, text: 'r'.repeat(40) },
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
