import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { mergeRecords, type Look, type SeenRun } from "../../../components/cost/merge-records.ts";
import type { RunRecord, UsageKind } from "../../../components/cost/usage.ts";
import { timestamp } from "../../../components/lease/lease.ts";
import { withLock } from "../../../processes/lock-folder.ts";
import type { ClientSettings } from "../account-scope.ts";
import { replaceFile } from "../../../processes/replace-file.ts";
import { ownFolder } from "../repository.ts";
import { recordRuns } from "./run-records.ts";

const recordsFolder = join(ownFolder, "runs");

/** All runs that are known, and what could not be asked or read. */
export interface KnownRuns {
  readonly records: readonly RunRecord[];
  /** One sentence each. */
  readonly unanswered: readonly string[];
}

interface ReadRecords {
  readonly seen: readonly SeenRun[];
  /** Paths of records that are no JSON, which were put aside. */
  readonly unreadable: readonly string[];
}

async function readRecords(folder: string): Promise<ReadRecords> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const seen: SeenRun[] = [];
  const unreadable: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    try {
      seen.push(JSON.parse(await readFile(path, "utf8")) as SeenRun);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      await rename(path, `${path}.unreadable`);
      unreadable.push(`${path}.unreadable`);
    }
  }
  return { seen, unreadable };
}

/**
 * Puts a look at the account beside what earlier ones knew, for any number of commands and dashboards at once: one at a
 * time reads, merges and writes, and a look that took longer than a later one changes nothing of what that saw.
 *
 * @param regions what was looked at; records of others are neither read nor touched
 */
export async function rememberLook(
  folder: string,
  look: Look,
  regions: readonly string[],
): Promise<KnownRuns> {
  await mkdir(folder, { recursive: true });
  return withLock(join(folder, "lock"), async () => {
    const { seen, unreadable } = await readRecords(folder);
    const known = seen.filter(({ record }) => regions.includes(record.region));
    const later = known.filter(({ seenAt }) => seenAt > look.seenAt);
    const laterRuns = new Set(later.map(({ record }) => record.runId));
    const before = known.filter(({ record }) => !laterRuns.has(record.runId));
    const runs = look.runs.filter(({ runId }) => !laterRuns.has(runId));
    const merged = mergeRecords(before, { ...look, runs });
    for (const each of merged) {
      const path = join(folder, `${each.record.runId}.json`);
      await replaceFile(path, `${JSON.stringify(each, null, 2)}\n`);
    }
    return {
      records: [...merged, ...later].map(({ record }) => record),
      unanswered: unreadable.map((path) => `the record ${path} cannot be read`),
    };
  });
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
  const found = await Promise.all(
    regions.map(async (region) => ({ region, ...(await recordRuns(client, region, now)) })),
  );
  const silent: Record<string, UsageKind[]> = {};
  for (const { region, unanswered } of found) {
    silent[region] = unanswered.flatMap(({ kinds }) => kinds);
  }
  const runs = found.flatMap((each) => each.runs);
  const look = { runs, seenAt: timestamp(now), unanswered: silent };
  const { records, unanswered } = await rememberLook(join(recordsFolder, account), look, regions);
  const unasked = found.flatMap(({ region, unanswered: each }) =>
    each.map(({ kinds, why }) => `${kinds.join(", ")} in ${region}: ${why}`),
  );
  return { records, unanswered: [...unasked, ...unanswered] };
}
