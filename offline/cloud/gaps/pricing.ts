import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import { priceTable } from "./price-table.ts";

interface Filter {
  readonly Field?: string;
  readonly Value?: string;
}

/** How usage of a component is written. */
const usageOf: Readonly<Record<string, string>> = { Training: "Train", Notebook: "Notebk" };

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
    attributes: (instanceName: string, component: string) => ({
      instanceName,
      instanceType: `${instanceName}-${component}`,
      usagetype: `USE1-${usageOf[component] ?? "Host"}:${instanceName}`,
      component,
    }),
  },
} as const;

type Service = (typeof services)[keyof typeof services];

function serviceOf(code: unknown): Service | undefined {
  return code === "AmazonEC2" || code === "AmazonSageMaker" ? services[code] : undefined;
}

/** Notebook instances, USD an hour; those of us-east-1, and asked by their usage type alone. */
const notebookUsd: Readonly<Record<string, number>> = { "ml.t3.medium": 0.05, "ml.t3.large": 0.1 };

function notebooks(service: Service, asked: string | undefined): readonly string[] {
  const { asOf, regions } = priceTable(service.table);
  return regions
    .filter((regionCode) => asked === undefined || asked === regionCode)
    .flatMap((regionCode) =>
      Object.entries(notebookUsd).map(([type, usd]) =>
        product(service, { type, regionCode, usd, asOf, component: "Notebook" }),
      ),
    );
}

/** The products that the filters let through, each as JSON. */
function productsOf(service: Service, filters: readonly Filter[]): readonly string[] {
  const { asOf, regions, hourlyUsd } = priceTable(service.table);
  // Training jobs cost there what hosting does; any other component has no price.
  const component = filters.find((each) => each.Field === "component")?.Value ?? "Hosting";
  if (!["Hosting", "Training"].includes(component)) return [];
  const wanted = (field: string): string | undefined =>
    filters.find((each) => each.Field === field)?.Value;
  const products: string[] = [];
  for (const [type, prices] of Object.entries(hourlyUsd)) {
    if (wanted(service.name) !== undefined && wanted(service.name) !== type) continue;
    for (const [index, regionCode] of regions.entries()) {
      const usd = prices[index];
      if (usd === null || usd === undefined) continue;
      if (wanted("regionCode") !== undefined && wanted("regionCode") !== regionCode) continue;
      products.push(product(service, { type, regionCode, usd, asOf, component }));
    }
  }
  const asksAll = service.name === "instanceName" && wanted("component") === undefined;
  return asksAll ? [...products, ...notebooks(service, wanted("regionCode"))] : products;
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
  const filters = (call.parameters["Filters"] ?? []) as readonly Filter[];
  return { FormatVersion: "aws_v1", PriceList: productsOf(service, filters) };
}

interface Offer {
  readonly type: string;
  readonly regionCode: string;
  readonly usd: number;
  readonly asOf: string;
  readonly component: string;
}

/** A standard reservation that is paid by the hour, at a share of the on-demand price. */
function reservation(code: string, length: "1yr" | "3yr", usd: number): object {
  return {
    termAttributes: {
      LeaseContractLength: length,
      OfferingClass: "standard",
      PurchaseOption: "No Upfront",
    },
    priceDimensions: { [code]: { unit: "Hrs", pricePerUnit: { USD: usd.toFixed(5) } } },
  };
}

/** One that is paid whole in advance: its hours cost nothing. */
function paidInAdvance(code: string, usd: number): object {
  return {
    termAttributes: {
      LeaseContractLength: "1yr",
      OfferingClass: "standard",
      PurchaseOption: "All Upfront",
    },
    priceDimensions: {
      [`${code}.HOURS`]: { unit: "Hrs", pricePerUnit: { USD: "0.0000000000" } },
      [`${code}.FEE`]: { unit: "Quantity", pricePerUnit: { USD: String(Math.round(usd * 8760)) } },
    },
  };
}

/** The share of one year is that of most GPU types of the real list; that of three years is made up. */
function reservations(sku: string, usd: number): object {
  return {
    [`${sku}.4NA7Y494T4`]: reservation(`${sku}.4NA7Y494T4.6YS6EN2CT7`, "1yr", usd * 0.63),
    [`${sku}.BPH4J8HBKS`]: reservation(`${sku}.BPH4J8HBKS.6YS6EN2CT7`, "3yr", usd * 0.43),
    [`${sku}.6QCMYABX3D`]: paidInAdvance(`${sku}.6QCMYABX3D`, usd * 0.59),
  };
}

function product(service: Service, { type, regionCode, usd, asOf, component }: Offer): string {
  const sku = `EMULATED${type}${regionCode}`.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase();
  return JSON.stringify({
    product: {
      productFamily: service.productFamily,
      attributes: { ...service.attributes(type, component), regionCode },
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
      ...(service.table === "ec2-prices" ? { Reserved: reservations(sku, usd) } : {}),
    },
    publicationDate: `${asOf}T00:00:00Z`,
  });
}
