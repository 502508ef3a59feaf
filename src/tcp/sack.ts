/** The receiver's half of SACK (RFC 2018) and DSACK (RFC 2883): which blocks an ACK reports. */

import { type Seq, seq, seqDiff } from '../base/seq.ts';
import type { Segment } from '../wire/tcp.ts';
import type { Tcb } from './tcb.ts';

const MAX_BLOCKS = 4;
/** With timestamps only three blocks fit in the 40 octets of options. */
const MAX_BLOCKS_WITH_TIMESTAMPS = 3;

/** Remembers that text at `at` arrived out of order: its block is reported first (RFC 2018 section 4). */
export function noteOutOfOrder(tcb: Tcb, at: Seq): void {
  if (!tcb.sackOk) return;
  if (tcb.sackRecent === null) tcb.sackRecent = new Int32Array(MAX_BLOCKS);
  const recent = tcb.sackRecent;
  const block = tcb.receiveBuffer.outOfOrder.indexOf(at);
  if (block < 0) return;
  const left = tcb.receiveBuffer.outOfOrder.left(block);
  let kept = 0;
  // Drop older mentions of the same block (blocks merge), then put it in front: no block is mentioned twice.
  for (let i = 0; i < tcb.sackRecentCount; i++) {
    if (tcb.receiveBuffer.outOfOrder.indexOf(seq(recent[i])) !== block) recent[kept++] = recent[i];
  }
  if (kept === MAX_BLOCKS) kept--;
  for (let i = kept; i > 0; i--) recent[i] = recent[i - 1];
  recent[0] = left;
  tcb.sackRecentCount = kept + 1;
}

/** Text [left, right) arrived a second time: the next ACK says so, once. */
export function noteDuplicate(tcb: Tcb, left: Seq, right: Seq): void {
  if (!tcb.sackOk || !tcb.config.dsack || seqDiff(right, left) <= 0) return;
  tcb.dsackPending = true;
  tcb.dsackLeft = left;
  tcb.dsackRight = right;
}

/** Puts the blocks on an ACK: a DSACK first, then the most recent, then those reported before. */
export function writeSack(tcb: Tcb, seg: Segment): void {
  const ranges = tcb.receiveBuffer.outOfOrder;
  if (!tcb.sackOk || (!tcb.dsackPending && ranges.count === 0)) return;
  const limit = tcb.timestampsOk ? MAX_BLOCKS_WITH_TIMESTAMPS : MAX_BLOCKS;
  let count = 0;
  if (tcb.dsackPending) {
    tcb.dsackPending = false;
    seg.sackEdges[0] = tcb.dsackLeft;
    seg.sackEdges[1] = tcb.dsackRight;
    count = 1;
  }
  const recent = tcb.sackRecent;
  if (recent !== null && ranges.count > 0) {
    for (let i = 0; i < tcb.sackRecentCount && count < limit; i++) {
      const block = ranges.indexOf(seq(recent[i]));
      if (block < 0) continue;
      seg.sackEdges[2 * count] = ranges.left(block);
      seg.sackEdges[2 * count + 1] = ranges.right(block);
      count++;
    }
  }
  seg.sackCount = count;
}
