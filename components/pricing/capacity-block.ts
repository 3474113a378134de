/**
 * How long a Capacity Block is: 1 to 14 days, or whole weeks up to 26
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-blocks-how.html).
 */
const longestInDays = 14;
const longestDays = 182;

/**
 * Days of the shortest Capacity Block that so many hours fit in; undefined when none is long enough. It is paid whole, in
 * advance.
 */
export function capacityBlockDays(hours: number): number | undefined {
  const days = Math.max(1, Math.ceil(hours / 24));
  const whole = days <= longestInDays ? days : Math.ceil(days / 7) * 7;
  return whole <= longestDays ? whole : undefined;
}
