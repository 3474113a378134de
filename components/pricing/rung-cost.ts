import type { Range } from "../range.ts";
import { times } from "../range.ts";
import { roundUsd, volumeHourlyUsd } from "./hourly-cost.ts";
import { regionPrices } from "./region-prices.ts";
import { transferUsdPerGB } from "./storage-price.ts";

/** What an hour of a host is made of, USD. */
export interface HourlyParts {
  /** With spot it is the most that an hour can cost. */
  readonly instanceUsd: number;
  readonly volumeUsd: number;
  readonly publicIpv4Usd: number;
  readonly totalUsd: number;
}

/**
 * An hour of a host: the instance, its gp3 root volume, and its public address.
 *
 * @throws UserError when the region's prices are not known
 */
export function hourlyParts(region: string, instanceUsd: number, volumeGiB: number): HourlyParts {
  const volumeUsd = volumeHourlyUsd(region, volumeGiB);
  const publicIpv4Usd = regionPrices(region).publicIpv4HourlyUsd;
  const totalUsd = roundUsd(instanceUsd + volumeUsd + publicIpv4Usd);
  return { instanceUsd, volumeUsd: roundUsd(volumeUsd), publicIpv4Usd, totalUsd };
}

/** An hour of so many hosts alike. */
export function ofHosts(one: HourlyParts, hosts: number): HourlyParts {
  const of = (usd: number) => (hosts === 1 ? usd : roundUsd(usd * hosts));
  return {
    instanceUsd: of(one.instanceUsd),
    volumeUsd: of(one.volumeUsd),
    publicIpv4Usd: of(one.publicIpv4Usd),
    totalUsd: of(one.totalUsd),
  };
}

/** What there is to pay beside the hours, USD. */
export interface AroundCost {
  /** The weights in a bucket of the same region. */
  readonly weightsMonthlyUsd: number;
  /** Requests of one sync of the weights; the transfer is free within the region. */
  readonly syncUsd: number;
  /** The transfer of the same sync from a bucket of another region, $0.02 a GB where no region is given. */
  readonly crossRegionSyncUsd: number;
  /** A million answer tokens sent to the internet. */
  readonly egressPerMillionTokensUsd: number;
  /** When these prices were read, YYYY-MM-DD. */
  readonly priceAsOf: string;
}

const gibi = 1024 ** 3;
/** One request of the sync fetches so much. */
const partBytes = 8 * 1024 * 1024;
/** Bytes of an answer token as JSON text over HTTP; about four letters, and as much again around them. */
const answerTokenBytes = 8;

/** What leaves a region of the US, Canada or Europe for another one, USD a GB. */
const usualTransferUsdPerGB = 0.02;

/**
 * Storage, requests and transfer around a host.
 *
 * @param weightsRegion the region of the bucket, whose price a transfer has. @default none that is known
 * @throws UserError when the region's prices are not known
 */
export function aroundCost(region: string, weightsGiB: number, weightsRegion?: string): AroundCost {
  const prices = regionPrices(region);
  const weightsGB = (weightsGiB * gibi) / 1e9;
  const transferPrice =
    weightsRegion === undefined ? usualTransferUsdPerGB : transferUsdPerGB(weightsRegion, region);
  const requests = Math.ceil((weightsGiB * gibi) / partBytes);
  return {
    weightsMonthlyUsd: roundUsd(weightsGB * prices.s3MonthlyUsdPerGB),
    syncUsd: roundUsd((requests / 1000) * prices.s3GetUsdPerThousand),
    crossRegionSyncUsd: roundUsd(weightsGB * transferPrice),
    egressPerMillionTokensUsd: roundUsd(((1e6 * answerTokenBytes) / 1e9) * prices.egressUsdPerGB),
    priceAsOf: prices.asOf,
  };
}

/** USD of a million tokens at so many a second. */
export function perMillionTokensUsd(hourlyUsd: number, tokensPerSecond: Range): Range {
  return {
    low: (hourlyUsd / 3600 / tokensPerSecond.high) * 1e6,
    high: (hourlyUsd / 3600 / tokensPerSecond.low) * 1e6,
  };
}

/** USD of a job of so many hours. */
export function jobUsd(hourlyUsd: number, hours: Range): Range {
  return times(hours, hourlyUsd);
}
