import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mergeRecords, type SeenRun } from "../../components/cost/merge-records.ts";
import type { RunRecord } from "../../components/cost/usage.ts";
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

/**
 * Asks the account what ran since the last time, and remembers it: AWS forgets an instance an hour after its end.
 *
 * @param account what tells one account's records from another's
 */
export async function updateRecords(
  client: ClientSettings,
  regions: readonly string[],
  { now, account }: { readonly now: Date; readonly account: string },
): Promise<readonly RunRecord[]> {
  const folder = join(recordsFolder, account);
  const found = await Promise.all(regions.map((region) => recordRuns(client, region)));
  const before = (await readRecords(folder)).filter(({ record }) =>
    regions.includes(record.region),
  );
  const merged = mergeRecords(before, found.flat(), timestamp(now));
  await mkdir(folder, { recursive: true });
  for (const seen of merged) {
    const file = join(folder, `${seen.record.runId}.json`);
    await writeFile(file, `${JSON.stringify(seen, null, 2)}\n`);
  }
  return merged.map(({ record }) => record);
}
