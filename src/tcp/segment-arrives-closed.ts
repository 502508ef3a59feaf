/** SEGMENT ARRIVES in CLOSED, RFC 9293 section 3.10.7.1: there is no TCB, and the sender should know. */

import { seq } from '../base/seq.ts';
import { ACK, RST, type Segment } from '../wire/tcp.ts';
import { segmentEnd } from './segment.ts';

/**
 * Makes the RST that answers `arrived`, its sequence numbers chosen so that the sender accepts it. Ports are crossed
 * over. Returns false when there must be no answer: a RST is never answered with a RST.
 */
export function replyToClosed(arrived: Segment, reply: Segment): boolean {
  if ((arrived.flags & RST) !== 0) return false;
  reply.reset();
  reply.sourcePort = arrived.destinationPort;
  reply.destinationPort = arrived.sourcePort;
  if ((arrived.flags & ACK) !== 0) {
    // <SEQ=SEG.ACK><CTL=RST>
    reply.seq = arrived.ack;
    reply.flags = RST;
  } else {
    // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
    reply.seq = seq(0);
    reply.ack = segmentEnd(arrived);
    reply.flags = RST | ACK;
  }
  return true;
}
