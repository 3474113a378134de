import { z } from "zod";
import { UserError } from "../components/user-error.ts";
import type { WeightsObject } from "./adapters/s3.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import type { StepResult } from "./detached-step.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { installEngine, runEngine } from "./sync-engine.ts";
import { describeProgress } from "./sync-text.ts";
import { sharedListing } from "./shared-listing.ts";
import { makePlan, storeOf, trafficText, type SyncInputs } from "./weights-plan.ts";

/** Exit status of the program on the host when an object changed under way. */
const changedStatus = 3;
/** Plans for one sync, when objects change or addresses run out under way. */
const mostPlans = 3;

/** What a sync brought about. */
export interface Synced {
  readonly files: readonly { key: string; size: number; etag: string; checksum: string }[];
  /** Of all files together. */
  readonly bytes: number;
  readonly seconds: number;
  readonly manifestSha256: string;
}

const resultSchema = z.object({
  received: z.number(),
  seconds: z.number(),
  fetchedFiles: z.number(),
  manifestSha256: z.string(),
});
const errorSchema = z.object({ code: z.string(), message: z.string() });

function tagged<T>(result: StepResult, tag: string, schema: z.ZodType<T>): T | undefined {
  const line = result.lines.findLast((text) => text.startsWith(`@${tag} `));
  if (line === undefined) return undefined;
  return schema.parse(JSON.parse(line.slice(tag.length + 2)));
}

const hints: Readonly<Record<string, string>> = {
  E_DISK:
    "Give the host a larger root volume with `rootVolumeGiB`; where the weights lie on the instance's own disks, make room there or take a type with larger ones.",
  E_ACCESS:
    "Let the host's role, or your own credentials, read the prefix (s3:GetObject, and kms:Decrypt where it is encrypted with KMS).",
  E_CHECKSUM: "The object in the bucket may itself be damaged: upload it again.",
  E_REGION:
    "Set berth:weightsRegion to the bucket's region, or copy the weights to a bucket in the host's.",
  E_PATH: "Rename the object, or leave it out with `exclude`.",
  E_TLS: "Find out what answers for S3 on the host's network before anything else.",
};

function explain(result: StepResult, host: Host): UserError {
  const error = tagged(result, "error", errorSchema);
  const message = error?.message ?? `the sync ended with status ${result.code}`;
  const code = error === undefined ? "" : ` (${error.code})`;
  return new UserError(`the weights did not reach ${host.name}: ${message}${code}`, {
    hint:
      hints[error?.code ?? ""] ??
      "Run `up` again: what has arrived is kept, and only the rest is fetched.",
  });
}

/**
 * Brings a prefix's objects into a folder on the host. The bytes go from S3 to the host; this machine sends the plan and
 * reads the progress. Files that are there already and unchanged are not fetched.
 *
 * @throws UserError when there is nothing to fetch, the disk is too small, or S3 or the network refuses
 */
export async function syncWeights(
  host: Host,
  inputs: SyncInputs,
  operation: Operation,
): Promise<Synced> {
  const store = storeOf(inputs);
  try {
    const dataFolder = await ensureFolder(host, inputs.dataFolder);
    const folder = await ensureFolder(host, inputs.folder);
    const engine = await installEngine(host, dataFolder);
    const planPath = `${folder}/.sync/plan.json`;
    let presigned = false;
    for (let plans = 1; ; plans++) {
      const objects = await sharedListing(store, inputs, plans > 1);
      const bytes = objects.reduce((sum, { size }) => sum + size, 0);
      const traffic = trafficText(inputs, bytes);
      if (traffic !== undefined) operation.log(traffic, "warning");
      const plan = await makePlan(store, { ...inputs, folder }, objects, presigned);
      await host.put(plan, planPath, "600");
      const result = await runEngine(host, { ...engine, dataFolder, planPath }, operation);
      const done = tagged(result, "result", resultSchema);
      const files = await manifestOf(host, folder);
      if (result.code === 0 && done !== undefined && isOf(files, objects)) {
        await host.output('rm -f "$1"', [planPath]);
        operation.log(describeProgress.end(done, objects));
        return summary(files, done);
      }
      const code = tagged(result, "error", errorSchema)?.code;
      const usesRole = code === "E_ACCESS" && !presigned;
      const again = usesRole || code === "E_EXPIRED" || [0, changedStatus].includes(result.code);
      if (!again || plans >= mostPlans) throw explain(result, host);
      // A host without a role of its own gets addresses that need none.
      if (usesRole) presigned = true;
      else operation.log("objects changed in the bucket under way; planning again", "warning");
    }
  } finally {
    store.close();
  }
}

const manifestSchema = z.object({
  files: z.array(
    z.object({
      key: z.string(),
      size: z.number(),
      etag: z.string(),
      checksum: z.object({ algorithm: z.string(), value: z.string() }).nullable(),
    }),
  ),
});
type ManifestFiles = z.infer<typeof manifestSchema>["files"];

async function manifestOf(host: Host, folder: string): Promise<ManifestFiles> {
  const text = await host.output('cat "$1/manifest.json"', [folder]).catch(() => "{}");
  return manifestSchema.safeParse(JSON.parse(text)).data?.files ?? [];
}

/** An engine that was found running may have followed an older plan. */
function isOf(files: ManifestFiles, objects: readonly WeightsObject[]): boolean {
  const has = new Map(files.map(({ key, etag }) => [key, etag]));
  return has.size === objects.length && objects.every(({ key, etag }) => has.get(key) === etag);
}

function summary(manifest: ManifestFiles, done: z.infer<typeof resultSchema>): Synced {
  const files = manifest.map(({ key, size, etag, checksum }) => ({
    key,
    size,
    etag,
    checksum: checksum === null ? "" : `${checksum.algorithm}:${checksum.value}`,
  }));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { files, bytes, seconds: done.seconds, manifestSha256: done.manifestSha256 };
}
