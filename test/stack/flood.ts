/** Floods and hand-made handshakes against one host. */

import { SeededRandom } from '../../src/base/random.ts';
import { seqAdd } from '../../src/base/seq.ts';
import { ACK, type Segment, SYN } from '../../src/wire/tcp.ts';
import { Node } from './pair.ts';
import { drain, inject, type RawSegment, type Seen } from './raw.ts';

/** The client's: the SYN's sequence number wraps soon after. */
export const ISN = 0x7fff_fff0;

export function host(...settings: string[]): Node {
  return new Node({ addresses: ['10.0.0.2/8', '2001:db8::2/64'], settings });
}

/** SYNs from made-up sources, each new. Returns what the host answered. */
export function flood(node: Node, now: number, count: number, seed = 7, dport = 80): Seen[] {
  const random = new SeededRandom(seed);
  const answers: Seen[] = [];
  for (let i = 0; i < count; i++) {
    const n = random.nextUint32();
    const from = `10.${100 + (n & 63)}.${(n >>> 8) & 255}.${1 + ((n >>> 16) % 250)}`;
    inject(node, now, {
      from,
      sport: 1024 + (random.nextUint32() % 60_000),
      seq: random.nextUint32(),
      flags: SYN,
      dport,
      mss: 1460,
    });
    answers.push(...drain(node, now));
  }
  return answers;
}

/** A client by hand: SYN, then the ACK of the SYN,ACK. */
export function shake(node: Node, now: number, raw: Partial<RawSegment>): { reply: Segment | null; answers: Seen[] } {
  inject(node, now, { seq: ISN, flags: SYN, mss: 1460, ...raw });
  const reply = drain(node, now)[0]?.segment ?? null;
  if (reply === null) return { reply, answers: [] };
  inject(node, now, {
    ...raw,
    mss: 0,
    windowScale: -1,
    sackPermitted: false,
    seq: ISN + 1,
    ack: seqAdd(reply.seq, 1),
    flags: ACK,
  });
  return { reply, answers: drain(node, now) };
}
