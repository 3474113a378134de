import { hoursAMonth } from "./hourly-cost.ts";

/**
 * Hours a month of the dearer offer that cost as much as the cheaper one running all the time; `undefined` where the dearer
 * one is not dearer. An endpoint that scales to zero wins below, a host that stays up wins above.
 */
export function breakEvenHoursAMonth(
  steadyHourlyUsd: number,
  occasionalHourlyUsd: number,
): number | undefined {
  if (occasionalHourlyUsd <= steadyHourlyUsd) return undefined;
  return (hoursAMonth * steadyHourlyUsd) / occasionalHourlyUsd;
}

/**
 * Hours of renting after which a card would have paid for itself, electricity counted; `undefined` where its electricity
 * alone costs as much as the rent.
 */
export function buyingBreakEvenHours(
  priceUsd: number,
  rentHourlyUsd: number,
  electricityHourlyUsd: number,
): number | undefined {
  const saved = rentHourlyUsd - electricityHourlyUsd;
  return saved <= 0 ? undefined : priceUsd / saved;
}
