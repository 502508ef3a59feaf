/**
 * Parses pcapng (draft-ietf-opsawg-pcapng): any number of sections, each in its own byte order, interfaces with their
 * options, enhanced, simple and obsolete packet blocks, name resolution and decryption secrets. Blocks of other kinds
 * are skipped by their length, however long they claim to be, without being held in memory.
 */

import { fileU16, fileU32 } from './bytes.ts';
import type {
  CaptureHandler,
  CaptureInterface,
  CaptureName,
  CaptureProblem,
  CaptureRecord,
  FormatReader,
} from './formats.ts';
import { MAX_CAPTURED } from './pcap-reader.ts';
import { splitTicks } from './time.ts';

const Block = {
  INTERFACE: 1,
  OBSOLETE_PACKET: 2,
  SIMPLE_PACKET: 3,
  NAMES: 4,
  PACKET: 6,
  SECRETS: 10,
  SECTION: 0x0a0d0d0a,
} as const;

/** No block this project understands is longer in an honest file. */
const MAX_BLOCK = 16 * 1024 * 1024;
const LITTLE_MARK = 0x4d;
const BIG_MARK = 0x1a;

interface InterfaceState extends CaptureInterface {
  readonly offsetSeconds: number;
}

/** Whether a file that begins with these four bytes is a pcapng file. */
export function isPcapng(data: Uint8Array, at: number): boolean {
  return fileU32(data, at, false) === Block.SECTION;
}

export class PcapngReader implements FormatReader {
  wanted = 12;
  problem: CaptureProblem | null = null;
  private readonly handler: CaptureHandler;
  private readonly record: CaptureRecord;
  private readonly text = new TextDecoder();
  private position = 0;
  private little = true;
  private skipping = 0;
  private interfaces: InterfaceState[] = [];

  constructor(handler: CaptureHandler, record: CaptureRecord) {
    this.handler = handler;
    this.record = record;
  }

  consume(data: Uint8Array, from: number, to: number): number {
    const begin = this.position;
    let at = from;
    this.record.data = data;
    for (;;) {
      this.position = begin + at - from;
      if (this.skipping > 0) {
        const step = Math.min(this.skipping, to - at);
        this.skipping -= step;
        at += step;
        this.position += step;
      }
      this.wanted = 12;
      if (to - at < 12) return at - from;
      const isSection = fileU32(data, at, false) === Block.SECTION;
      if (isSection && !this.readByteOrder(data, at)) return -1;
      const type = isSection ? Block.SECTION : fileU32(data, at, this.little);
      const length = fileU32(data, at + 4, this.little);
      if (length < 12 || (length & 3) !== 0) {
        return this.fail(`a block claims a length of ${length} bytes, which no block can have`);
      }
      if (!isUnderstood(type)) {
        this.skipping = length;
        continue;
      }
      if (length > MAX_BLOCK) return this.fail(`a block claims ${length} bytes, more than any tool writes`);
      if (to - at < length) {
        this.wanted = length;
        return at - from;
      }
      if (fileU32(data, at + length - 4, this.little) !== length) {
        return this.fail(`a block of ${length} bytes does not end with its own length`);
      }
      if (!this.block(type, data, at + 8, at + length - 4)) return -1;
      at += length;
    }
  }

  cut(left: number): CaptureProblem {
    const what = this.wanted > 12 ? `a block of ${this.wanted} bytes` : 'the header of a block';
    if (left === 0 && this.skipping > 0) {
      return { message: `the file is cut inside a block: ${this.skipping} bytes are missing`, offset: this.position };
    }
    return {
      message: `the file is cut inside ${what} after packet ${this.record.frame}: ${left} bytes of it are there`,
      offset: this.position,
    };
  }

  get unfinished(): boolean {
    return this.skipping > 0;
  }

  private readByteOrder(data: Uint8Array, at: number): boolean {
    if (data[at + 8] === LITTLE_MARK) this.little = true;
    else if (data[at + 8] === BIG_MARK) this.little = false;
    else {
      this.fail('a section header has no byte-order mark');
      return false;
    }
    return true;
  }

