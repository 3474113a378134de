import { UserError } from "../user-error.ts";

/** What a region charges around an instance, and how its electricity is made. */
export interface RegionPrices {
  /** As AWS's console calls it. */
  readonly name: string;
  /** gp3 storage at its base speed, USD a GiB-month. */
  readonly gp3MonthlyUsdPerGiB: number;
  /** S3 Standard, the first 50 TB, USD a GB-month. */
  readonly s3MonthlyUsdPerGB: number;
  /** S3 GET and what is billed like it, USD a thousand. */
  readonly s3GetUsdPerThousand: number;
  /** S3 PUT, COPY, POST and LIST, USD a thousand. */
  readonly s3PutUsdPerThousand: number;
  /** To the internet above the free 100 GB a month and up to 10 TB, USD a GB. */
  readonly egressUsdPerGB: number;
  /** From here to another region, USD a GB; the receiving side pays nothing. */
  readonly crossRegionUsdPerGB: number;
  /** A public IPv4 address that is in use, USD an hour. */
  readonly publicIpv4HourlyUsd: number;
  /** Carbon dioxide of the region's grid by location, before any certificates that AWS buys, grams a kWh. */
  readonly gridGramsPerKwh: number;
  readonly gridSource: string;
  /** When the price of S3 storage was read, YYYY-MM-DD. */
  readonly asOf: string;
}

/**
 * The three regions of 2026-11-25: https://aws.amazon.com/ebs/pricing/, https://aws.amazon.com/s3/pricing/,
 * https://aws.amazon.com/ec2/pricing/on-demand/ under data transfer and https://aws.amazon.com/vpc/pricing/ under public IPv4,
 * the last two as https://www.egresscost.com/aws and https://wring.co/blog/aws-data-transfer-pricing-guide repeat them.
 *
 * The others: S3 storage of the Price List of 2026-07-01, as a public table repeats it; transfer by
 * github.com/skyplane-project/skyplane skyplane/data/aws_transfer_costs.csv; S3 requests by
 * github.com/hmphu/aws-cost-calculator src/reducers/reducer-costs.js, and where that lacks the region the dearest rate outside
 * of Brazil. gp3 agrees in each with the storage rate of EMR Serverless times 720 hours, to its last digit
 * (github.com/GoogleCloudPlatform/PerfKitBenchmarker perfkitbenchmarker/providers/aws/aws_dpb_emr_serverless_prices.py).
 *
 * The grids: `grid-emissions-factors-aws.csv` of github.com/cloud-carbon-footprint/cloud-carbon-coefficients.
 */
const regions: Readonly<Record<string, RegionPrices>> = {
  "us-east-1": {
    ...western("US East (N. Virginia)", "2026-11-25"),
    ...grid(415.755, "EPA, SERC"),
  },
  "us-west-2": {
    ...western("US West (Oregon)", "2026-11-25"),
    ...grid(350.861, "EPA, WECC"),
  },
  "eu-west-1": {
    ...western("Europe (Ireland)", "2026-11-25"),
    gp3MonthlyUsdPerGiB: 0.088,
    ...grid(316, "EEA, Ireland"),
  },
  "us-east-2": { ...western("US East (Ohio)"), ...grid(440.187, "EPA, RFC") },
  "us-west-1": {
    ...western("US West (N. California)"),
    gp3MonthlyUsdPerGiB: 0.096,
    s3MonthlyUsdPerGB: 0.026,
    ...requests(0.00044, 0.0055),
    ...grid(350.861, "EPA, WECC"),
  },
  "ca-central-1": {
    ...western("Canada (Central)"),
    gp3MonthlyUsdPerGiB: 0.088,
    s3MonthlyUsdPerGB: 0.025,
    ...requests(0.00044, 0.0055),
    ...grid(130, "carbonfootprint.com, Canada"),
  },
  "sa-east-1": {
    ...western("South America (São Paulo)"),
    gp3MonthlyUsdPerGiB: 0.152,
    s3MonthlyUsdPerGB: 0.0405,
    ...requests(0.00056, 0.007),
    ...transfer(0.15, 0.138),
    ...grid(74, "carbonfootprint.com, Brazil"),
  },
  "eu-west-2": {
    ...western("Europe (London)"),
    gp3MonthlyUsdPerGiB: 0.0928,
    s3MonthlyUsdPerGB: 0.024,
    ...requests(0.00044, 0.0055),
    ...grid(228, "EEA, England"),
  },
  "eu-west-3": {
    ...western("Europe (Paris)"),
    gp3MonthlyUsdPerGiB: 0.0928,
    s3MonthlyUsdPerGB: 0.024,
    ...requests(0.00044, 0.0055),
    ...grid(52, "EEA, France"),
  },
  "eu-central-1": {
    ...western("Europe (Frankfurt)"),
    gp3MonthlyUsdPerGiB: 0.0952,
    s3MonthlyUsdPerGB: 0.0245,
    ...requests(0.00043, 0.0054),
    ...grid(338, "EEA, Germany"),
  },
  "eu-north-1": {
    ...western("Europe (Stockholm)"),
    gp3MonthlyUsdPerGiB: 0.0836,
    ...requests(0.00044, 0.0055),
    ...grid(8, "EEA, Sweden"),
  },
  "ap-northeast-1": {
    ...asian("Asia Pacific (Tokyo)"),
    ...requests(0.00037, 0.0047),
    ...transfer(0.114, 0.09),
    ...grid(506, "carbonfootprint.com, Japan"),
  },
  "ap-northeast-2": {
    ...asian("Asia Pacific (Seoul)"),
    gp3MonthlyUsdPerGiB: 0.0912,
    ...requests(0.00035, 0.0045),
    ...transfer(0.126, 0.08),
    ...grid(500, "carbonfootprint.com, South Korea"),
  },
  "ap-south-1": {
    ...asian("Asia Pacific (Mumbai)"),
    gp3MonthlyUsdPerGiB: 0.0912,
    ...transfer(0.1093, 0.086),
    ...grid(708, "carbonfootprint.com, India"),
  },
  "ap-southeast-1": {
    ...asian("Asia Pacific (Singapore)"),
    ...transfer(0.12, 0.09),
    ...grid(408.5, "EMA Singapore"),
  },
  "ap-southeast-2": {
    ...asian("Asia Pacific (Sydney)"),
    ...requests(0.00044, 0.0055),
    ...transfer(0.114, 0.098),
    ...grid(790, "carbonfootprint.com, Australia"),
  },
};

/** What most regions of North America and Europe charge, and us-east-1 in all. */
function western(name: string, asOf = "2026-07-01") {
  return {
    name,
    asOf,
    gp3MonthlyUsdPerGiB: 0.08,
    s3MonthlyUsdPerGB: 0.023,
    ...requests(0.0004, 0.005),
    ...transfer(0.09, 0.02),
    publicIpv4HourlyUsd: 0.005,
  };
}

function asian(name: string) {
  return { ...western(name), gp3MonthlyUsdPerGiB: 0.096, s3MonthlyUsdPerGB: 0.025 };
}

function requests(s3GetUsdPerThousand: number, s3PutUsdPerThousand: number) {
  return { s3GetUsdPerThousand, s3PutUsdPerThousand };
}

function transfer(egressUsdPerGB: number, crossRegionUsdPerGB: number) {
  return { egressUsdPerGB, crossRegionUsdPerGB };
}

function grid(gridGramsPerKwh: number, gridSource: string) {
  return { gridGramsPerKwh, gridSource };
}

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
