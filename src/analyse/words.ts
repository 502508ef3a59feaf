/** Numbers and names as the findings write them. */

/** `1 segment`, `9 segments`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${thousands(n)} ${n === 1 ? one : many}`;
}

/** `400,000` */
export function thousands(n: number): string {
  return n.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Seconds as people say them: `12.6 ms`, `1.02 s`. */
export function duration(seconds: number): string {
  const ms = seconds * 1000;
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return seconds < 100 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : `${Math.round(seconds)} s`;
}

/** `31, 47, 64 …`, at most eight. */
export function list(items: readonly (number | string)[], most = 8): string {
  return items.slice(0, most).join(', ') + (items.length > most ? ' …' : '');
}

/** The smallest of numbers, however many (a spread into `Math.min` ends at some hundred thousand). */
export function smallest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

/** The greatest of numbers. */
export function largest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}
