import type { Catalogue } from "./catalogue.ts";
import type { InstanceType } from "./instance-type.ts";
import { priceTables, type Prices, type PriceTable } from "./prices.ts";

/** What one question about one region was answered: values by type, or why there is none. */
export type Answer =
  { readonly values: Readonly<Record<string, number>> } | { readonly failed: string };

/** Answers by table and region. */
export type Answers = Readonly<Record<PriceTable, Readonly<Record<string, Answer>>>>;

/** All that was asked of AWS, on one day. */
export interface Gathered {
  /** YYYY-MM-DD. */
  readonly today: string;
  readonly source: string;
  readonly answers: Answers;
  /** Types as EC2 describes them, of all regions that answered. */
  readonly instanceTypes: readonly InstanceType[];
}

/** A refreshed file, what changed, and what was kept and why. */
export interface Refreshed {
  readonly prices: Prices;
  readonly changes: readonly string[];
  readonly kept: readonly string[];
}

/** An answer with less than this share of what is known is taken for a failure. */
const leastShare = 0.5;

type Values = Readonly<Record<string, number>>;

/** What the catalogue itself has of a table and region, by type. */
function shippedValues(
  table: PriceTable,
  region: string,
  { instanceTypes, sagemakerTypes }: Catalogue,
): readonly (readonly [string, number | undefined])[] {
  switch (table) {
    case "onDemandHourlyUsd":
    case "spotHourlyUsd":
    case "spotHighHourlyUsd":
      return instanceTypes.map((type) => [type.instanceType, type.prices?.[region]?.[table]]);
    case "oneYearHourlyUsd":
    case "threeYearHourlyUsd":
      return instanceTypes.map((type) => [type.instanceType, type.reserved?.[region]?.[table]]);
    case "hostingHourlyUsd":
    case "trainingHourlyUsd":
      return sagemakerTypes.map((type) => [type.instanceType, type.prices?.[region]?.[table]]);
    case "notebookHourlyUsd":
    case "vcpuQuotas":
      return [];
  }
}

