/**
 * ICMP for IPv4, RFC 792; next-hop MTU, RFC 1191. The layout, and so parse and emit, are ICMPv6's too (icmpv6.ts). The
 * checksum stands with the others in ip.ts, the packet inside an error in icmp-embedded.ts.
 */

import { readI32, writeU16, writeU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import { WireDrop } from './drop.ts';

/** RFC 792's message types; of queries only echo. */
export const IcmpType = {
  ECHO_REPLY: 0,
  DESTINATION_UNREACHABLE: 3,
  SOURCE_QUENCH: 4,
  REDIRECT: 5,
  ECHO: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
} as const;

/** Codes of destination unreachable: RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1. */
export const IcmpUnreachable = {
  NET: 0,
  HOST: 1,
  PROTOCOL: 2,
  PORT: 3,
  FRAGMENTATION_NEEDED: 4,
  SOURCE_ROUTE_FAILED: 5,
  NET_UNKNOWN: 6,
  HOST_UNKNOWN: 7,
  HOST_ISOLATED: 8,
  NET_PROHIBITED: 9,
  HOST_PROHIBITED: 10,
  NET_TYPE_OF_SERVICE: 11,
  HOST_TYPE_OF_SERVICE: 12,
  COMMUNICATION_PROHIBITED: 13,
  HOST_PRECEDENCE: 14,
  PRECEDENCE_CUTOFF: 15,
} as const;

/** Codes of time exceeded, of ICMP and of ICMPv6. */
export const IcmpTimeExceeded = { IN_TRANSIT: 0, REASSEMBLY: 1 } as const;

/** Type, code, checksum, and four bytes whose meaning the type decides. */
export const ICMP_HEADER_LENGTH = 8;

/** An ICMP message, read or to be written, and where its body lies. Mutable and meant to be reused. */
export class IcmpMessage {
  /** 0 … 255 */
  type = 0;
  code = 0;
  /** The second four bytes, int32. What they are is the type's business; the accessors below name the parts. */
  rest = 0;
  /** Echo data, or the packet an error is about. */
  bodyOffset = 0;
  bodyLength = 0;

  /** Echo: which ping. */
  get identifier(): number {
    return this.rest >>> 16;
  }

  /** Echo: which of its requests. */
  get sequence(): number {
    return this.rest & 0xffff;
  }

  setEcho(identifier: number, sequence: number): void {
    this.rest = (identifier << 16) | (sequence & 0xffff);
  }

  /** Fragmentation needed: the MTU of the next hop; 0 from routers older than RFC 1191. */
  get mtu(): number {
    return this.rest & 0xffff;
  }

  set mtu(bytes: number) {
    this.rest = bytes & 0xffff;
  }

  /** Parameter problem: which byte of the packet. */
  get pointer(): number {
    return this.rest >>> 24;
  }

  set pointer(offset: number) {
    this.rest = offset << 24;
  }

  /** Redirect: the better gateway, an int32. */
  get gateway(): number {
    return this.rest;
  }

  set gateway(address: number) {
    this.rest = address | 0;
  }
}

/** Whether messages of this type report errors, and so must never be answered by one (RFC 1122 section 3.2.2). */
export function isIcmpError(type: number): boolean {
  return (
    type === IcmpType.DESTINATION_UNREACHABLE ||
    type === IcmpType.SOURCE_QUENCH ||
    type === IcmpType.REDIRECT ||
    type === IcmpType.TIME_EXCEEDED ||
    type === IcmpType.PARAMETER_PROBLEM
  );
}

/** Reads the message that fills `length` bytes at `offset`. Total on any bytes; the checksum is not looked at. */
export function parseIcmp(bytes: Uint8Array, offset: number, length: number, into: IcmpMessage): WireDrop {
  into.bodyOffset = offset;
  into.bodyLength = 0;
  if (length < ICMP_HEADER_LENGTH || offset < 0 || offset + length > bytes.length) return WireDrop.ICMP_TRUNCATED;
  into.type = bytes[offset];
  into.code = bytes[offset + 1];
  into.rest = readI32(bytes, offset + 4);
  into.bodyOffset = offset + ICMP_HEADER_LENGTH;
  into.bodyLength = length - ICMP_HEADER_LENGTH;
  return WireDrop.NONE;
}

/**
 * Writes the first eight bytes, the checksum field 0, and returns their number; the body is the caller's to place behind
 * them, then setTransportChecksum.
 * @throws EstabError EINVAL when there is no room for it.
 */
export function emitIcmp(message: IcmpMessage, bytes: Uint8Array, offset: number): number {
  if (offset + ICMP_HEADER_LENGTH > bytes.length) {
    throw new EstabError('EINVAL', `an ICMP header does not fit in ${bytes.length - offset} bytes; give it 8`);
  }
  bytes[offset] = message.type;
  bytes[offset + 1] = message.code;
  writeU16(bytes, offset + 2, 0);
  writeU32(bytes, offset + 4, message.rest);
  return ICMP_HEADER_LENGTH;
}
