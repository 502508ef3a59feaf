/**
 * UDP, RFC 768. Its checksum stands with TCP's in ip.ts (transportChecksumOk, setTransportChecksum).
 */

import { readU16, writeU16 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { WireDrop } from './drop.ts';

export const UDP_HEADER_LENGTH = 8;

/** A UDP header, read or to be written, and where its text lies. Mutable and meant to be reused. */
export class UdpDatagram {
  /** 0 … 65535 */
  sourcePort = 0;
  destinationPort = 0;
  /** The raw field; 0: the sender made none. */
  checksum = 0;
  payloadOffset = 0;
  payloadLength = 0;
}

/**
 * Reads the datagram at the start of `length` bytes at `offset`; its own length field counts, what lies behind is
 * ignored. The checksum, over `UDP_HEADER_LENGTH + into.payloadLength` bytes, is not looked at.
 */
export function parseUdp(bytes: Uint8Array, offset: number, length: number, into: UdpDatagram): WireDrop {
  into.payloadOffset = offset;
  into.payloadLength = 0;
  if (length < UDP_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.UDP_TRUNCATED;
  into.sourcePort = readU16(bytes, offset);
  into.destinationPort = readU16(bytes, offset + 2);
  into.checksum = readU16(bytes, offset + 6);
  const udpLength = readU16(bytes, offset + 4);
  if (udpLength < UDP_HEADER_LENGTH || udpLength > length) return WireDrop.UDP_LENGTH;
  into.payloadOffset = offset + UDP_HEADER_LENGTH;
  into.payloadLength = udpLength - UDP_HEADER_LENGTH;
  return WireDrop.NONE;
}

/**
 * Writes the header for `datagram.payloadLength` bytes of text, the checksum field 0, and returns its length; the text
 * is the caller's to place behind it, then setTransportChecksum.
 * @throws EstabError EINVAL when there is no room for it, EMSGSIZE when the datagram passes 65535 bytes.
 */
export function emitUdp(datagram: UdpDatagram, bytes: Uint8Array, offset: number): number {
  const length = UDP_HEADER_LENGTH + datagram.payloadLength;
  if (offset + UDP_HEADER_LENGTH > bytes.length) {
    throw new EstabError('EINVAL', `a UDP header does not fit in ${bytes.length - offset} bytes; give it 8`);
  }
  if (length > 65535) throw new EstabError('EMSGSIZE', `${length} bytes are no UDP datagram; send 65535 at most`);
  writeU16(bytes, offset, datagram.sourcePort);
  writeU16(bytes, offset + 2, datagram.destinationPort);
  writeU16(bytes, offset + 4, length);
  writeU16(bytes, offset + 6, 0);
  return UDP_HEADER_LENGTH;
}
