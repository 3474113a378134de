import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadPrices } from "../catalogue/load.ts";
import { dayOf } from "../catalogue/prices.ts";
import { parseNotebookTypes, type NotebookTypes } from "./notebook-plan.ts";

const repositoryRoot = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The types of notebook instances that ship with berth, from the data file beside this one, under the prices that a refresh
 * has read from AWS, which has every type and region that was asked.
 *
 * @param folder where `berth.prices.json` is looked for. @default the root of the repository
 * @throws UserError when that file is not what a refresh writes
 */
export function loadNotebookTypes(folder: string = repositoryRoot): NotebookTypes {
  const path = new URL("data/notebook-types.json", import.meta.url);
  const shipped = parseNotebookTypes(JSON.parse(readFileSync(path, "utf8")));
  const prices = loadPrices(folder);
  if (prices === undefined) return shipped;
  const refreshed = Object.entries(prices.notebookHourlyUsd).flatMap(([region, byType]) =>
    Object.entries(byType).map(([instanceType, usd]) => ({
      instanceType,
      hourlyUsd: { [region]: usd },
      asOf: dayOf(prices, "notebookHourlyUsd", region),
      source: prices.source,
    })),
  );
  // The first that has a type and region counts.
  return { ...shipped, types: [...refreshed, ...shipped.types] };
}
