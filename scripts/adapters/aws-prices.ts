import { EC2Client, paginateDescribeSpotPriceHistory } from "@aws-sdk/client-ec2";
import { PricingClient, paginateGetProducts } from "@aws-sdk/client-pricing";
import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { ClientSettings } from "./account-scope.ts";

/** Values by type, or by quota code. */
export type ByName = Readonly<Record<string, number>>;

/** The Price List answers here for every region (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html). */
const pricingRegion = "us-east-1";

/** More pages than any region fills; a list without an end is no list. */
const maxPages = 200;

/**
 * vCPU quotas of accelerated types
 * (https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html): G on demand and spot, P on demand and spot,
 * P5 spot.
 */
const quotaCodes = ["L-DB2E81BA", "L-3819A6DF", "L-417A185B", "L-7212CCBC", "L-C4BD4855"] as const;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function values(value: unknown): readonly unknown[] {
  return isRecord(value) ? Object.values(value) : [];
}

/** The terms of a product by their kind, "OnDemand" or "Reserved". */
function termsOf(
  product: Readonly<Record<string, unknown>>,
  kind: string,
): readonly Readonly<Record<string, unknown>>[] {
  const terms = isRecord(product["terms"]) ? product["terms"][kind] : undefined;
  return values(terms).filter(isRecord);
}

/** Highest hourly price of terms; several may be listed, and then the dearest is the safe one. */
function hourlyUsd(terms: readonly Readonly<Record<string, unknown>>[]): number | undefined {
  const prices = terms
    .flatMap((term) => values(term["priceDimensions"]))
    .filter(isRecord)
    .filter(({ unit }) => unit === "Hrs" || unit === "Hours")
    .map(({ pricePerUnit }) => Number(isRecord(pricePerUnit) ? pricePerUnit["USD"] : NaN))
    .filter((usd) => Number.isFinite(usd) && usd > 0);
  return prices.length === 0 ? undefined : Math.max(...prices);
}

/** Whether a term is a standard reservation of that length with nothing paid upfront, so that its hours are all of it. */
function isReservation(term: Readonly<Record<string, unknown>>, length: "1yr" | "3yr"): boolean {
  const attributes = isRecord(term["termAttributes"]) ? term["termAttributes"] : {};
  return (
    attributes["LeaseContractLength"] === length &&
    attributes["OfferingClass"] === "standard" &&
    attributes["PurchaseOption"] === "No Upfront"
  );
}

function attributesOf(
  product: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const inner = product["product"];
  const attributes = isRecord(inner) ? inner["attributes"] : undefined;
  return isRecord(attributes) ? attributes : {};
}

interface ProductQuery<Table extends string> {
  readonly service: string;
  readonly filters: Readonly<Record<string, string>>;
  /** The type that a product is of; undefined leaves it out. */
  readonly name: (attributes: Readonly<Record<string, unknown>>) => unknown;
  /** What is read of each product. */
  readonly tables: Readonly<Record<Table, (product: Product) => number | undefined>>;
}

type Product = Readonly<Record<string, unknown>>;

async function products<Table extends string>(
  settings: ClientSettings,
  { service, filters, name, tables }: ProductQuery<Table>,
): Promise<Readonly<Record<Table, ByName>>> {
  const client = new PricingClient({ ...settings, region: pricingRegion });
  const readers = Object.entries(tables) as [Table, (product: Product) => number | undefined][];
  const found = new Map<Table, Record<string, number>>(readers.map(([table]) => [table, {}]));
  const Filters = Object.entries(filters).map(([Field, Value]) => ({
    Type: "TERM_MATCH" as const,
    Field,
    Value,
  }));
  try {
    let pages = 0;
    for await (const page of paginateGetProducts({ client }, { ServiceCode: service, Filters })) {
      pages += 1;
      if (pages > maxPages) throw new Error(`the price list has more than ${maxPages} pages`);
      for (const text of page.PriceList ?? []) {
        const product: unknown = JSON.parse(String(text));
        if (!isRecord(product)) continue;
        const type = name(attributesOf(product));
        if (typeof type !== "string") continue;
        for (const [table, read] of readers) {
          const usd = read(product);
          const prices = found.get(table);
          if (usd === undefined || prices === undefined) continue;
          prices[type] = Math.max(prices[type] ?? 0, usd);
        }
      }
    }
  } finally {
    client.destroy();
  }
  return Object.fromEntries(found) as Record<Table, ByName>;
}

/** Tables of {@link instancePrices}. */
export type InstancePriceTable = "onDemandHourlyUsd" | "oneYearHourlyUsd" | "threeYearHourlyUsd";

function reservedUsd(product: Product, length: "1yr" | "3yr"): number | undefined {
  return hourlyUsd(termsOf(product, "Reserved").filter((term) => isReservation(term, length)));
}

