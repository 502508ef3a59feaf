/** Cutting datagrams that are larger than the way allows: RFC 791 section 3.2, RFC 8200 section 4.5. */

import { emitIpHeader } from '../wire/ip.ts';
import type { IpPacket } from '../wire/ip-packet.ts';

const HEADER_LENGTH = { 4: 20, 6: 48 } as const;

/**
 * Bytes of payload each fragment but the last carries: what fits, in whole units of 8.
 * @param mtu of the path; at least 68 for IPv4 and 1280 for IPv6.
 */
export function fragmentPayload(family: 4 | 6, mtu: number): number {
  return (mtu - HEADER_LENGTH[family]) & ~7;
}

/**
 * Writes one fragment of a datagram: header, then its share of the payload.
 * @param packet header of the whole, its `id` chosen; its fragment fields and `payloadLength` are changed here.
 * @param payload holds the whole payload, `length` bytes from `at` on.
 * @param from first byte of the payload that goes into this fragment, a multiple of 8.
 * @param share as {@link fragmentPayload} says.
 * @returns the fragment's length.
 */
export function writeFragment(
  packet: IpPacket,
  payload: Uint8Array,
  at: number,
  length: number,
  from: number,
  share: number,
  out: Uint8Array,
  outOffset: number,
): number {
  const take = Math.min(share, length - from);
  packet.isFragment = true;
  packet.dontFragment = false;
  packet.fragmentOffset = from;
  packet.moreFragments = from + take < length;
  packet.payloadLength = take;
  const headerLength = emitIpHeader(packet, out, outOffset);
  out.set(payload.subarray(at + from, at + from + take), outOffset + headerLength);
  return headerLength + take;
}
