import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mergeRecords, type SeenRun } from "../../components/cost/merge-records.ts";
import type { RunRecord, UsageKind } from "../../components/cost/usage.ts";
import { timestamp } from "../../components/lease/lease.ts";
import type { ClientSettings } from "./account-scope.ts";
import { ownFolder } from "./repository.ts";
import { recordRuns } from "./run-records.ts";

const recordsFolder = join(ownFolder, "runs");

async function readRecords(folder: string): Promise<readonly SeenRun[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    return [];
  }
  const files = names.filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  return texts.map((text) => JSON.parse(text) as SeenRun);
}

/** All runs that are known, and what the account did not answer. */
export interface KnownRuns {
  readonly records: readonly RunRecord[];
  /** One sentence each. */
  readonly unanswered: readonly string[];
}

/**
 * Asks the account what ran since the last time, and remembers it: AWS forgets an instance an hour after its end.
 *
 * @param account what tells one account's records from another's
 */
export async function updateRecords(
  client: ClientSettings,
  regions: readonly string[],
  { now, account }: { readonly now: Date; readonly account: string },
): Promise<KnownRuns> {
  const folder = join(recordsFolder, account);
  const found = await Promise.all(
    regions.map(async (region) => ({ region, ...(await recordRuns(client, region, now)) })),
  );
  const before = (await readRecords(folder)).filter(({ record }) =>
    regions.includes(record.region),
  );
  const silent: Record<string, UsageKind[]> = {};
  for (const { region, unanswered } of found) {
    silent[region] = unanswered.flatMap(({ kinds }) => kinds);
  }
  const runs = found.flatMap((each) => each.runs);
  const merged = mergeRecords(before, { runs, seenAt: timestamp(now), unanswered: silent });
  await mkdir(folder, { recursive: true });
  for (const seen of merged) {
    const file = join(folder, `${seen.record.runId}.json`);
    await writeFile(file, `${JSON.stringify(seen, null, 2)}\n`);
  }
  const unanswered = found.flatMap(({ region, unanswered: each }) =>
    each.map(({ kinds, why }) => `${kinds.join(", ")} in ${region}: ${why}`),
  );
  return { records: merged.map(({ record }) => record), unanswered };
}
