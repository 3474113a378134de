import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Hourly prices by type, one for each region, null where there is none. */
export interface PriceTable {
  readonly asOf: string;
  readonly regions: readonly string[];
  readonly hourlyUsd: Readonly<Record<string, readonly (number | null)[]>>;
}

const tables = new Map<string, PriceTable>();

/** The price table of that name beside the emulated cloud. */
export function priceTable(name: "ec2-prices" | "sagemaker-prices"): PriceTable {
  const path = join(import.meta.dirname, "..", "data", `${name}.json`);
  const table = tables.get(name) ?? (JSON.parse(readFileSync(path, "utf8")) as PriceTable);
  tables.set(name, table);
  return table;
}
