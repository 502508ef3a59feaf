/**
 * Writes pcapng (draft-ietf-opsawg-pcapng): a section header, interface descriptions, enhanced packet blocks. Little
 * endian; every block is handed to `write` whole, so a file is readable at any moment it is cut between two calls.
 */

import { EstabError } from '../base/errors.ts';
import { putU16, putU32 } from './bytes.ts';
import { splitMilliseconds } from './time.ts';

/** An interface to describe. */
export interface InterfaceOptions {
  /** A link type of the registry: LinkType.RAW for bare IP packets, LinkType.ETHERNET. */
  linkType: number;
  name?: string;
  description?: string;
  /** Bytes kept of each packet; 0 or left out: all. */
  snapLength?: number;
  /** The unit of this interface's times; nanoseconds if left out. */
  tsResolution?: 'us' | 'ns';
}

/** What may be said of a packet beside its bytes. */
export interface PacketOptions {
  comment?: string;
  direction?: 'inbound' | 'outbound';
  /** Length on the wire when `bytes` is only the packet's beginning. */
  originalLength?: number;
}

/** What the section header says of the file. */
export interface SectionOptions {
  application?: string;
  comment?: string;
  operatingSystem?: string;
}

interface WrittenInterface {
  nanoseconds: boolean;
  snapLength: number;
}

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const MILLION = 1_000_000;
const WORD = 0x1_0000_0000;

/** Writes one section. Times are given in milliseconds since 1970 (a simulation may start at 0), or exactly as a pair. */
export class PcapngWriter {
  private readonly write: (bytes: Uint8Array) => void;
  private readonly interfaces: WrittenInterface[] = [];
  private readonly utf8 = new TextEncoder();
  private readonly time = { seconds: 0, nanoseconds: 0 };

  /** @param write takes each block; it owns the array it is given. */
  constructor(write: (bytes: Uint8Array) => void, options: SectionOptions = {}) {
    this.write = write;
    const texts: [number, Uint8Array][] = [];
    if (options.comment !== undefined) texts.push([1, this.utf8.encode(options.comment)]);
    if (options.operatingSystem !== undefined) texts.push([3, this.utf8.encode(options.operatingSystem)]);
    texts.push([4, this.utf8.encode(options.application ?? 'estab')]);
    const body = new Uint8Array(16 + optionsLength(texts));
    putU32(body, 0, BYTE_ORDER);
    putU16(body, 4, 1); // version 1.0
    putU32(body, 8, 0xffffffff); // section length: not known beforehand
    putU32(body, 12, 0xffffffff);
    putOptions(body, 16, texts);
    this.block(SECTION_HEADER, body);
  }

  /** Describes an interface; the number returned names it in {@link packet}. */
  addInterface(options: InterfaceOptions): number {
    const nanoseconds = options.tsResolution !== 'us';
    const list: [number, Uint8Array][] = [];
    if (options.name !== undefined) list.push([2, this.utf8.encode(options.name)]);
    if (options.description !== undefined) list.push([3, this.utf8.encode(options.description)]);
    list.push([9, Uint8Array.of(nanoseconds ? 9 : 6)]);
    const body = new Uint8Array(8 + optionsLength(list));
    putU16(body, 0, options.linkType);
    putU32(body, 4, options.snapLength ?? 0);
    putOptions(body, 8, list);
    this.block(1, body);
    this.interfaces.push({ nanoseconds, snapLength: options.snapLength ?? 0 });
    return this.interfaces.length - 1;
  }

  /**
   * Writes a packet seen at `timeMs` (milliseconds, fractions allowed, rounded to the interface's unit).
   * @throws EstabError EINVAL for an interface that was not added.
   */
  packet(interfaceId: number, timeMs: number, bytes: Uint8Array, options: PacketOptions = {}): void {
    splitMilliseconds(timeMs, this.time);
    this.packetAt(interfaceId, this.time.seconds, this.time.nanoseconds, bytes, options);
  }

  /** Like {@link packet}, the time as whole seconds and nanoseconds: nothing is lost on the way through a reader. */
  packetAt(
    interfaceId: number,
    seconds: number,
    nanoseconds: number,
    bytes: Uint8Array,
    options: PacketOptions = {},
  ): void {
    const iface = this.interfaces[interfaceId];
    if (iface === undefined) {
      throw new EstabError('EINVAL', `interface ${interfaceId} is not in this capture; call addInterface first`);
    }
    const length = iface.snapLength > 0 ? Math.min(bytes.length, iface.snapLength) : bytes.length;
    const list: [number, Uint8Array][] = [];
    if (options.comment !== undefined) list.push([1, this.utf8.encode(options.comment)]);
    if (options.direction !== undefined) {
      list.push([2, Uint8Array.of(options.direction === 'inbound' ? 1 : 2, 0, 0, 0)]);
    }
    const padded = (length + 3) & ~3;
    const body = new Uint8Array(20 + padded + optionsLength(list));
    putU32(body, 0, interfaceId);
    this.putTime(body, iface.nanoseconds, seconds, nanoseconds);
    putU32(body, 12, length);
    putU32(body, 16, options.originalLength ?? bytes.length);
    body.set(length === bytes.length ? bytes : bytes.subarray(0, length), 20);
    putOptions(body, 20 + padded, list);
    this.block(6, body);
  }

  /** Keeps decryption secrets with the packets; `type` is {@link TLS_KEY_LOG} or another. */
  secrets(type: number, data: Uint8Array): void {
    const body = new Uint8Array(8 + ((data.length + 3) & ~3));
    putU32(body, 0, type);
    putU32(body, 4, data.length);
    body.set(data, 8);
    this.block(10, body);
  }

  /** seconds * unit + rest as 64 bits, computed in halves since it passes 2^53. */
  private putTime(body: Uint8Array, nano: boolean, seconds: number, nanoseconds: number): void {
    let rest = nanoseconds;
    let unit = MILLION * 1000;
    if (!nano) {
      unit = MILLION;
      rest = Math.round(nanoseconds / 1000);
    }
    const low = (seconds % WORD) * (unit % 65536) + rest;
    const middle = (seconds % WORD) * Math.floor(unit / 65536) + Math.floor(low / 65536);
    putU32(body, 4, Math.floor(middle / 65536));
    putU32(body, 8, ((middle % 65536) * 65536 + (low % 65536)) >>> 0);
  }

  private block(type: number, body: Uint8Array): void {
    const total = body.length + 12;
    const out = new Uint8Array(total);
    putU32(out, 0, type);
    putU32(out, 4, total);
    out.set(body, 8);
    putU32(out, total - 4, total);
    this.write(out);
  }
}

function optionsLength(options: readonly [number, Uint8Array][]): number {
  if (options.length === 0) return 0;
  let length = 4;
  for (const [, value] of options) length += 4 + ((value.length + 3) & ~3);
  return length;
}

function putOptions(body: Uint8Array, start: number, options: readonly [number, Uint8Array][]): void {
  let at = start;
  for (const [code, value] of options) {
    putU16(body, at, code);
    putU16(body, at + 2, value.length);
    body.set(value, at + 4);
    at += 4 + ((value.length + 3) & ~3);
  }
}
