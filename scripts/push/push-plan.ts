import {
  requestsUsd,
  storagePrice,
  storagePriceSource,
  storageUsd,
} from "../../components/pricing/storage-price.ts";
import { manifestName, type WeightsManifest } from "../../components/weights/manifest.ts";
import type { ChosenFiles, SkippedFile } from "./choose-files.ts";
import type { Comparison } from "./compare.ts";
import { partBytesOf } from "./part-buffers.ts";
import { bytesText } from "./push-text.ts";
import type { SourceFile } from "./source.ts";
import type { StoredFile } from "./target-bucket.ts";

/** A file under the prefix that is not in this push. */
export interface LeftFile extends StoredFile {
  readonly path: string;
  /** An earlier push of berth brought it. */
  readonly ours: boolean;
}

/** What a push will do, and what it costs. */
export interface PushPlan {
  readonly source: string;
  /** `s3://bucket/prefix/`. */
  readonly target: string;
  readonly region: string;
  readonly send: readonly SourceFile[];
  readonly sendBytes: number;
  readonly unchanged: number;
  readonly unchangedBytes: number;
  readonly skipped: readonly SkippedFile[];
  readonly left: readonly LeftFile[];
  /** Licences and model cards that come along. */
  readonly licences: readonly string[];
  /** For all files of this push, USD a month. */
  readonly storageUsd: number;
  /** Once, USD. */
  readonly requestsUsd: number;
  readonly priceRegion: string;
  readonly priceAsOf: string;
  /** Nothing has to be written at all. */
  readonly upToDate: boolean;
}

/** What a plan is made of. */
export interface PlanParts {
  readonly source: string;
  readonly target: string;
  readonly region: string;
  readonly chosen: ChosenFiles;
  readonly compared: Comparison;
  readonly listed: ReadonlyMap<string, StoredFile>;
  readonly manifest: WeightsManifest | undefined;
}

const licenceFile = /(^|\/)(licen[cs]e|use_policy|notice|copying|readme|model_?card)[^/]*$/i;

function sum(files: readonly { readonly size: number }[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}

/** Requests that a push makes: one for a small file, three and one a part for a large one, and a list. */
function requestsOf({ send }: Comparison, listed: number) {
  const writes = send.reduce((total, { file: { size } }) => {
    const parts = Math.ceil(size / partBytesOf(size));
    return total + (parts <= 1 ? 1 : parts + 2);
  }, 3);
  return { writes: writes + Math.ceil(listed / 1000), reads: listed };
}

/** Paths that the last complete push left, in this one too. */
function sameFiles(manifest: WeightsManifest | undefined, { unchanged }: Comparison): boolean {
  const now = new Map(unchanged.map(({ path, etag }) => [path, etag]));
  return (
    manifest?.state === "complete" &&
    manifest.files.length === now.size &&
    manifest.files.every(({ path, etag }) => now.get(path) === etag)
  );
}

/** The plan of a push; pure. */
export function makePushPlan(parts: PlanParts): PushPlan {
  const { source, target, region, chosen, compared, listed, manifest } = parts;
  const send = compared.send.map(({ file }) => file);
  const sent = new Set(chosen.sent.map(({ path }) => path));
  const before = new Set([
    ...(manifest?.files.map(({ path }) => path) ?? []),
    ...(manifest?.left ?? []),
  ]);
  const left = [...listed]
    .filter(([path]) => path !== manifestName && !sent.has(path))
    .map(([path, file]) => ({ path, ...file, ours: before.has(path) }));
  const price = storagePrice(region);
  return {
    source,
    target,
    region,
    send,
    sendBytes: sum(send),
    unchanged: compared.unchanged.length,
    unchangedBytes: sum(compared.unchanged),
    skipped: chosen.skipped,
    left,
    licences: chosen.sent.map(({ path }) => path).filter((path) => licenceFile.test(path)),
    storageUsd: storageUsd(sum(chosen.sent), price),
    requestsUsd: requestsUsd(requestsOf(compared, listed.size), price),
    priceRegion: price.region,
    priceAsOf: price.asOf,
    upToDate: send.length === 0 && sameFiles(manifest, compared),
  };
}

const fewest = 12;

/** At most twelve of them, and how many more there are. */
function some(lines: readonly string[]): readonly string[] {
  if (lines.length <= fewest) return lines;
  return [...lines.slice(0, fewest), `           ... and ${lines.length - fewest} more`];
}

function files(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}

/** USD to the cent, or what little it is. */
export function usdText(usd: number): string {
  return usd > 0 && usd < 0.01 ? "less than $0.01" : `$${usd.toFixed(2)}`;
}

function leftLine(plan: PushPlan, prune: boolean): readonly string[] {
  const { left } = plan;
  if (left.length === 0) return [];
  const ours = left.filter(({ ours }) => ours);
  const others = left.filter(({ ours }) => !ours).map(({ path }) => path);
  const gone = prune ? "is removed at the end" : "stays; --prune removes it";
  return [
    ...some(ours.map(({ path }) => `left       ${path}: of an earlier push, ${gone}`)),
    ...some(
      others.map((path) => `left       ${path}: somebody else's, stays, and goes to hosts too`),
    ),
  ];
}

/** The plan as a person reads it. */
export function pushPlanLines(plan: PushPlan, prune: boolean): readonly string[] {
  const { send, skipped, licences } = plan;
  const price =
    plan.priceRegion === plan.region ? plan.region : `at the price of ${plan.priceRegion}`;
  return [
    `push       ${plan.source} to ${plan.target} (${plan.region})`,
    `send       ${files(send.length)}, ${bytesText(plan.sendBytes)}`,
    ...some(send.map(({ path, size }) => `           ${path} (${bytesText(size)})`)),
    ...(plan.unchanged === 0
      ? []
      : [`unchanged  ${files(plan.unchanged)}, ${bytesText(plan.unchangedBytes)}: not sent again`]),
    ...some(
      skipped.map(({ path, size, reason }) => `skip       ${path} (${bytesText(size)}): ${reason}`),
    ),
    ...leftLine(plan, prune),
    licences.length === 0
      ? "licence    no licence file and no model card in the source"
      : `licence    ${licences.join(", ")} come along`,
    `price      ${usdText(plan.storageUsd)} a month for what is stored, ${usdText(plan.requestsUsd)} once for the requests`,
    `           (${price}, of ${plan.priceAsOf}, ${storagePriceSource})`,
  ];
}
