/**
 * Randomness as an argument. A stack is given two sources: a secret one (ISN key, cookie keys; the platform's CSPRNG on
 * a real host) and a public one (ports, jitter). Simulations give both from one seed.
 */

/** A source of uniform random bits. */
export interface RandomSource {
  /** A uniform integer in 0 … 2^32 - 1. */
  nextUint32(): number;
}

/**
 * A seeded generator (sfc32, seeded through splitmix32): good statistics, tiny state, the same numbers on every
 * platform. Predictable by anyone who sees some of its output: for simulation only, never for secrets.
 */
export class SeededRandom implements RandomSource {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed any integer; only its low 32 bits count. */
  constructor(seed: number) {
    let state = seed | 0;
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = split();
    this.b = split();
    this.c = split();
    for (let i = 0; i < 12; i++) this.nextUint32();
  }

  nextUint32(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }
}

/** A uniform float in [0, 1). */
export function randomUnit(random: RandomSource): number {
  return random.nextUint32() / 0x1_0000_0000;
}

/** A uniform integer in 0 … bound - 1 (bound at most 2^32), without modulo bias. */
export function randomBelow(random: RandomSource, bound: number): number {
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
  for (;;) {
    const value = random.nextUint32();
    if (value < limit) return value % bound;
  }
}

/** Fills `bytes` with random octets. */
export function randomFill(random: RandomSource, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += 4) {
    const word = random.nextUint32();
    for (let k = 0; k < 4 && i + k < bytes.length; k++) bytes[i + k] = word >>> (8 * k);
  }
}
