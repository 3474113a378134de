/** A figure that is not known to a point: it lies between the two, and `low` is never above `high`. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The range of `scale` divided by each end: a faster machine takes less. */
export function inverse({ low, high }: Range, scale = 1): Range {
  return { low: scale / high, high: scale / low };
}

/** Both ends by one factor. */
export function times({ low, high }: Range, factor: number): Range {
  return { low: low * factor, high: high * factor };
}

/** Between the two in ratio, as is right where the ends are some times apart. */
export function middle({ low, high }: Range): number {
  return Math.sqrt(low * high);
}