  private fail(what: string): number {
    this.problem = {
      message: `${what}: the file is damaged after packet ${this.record.frame}`,
      offset: this.position,
    };
    return -1;
  }

  /** Reads one whole block's body; false once the file makes no sense. */
  private block(type: number, data: Uint8Array, from: number, to: number): boolean {
    switch (type) {
      case Block.PACKET:
        return this.packetBlock(data, from, to, 20, fileU32(data, from, this.little));
      case Block.OBSOLETE_PACKET:
        return this.packetBlock(data, from, to, 20, fileU16(data, from, this.little));
      case Block.SIMPLE_PACKET:
        return this.simplePacketBlock(data, from, to);
      case Block.SECTION:
        return this.sectionBlock(data, from, to);
      case Block.INTERFACE:
        return this.interfaceBlock(data, from, to);
      case Block.NAMES:
        if (this.handler.names !== undefined) this.handler.names(this.namesOf(data, from, to));
        return true;
      default:
        return this.secretsBlock(data, from, to);
    }
  }

  private packetBlock(data: Uint8Array, from: number, to: number, header: number, id: number): boolean {
    const { record, little } = this;
    if (to - from < header) return this.fail('a packet block is shorter than its header') > 0;
    const iface = this.interfaces[id];
    if (iface === undefined) return this.fail(`packet ${record.frame + 1} names interface ${id}, not described`) > 0;
    const length = fileU32(data, from + 12, little);
    if (length > to - from - header || length > MAX_CAPTURED) {
      return this.fail(`packet ${record.frame + 1} claims ${length} bytes, more than its block holds`) > 0;
    }
    splitTicks(fileU32(data, from + 4, little), fileU32(data, from + 8, little), iface.ticksPerSecond, record);
    record.seconds += iface.offsetSeconds;
    record.originalLength = fileU32(data, from + 16, little);
    this.deliver(iface, from + header, length, to);
    return true;
  }

  private simplePacketBlock(data: Uint8Array, from: number, to: number): boolean {
    const iface = this.interfaces[0];
    if (to - from < 4) return this.fail('a packet block is shorter than its header') > 0;
    if (iface === undefined) return this.fail(`packet ${this.record.frame + 1} has no interface`) > 0;
    const original = fileU32(data, from, this.little);
    const kept = iface.snapLength > 0 ? Math.min(original, iface.snapLength) : original;
    this.record.seconds = 0;
    this.record.nanoseconds = 0;
    this.record.originalLength = original;
    const length = Math.min(kept, to - from - 4, MAX_CAPTURED);
    this.deliver(iface, from + 4, length, from + 4 + ((length + 3) & ~3));
    return true;
  }

  private deliver(iface: InterfaceState, offset: number, length: number, blockEnd: number): void {
    const { record } = this;
    record.frame++;
    record.interfaceId = iface.id;
    record.linkType = iface.linkType;
    record.offset = offset;
    record.length = length;
    record.comment = null;
    record.direction = 0;
    const options = offset + ((length + 3) & ~3);
    if (options + 4 <= blockEnd) this.packetOptions(record.data, options, blockEnd);
    this.handler.packet(record);
  }

  private packetOptions(data: Uint8Array, from: number, to: number): void {
    eachOption(data, from, to, this.little, (code, start, length) => {
      if (code === 1) this.record.comment = this.string(data, start, length);
      if (code === 2 && length === 4) this.record.direction = fileU32(data, start, this.little) & 3;
    });
  }

  private sectionBlock(data: Uint8Array, from: number, to: number): boolean {
    if (to - from < 16) return this.fail('a section header is too short') > 0;
    this.interfaces = [];
    const texts: (string | null)[] = [null, null, null, null, null];
    eachOption(data, from + 16, to, this.little, (code, start, length) => {
      if (code <= 4) texts[code] = this.string(data, start, length);
    });
    this.handler.section?.({
      format: 'pcapng',
      littleEndian: this.little,
      version: `${fileU16(data, from + 4, this.little)}.${fileU16(data, from + 6, this.little)}`,
      comment: texts[1],
      hardware: texts[2],
      operatingSystem: texts[3],
      application: texts[4],
    });
    return true;
  }

