import { EC2Client, paginateDescribeSpotPriceHistory } from "@aws-sdk/client-ec2";
import { PricingClient, paginateGetProducts } from "@aws-sdk/client-pricing";
import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { ClientSettings } from "./receipt.ts";

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

/** Highest hourly price of a product's on-demand terms; several may be listed, and then the dearest is the safe one. */
function hourlyUsd(product: Readonly<Record<string, unknown>>): number | undefined {
  const terms = isRecord(product["terms"]) ? product["terms"]["OnDemand"] : undefined;
  const prices = values(terms)
    .flatMap((term) => (isRecord(term) ? values(term["priceDimensions"]) : []))
    .filter(isRecord)
    .filter(({ unit }) => unit === "Hrs" || unit === "Hours")
    .map(({ pricePerUnit }) => Number(isRecord(pricePerUnit) ? pricePerUnit["USD"] : NaN))
    .filter((usd) => Number.isFinite(usd) && usd > 0);
  return prices.length === 0 ? undefined : Math.max(...prices);
}

function attributesOf(
  product: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const inner = product["product"];
  const attributes = isRecord(inner) ? inner["attributes"] : undefined;
  return isRecord(attributes) ? attributes : {};
}

interface ProductQuery {
  readonly service: string;
  readonly filters: Readonly<Record<string, string>>;
  /** Attribute that names the type. */
  readonly name: string;
}

async function products(
  settings: ClientSettings,
  { service, filters, name }: ProductQuery,
): Promise<ByName> {
  const client = new PricingClient({ ...settings, region: pricingRegion });
  const found: Record<string, number> = {};
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
        const type = attributesOf(product)[name];
        const usd = hourlyUsd(product);
        if (typeof type !== "string" || usd === undefined) continue;
        found[type] = Math.max(found[type] ?? 0, usd);
      }
    }
  } finally {
    client.destroy();
  }
  return found;
}

/** On-demand prices of Linux in shared tenancy, by EC2 type. Needs `pricing:GetProducts`. */
export function onDemandPrices(settings: ClientSettings): Promise<ByName> {
  return products(settings, {
    service: "AmazonEC2",
    name: "instanceType",
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

/** Prices of real-time hosting, by SageMaker type. Needs `pricing:GetProducts`. */
export function hostingPrices(settings: ClientSettings): Promise<ByName> {
  return products(settings, {
    service: "AmazonSageMaker",
    name: "instanceName",
    filters: { regionCode: settings.region, component: "Hosting" },
  });
}

/** Newest spot price of the cheapest zone, by type. Needs `ec2:DescribeSpotPriceHistory`. */
export async function spotPrices(
  settings: ClientSettings,
  types: readonly string[],
  now: Date,
): Promise<ByName> {
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
  const found: Record<string, number> = {};
  for (const { type, usd } of newest.values()) found[type] = Math.min(found[type] ?? Infinity, usd);
  return found;
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
