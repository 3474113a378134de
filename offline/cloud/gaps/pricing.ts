import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import { priceTable } from "./price-table.ts";

interface Filter {
  readonly Field?: string;
  readonly Value?: string;
}

/** What the two services call a product: its family and its attributes beside the region. */
const services = {
  AmazonEC2: {
    table: "ec2-prices",
    productFamily: "Compute Instance",
    name: "instanceType",
    attributes: (instanceType: string) => ({
      instanceType,
      operatingSystem: "Linux",
      tenancy: "Shared",
      capacitystatus: "Used",
      preInstalledSw: "NA",
    }),
  },
  AmazonSageMaker: {
    table: "sagemaker-prices",
    productFamily: "ML Instance",
    name: "instanceName",
    attributes: (instanceName: string) => ({
      instanceName,
      instanceType: `${instanceName}-Hosting`,
      component: "Hosting",
    }),
  },
} as const;

type Service = (typeof services)[keyof typeof services];

function serviceOf(code: unknown): Service | undefined {
  return code === "AmazonEC2" || code === "AmazonSageMaker" ? services[code] : undefined;
}

/** GetProducts for Linux on-demand prices of accelerated EC2 types, and hosting prices of SageMaker's. */
export function servePricing(call: ApiRequest): object | undefined {
  if (call.service !== "pricing") return undefined;
  const service = serviceOf(call.parameters["ServiceCode"]);
  if (call.operation !== "GetProducts" || service === undefined) {
    throw new ApiError(
      "UnsupportedOperation",
      `The emulated AWS does not have pricing:${call.operation} for this service.`,
    );
  }
  const { asOf, regions, hourlyUsd } = priceTable(service.table);
  const filters = (call.parameters["Filters"] ?? []) as readonly Filter[];
  const wanted = (field: string): string | undefined =>
    filters.find((each) => each.Field === field)?.Value;
  const products: string[] = [];
  for (const [type, prices] of Object.entries(hourlyUsd)) {
    if (wanted(service.name) !== undefined && wanted(service.name) !== type) continue;
    for (const [index, regionCode] of regions.entries()) {
      const usd = prices[index];
      if (usd === null || usd === undefined) continue;
      if (wanted("regionCode") !== undefined && wanted("regionCode") !== regionCode) continue;
      products.push(product(service, { type, regionCode, usd, asOf }));
    }
  }
  return { FormatVersion: "aws_v1", PriceList: products };
}

interface Offer {
  readonly type: string;
  readonly regionCode: string;
  readonly usd: number;
  readonly asOf: string;
}

function product(service: Service, { type, regionCode, usd, asOf }: Offer): string {
  const sku = `EMULATED${type}${regionCode}`.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase();
  return JSON.stringify({
    product: {
      productFamily: service.productFamily,
      attributes: { ...service.attributes(type), regionCode },
      sku,
    },
    serviceCode: service.table === "ec2-prices" ? "AmazonEC2" : "AmazonSageMaker",
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
