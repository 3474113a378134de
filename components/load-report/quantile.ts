/** A percentile of measured values, and between which bounds the true one lies with 95 % confidence. */
export interface Quantile {
  readonly value: number;
  /** Undefined where there are too few values for a bound on that side. */
  readonly low: number | undefined;
  readonly high: number | undefined;
}

const tail = 0.025;

/** How many of `count` draws are below the quantile, as a running sum of the binomial distribution: index k is P(X <= k). */
function binomialSums(count: number, share: number): number[] {
  let logTerm = count * Math.log1p(-share);
  let sum = 0;
  const odds = Math.log(share) - Math.log1p(-share);
  return Array.from({ length: count + 1 }, (_, k) => {
    sum += Math.exp(logTerm);
    logTerm += Math.log((count - k) / (k + 1)) + odds;
    return Math.min(1, sum);
  });
}

/**
 * A quantile by nearest rank, with bounds from the order of the values alone, so that they hold for any distribution:
 * how many of n values lie below the true quantile is binomial. Few values have no bound: the 99th percentile has an upper
 * one from 368 values on.
 *
 * @param share between 0 and 1, both excluded
 * @returns undefined without values
 */
export function quantile(values: readonly number[], share: number): Quantile | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) return undefined;
  const sums = binomialSums(sorted.length, share);
  const below = sums.findIndex((sum) => sum > tail);
  const above = sums.findIndex((sum) => sum >= 1 - tail);
  return { value, low: sorted[below - 1], high: sorted[above] };
}

/** The percentiles that are told of each measure. */
export interface Spread {
  readonly p50: Quantile;
  readonly p90: Quantile;
  readonly p99: Quantile;
}

/** @returns undefined without values */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const p50 = quantile(values, 0.5);
  const p90 = quantile(values, 0.9);
  const p99 = quantile(values, 0.99);
  return p50 === undefined || p90 === undefined || p99 === undefined
    ? undefined
    : { p50, p90, p99 };
}
