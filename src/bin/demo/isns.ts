/** Initial sequence numbers that are wished for: the first connection begins at the wish, later ones as RFC 6528 has it. */

import type { RandomSource } from '../../base/random.ts';
import { type Seq, seq, seqAdd } from '../../base/seq.ts';
import type { Time } from '../../base/time.ts';
import { IsnGenerator } from '../../crypto/isn.ts';

/** The clock of RFC 9293 section 3.4.1 ticks every 4 microseconds. */
const TICKS_PER_MS = 250;

export class WishedIsns extends IsnGenerator {
  private readonly first: number;
  private since: Time | null = null;

  constructor(secret: RandomSource, first: number) {
    super(secret);
    this.first = first;
  }

  override isn(now: Time): Seq {
    this.since ??= now;
    return seqAdd(seq(this.first), Math.floor((now - this.since) * TICKS_PER_MS));
  }
}
