/** The 14 bytes before each packet on an Ethernet link, written without an object in between: every segment has them. */

import { writeU16 } from '../base/bytes.ts';
import { copyMac } from '../wire/mac.ts';

/** Writes destination, source and type at `offset` of `frame`. */
export function writeEthernetHeader(
  frame: Uint8Array,
  offset: number,
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
): void {
  copyMac(destination, 0, frame, offset);
  copyMac(source, 0, frame, offset + 6);
  writeU16(frame, offset + 12, etherType);
}