  private interfaceBlock(data: Uint8Array, from: number, to: number): boolean {
    if (to - from < 8) return this.fail('an interface description is too short') > 0;
    let name: string | null = null;
    let description: string | null = null;
    let filter: string | null = null;
    let ticksPerSecond = 1_000_000;
    let offsetSeconds = 0;
    eachOption(data, from + 8, to, this.little, (code, start, length) => {
      if (code === 2) name = this.string(data, start, length);
      else if (code === 3) description = this.string(data, start, length);
      else if (code === 9 && length >= 1) ticksPerSecond = ticksOf(data[start]);
      else if (code === 11 && length > 1) filter = this.string(data, start + 1, length - 1);
      else if (code === 14 && length === 8) offsetSeconds = this.signed64(data, start);
    });
    const iface: InterfaceState = {
      id: this.interfaces.length,
      linkType: fileU16(data, from, this.little),
      snapLength: fileU32(data, from + 4, this.little),
      ticksPerSecond,
      name,
      description,
      filter,
      offsetSeconds,
    };
    this.interfaces.push(iface);
    this.handler.interface?.(iface);
    return true;
  }

  private namesOf(data: Uint8Array, from: number, to: number): CaptureName[] {
    const names: CaptureName[] = [];
    let at = from;
    while (at + 4 <= to) {
      const type = fileU16(data, at, this.little);
      const length = fileU16(data, at + 2, this.little);
      if (type === 0 || at + 4 + length > to) break;
      const size = type === 1 ? 4 : type === 2 ? 16 : 0;
      if (size > 0 && length > size) {
        const text = this.string(data, at + 4 + size, length - size);
        names.push({ address: data.slice(at + 4, at + 4 + size), names: text.split('\0').filter((n) => n !== '') });
      }
      at += 4 + ((length + 3) & ~3);
    }
    return names;
  }

  private secretsBlock(data: Uint8Array, from: number, to: number): boolean {
    if (to - from < 8) return this.fail('a block of secrets is too short') > 0;
    const length = fileU32(data, from + 4, this.little);
    if (length > to - from - 8) return this.fail(`a block of secrets claims ${length} bytes`) > 0;
    this.handler.secrets?.({ type: fileU32(data, from, this.little), data: data.slice(from + 8, from + 8 + length) });
    return true;
  }

  private string(data: Uint8Array, start: number, length: number): string {
    return this.text.decode(data.subarray(start, start + length));
  }

  private signed64(data: Uint8Array, at: number): number {
    const first = fileU32(data, at, this.little);
    const second = fileU32(data, at + 4, this.little);
    const high = (this.little ? second : first) | 0;
    const value = high * 0x1_0000_0000 + (this.little ? first : second);
    return Number.isSafeInteger(value) ? value : 0;
  }
}

function isUnderstood(type: number): boolean {
  switch (type) {
    case Block.PACKET:
    case Block.OBSOLETE_PACKET:
    case Block.SIMPLE_PACKET:
    case Block.SECTION:
    case Block.INTERFACE:
    case Block.NAMES:
    case Block.SECRETS:
      return true;
    default:
      return false;
  }
}

/** if_tsresol: a power of ten, or of two when the top bit is set; what no clock can have is read as microseconds. */
function ticksOf(resolution: number): number {
  const exponent = resolution & 0x7f;
  const ticks = (resolution & 0x80) !== 0 ? 2 ** exponent : 10 ** exponent;
  return ticks <= 1e18 ? ticks : 1_000_000;
}

function eachOption(
  data: Uint8Array,
  from: number,
  to: number,
  little: boolean,
  visit: (code: number, start: number, length: number) => void,
): void {
  let at = from;
  while (at + 4 <= to) {
    const code = fileU16(data, at, little);
    const length = fileU16(data, at + 2, little);
    if (code === 0 || at + 4 + length > to) return;
    visit(code, at + 4, length);
    at += 4 + ((length + 3) & ~3);
  }
}
