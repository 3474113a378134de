import { UserError } from "../user-error.ts";

/** Hours that AWS counts for a month when it divides monthly prices. */
const hoursAMonth = 730;

/** gp3 storage, USD a GiB-month (https://aws.amazon.com/ebs/pricing/, read 2026-11). */
const gp3MonthlyUsdPerGiB: Readonly<Record<string, number>> = {
  "us-east-1": 0.08,
  "us-west-2": 0.08,
  "eu-west-1": 0.088,
};

/** Regions whose prices are known. */
export const pricedRegions: readonly string[] = Object.keys(gp3MonthlyUsdPerGiB);

/**
 * Price of a gp3 volume at its base speed, USD an hour.
 *
 * @throws UserError naming the priced regions when this is none of them
 */
export function volumeHourlyUsd(region: string, sizeGiB: number): number {
  const monthly = gp3MonthlyUsdPerGiB[region];
  if (monthly === undefined) {
    throw new UserError(`No price is known for the region "${region}".`, {
      hint: `Set aws:region to one of ${pricedRegions.join(", ")}.`,
    });
  }
  return (monthly * sizeGiB) / hoursAMonth;
}

/** Rounds to hundredths of a cent, so that sums of prices print and compare alike. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 10_000) / 10_000;
}
