/**
 * Writes the classic pcap format (draft-ietf-opsawg-pcap): one link type, no interfaces, no comments. Little endian.
 * For what pcapng can hold more, see pcapng-writer.ts.
 */

import { putU16, putU32 } from './bytes.ts';
import { splitMilliseconds } from './time.ts';

/** What the file header says. */
export interface PcapOptions {
  linkType: number;
  /** Bytes kept of each packet; 262144, tcpdump's own number, if left out. */
  snapLength?: number;
  /** Microseconds if left out: every reader knows them. */
  tsResolution?: 'us' | 'ns';
}

const MAGIC_MICRO = 0xa1b2c3d4;
const MAGIC_NANO = 0xa1b23c4d;

/** Hands the file header to `write` at once, then one array a packet. */
export class PcapWriter {
  private readonly write: (bytes: Uint8Array) => void;
  private readonly nano: boolean;
  private readonly snapLength: number;
  private readonly time = { seconds: 0, nanoseconds: 0 };

  constructor(write: (bytes: Uint8Array) => void, options: PcapOptions) {
    this.write = write;
    this.nano = options.tsResolution === 'ns';
    this.snapLength = options.snapLength ?? 262144;
    const header = new Uint8Array(24);
    putU32(header, 0, this.nano ? MAGIC_NANO : MAGIC_MICRO);
    putU16(header, 4, 2); // version 2.4
    putU16(header, 6, 4);
    putU32(header, 16, this.snapLength);
    putU32(header, 20, options.linkType);
    write(header);
  }

  /** Writes a packet seen at `timeMs`: milliseconds since 1970, fractions allowed. */
  packet(timeMs: number, bytes: Uint8Array, originalLength = bytes.length): void {
    splitMilliseconds(timeMs, this.time);
    this.packetAt(this.time.seconds, this.time.nanoseconds, bytes, originalLength);
  }

  /** Like {@link packet}, the time as whole seconds and nanoseconds. */
  packetAt(seconds: number, nanoseconds: number, bytes: Uint8Array, originalLength = bytes.length): void {
    const length = Math.min(bytes.length, this.snapLength);
    const out = new Uint8Array(16 + length);
    let fraction = nanoseconds;
    let second = seconds;
    if (!this.nano) {
      fraction = Math.round(nanoseconds / 1000);
      if (fraction === 1_000_000) {
        fraction = 0;
        second++;
      }
    }
    putU32(out, 0, second);
    putU32(out, 4, fraction);
    putU32(out, 8, length);
    putU32(out, 12, originalLength);
    out.set(length === bytes.length ? bytes : bytes.subarray(0, length), 16);
    this.write(out);
  }
}
