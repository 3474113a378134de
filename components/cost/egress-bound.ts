import { pricedRegions, regionPrices } from "../pricing/region-prices.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";

/** What a host's network interfaces sent, to wherever it was. */
export interface SentBytes {
  readonly resourceId: string;
  readonly runId: string;
  readonly region: string;
  readonly bytes: number;
}

/** What all of it would cost if it had gone to the internet. */
export interface EgressBound {
  /** 10^9 bytes. */
  readonly sentGB: number;
  /** USD; without AWS's 100 GB a month that are free, and at the price of the first, dearest tier. */
  readonly atMostUsd: number;
  readonly hosts: readonly (SentBytes & { readonly atMostUsd: number })[];
  /** Regions without a price for it, whose hosts are left out. */
  readonly unpricedRegions: readonly string[];
}

/**
 * The most that hosts' traffic can have cost; pure. EC2 counts what goes to the internet and what stays within AWS in one, and
 * nothing that goes elsewhere costs more.
 */
export function egressBound(sent: readonly SentBytes[]): EgressBound {
  const hosts = sent
    .filter(({ region }) => pricedRegions.includes(region))
    .map((host) => {
      const usd = (host.bytes / 1e9) * regionPrices(host.region).egressUsdPerGB;
      return { ...host, atMostUsd: roundUsd(usd) };
    });
  const unpriced = sent.flatMap(({ region }) => (pricedRegions.includes(region) ? [] : [region]));
  return {
    sentGB: hosts.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9,
    atMostUsd: roundUsd(hosts.reduce((sum, { atMostUsd }) => sum + atMostUsd, 0)),
    hosts,
    unpricedRegions: [...new Set(unpriced)].toSorted(),
  };
}
