import { z } from "zod";

/** Prices by region and type, USD an hour. */
type ByRegion = Record<string, Record<string, number>>;

/** What a public table has of each kind of price. */
export interface FoundPrices {
  readonly onDemandHourlyUsd?: ByRegion;
  readonly oneYearHourlyUsd?: ByRegion;
  readonly spotHourlyUsd?: ByRegion;
  readonly hostingHourlyUsd?: ByRegion;
}

function put(table: ByRegion, region: string, type: string, usd: number | undefined): void {
  if (usd === undefined || !(usd > 0)) return;
  (table[region] ??= {})[type] = usd;
}

const gpuTable = z.array(
  z.looseObject({
    name: z.string(),
    pricing: z.record(
      z.string(),
      z.looseObject({ onDemand: z.number().optional(), reserved: z.number().optional() }),
    ),
  }),
);

/**
 * On demand, and a year's standard reservation with nothing upfront: `data/<family>_instances.js` of github.com/tsaol/aws-gpu,
 * a JSON array behind `var instanceData =`.
 *
 * @throws ZodError when the table has another form
 */
export function gpuTablePrices(texts: readonly string[]): FoundPrices {
  const [onDemandHourlyUsd, oneYearHourlyUsd]: [ByRegion, ByRegion] = [{}, {}];
  for (const text of texts) {
    const json = text.slice(text.indexOf("["), text.lastIndexOf("]") + 1);
    for (const { name, pricing } of gpuTable.parse(JSON.parse(json))) {
      for (const [region, { onDemand, reserved }] of Object.entries(pricing)) {
        put(onDemandHourlyUsd, region, name, onDemand);
        put(oneYearHourlyUsd, region, name, reserved);
      }
    }
  }
  return { onDemandHourlyUsd, oneYearHourlyUsd };
}

/**
 * Real-time hosting: `data/aws/aws_sagemaker_pricing.json` of github.com/flexera-public/policy_templates.
 *
 * @throws ZodError when the table has another form
 */
export function hostingTablePrices(text: string): FoundPrices {
  const table = z.record(z.string(), z.record(z.string(), z.number()));
  return { hostingHourlyUsd: table.parse(JSON.parse(text)) };
}

const spotFeed = z.looseObject({
  config: z.looseObject({
    regions: z.array(
      z.looseObject({
        region: z.string(),
        instanceTypes: z.array(
          z.looseObject({
            sizes: z.array(
              z.looseObject({
                size: z.string(),
                valueColumns: z.array(
                  z.looseObject({ name: z.string(), prices: z.record(z.string(), z.string()) }),
                ),
              }),
            ),
          }),
        ),
      }),
    ),
  }),
});

/**
 * Spot for Linux, one price a region: the feed behind https://aws.amazon.com/ec2/spot/pricing/
 * (https://website.spot.ec2.aws.a2z.com/spot.json).
 *
 * @throws ZodError when the feed has another form
 */
export function spotFeedPrices(text: string): FoundPrices {
  const spotHourlyUsd: ByRegion = {};
  for (const { region, instanceTypes } of spotFeed.parse(JSON.parse(text)).config.regions) {
    for (const { size, valueColumns } of instanceTypes.flatMap(({ sizes }) => sizes)) {
      const linux = valueColumns.find(({ name }) => name === "linux")?.prices["USD"];
      put(spotHourlyUsd, region, size, Number(linux));
    }
  }
  return { spotHourlyUsd };
}

/** What is kept of a table: the regions and types that berth knows, in order. */
export function keptPrices(
  table: ByRegion | undefined,
  regions: readonly string[],
  types: ReadonlySet<string>,
): ByRegion {
  return Object.fromEntries(
    regions.toSorted().flatMap((region) => {
      const known = Object.entries(table?.[region] ?? {})
        .filter(([type]) => types.has(type))
        .toSorted(([a], [b]) => a.localeCompare(b));
      return known.length === 0 ? [] : [[region, Object.fromEntries(known)]];
    }),
  );
}
