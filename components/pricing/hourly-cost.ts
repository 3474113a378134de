import { regionPrices } from "./region-prices.ts";

/** Hours that AWS counts for a month when it divides monthly prices. */
export const hoursAMonth = 730;

/**
 * Price of a gp3 volume at its base speed, USD an hour.
 *
 * @throws UserError naming the priced regions when this is none of them
 */
export function volumeHourlyUsd(region: string, sizeGiB: number): number {
  return (regionPrices(region).gp3MonthlyUsdPerGiB * sizeGiB) / hoursAMonth;
}

/** USD of a lease at a price of an hour; undefined without a deadline. */
export function leaseCost(hourlyUsd: number, leaseHours: number | undefined): number | undefined {
  return leaseHours === undefined ? undefined : roundUsd(hourlyUsd * leaseHours);
}

/** Rounds to hundredths of a cent, so that sums of prices print and compare alike. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 10_000) / 10_000;
}
