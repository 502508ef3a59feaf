/** What the files of findings share. */

import type { Facts } from './facts.ts';
import type { FindingKind } from './kinds.ts';
import type { Confidence } from './report.ts';
import type { Side } from './trace.ts';

/** Files a finding; `indexes` are those of records, -1 among them is left out. */
export type Say = (
  kind: FindingKind,
  confidence: Confidence,
  rfc: string | null,
  indexes: number[],
  text: string,
) => void;

/** `client` or `server`. */
export function name(f: Facts, side: Side): string {
  return side === f.trace.client ? 'client' : 'server';
}

export function other(side: Side): Side {
  return side === 0 ? 1 : 0;
}
