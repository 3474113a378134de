import { pricedRegions, regionPrices } from "./region-prices.ts";

/** S3 Standard in one region. */
export interface StoragePrice {
  /** Up to 50 TB a month. */
  readonly usdPerGBMonth: number;
  /** PUT, COPY, POST and LIST. */
  readonly usdPerThousandWrites: number;
  /** GET, HEAD and the rest. */
  readonly usdPerThousandReads: number;
  readonly asOf: string;
}

/** Where the prices are published. */
export const storagePriceSource = "https://aws.amazon.com/s3/pricing/";

/** The price of a region, or that of us-east-1 under its own name where the region's is not in the table. */
export function storagePrice(region: string): StoragePrice & { readonly region: string } {
  const known = pricedRegions.includes(region) ? region : "us-east-1";
  const { s3MonthlyUsdPerGB, s3PutUsdPerThousand, s3GetUsdPerThousand, asOf } = regionPrices(known);
  return {
    usdPerGBMonth: s3MonthlyUsdPerGB,
    usdPerThousandWrites: s3PutUsdPerThousand,
    usdPerThousandReads: s3GetUsdPerThousand,
    asOf,
    region: known,
  };
}

/** Bytes of a GB as S3 bills it (https://aws.amazon.com/s3/faqs/: 1 GB is 2^30 bytes). */
const billedGB = 1024 ** 3;

/** USD for keeping so many bytes for a month. */
export function storageUsd(bytes: number, price: StoragePrice): number {
  return (bytes / billedGB) * price.usdPerGBMonth;
}

/** USD for so many requests. */
export function requestsUsd(
  requests: { readonly writes: number; readonly reads: number },
  price: StoragePrice,
): number {
  const { usdPerThousandWrites, usdPerThousandReads } = price;
  return (requests.writes * usdPerThousandWrites + requests.reads * usdPerThousandReads) / 1000;
}

const nearPairs = new Set(["us-east-1 us-east-2"]);

/**
 * What leaves a region that is not in the table, USD a GB: $0.02 in North America and Europe, elsewhere that of the dearest,
 * af-south-1 (github.com/skyplane-project/skyplane skyplane/data/aws_transfer_costs.csv).
 */
function unknownTransferUsdPerGB(from: string): number {
  return /^(us|ca|mx|eu)-/.test(from) ? 0.02 : 0.147;
}

/**
 * USD a GB from one region to another: the sender's price, and $0.01 between us-east-1 and us-east-2
 * (https://aws.amazon.com/ec2/pricing/on-demand/, data transfer).
 */
export function transferUsdPerGB(from: string, to: string): number {
  if (from === to) return 0;
  if (nearPairs.has([from, to].toSorted().join(" "))) return 0.01;
  return pricedRegions.includes(from)
    ? regionPrices(from).crossRegionUsdPerGB
    : unknownTransferUsdPerGB(from);
}

/** USD for moving so many bytes from one region to another. */
export function transferUsd(bytes: number, from: string, to: string): number {
  return (bytes / billedGB) * transferUsdPerGB(from, to);
}
