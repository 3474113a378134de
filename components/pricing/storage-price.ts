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

const virginia: StoragePrice = {
  usdPerGBMonth: 0.023,
  usdPerThousandWrites: 0.005,
  usdPerThousandReads: 0.0004,
  asOf: "2025-10-28",
};

const prices: Readonly<Record<string, StoragePrice>> = {
  "us-east-1": virginia,
  "ap-northeast-1": {
    usdPerGBMonth: 0.025,
    usdPerThousandWrites: 0.0047,
    usdPerThousandReads: 0.00037,
    asOf: "2024-01-13",
  },
};

/** The price of a region, or that of us-east-1 under its own name where the region's is not in the table. */
export function storagePrice(region: string): StoragePrice & { readonly region: string } {
  const known = prices[region];
  return known === undefined ? { ...virginia, region: "us-east-1" } : { ...known, region };
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
 * USD for moving so many bytes from one region to another: $0.01 a GB between us-east-1 and us-east-2, $0.02 between most
 * others, more from the dear ones (https://aws.amazon.com/ec2/pricing/on-demand/, data transfer).
 */
export function transferUsd(bytes: number, from: string, to: string): number {
  if (from === to) return 0;
  const pair = [from, to].toSorted().join(" ");
  return (bytes / billedGB) * (nearPairs.has(pair) ? 0.01 : 0.02);
}
