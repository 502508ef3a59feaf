/** Conversions of capture time; see formats.ts for the pair of seconds and nanoseconds it is held in. */

const NANOSECONDS = 1_000_000_000;

/** Splits milliseconds (fractions allowed) to a whole nanosecond: exact for simulated times, which start near 0. */
export function splitMilliseconds(timeMs: number, into: { seconds: number; nanoseconds: number }): void {
  let seconds = Math.floor(timeMs / 1000);
  let nanoseconds = Math.round((timeMs - seconds * 1000) * 1_000_000);
  if (nanoseconds >= NANOSECONDS) {
    seconds++;
    nanoseconds -= NANOSECONDS;
  }
  into.seconds = seconds;
  into.nanoseconds = nanoseconds;
}

/** Splits a 64-bit tick count (two uint32 halves) at `ticksPerSecond`; exact for every resolution pcapng can state. */
export function splitTicks(
  high: number,
  low: number,
  ticksPerSecond: number,
  into: { seconds: number; nanoseconds: number },
): void {
  if (ticksPerSecond <= NANOSECONDS) {
    // Long division in digits of 16 bits: remainder * 65536 stays below 2^53.
    let rest = high % ticksPerSecond;
    let quotient = Math.floor(high / ticksPerSecond);
    let digit = rest * 65536 + (low >>> 16);
    rest = digit % ticksPerSecond;
    quotient = quotient * 65536 + Math.floor(digit / ticksPerSecond);
    digit = rest * 65536 + (low & 0xffff);
    rest = digit % ticksPerSecond;
    quotient = quotient * 65536 + Math.floor(digit / ticksPerSecond);
    into.seconds = quotient;
    into.nanoseconds =
      NANOSECONDS % ticksPerSecond === 0
        ? rest * (NANOSECONDS / ticksPerSecond)
        : Math.floor((rest / ticksPerSecond) * NANOSECONDS);
    return;
  }
  const ticks = (BigInt(high) << 32n) | BigInt(low >>> 0);
  const unit = BigInt(ticksPerSecond);
  into.seconds = Number(ticks / unit);
  into.nanoseconds = Number(((ticks % unit) * 1_000_000_000n) / unit);
}
