import type { Catalogue } from "./catalogue.ts";
import type { InstanceType } from "./instance-type.ts";
import type { Prices } from "./prices.ts";
import type { SagemakerType } from "./sagemaker-type.ts";

type ByRegion<Value> = Readonly<Record<string, Value>>;

/** What each region of a table has of a type. */
function ofType(table: ByRegion<ByRegion<number>>, type: string): readonly [string, number][] {
  return Object.entries(table).flatMap(([region, byType]) => {
    const usd = byType[type];
    return usd === undefined ? [] : [[region, usd] as [string, number]];
  });
}

/** Values by region, under what is there already; undefined where that leaves none. */
function under<Value>(
  known: ByRegion<Value> | undefined,
  found: readonly (readonly [string, NoInfer<Value>])[],
): ByRegion<Value> | undefined {
  if (found.length === 0) return known;
  return { ...Object.fromEntries(found), ...known };
}

function instanceWith(type: InstanceType, prices: Prices): InstanceType {
  const { collectedAt: asOf, source } = prices;
  const { instanceType } = type;
  const onDemand = ofType(prices.onDemandHourlyUsd, instanceType);
  const oneYear = ofType(prices.oneYearHourlyUsd, instanceType);
  const spot = ofType(prices.spotHourlyUsd, instanceType);
  if (onDemand.length + oneYear.length + spot.length === 0) return type;
  return {
    ...type,
    prices: under(
      type.prices,
      onDemand.map(([region, onDemandHourlyUsd]) => [region, { onDemandHourlyUsd, asOf, source }]),
    ),
    reserved: under(
      type.reserved,
      oneYear.map(([region, oneYearHourlyUsd]) => [region, { oneYearHourlyUsd, asOf, source }]),
    ),
    pastSpot: under(
      type.pastSpot,
      spot.map(([region, hourlyUsd]) => [region, { hourlyUsd, asOf, source }]),
    ),
  };
}

function sagemakerWith(type: SagemakerType, prices: Prices): SagemakerType {
  const { collectedAt: asOf, source } = prices;
  const hosting = ofType(prices.hostingHourlyUsd, type.instanceType);
  if (hosting.length === 0) return type;
  return {
    ...type,
    prices: under(
      type.prices,
      hosting.map(([region, hostingHourlyUsd]) => [region, { hostingHourlyUsd, asOf, source }]),
    ),
  };
}

/**
 * The catalogue with the prices of a dated public table where it has none of its own. What is there stays, for it was read
 * from a nearer source. A spot price becomes one of the past: it is shown with its date, and nothing is decided by it.
 */
export function withSnapshot(catalogue: Catalogue, prices: Prices): Catalogue {
  return {
    ...catalogue,
    instanceTypes: catalogue.instanceTypes.map((type) => instanceWith(type, prices)),
    sagemakerTypes: catalogue.sagemakerTypes.map((type) => sagemakerWith(type, prices)),
  };
}
