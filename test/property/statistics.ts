/**
 * Statistics for the tests of randomness. Each returns its result in standard deviations from what true random numbers
 * would give, so that one bound serves all: past five, chance is ruled out (1 in 1.7 million).
 */

/** Chi-squared over equally likely cells. */
export function chiSquared(counts: ArrayLike<number>): number {
  const cells = counts.length;
  let total = 0;
  for (let i = 0; i < cells; i++) total += counts[i];
  const expected = total / cells;
  let sum = 0;
  for (let i = 0; i < cells; i++) sum += (counts[i] - expected) ** 2 / expected;
  return (sum - (cells - 1)) / Math.sqrt(2 * (cells - 1));
}

/** The worst chi-squared of the four octets and of the two halves (in 4096 cells) of 32-bit numbers. */
export function uniformity(samples: Int32Array): number {
  let worst = 0;
  for (const [shift, cells] of [
    [0, 256],
    [8, 256],
    [16, 256],
    [24, 256],
    [0, 4096],
    [20, 4096],
  ]) {
    const counts = new Float64Array(cells);
    for (let i = 0; i < samples.length; i++) counts[(samples[i] >>> shift) & (cells - 1)]++;
    worst = Math.max(worst, Math.abs(chiSquared(counts)));
  }
  return worst;
}

/** The worst correlation between numbers 1 to 16 places apart. */
export function serialCorrelation(samples: Int32Array): number {
  const { values, variance } = centred(samples);
  let worst = 0;
  for (let lag = 1; lag <= 16; lag++) {
    let sum = 0;
    for (let i = lag; i < values.length; i++) sum += values[i] * values[i - lag];
    worst = Math.max(worst, Math.abs(sum / variance / Math.sqrt(values.length - lag)));
  }
  return worst;
}

/** The correlation between two series. */
export function correlation(a: Int32Array, b: Int32Array): number {
  const x = centred(a);
  const y = centred(b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += x.values[i] * y.values[i];
  return Math.abs(sum / Math.sqrt(x.variance * y.variance) / Math.sqrt(a.length));
}

/**
 * The strongest line in the spectrum of the first 2^16 samples. The power of white noise is exponentially distributed,
 * so that the strongest of n lines exceeds ln n + t with probability e^-t; t = 14.4 is as unlikely as five deviations.
 */
export function strongestLine(samples: Int32Array): number {
  const size = 65536;
  const { values, variance } = centred(samples.subarray(0, size));
  const real = values;
  const imaginary = new Float64Array(size);
  transform(real, imaginary);
  let most = 0;
  for (let i = 1; i < size / 2; i++) most = Math.max(most, (real[i] ** 2 + imaginary[i] ** 2) / (size * variance));
  return ((most - Math.log(size / 2)) * 5) / 14.4;
}

function centred(samples: Int32Array): { values: Float64Array; variance: number } {
  const values = Float64Array.from(samples);
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] -= mean;
    variance += values[i] ** 2 / values.length;
  }
  return { values, variance };
}

/** The discrete Fourier transform in place, by halves (Cooley and Tukey); the length is a power of two. */
function transform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let span = 1; span < size; span <<= 1) {
    for (let k = 0; k < span; k++) {
      const cosine = Math.cos((Math.PI * k) / span);
      const sine = -Math.sin((Math.PI * k) / span);
      for (let i = k; i < size; i += 2 * span) {
        const j = i + span;
        const re = real[j] * cosine - imaginary[j] * sine;
        const im = real[j] * sine + imaginary[j] * cosine;
        real[j] = real[i] - re;
        imaginary[j] = imaginary[i] - im;
        real[i] += re;
        imaginary[i] += im;
      }
    }
  }
}
