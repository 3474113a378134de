import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UserError } from "../user-error.ts";
import { catalogueOf, type Catalogue, type Table, type Tables } from "./catalogue.ts";
import { withOverlay } from "./overlay.ts";
import { withSnapshot } from "./price-snapshot.ts";
import { parsePrices, withPrices, type Prices } from "./prices.ts";
import type { Source } from "./source.ts";

/** Data file of each table. */
export const tableFiles: Readonly<Record<keyof Tables, string>> = {
  models: "models",
  accelerators: "gpus",
  instanceTypes: "instance-types",
  sagemakerTypes: "sagemaker-types",
  cudaReleases: "cuda",
  pytorchReleases: "pytorch",
  licences: "licences",
};

/** Public tables of prices, each in the form of {@link pricesFile}; an earlier one wins. `scripts/generate/import-prices.ts` wrote them. */
export const snapshotFiles = [
  "aws-gpu-2026-08-26",
  "sagemaker-2026-05-20",
  "spot-2026-08-10",
] as const;

/** The user's own rows, in the root of the repository. */
export const overlayFile = "berth.catalogue.yaml";

/** What `berth catalogue refresh` has read from AWS, in the root of the repository. */
export const pricesFile = "berth.prices.json";

const maxFileBytes = 4 * 1024 * 1024;
const repositoryRoot = fileURLToPath(new URL("../../", import.meta.url));

function readTable<Row>(name: keyof Tables): Table<Row> {
  const url = new URL(`data/${tableFiles[name]}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Table<Row>;
}

function readSnapshot(name: string): Prices {
  const url = new URL(`data/prices/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Prices;
}

/** Where each short name of a source points. */
export function loadSources(): readonly Source[] {
  const url = new URL("data/sources.json", import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { rows: readonly Source[] }).rows;
}

function readIfThere(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const { size } = statSync(path);
  if (size > maxFileBytes) {
    throw new UserError(`${path} has ${size} bytes; at most ${maxFileBytes} are read.`);
  }
  return readFileSync(path, "utf8");
}

/** The catalogue as it ships, without anything of the user's. */
export function loadShippedCatalogue(): Catalogue {
  const catalogue = catalogueOf({
    models: readTable("models"),
    accelerators: readTable("accelerators"),
    instanceTypes: readTable("instanceTypes"),
    sagemakerTypes: readTable("sagemakerTypes"),
    cudaReleases: readTable("cudaReleases"),
    pytorchReleases: readTable("pytorchReleases"),
    licences: readTable("licences"),
  });
  return snapshotFiles.map(readSnapshot).reduce(withSnapshot, catalogue);
}

/**
 * The catalogue that ships with berth, under the prices of `berth.prices.json` and the rows of `berth.catalogue.yaml` where
 * the folder has them.
 *
 * @param folder where the two files are looked for. @default the root of the repository
 * @throws UserError naming file, line and column of everything that is wrong in them
 */
export function loadCatalogue(folder: string = repositoryRoot): Catalogue {
  const shipped = loadShippedCatalogue();
  const prices = readIfThere(`${folder}/${pricesFile}`);
  const refreshed = prices === undefined ? shipped : withPrices(shipped, prices, pricesFile);
  const overlay = readIfThere(`${folder}/${overlayFile}`);
  return overlay === undefined ? refreshed : withOverlay(refreshed, overlay, overlayFile);
}

/**
 * The prices that the last refresh has read; undefined where there was none.
 *
 * @param folder where the file is looked for
 * @throws UserError naming everything that is wrong in it
 */
export function loadPrices(folder: string): Prices | undefined {
  const text = readIfThere(`${folder}/${pricesFile}`);
  return text === undefined ? undefined : parsePrices(text, pricesFile);
}
