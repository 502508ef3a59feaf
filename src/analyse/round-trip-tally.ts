/** Round trips by the million in little room: counted in steps of one percent, the least and the greatest as they are. */

import type { RttStatistics } from './report.ts';
import { round } from './timing.ts';

/** Steps in which a time doubles. */
const STEPS = 64;
/** A nanosecond, in milliseconds, is the first step. */
const SMALLEST = 1e-6;

export class RoundTripTally {
  private readonly counts = new Map<number, number>();
  private samples = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;

  /** Milliseconds. */
  add(times: Float64Array): void {
    for (const time of times) {
      const step = Math.floor(STEPS * Math.log2(Math.max(time, SMALLEST) / SMALLEST));
      this.counts.set(step, (this.counts.get(step) ?? 0) + 1);
      this.min = Math.min(this.min, time);
      this.max = Math.max(this.max, time);
    }
    this.samples += times.length;
  }

  get statistics(): RttStatistics | null {
    if (this.samples === 0) return null;
    let below = 0;
    let median = this.max;
    for (const [step, count] of [...this.counts].sort(([a], [b]) => a - b)) {
      below += count;
      if (below <= this.samples >> 1) continue;
      median = SMALLEST * 2 ** ((step + 0.5) / STEPS);
      break;
    }
    median = Math.min(this.max, Math.max(this.min, median));
    return { samples: this.samples, min: round(this.min), median: round(median), max: round(this.max) };
  }
}
