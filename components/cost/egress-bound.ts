import { pricedRegions, regionPrices } from "../pricing/region-prices.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";

/** What a host's network interfaces sent, to wherever it was; or the most that an endpoint can have answered. */
export interface SentBytes {
  readonly resourceId: string;
  readonly runId: string;
  readonly region: string;
  readonly bytes: number;
  /** How often an endpoint was asked; undefined for a host, whose bytes are counted. */
  readonly requests?: number | undefined;
}

/**
 * The largest answer of a real-time endpoint, bytes: https://docs.aws.amazon.com/sagemaker/latest/dg/deploy-model-options.html.
 * One of an asynchronous endpoint goes to a bucket.
 */
export const largestAnswerBytes = 25e6;

/** What all of it would cost if it had gone to the internet. */
export interface EgressBound {
  /** What hosts sent, 10^9 bytes. */
  readonly sentGB: number;
  /** USD; without AWS's 100 GB a month that are free, and at the price of the first, dearest tier. */
  readonly atMostUsd: number;
  readonly hosts: readonly BoundBytes[];
  readonly endpoints: readonly BoundBytes[];
  /** Regions without a price for it, whose hosts and endpoints are left out. */
  readonly unpricedRegions: readonly string[];
}

/** The same with its price. */
export interface BoundBytes extends SentBytes {
  readonly atMostUsd: number;
}

/**
 * The most that the traffic of hosts and endpoints can have cost; pure. EC2 counts what goes to the internet and what stays within AWS
 * in one, and nothing that goes elsewhere costs more. SageMaker counts requests and no bytes.
 */
export function egressBound(sent: readonly SentBytes[]): EgressBound {
  const bound = sent
    .filter(({ region }) => pricedRegions.includes(region))
    .map((each) => {
      const usd = (each.bytes / 1e9) * regionPrices(each.region).egressUsdPerGB;
      return { ...each, atMostUsd: roundUsd(usd) };
    });
  const hosts = bound.filter(({ requests }) => requests === undefined);
  const unpriced = sent.flatMap(({ region }) => (pricedRegions.includes(region) ? [] : [region]));
  return {
    sentGB: hosts.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9,
    atMostUsd: roundUsd(bound.reduce((sum, { atMostUsd }) => sum + atMostUsd, 0)),
    hosts,
    endpoints: bound.filter(({ requests }) => requests !== undefined),
    unpricedRegions: [...new Set(unpriced)].toSorted(),
  };
}
