/**
 * Reads a capture that arrives in chunks of any size: tells pcap from pcapng, keeps at most one unfinished record, and
 * never throws for what the bytes say. What could be read has been handed out when a problem is reported.
 */

import { type CaptureHandler, type CaptureProblem, CaptureRecord, type FormatReader } from './formats.ts';
import { isPcap, PcapReader } from './pcap-reader.ts';
import { isPcapng, PcapngReader } from './pcapng-reader.ts';

/**
 * Push chunks, then call end.
 *
 * ```ts
 * const reader = new CaptureReader({ packet: (record) => console.log(record.frame, record.originalLength) });
 * for await (const chunk of stream) reader.push(chunk);
 * const problem = reader.end(); // null, or what was wrong and where
 * ```
 */
export class CaptureReader {
  private readonly handler: CaptureHandler;
  private readonly record = new CaptureRecord();
  private format: FormatReader | null = null;
  private failure: CaptureProblem | null = null;
  /** Bytes not yet used: held[0, heldLength). */
  private held = new Uint8Array(0);
  private heldLength = 0;

  constructor(handler: CaptureHandler) {
    this.handler = handler;
  }

  /** What is wrong with the file so far. Further chunks are ignored once this is not null. */
  get problem(): CaptureProblem | null {
    return this.failure;
  }

  /** Packets read so far. */
  get packets(): number {
    return this.record.frame;
  }

  /** Reads a chunk. Its bytes are not kept after the call, and may be used again. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.failure === null) {
      if (this.heldLength === 0) {
        const used = this.consume(chunk, at, chunk.length);
        at += used;
        if (used === 0) at = this.hold(chunk, at, chunk.length);
      } else {
        // Complete the one unfinished record first, then go on in place.
        const need = this.format === null ? 4 : this.format.wanted;
        at = this.hold(chunk, at, Math.min(chunk.length, at + Math.max(1, need - this.heldLength)));
        const used = this.consume(this.held, 0, this.heldLength);
        if (used > 0) {
          this.held.copyWithin(0, used, this.heldLength);
          this.heldLength -= used;
        }
      }
    }
  }

  /** The input has ended. Returns what was wrong with it, or null. */
  end(): CaptureProblem | null {
    if (this.failure === null && this.format === null) {
      this.failure =
        this.heldLength === 0
          ? { message: 'the file is empty', offset: 0 }
          : { message: `the file has ${this.heldLength} bytes, too few for a capture`, offset: 0 };
    } else if (this.failure === null && this.format !== null) {
      if (this.heldLength > 0 || this.format.unfinished) this.failure = this.format.cut(this.heldLength);
    }
    return this.failure;
  }

  private consume(data: Uint8Array, from: number, to: number): number {
    if (this.format === null) {
      if (to - from < 4) return 0;
      if (isPcap(data, from)) this.format = new PcapReader(this.handler, this.record);
      else if (isPcapng(data, from)) this.format = new PcapngReader(this.handler, this.record);
      else {
        this.failure = { message: 'this is neither a pcap nor a pcapng file', offset: 0 };
        return to - from;
      }
    }
    const used = this.format.consume(data, from, to);
    if (used >= 0) return used;
    this.failure = this.format.problem;
    return to - from;
  }

  private hold(chunk: Uint8Array, from: number, to: number): number {
    const length = this.heldLength + to - from;
    if (length > this.held.length) {
      // `wanted` is bounded by the formats, so a lying length cannot make this grow past 16 MiB.
      const wanted = Math.max(length, Math.min(this.format?.wanted ?? 0, 2 * length), 4096);
      const grown = new Uint8Array(wanted);
      grown.set(this.held.subarray(0, this.heldLength));
      this.held = grown;
    }
    this.held.set(chunk.subarray(from, to), this.heldLength);
    this.heldLength = length;
    return to;
  }
}
