import { UserError } from "../user-error.ts";

/** What a region charges around an instance, and how its electricity is made. */
export interface RegionPrices {
  /** gp3 storage at its base speed, USD a GiB-month. */
  readonly gp3MonthlyUsdPerGiB: number;
  /** S3 Standard, the first 50 TB, USD a GB-month. */
  readonly s3MonthlyUsdPerGB: number;
  /** S3 GET and what is billed like it, USD a thousand. */
  readonly s3GetUsdPerThousand: number;
  /** To the internet above the free 100 GB a month and up to 10 TB, USD a GB. */
  readonly egressUsdPerGB: number;
  /** To another region, USD a GB. */
  readonly crossRegionUsdPerGB: number;
  /** A public IPv4 address that is in use, USD an hour. */
  readonly publicIpv4HourlyUsd: number;
  /** Carbon dioxide of the region's grid by location, before any certificates that AWS buys, grams a kWh. */
  readonly gridGramsPerKwh: number;
  readonly gridSource: string;
}

/** When the figures below were read. */
export const regionPricesAsOf = "2026-11-25";

/**
 * https://aws.amazon.com/ebs/pricing/ (2026-11), https://aws.amazon.com/s3/pricing/ (requests and Standard storage),
 * https://aws.amazon.com/ec2/pricing/on-demand/ under data transfer and https://aws.amazon.com/vpc/pricing/ under public
 * IPv4, the last two as https://www.egresscost.com/aws and https://wring.co/blog/aws-data-transfer-pricing-guide repeat
 * them in 2026. The grids: `grid-emissions-factors-aws.csv` of github.com/cloud-carbon-footprint/cloud-carbon-coefficients.
 */
const everywhere = {
  s3MonthlyUsdPerGB: 0.023,
  s3GetUsdPerThousand: 0.0004,
  egressUsdPerGB: 0.09,
  crossRegionUsdPerGB: 0.02,
  publicIpv4HourlyUsd: 0.005,
};

const regions: Readonly<Record<string, RegionPrices>> = {
  "us-east-1": {
    ...everywhere,
    gp3MonthlyUsdPerGiB: 0.08,
    gridGramsPerKwh: 415.755,
    gridSource: "EPA, SERC",
  },
  "us-west-2": {
    ...everywhere,
    gp3MonthlyUsdPerGiB: 0.08,
    gridGramsPerKwh: 350.861,
    gridSource: "EPA, WECC",
  },
  "eu-west-1": {
    ...everywhere,
    gp3MonthlyUsdPerGiB: 0.088,
    gridGramsPerKwh: 316,
    gridSource: "EEA, Ireland",
  },
};

/** Regions whose prices are known. */
export const pricedRegions: readonly string[] = Object.keys(regions);

/**
 * Prices of a region besides the instance.
 *
 * @throws UserError naming the priced regions when this is none of them
 */
export function regionPrices(region: string): RegionPrices {
  const prices = Object.hasOwn(regions, region) ? regions[region] : undefined;
  if (prices === undefined) {
    throw new UserError(`No price is known for the region "${region}".`, {
      hint: `Set aws:region to one of ${pricedRegions.join(", ")}.`,
    });
  }
  return prices;
}
