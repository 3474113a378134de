import type { RunRecord, Usage, UsageKind } from "../../../components/cost/usage.ts";
import { ownerTag, runTag, stackTag, type Tags } from "../../../components/identity.ts";
import type { ClientSettings } from "../account-scope.ts";
import { bucketUsages } from "./cost-of-buckets.ts";
import { endpointUsages } from "./cost-of-endpoints.ts";
import { trainingUsages } from "./cost-of-trainings.ts";
import { notebookUsages } from "./cost-of-notebooks.ts";
import { hostUsages, type TaggedUsage } from "./cost-of-hosts.ts";

/** What a region knows of all runs, and what it did not answer. */
export interface RegionRecords {
  readonly runs: readonly RunRecord[];
  readonly unanswered: readonly {
    readonly kinds: readonly UsageKind[];
    readonly why: string;
  }[];
}

/** A bucket of weights outlives the runs: it stands for itself. */
function runOf({ tags, usage }: TaggedUsage): string {
  return tags[runTag] ?? usage.resourceId;
}

function identityOf(tags: Tags, runId: string, region: string) {
  return {
    runId,
    stack: tags[stackTag] ?? "",
    env: tags["berth:env"] ?? "",
    owner: tags[ownerTag] ?? "",
    model: tags["berth:model"] ?? "",
    region,
  };
}

/** What a region knows now of every run: its hosts, endpoints, training jobs and buckets, with the prices that their tags recorded. */
export async function recordRuns(
  client: ClientSettings,
  region: string,
  now: Date,
): Promise<RegionRecords> {
  const sources: readonly (readonly [readonly UsageKind[], Promise<readonly TaggedUsage[]>])[] = [
    [["instance", "volume", "address"], hostUsages(client, region)],
    [["endpoint"], endpointUsages(client, region, now)],
    [["training-job"], trainingUsages(client, region)],
    [["notebook"], notebookUsages(client, region, now)],
    [["bucket"], bucketUsages(client, region)],
  ];
  const unanswered: RegionRecords["unanswered"][number][] = [];
  const runs = new Map<string, { tags: Tags; usages: Usage[] }>();
  const answers = await Promise.allSettled(sources.map(([, asked]) => asked));
  for (const [index, answer] of answers.entries()) {
    if (answer.status === "rejected") {
      const { reason } = answer as { reason: unknown };
      const why = reason instanceof Error ? reason.message : String(reason);
      unanswered.push({ kinds: sources[index]?.[0] ?? [], why });
      continue;
    }
    for (const found of answer.value) {
      const id = runOf(found);
      const run = runs.get(id) ?? { tags: found.tags, usages: [] };
      run.usages.push(found.usage);
      runs.set(id, run);
    }
  }
  const records = [...runs].map(([runId, { tags, usages }]) => ({
    ...identityOf(tags, runId, region),
    usages,
    charges: [],
  }));
  return { runs: records, unanswered };
}
