import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadShippedCatalogue } from "../../components/catalogue/load.ts";
import { pricesSchema, type Prices } from "../../components/catalogue/prices.ts";
import { pricedRegions } from "../../components/pricing/region-prices.ts";
import {
  gpuTablePrices,
  hostingTablePrices,
  keptPrices,
  spotFeedPrices,
  type FoundPrices,
} from "./public-tables.ts";

/**
 * Makes a file of `components/catalogue/data/prices/` from a public table of prices that was downloaded before, whole:
 * `node --import tsx scripts/generate/import-prices.ts <kind> <YYYY-MM-DD> <file...>`, the day being that of the table. The file's name
 * then goes into `snapshotFiles` of `components/catalogue/load.ts`, and that of the table before it out.
 */
const kinds: Readonly<
  Record<string, { source: string; read: (texts: readonly string[]) => FoundPrices }>
> = {
  "aws-gpu": { source: "aws-gpu", read: gpuTablePrices },
  sagemaker: {
    source: "flexera-sagemaker-pricing",
    read: ([text = ""]) => hostingTablePrices(text),
  },
  spot: { source: "spot-feed", read: ([text = ""]) => spotFeedPrices(text) },
};

const [kind = "", collectedAt = "", ...files] = process.argv.slice(2);
const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
if (known === undefined || !/^\d{4}-\d\d-\d\d$/.test(collectedAt) || files.length === 0) {
  console.error(
    `usage: import-prices.ts ${Object.keys(kinds).join("|")} YYYY-MM-DD <downloaded file...>`,
  );
  process.exit(2);
}

const catalogue = loadShippedCatalogue();
const types = new Set(
  [...catalogue.instanceTypes, ...catalogue.sagemakerTypes].map(({ instanceType }) => instanceType),
);
const found = known.read(files.map((file) => readFileSync(file, "utf8")));
const kept = (table: FoundPrices[keyof FoundPrices]) => keptPrices(table, pricedRegions, types);
const prices: Prices = pricesSchema.parse({
  schemaVersion: 1,
  collectedAt,
  source: known.source,
  instanceTypes: [],
  onDemandHourlyUsd: kept(found.onDemandHourlyUsd),
  spotHourlyUsd: kept(found.spotHourlyUsd),
  hostingHourlyUsd: kept(found.hostingHourlyUsd),
  trainingHourlyUsd: {},
  notebookHourlyUsd: {},
  oneYearHourlyUsd: kept(found.oneYearHourlyUsd),
  threeYearHourlyUsd: {},
  vcpuQuotas: {},
});
const name = `${kind}-${collectedAt}.json`;
const folder = new URL("../../components/catalogue/data/prices/", import.meta.url);
const path = fileURLToPath(new URL(name, folder));
writeFileSync(path, `${JSON.stringify(prices, null, 1)}\n`);
console.log(path);
