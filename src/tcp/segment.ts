/** SEG.LEN and its kin (RFC 9293 sections 3.3.1 and 3.4): control bits that count in sequence space. */

import { type Seq, seqAdd } from '../base/seq.ts';
import { FIN, type Segment, SYN } from '../wire/tcp.ts';

/** SEG.LEN: text octets, plus one each for SYN and FIN. */
export function segmentLength(seg: Segment): number {
  return seg.payloadLength + ((seg.flags & SYN) !== 0 ? 1 : 0) + ((seg.flags & FIN) !== 0 ? 1 : 0);
}

/** The sequence number of the first text octet: one on when a SYN comes before it. */
export function textStart(seg: Segment): Seq {
  return (seg.flags & SYN) !== 0 ? seqAdd(seg.seq, 1) : seg.seq;
}

/** The sequence number after the segment. */
export function segmentEnd(seg: Segment): Seq {
  return seqAdd(seg.seq, segmentLength(seg));
}
