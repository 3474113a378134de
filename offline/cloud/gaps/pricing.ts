import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiError, type ApiRequest } from "../proxy/api-request.ts";

interface Filter {
  readonly Field?: string;
  readonly Value?: string;
}

interface PriceTable {
  readonly asOf: string;
  readonly regions: readonly string[];
  readonly hourlyUsd: Readonly<Record<string, readonly (number | null)[]>>;
}

let table: PriceTable | undefined;

/** GetProducts for Linux on-demand prices of accelerated EC2 types in the regions of the table. */
export function servePricing(call: ApiRequest): object | undefined {
  if (call.service !== "pricing") return undefined;
  if (call.operation !== "GetProducts" || call.parameters["ServiceCode"] !== "AmazonEC2") {
    throw new ApiError(
      "UnsupportedOperation",
      `The emulated AWS does not have pricing:${call.operation} for this service.`,
    );
  }
  table ??= JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "data", "ec2-prices.json"), "utf8"),
  ) as PriceTable;
  const filters = (call.parameters["Filters"] ?? []) as readonly Filter[];
  const wanted = (field: string): string | undefined =>
    filters.find((each) => each.Field === field)?.Value;
  const products: string[] = [];
  for (const [instanceType, prices] of Object.entries(table.hourlyUsd)) {
    if (wanted("instanceType") !== undefined && wanted("instanceType") !== instanceType) continue;
    for (const [index, regionCode] of table.regions.entries()) {
      const usd = prices[index];
      if (usd === null || usd === undefined) continue;
      if (wanted("regionCode") !== undefined && wanted("regionCode") !== regionCode) continue;
      products.push(product(instanceType, regionCode, usd, table.asOf));
    }
  }
  return { FormatVersion: "aws_v1", PriceList: products };
}

function product(instanceType: string, regionCode: string, usd: number, asOf: string): string {
  const sku = `EMULATED${instanceType}${regionCode}`.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase();
  return JSON.stringify({
    product: {
      productFamily: "Compute Instance",
      attributes: {
        instanceType,
        regionCode,
        operatingSystem: "Linux",
        tenancy: "Shared",
        capacitystatus: "Used",
        preInstalledSw: "NA",
      },
      sku,
    },
    serviceCode: "AmazonEC2",
    terms: {
      OnDemand: {
        [`${sku}.JRTCKXETXF`]: {
          effectiveDate: `${asOf}T00:00:00Z`,
          priceDimensions: {
            [`${sku}.JRTCKXETXF.6YS6EN2CT7`]: { unit: "Hrs", pricePerUnit: { USD: String(usd) } },
          },
        },
      },
    },
    publicationDate: `${asOf}T00:00:00Z`,
  });
}
