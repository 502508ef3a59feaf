/**
 * The capture of a run: every segment where it enters the wire, the lost ones too. Times begin at a fixed date, so the
 * same run is the same file.
 */

import { LinkType } from '../../capture/formats.ts';
import { PcapngWriter } from '../../capture/pcapng-writer.ts';
import type { Record, Sent } from './record.ts';

/** 2026-01-01T00:00:00Z, seconds since 1970: the moment every world begins. */
export const EPOCH_SECONDS = 1_767_225_600;

/** The pcapng file of a run, whole. */
export function captureOf(record: Record, title: string): Uint8Array {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block), { application: 'estab demo', comment: title });
  const wire = writer.addInterface({
    linkType: LinkType.RAW,
    name: 'wire',
    description: 'where segments enter the simulated wire',
  });
  for (const sent of record.segments) {
    const { seconds, nanoseconds } = captureTime(sent.time);
    const comment = commentOn(sent);
    writer.packetAt(wire, seconds, nanoseconds, sent.frame, comment === null ? {} : { comment });
  }
  return joined(blocks);
}

/** The time of the world as a date. */
export function captureTime(ms: number): { seconds: number; nanoseconds: number } {
  const micros = Math.round(ms * 1000);
  const seconds = Math.floor(micros / 1_000_000);
  return { seconds: EPOCH_SECONDS + seconds, nanoseconds: (micros - seconds * 1_000_000) * 1000 };
}

function commentOn(sent: Sent): string | null {
  if (sent.lost === 'nobody there') return 'reached nobody';
  if (sent.lost !== null) return 'lost on the way';
  if (sent.damaged) return 'damaged on the way';
  if (sent.copy) return 'a copy made by the wire';
  return sent.stray === null ? null : `no host sent this now: ${sent.stray}`;
}

export function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
