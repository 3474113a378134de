import { usableMemoryMiB, type Accelerator } from "./accelerator.ts";
import type { Catalogue } from "./catalogue.ts";
import type { InstanceType } from "./instance-type.ts";
import type { Source } from "./source.ts";
import { isOlderThanAYear } from "./source.ts";

/** An EC2 type as it is shown: its row, its GPU's, and where both are from. */
export interface ShownType {
  readonly type: InstanceType;
  readonly accelerator: Accelerator | undefined;
  readonly sources: readonly (Source & { readonly olderThanAYear: boolean })[];
}

/** The type of that name, with or without SageMaker's `ml.`; undefined where the catalogue has none. */
export function shownType(
  name: string,
  { instanceTypes, accelerators }: Catalogue,
  { sources, today }: { readonly sources: readonly Source[]; readonly today: string },
): ShownType | undefined {
  const type = instanceTypes.find(({ instanceType }) => instanceType === name.replace(/^ml\./, ""));
  if (type === undefined) return undefined;
  const accelerator = accelerators.find(({ model }) => model === type.gpuModel);
  const named = new Set(
    [type.source, accelerator?.source ?? ""].flatMap((text) => text.split(";")),
  );
  return {
    type,
    accelerator,
    sources: sources
      .filter(({ name: source }) => named.has(source))
      .map((source) => ({ ...source, olderThanAYear: isOlderThanAYear(source.asOf, today) })),
  };
}

/** Writes prices with their day, and a word where that is long ago. */
function dated(today: string) {
  return <Entry extends { readonly asOf: string }>(
    what: string,
    entry: Entry | undefined,
    read: (entry: Entry) => number | undefined,
  ): readonly string[] => {
    const usd = entry === undefined ? undefined : read(entry);
    if (entry === undefined || usd === undefined) return [];
    const old = isOlderThanAYear(entry.asOf, today) ? ", older than a year" : "";
    return [`${what} $${usd.toFixed(4)} (${entry.asOf}${old})`];
  };
}

/** A price with the day of its spot price for its own. */
function spotOf<Price extends { readonly asOf: string; readonly spotAsOf?: string | undefined }>(
  price: Price | undefined,
): Price | undefined {
  return price === undefined ? undefined : { ...price, asOf: price.spotAsOf ?? price.asOf };
}

function regionLines(
  { type }: ShownType,
  { sagemakerTypes }: Catalogue,
  today: string,
): readonly string[] {
  const { prices = {}, reserved = {}, pastSpot = {}, capacityBlocks = {} } = type;
  const endpoint = sagemakerTypes.find(
    ({ ec2InstanceType }) => ec2InstanceType === type.instanceType,
  );
  const hosted = endpoint?.prices ?? {};
  const tables = [prices, reserved, pastSpot, capacityBlocks, hosted];
  const price = dated(today);
  return [...new Set(tables.flatMap(Object.keys))].toSorted().map((region) => {
    const texts = [
      ...price("on demand", prices[region], (entry) => entry.onDemandHourlyUsd),
      ...price("1 year", reserved[region], (entry) => entry.oneYearHourlyUsd),
      ...price("3 years", reserved[region], (entry) => entry.threeYearHourlyUsd),
      ...price("spot", spotOf(prices[region]), (entry) => entry.spotHourlyUsd),
      ...price("past spot", pastSpot[region], (entry) => entry.hourlyUsd),
      ...price("Capacity Block", capacityBlocks[region], (entry) => entry.hourlyUsd),
      ...price("SageMaker", hosted[region], (entry) => entry.hostingHourlyUsd),
    ];
    return `           ${region.padEnd(14)} ${texts.join(", ")}`;
  });
}

/** One EC2 type as a person reads it: hardware, what an hour costs in each region and of which day that is, and the sources. */
export function typeLines(
  shown: ShownType,
  catalogue: Catalogue,
  today: string,
): readonly string[] {
  const { type, accelerator, sources } = shown;
  const usable = accelerator === undefined ? undefined : usableMemoryMiB(accelerator);
  const memory = usable === undefined ? "" : `, ${(usable / 1024).toFixed(1)} GiB usable each`;
  const disk = type.localNvmeGB === undefined ? "" : `, ${type.localNvmeGB} GB of NVMe`;
  const network = type.networkGbps === undefined ? "" : `, ${type.networkGbps} Gbit/s`;
  const priceLines = regionLines(shown, catalogue, today);
  return [
    `type       ${type.instanceType}: ${type.gpuCount} x ${type.gpuModel}${memory}`,
    `host       ${type.vcpus} vCPUs (${type.cpuArchitecture}), ${type.memoryGiB} GiB${disk}${network}`,
    ...(type.notes === undefined ? [] : [`note       ${type.notes}`]),
    priceLines.length === 0 ? "price      none is known" : "price      USD an hour",
    ...priceLines,
    ...sources.map(({ name, where, asOf, olderThanAYear }) => {
      const old = olderThanAYear ? ", older than a year" : "";
      return `source     ${name} (${asOf}${old}): ${where}`;
    }),
  ];
}