/** What is known now of a table and region: of the last refresh, else of the catalogue. */
function knownValues(
  table: PriceTable,
  region: string,
  before: Prices | undefined,
  catalogue: Catalogue,
): Values {
  const refreshed = before?.[table][region];
  if (refreshed !== undefined) return refreshed;
  const entries = shippedValues(table, region, catalogue);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

function wanted(table: PriceTable, values: Values, types: ReadonlySet<string>): Values {
  if (table === "vcpuQuotas") return values;
  // Notebooks have types without a GPU, which are no types of the catalogue.
  const isKnown = (type: string) => table === "notebookHourlyUsd" || types.has(type);
  return Object.fromEntries(
    Object.entries(values)
      .filter(([type, usd]) => isKnown(type) && usd > 0 && Number.isFinite(usd))
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

function shown(table: PriceTable, value: number): string {
  return table === "vcpuQuotas" ? `${value} vCPUs` : `$${value.toFixed(4)}`;
}

const tableNames: Readonly<Record<PriceTable, string>> = {
  onDemandHourlyUsd: "on demand",
  spotHourlyUsd: "spot",
  spotHighHourlyUsd: "spot, dearest zone,",
  hostingHourlyUsd: "hosting",
  trainingHourlyUsd: "training",
  notebookHourlyUsd: "notebooks",
  oneYearHourlyUsd: "1 year",
  threeYearHourlyUsd: "3 years",
  vcpuQuotas: "quota",
};

function changesOf(table: PriceTable, region: string, old: Values, now: Values): readonly string[] {
  const what = `${tableNames[table]} ${region}`;
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].toSorted();
  return names.flatMap((name) => {
    const [before, after] = [old[name], now[name]];
    if (before === after) return [];
    if (before === undefined) return [`${what}: ${name} new at ${shown(table, after ?? 0)}`];
    if (after === undefined) return [`${what}: ${name} gone, was ${shown(table, before)}`];
    const percent =
      before === 0
        ? ""
        : ` (${after > before ? "+" : ""}${(100 * (after / before - 1)).toFixed(1)} %)`;
    return [`${what}: ${name} ${shown(table, before)} -> ${shown(table, after)}${percent}`];
  });
}

interface RegionResult {
  readonly values: Values | undefined;
  readonly changes: readonly string[];
  /** Why the old values stay; undefined when the new ones are taken. */
  readonly kept: string | undefined;
}

function refreshRegion(
  of: { readonly table: PriceTable; readonly region: string; readonly types: ReadonlySet<string> },
  answer: Answer,
  known: { readonly all: Values; readonly refreshed: Values | undefined },
): RegionResult {
  const { table, region, types } = of;
  const keep = (why: string): RegionResult => ({
    values: known.refreshed,
    changes: [],
    kept: `${tableNames[table]} ${region}: kept, for ${why}`,
  });
  if ("failed" in answer) return keep(answer.failed);
  const values = wanted(table, answer.values, types);
  const [before, after] = [Object.keys(known.all).length, Object.keys(values).length];
  if (after < before * leastShare) return keep(`the answer has ${after} of ${before} types`);
  if (after === 0) return keep("the answer is empty");
  return { values, changes: changesOf(table, region, known.all, values), kept: undefined };
}

/** Rows that say something else than the catalogue: only what EC2 says is compared, and notes are ours. */
function changedTypes(
  described: readonly InstanceType[],
  catalogue: Catalogue,
): readonly InstanceType[] {
  const known = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
  return described.filter((type) => {
    const old = known.get(type.instanceType);
    return Object.entries(type).some(([field, value]) => {
      return field !== "source" && old?.[field as keyof InstanceType] !== value;
    });
  });
}

function typeChanges(types: readonly InstanceType[], catalogue: Catalogue): readonly string[] {
  const known = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
  return types.flatMap((type) => {
    const old = known.get(type.instanceType);
    if (old === undefined)
      return [`type ${type.instanceType}: new, ${type.gpuCount} x ${type.gpuModel}`];
    return Object.entries(type)
      .filter(([field, value]) => field !== "source" && old[field as keyof InstanceType] !== value)
      .map(([field, value]) => {
        const before = old[field as keyof InstanceType];
        return `type ${type.instanceType}: ${field} ${JSON.stringify(before ?? null)} -> ${JSON.stringify(value)}`;
      });
  });
}

type TableValues = Record<PriceTable, Record<string, Values>>;

/** The day of all that is in the file already; what is answered anew is taken out again. */
function datesOf(before: Prices | undefined): Map<string, string> {
  if (before === undefined) return new Map();
  const places = priceTables.flatMap((table) =>
    Object.keys(before[table]).map((region) => `${table} ${region}`),
  );
  return new Map(places.map((place) => [place, before.keptFrom?.[place] ?? before.collectedAt]));
}

function mergedTypes(before: Prices | undefined, changed: readonly InstanceType[]): InstanceType[] {
  const all = [...(before?.instanceTypes ?? []), ...changed];
  return [...new Map(all.map((type) => [type.instanceType, type])).values()];
}

/**
 * The file that a refresh writes. Regions that were not asked keep what they have; so does a question that failed, or whose
 * answer has less than half of the types that are known, with the day it is from.
 */
export function refreshPrices(
  catalogue: Catalogue,
  before: Prices | undefined,
  { today, source, answers, ...gathered }: Gathered,
): Refreshed {
  const instanceTypes = changedTypes(gathered.instanceTypes, catalogue);
  const types = new Set(
    [...catalogue.instanceTypes, ...instanceTypes, ...catalogue.sagemakerTypes].map(
      ({ instanceType }) => instanceType,
    ),
  );
  const tables = Object.fromEntries(
    priceTables.map((table) => [table, { ...before?.[table] }]),
  ) as TableValues;
  const changes = [...typeChanges(instanceTypes, catalogue)];
  const kept: string[] = [];
  const dates = datesOf(before);
  for (const table of priceTables) {
    for (const [region, answer] of Object.entries(answers[table])) {
      const all = knownValues(table, region, before, catalogue);
      const known = { all, refreshed: before?.[table][region] };
      const result = refreshRegion({ table, region, types }, answer, known);
      changes.push(...result.changes);
      if (result.values !== undefined) tables[table][region] = result.values;
      if (result.kept === undefined) dates.delete(`${table} ${region}`);
      else kept.push(result.kept);
    }
  }
  const stale = dates.size === 0 ? {} : { keptFrom: Object.fromEntries(dates) };
  const prices: Prices = {
    schemaVersion: 1,
    collectedAt: today,
    source,
    instanceTypes: mergedTypes(before, instanceTypes),
    ...tables,
    ...stale,
  };
  return { prices, changes, kept };
}
