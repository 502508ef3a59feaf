/**
 * Parses the classic pcap format (draft-ietf-opsawg-pcap): both byte orders, microseconds and nanoseconds, and the
 * variant with longer record headers that patched Linux captures of the nineties wrote.
 */

import { fileU16, fileU32 } from './bytes.ts';
import type { CaptureHandler, CaptureProblem, CaptureRecord, FormatReader } from './formats.ts';

const MICRO = 0xa1b2c3d4;
const NANO = 0xa1b23c4d;
const PATCHED = 0xa1b2cd34;

const FILE_HEADER = 24;
/** No tool writes more of a packet; a greater length means that the record headers are damaged. */
export const MAX_CAPTURED = 262_144;

/** Whether a file that begins with these four bytes is a pcap file. */
export function isPcap(data: Uint8Array, at: number): boolean {
  return knownMagic(fileU32(data, at, true)) || knownMagic(fileU32(data, at, false));
}

function knownMagic(magic: number): boolean {
  return magic === MICRO || magic === NANO || magic === PATCHED;
}

export class PcapReader implements FormatReader {
  wanted = FILE_HEADER;
  problem: CaptureProblem | null = null;
  private readonly handler: CaptureHandler;
  private readonly record: CaptureRecord;
  private position = 0;
  private opened = false;
  private little = true;
  private tick = 1000;
  private recordHeader = 16;
  private linkType = 0;

  constructor(handler: CaptureHandler, record: CaptureRecord) {
    this.handler = handler;
    this.record = record;
  }

  consume(data: Uint8Array, from: number, to: number): number {
    let at = from;
    if (!this.opened) {
      if (to - at < FILE_HEADER) return 0;
      this.open(data, at);
      at += FILE_HEADER;
    }
    const { record, little, recordHeader } = this;
    record.linkType = this.linkType;
    record.data = data;
    this.wanted = recordHeader;
    while (to - at >= recordHeader) {
      const length = fileU32(data, at + 8, little);
      if (length > MAX_CAPTURED) return this.fail(at - from, length);
      if (to - at < recordHeader + length) {
        this.wanted = recordHeader + length;
        break;
      }
      record.frame++;
      record.seconds = fileU32(data, at, little);
      record.nanoseconds = fileU32(data, at + 4, little) * this.tick;
      record.length = length;
      record.originalLength = fileU32(data, at + 12, little);
      record.offset = at + recordHeader;
      this.handler.packet(record);
      at += recordHeader + length;
    }
    this.position += at - from;
    return at - from;
  }

  get unfinished(): boolean {
    return !this.opened;
  }

  cut(left: number): CaptureProblem {
    if (!this.opened) {
      return { message: `the file ends inside its header: ${left} of ${FILE_HEADER} bytes are there`, offset: 0 };
    }
    const frame = this.record.frame + 1;
    const message =
      this.wanted === this.recordHeader
        ? `the file is cut inside the header of packet ${frame}: ${left} of ${this.recordHeader} bytes are there`
        : `the file is cut inside packet ${frame}: ${left - this.recordHeader} of ${this.wanted - this.recordHeader} bytes are there`;
    return { message, offset: this.position };
  }

  private open(data: Uint8Array, at: number): void {
    this.little = knownMagic(fileU32(data, at, true));
    const magic = fileU32(data, at, this.little);
    const nano = magic === NANO;
    this.tick = nano ? 1 : 1000;
    this.recordHeader = magic === PATCHED ? 24 : 16;
    this.linkType = fileU16(data, this.little ? at + 20 : at + 22, this.little);
    this.opened = true;
    this.handler.section?.({
      format: 'pcap',
      littleEndian: this.little,
      version: `${fileU16(data, at + 4, this.little)}.${fileU16(data, at + 6, this.little)}`,
      hardware: null,
      operatingSystem: null,
      application: null,
      comment: null,
    });
    this.handler.interface?.({
      id: 0,
      linkType: this.linkType,
      snapLength: fileU32(data, at + 16, this.little),
      ticksPerSecond: nano ? 1_000_000_000 : 1_000_000,
      name: null,
      description: null,
      filter: null,
    });
  }

  private fail(at: number, length: number): number {
    this.problem = {
      message: `packet ${this.record.frame + 1} claims ${length} captured bytes, more than the ${MAX_CAPTURED} any tool writes: the file is damaged from here`,
      offset: this.position + at,
    };
    return -1;
  }
}
