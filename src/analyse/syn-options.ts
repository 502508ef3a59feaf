/** The options of a SYN, made once for all SYNs that offer the same: a host offers the same on each of its connections. */

import type { Packet } from '../dissect/packet.ts';
import { Option } from '../dissect/packet-options.ts';

export interface SynOptions {
  readonly mss: number;
  /** -1: not offered. */
  readonly scale: number;
  readonly sackPermitted: boolean;
  readonly timestamps: boolean;
  /** Octets of the fast-open cookie, 0 for a request, -1: no such option. */
  readonly cookie: number;
  readonly multipath: boolean;
}

/** Sets of options kept; random ones, of a flood or a fuzzer, must not fill the memory. */
const MOST = 1024;
const known = new Map<number, SynOptions>();

export function synOptionsOf(p: Packet): SynOptions {
  const has = (option: number): boolean => (p.options & option) !== 0;
  const mss = has(Option.MSS) ? p.mss : 0;
  const scale = has(Option.SCALE) ? Math.min(14, p.scale) : -1;
  const cookie = has(Option.FAST_OPEN) ? p.cookieLength : -1;
  const bits = p.options & (Option.SACK_PERMITTED | Option.TIMESTAMPS | Option.MULTIPATH);
  // 16 bits of MSS, 4 of scale, 6 of option bits, 6 of a cookie's length (an option list has 40 octets).
  const key = mss | ((scale + 1) << 16) | (bits << 20) | ((cookie + 1) << 26) | 0;
  const found = known.get(key);
  if (found !== undefined) return found;
  const made: SynOptions = {
    mss,
    scale,
    sackPermitted: has(Option.SACK_PERMITTED),
    timestamps: has(Option.TIMESTAMPS),
    cookie,
    multipath: has(Option.MULTIPATH),
  };
  if (known.size >= MOST) known.clear();
  known.set(key, made);
  return made;
}
