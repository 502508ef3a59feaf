/**
 * The memory budget of a host, Linux's tcp_mem: all bytes in all TCP buffers against three marks. Above the second
 * buffers stop growing, until the sum is below the first again; above the third nothing more is taken in.
 */

import type { Counters } from '../base/counters.ts';
import { Counter, type CounterName } from '../ip/counters.ts';

const PAGE = 4096;

/** The setting it goes by, read at each use. */
export interface MemoryLimits {
  /** Pages: ease, pressure, limit. */
  readonly tcp_mem: readonly number[];
}

export class MemoryBudget {
  /** Bytes charged. */
  used = 0;
  /** Between the pressure and the ease mark, coming from above. */
  pressure = false;
  private readonly limits: MemoryLimits;
  private readonly counters: Counters<CounterName>;

  constructor(limits: MemoryLimits, counters: Counters<CounterName>) {
    this.limits = limits;
    this.counters = counters;
  }

  /** Charges `bytes`, negative to give back. */
  charge(bytes: number): void {
    this.used += bytes;
    if (this.pressure) {
      if (this.used < this.limits.tcp_mem[0] * PAGE) this.pressure = false;
    } else if (this.used > this.limits.tcp_mem[1] * PAGE) {
      this.pressure = true;
      this.counters.increment(Counter.TCPMemoryPressures);
    }
  }

  /** Whether there is no room for `bytes` more; with 0, for anything. */
  isFull(bytes: number): boolean {
    return this.used + bytes >= this.limits.tcp_mem[2] * PAGE;
  }
}