/**
 * Prices of Linux in shared tenancy by EC2 type: on demand, and reserved for one and three years with nothing upfront. Needs
 * `pricing:GetProducts`.
 */
export function instancePrices(
  settings: ClientSettings,
): Promise<Readonly<Record<InstancePriceTable, ByName>>> {
  return products(settings, {
    service: "AmazonEC2",
    tables: {
      onDemandHourlyUsd: (product) => hourlyUsd(termsOf(product, "OnDemand")),
      oneYearHourlyUsd: (product) => reservedUsd(product, "1yr"),
      threeYearHourlyUsd: (product) => reservedUsd(product, "3yr"),
    },
    name: ({ instanceType }) => instanceType,
    filters: {
      regionCode: settings.region,
      operatingSystem: "Linux",
      tenancy: "Shared",
      preInstalledSw: "NA",
      capacitystatus: "Used",
      marketoption: "OnDemand",
    },
  });
}

/** Prices of real-time hosting or of training jobs, by SageMaker type. Needs `pricing:GetProducts`. */
export async function sagemakerPrices(
  settings: ClientSettings,
  component: "Hosting" | "Training",
): Promise<ByName> {
  const { hourly } = await products(settings, {
    service: "AmazonSageMaker",
    name: ({ instanceName }) => instanceName,
    filters: { regionCode: settings.region, component },
    tables: { hourly: (product) => hourlyUsd(termsOf(product, "OnDemand")) },
  });
  return hourly;
}

/**
 * Prices of notebook instances by type. They are told by how usage of them is written (`USE1-Notebk:ml.t3.medium`), which bills have
 * too (https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html). Needs `pricing:GetProducts`.
 */
export async function notebookPrices(settings: ClientSettings): Promise<ByName> {
  const { hourly } = await products(settings, {
    service: "AmazonSageMaker",
    name: ({ usagetype }) => /(?:^|-)Notebk:(ml\.[\w.-]+)$/.exec(String(usagetype))?.[1],
    filters: { regionCode: settings.region },
    tables: { hourly: (product) => hourlyUsd(termsOf(product, "OnDemand")) },
  });
  return hourly;
}

/** Tables of {@link spotPrices}. */
export type SpotPriceTable = "spotHourlyUsd" | "spotHighHourlyUsd";

/** Newest spot prices of the cheapest and of the dearest zone, by type. Needs `ec2:DescribeSpotPriceHistory`. */
export async function spotPrices(
  settings: ClientSettings,
  types: readonly string[],
  now: Date,
): Promise<Readonly<Record<SpotPriceTable, ByName>>> {
  const client = new EC2Client(settings);
  const newest = new Map<string, { type: string; at: number; usd: number }>();
  try {
    const input = {
      InstanceTypes: types as never,
      ProductDescriptions: ["Linux/UNIX"],
      StartTime: now,
    };
    let pages = 0;
    for await (const page of paginateDescribeSpotPriceHistory({ client }, input)) {
      pages += 1;
      if (pages > maxPages) throw new Error(`the price history has more than ${maxPages} pages`);
      for (const {
        InstanceType: type = "",
        AvailabilityZone: zone = "",
        SpotPrice,
        Timestamp,
      } of page.SpotPriceHistory ?? []) {
        const [usd, at] = [Number(SpotPrice), Timestamp?.getTime() ?? 0];
        const known = newest.get(`${type} ${zone}`);
        if (!(usd > 0) || (known !== undefined && known.at >= at)) continue;
        newest.set(`${type} ${zone}`, { type, at, usd });
      }
    }
  } finally {
    client.destroy();
  }
  const [low, high]: [Record<string, number>, Record<string, number>] = [{}, {}];
  for (const { type, usd } of newest.values()) {
    low[type] = Math.min(low[type] ?? Infinity, usd);
    high[type] = Math.max(high[type] ?? 0, usd);
  }
  return { spotHourlyUsd: low, spotHighHourlyUsd: high };
}

/** vCPUs that the account may run of accelerated types, by quota code. Needs `servicequotas:GetServiceQuota`. */
export async function vcpuQuotas(settings: ClientSettings): Promise<ByName> {
  const client = new ServiceQuotasClient(settings);
  const found: Record<string, number> = {};
  try {
    for (const QuotaCode of quotaCodes) {
      try {
        const { Quota } = await client.send(
          new GetServiceQuotaCommand({ ServiceCode: "ec2", QuotaCode }),
        );
        if (Quota?.Value !== undefined) found[QuotaCode] = Quota.Value;
      } catch (error) {
        // Not every region has every quota.
        if (!(error instanceof Error) || error.name !== "NoSuchResourceException") throw error;
      }
    }
  } finally {
    client.destroy();
  }
  return found;
}
