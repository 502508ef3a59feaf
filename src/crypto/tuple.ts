/** How a connection's addresses and ports go into a hash. */

/** An IP address as four 32-bit words in network order, IPv4 as ::ffff:a.b.c.d. */
export interface IpWords {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/** How many words {@link writeTuple} writes. */
export const TUPLE_WORDS = 9;

/** Writes both ends of a connection to the start of `words`; the order of the ends counts. */
export function writeTuple(
  words: Int32Array,
  local: IpWords,
  localPort: number,
  remote: IpWords,
  remotePort: number,
): void {
  words[0] = local.w0;
  words[1] = local.w1;
  words[2] = local.w2;
  words[3] = local.w3;
  words[4] = remote.w0;
  words[5] = remote.w1;
  words[6] = remote.w2;
  words[7] = remote.w3;
  words[8] = (localPort << 16) | remotePort;
}
