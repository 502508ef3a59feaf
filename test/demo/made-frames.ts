/** Frames made by hand, for tests of what the demo draws from them. */

import { seq } from '../../src/base/seq.ts';
import type { EndName } from '../../src/bin/demo/record.ts';
import type { WireFrame } from '../../src/sim/wire.ts';
import { checksumAdd, checksumFold } from '../../src/wire/checksum.ts';
import { emitTcp, Segment } from '../../src/wire/tcp.ts';

export interface Fields {
  readonly flags: number;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  readonly mss?: number;
  readonly windowScale?: number;
  readonly text?: string;
  /** TSval and TSecr. */
  readonly timestamps?: readonly [number, number];
  /** One block. */
  readonly sack?: readonly [left: number, right: number];
}

let frames = 0;

/** An IPv4 packet from client (10.0.0.1:49152) to server (10.0.0.2:80), or back. */
export function madeFrame(from: EndName, fields: Fields, sentAt = 0): WireFrame {
  const segment = new Segment();
  const text = new TextEncoder().encode(fields.text ?? '');
  segment.sourcePort = from === 'client' ? 49152 : 80;
  segment.destinationPort = from === 'client' ? 80 : 49152;
  segment.flags = fields.flags;
  segment.seq = seq(fields.seq);
  segment.ack = seq(fields.ack ?? 0);
  segment.window = fields.window ?? 1000;
  segment.mss = fields.mss ?? 0;
  segment.windowScale = fields.windowScale ?? -1;
  if (fields.timestamps !== undefined) {
    segment.timestamps = true;
    [segment.tsVal, segment.tsEcr] = fields.timestamps;
  }
  if (fields.sack !== undefined) {
    segment.sackCount = 1;
    segment.sackEdges.set(fields.sack);
  }
  const bytes = new Uint8Array(100 + text.length);
  const header = emitTcp(segment, bytes, 20);
  bytes.set(text, 20 + header);
  const total = 20 + header + text.length;
  const addresses = from === 'client' ? [10, 0, 0, 1, 10, 0, 0, 2] : [10, 0, 0, 2, 10, 0, 0, 1];
  bytes.set([0x45, 0, total >> 8, total & 255, 0, 0, 0, 0, 64, 6, 0, 0, ...addresses]);
  const sum = checksumFold(checksumAdd(0, bytes, 0, 20));
  bytes[10] = sum >> 8;
  bytes[11] = sum & 255;
  frames++;
  return {
    id: frames,
    index: frames,
    direction: from === 'client' ? 'a->b' : 'b->a',
    bytes: bytes.slice(0, total),
    sentAt,
    copyOf: null,
    injected: false,
  };
}
