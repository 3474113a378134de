import { z } from "zod";
import { parseRefreshed } from "./refreshed-file.ts";
import type { Catalogue } from "./catalogue.ts";
import { instanceTypeSchema, type InstanceType } from "./instance-type.ts";
import type { SagemakerType } from "./sagemaker-type.ts";

const usd = z.number().positive().max(10_000);

/** Schema of `berth.prices.json`: what AWS's own interfaces said on a day. */
export const pricesSchema = z.strictObject({
  schemaVersion: z.literal(1),
  collectedAt: z.iso.date(),
  source: z.string(),
  /** Types that the catalogue lacks, or that EC2 describes in another way. */
  instanceTypes: z.array(instanceTypeSchema),
  /** By region and type, Linux on demand in shared tenancy, USD an hour. */
  onDemandHourlyUsd: z.record(z.string(), z.record(z.string(), usd)),
  /** By region and type, newest spot price of the cheapest zone, USD an hour. */
  spotHourlyUsd: z.record(z.string(), z.record(z.string(), usd)),
  /** The same of the dearest zone. */
  spotHighHourlyUsd: z.record(z.string(), z.record(z.string(), usd)).default({}),
  /** By region and SageMaker type, real-time hosting, USD an hour. */
  hostingHourlyUsd: z.record(z.string(), z.record(z.string(), usd)),
  /** By region and SageMaker type, training jobs, USD an hour. */
  trainingHourlyUsd: z.record(z.string(), z.record(z.string(), usd)).default({}),
  /** By region and SageMaker type, notebook instances, USD an hour. */
  notebookHourlyUsd: z.record(z.string(), z.record(z.string(), usd)).default({}),
  /** By region and type, standard reservation of a year without upfront payment, USD an hour. */
  oneYearHourlyUsd: z.record(z.string(), z.record(z.string(), usd)).default({}),
  /** The same of three years. */
  threeYearHourlyUsd: z.record(z.string(), z.record(z.string(), usd)).default({}),
  /** By region and quota code, what the account may run, vCPUs. */
  vcpuQuotas: z.record(z.string(), z.record(z.string(), z.number().nonnegative())),
  /** By table and region ("onDemandHourlyUsd us-east-1"), the day of what was kept because a later question failed. */
  keptFrom: z.record(z.string(), z.iso.date()).optional(),
});

/** What `berth catalogue refresh` has read, by table, region and type. */
export type Prices = Readonly<z.infer<typeof pricesSchema>>;

/** Tables of {@link Prices} that go by region. */
export const priceTables = [
  "onDemandHourlyUsd",
  "spotHourlyUsd",
  "spotHighHourlyUsd",
  "hostingHourlyUsd",
  "trainingHourlyUsd",
  "notebookHourlyUsd",
  "oneYearHourlyUsd",
  "threeYearHourlyUsd",
  "vcpuQuotas",
] as const;
export type PriceTable = (typeof priceTables)[number];

/**
 * Reads `berth.prices.json`.
 *
 * @throws UserError naming every field that is wrong
 */
export function parsePrices(text: string, file: string): Prices {
  return parseRefreshed(pricesSchema, text, file);
}

/** The day that the prices of a table and region are from. */
export function dayOf(
  { keptFrom, collectedAt }: Prices,
  table: PriceTable,
  region: string,
): string {
  return keptFrom?.[`${table} ${region}`] ?? collectedAt;
}

function pricedType(type: InstanceType, prices: Prices): InstanceType {
  const own: Record<string, NonNullable<InstanceType["prices"]>[string]> = { ...type.prices };
  for (const [region, byType] of Object.entries(prices.onDemandHourlyUsd)) {
    const onDemandHourlyUsd = byType[type.instanceType];
    if (onDemandHourlyUsd === undefined) continue;
    const spotHourlyUsd = prices.spotHourlyUsd[region]?.[type.instanceType];
    const spotHighHourlyUsd = prices.spotHighHourlyUsd[region]?.[type.instanceType];
    const asOf = dayOf(prices, "onDemandHourlyUsd", region);
    const spotAsOf = dayOf(prices, "spotHourlyUsd", region);
    own[region] = {
      onDemandHourlyUsd,
      ...(spotHourlyUsd === undefined ? {} : { spotHourlyUsd }),
      ...(spotHighHourlyUsd === undefined ? {} : { spotHighHourlyUsd }),
      ...(spotHourlyUsd === undefined || spotAsOf === asOf ? {} : { spotAsOf }),
      asOf,
      source: prices.source,
    };
  }
  const reserved = reservedPrices(type, prices);
  return {
    ...type,
    ...(Object.keys(own).length === 0 ? {} : { prices: own }),
    ...(Object.keys(reserved).length === 0 ? {} : { reserved }),
  };
}

/** Reservations of the type: a region that was refreshed has what was answered, and nothing from before. */
function reservedPrices(
  { instanceType, reserved }: InstanceType,
  prices: Prices,
): NonNullable<InstanceType["reserved"]> {
  const own = { ...reserved };
  const { oneYearHourlyUsd: one, threeYearHourlyUsd: three, source } = prices;
  for (const region of new Set([...Object.keys(one), ...Object.keys(three)])) {
    const oneYearHourlyUsd = one[region]?.[instanceType];
    const threeYearHourlyUsd = three[region]?.[instanceType];
    if (oneYearHourlyUsd === undefined && threeYearHourlyUsd === undefined) continue;
    own[region] = {
      ...(oneYearHourlyUsd === undefined ? {} : { oneYearHourlyUsd }),
      ...(threeYearHourlyUsd === undefined ? {} : { threeYearHourlyUsd }),
      asOf: dayOf(prices, "oneYearHourlyUsd", region),
      source,
    };
  }
  return own;
}

function pricedHosting(type: SagemakerType, prices: Prices): SagemakerType {
  const own: Record<string, NonNullable<SagemakerType["prices"]>[string]> = { ...type.prices };
  for (const [region, byType] of Object.entries(prices.hostingHourlyUsd)) {
    const hostingHourlyUsd = byType[type.instanceType];
    if (hostingHourlyUsd === undefined) continue;
    const asOf = dayOf(prices, "hostingHourlyUsd", region);
    const trainingHourlyUsd = prices.trainingHourlyUsd[region]?.[type.instanceType];
    own[region] = {
      hostingHourlyUsd,
      ...(trainingHourlyUsd === undefined ? {} : { trainingHourlyUsd }),
      asOf,
      source: prices.source,
    };
  }
  return Object.keys(own).length === 0 ? type : { ...type, prices: own };
}

/**
 * The catalogue with refreshed types, prices and quotas over its own.
 *
 * @throws UserError when the text is not what a refresh writes
 */
export function withPrices(catalogue: Catalogue, text: string, file: string): Catalogue {
  const prices = parsePrices(text, file);
  const types = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
  for (const type of prices.instanceTypes) {
    types.set(type.instanceType, { ...types.get(type.instanceType), ...type });
  }
  return {
    ...catalogue,
    version: prices.collectedAt > catalogue.version ? prices.collectedAt : catalogue.version,
    instanceTypes: [...types.values()].map((type) => pricedType(type, prices)),
    sagemakerTypes: catalogue.sagemakerTypes.map((type) => pricedHosting(type, prices)),
    vcpuQuotas: prices.vcpuQuotas,
  };
}
