/**
 * Time in the engine: milliseconds on some monotonic clock, fractions allowed, handed in by the caller as `now` at
 * every call. The engine never reads a clock, so a simulation and a real host run the very same code.
 */

/** Milliseconds on the caller's monotonic clock. Only differences mean anything. */
export type Time = number;

/** A deadline that never comes. */
export const NEVER: Time = Number.POSITIVE_INFINITY;

export const SECOND = 1000;
export const MINUTE = 60_000;
