/**
 * The TCP header, RFC 9293 section 3.1, and the one class that carries a segment in and out of the engine.
 */

import { readI32, readU16, writeU16, writeU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { type Seq, seq } from '../base/seq.ts';
import { checksumOk, checksumSet } from './checksum.ts';
import { WireDrop } from './drop.ts';
import { emitTcpOptions, parseTcpOptions, tcpOptionsLength } from './tcp-options.ts';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;
export const ECE = 64;
export const CWR = 128;
/** Accurate ECN (RFC 9768), once the nonce sum: the last of the four bits beside the data offset. */
export const AE = 256;

/** The header without options, in bytes. */
export const TCP_HEADER_LENGTH = 20;

const CHECKSUM_FIELD = 16;
const NO_BYTES = new Uint8Array(0);

/**
 * A TCP segment, its options read, its text a place in some buffer. Mutable and meant to be reused: a stack keeps one
 * for what arrives and one for what leaves. Fields are set here once and keep one kind for life, which keeps V8's
 * access to them monomorphic.
 */
export class Segment {
  /** 0 … 65535 */
  sourcePort = 0;
  destinationPort = 0;
  /** SEG.SEQ */
  seq: Seq = seq(0);
  /** SEG.ACK; meaningful only with the ACK flag. */
  ack: Seq = seq(0);
  /** {@link FIN} … {@link AE}, or-ed. */
  flags = 0;
  /** The raw 16-bit field, unscaled. */
  window = 0;
  /** SEG.UP as an offset from SEG.SEQ; meaningful only with the URG flag. */
  urgentPointer = 0;
  /** Maximum segment size; 0: option absent (a peer's 0 counts as absent). */
  mss = 0;
  /** Shift count as received, 0 … 255 (above 14 the engine takes 14); -1: absent. */
  windowScale = -1;
  sackPermitted = false;
  /** Whether the timestamps option is there; then TSval and TSecr as int32. */
  timestamps = false;
  tsVal = 0;
  tsEcr = 0;
  /** SACK blocks, 0 … 4: left and right edge of block `i` in `sackEdges[2 * i]` and `[2 * i + 1]`, as sequence numbers. */
  sackCount = 0;
  readonly sackEdges = new Int32Array(8);
  /** Whether the fast open option is there: a request when the cookie is null, else the cookie of 4 to 16 bytes. */
  fastOpen = false;
  fastOpenCookie: Uint8Array | null = null;
  /** RFC 5482: granularity bit and 15 bits, raw; -1: absent. */
  userTimeout = -1;
  /** The text: `payloadLength` bytes at `payloadOffset` of `payload`, a buffer that is only borrowed. */
  payload: Uint8Array = NO_BYTES;
  payloadOffset = 0;
  payloadLength = 0;
  /** The IP header's ECN codepoint, 0 … 3. Parse leaves it alone: who has the IP header sets it. */
  ecn = 0;

  /** All fields back to their defaults; lets go of the borrowed buffer. */
  reset(): void {
    this.sourcePort = 0;
    this.destinationPort = 0;
    this.seq = seq(0);
    this.ack = seq(0);
    this.flags = 0;
    this.window = 0;
    this.urgentPointer = 0;
    this.resetOptions();
    this.payload = NO_BYTES;
    this.payloadOffset = 0;
    this.payloadLength = 0;
    this.ecn = 0;
  }

  /** Only the options back to "absent". */
  resetOptions(): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.timestamps = false;
    this.tsVal = 0;
    this.tsEcr = 0;
    this.sackCount = 0;
    this.fastOpen = false;
    this.fastOpenCookie = null;
    this.userTimeout = -1;
  }
}

/**
 * Reads the segment that fills `length` bytes at `offset`. Total: any bytes give 0 or a {@link WireDrop}; after a drop
 * `into` holds what could be read and no text. The text is not copied: `into.payload` is `bytes`. The checksum is not
 * looked at, see {@link tcpChecksumOk}; neither are the three reserved bits (RFC 9293: ignored).
 */
export function parseTcp(bytes: Uint8Array, offset: number, length: number, into: Segment): WireDrop {
  into.resetOptions();
  into.payload = bytes;
  into.payloadOffset = offset;
  into.payloadLength = 0;
  if (length < TCP_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.TCP_TRUNCATED;
  into.sourcePort = readU16(bytes, offset);
  into.destinationPort = readU16(bytes, offset + 2);
  into.seq = seq(readI32(bytes, offset + 4));
  into.ack = seq(readI32(bytes, offset + 8));
  const flags = readU16(bytes, offset + 12) & 0x1ff;
  into.flags = flags;
  into.window = readU16(bytes, offset + 14);
  into.urgentPointer = readU16(bytes, offset + 18);
  const headerLength = (bytes[offset + 12] >> 4) << 2;
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) return WireDrop.TCP_DATA_OFFSET;
  if (headerLength > TCP_HEADER_LENGTH) {
    parseTcpOptions(bytes, offset + TCP_HEADER_LENGTH, offset + headerLength, into, (flags & SYN) !== 0);
  }
  into.payloadOffset = offset + headerLength;
  into.payloadLength = length - headerLength;
  return WireDrop.NONE;
}

/** Bytes of header {@link emitTcp} will write: 20 and the padded options. */
export function tcpHeaderLength(segment: Segment): number {
  return TCP_HEADER_LENGTH + tcpOptionsLength(segment);
}

/**
 * Writes the header and its options, the checksum field 0, and returns their length; the text is the caller's to place
 * behind it, then {@link setTcpChecksum}.
 * @throws EstabError EINVAL when `bytes` has no room for it.
 */
export function emitTcp(segment: Segment, bytes: Uint8Array, offset: number): number {
  const length = tcpHeaderLength(segment);
  if (offset + length > bytes.length) {
    throw new EstabError('EINVAL', `a TCP header of ${length} bytes does not fit at ${offset} of ${bytes.length}`);
  }
  writeU16(bytes, offset, segment.sourcePort);
  writeU16(bytes, offset + 2, segment.destinationPort);
  writeU32(bytes, offset + 4, segment.seq);
  writeU32(bytes, offset + 8, segment.ack);
  writeU16(bytes, offset + 12, (length << 10) | (segment.flags & 0x1ff));
  writeU16(bytes, offset + 14, segment.window);
  writeU16(bytes, offset + CHECKSUM_FIELD, 0);
  writeU16(bytes, offset + 18, segment.urgentPointer);
  if (length > TCP_HEADER_LENGTH) emitTcpOptions(segment, bytes, offset + TCP_HEADER_LENGTH);
  return length;
}

/** Whether header and text (`length` bytes) sum up right with their pseudo header. Zero is a value like any other. */
export function tcpChecksumOk(bytes: Uint8Array, offset: number, length: number, pseudoSum: number): boolean {
  return checksumOk(pseudoSum, bytes, offset, length);
}

/** Makes the checksum over header and text (`length` bytes) and `pseudoSum`, see pseudoHeaderSum. */
export function setTcpChecksum(bytes: Uint8Array, offset: number, length: number, pseudoSum: number): void {
  checksumSet(pseudoSum, bytes, offset, length, offset + CHECKSUM_FIELD);
}
