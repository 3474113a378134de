import { createHash } from "node:crypto";
import { z } from "zod";
import { UserError } from "../components/user-error.ts";
import { WeightsStore, type WeightsObject } from "./adapters/s3.ts";
import { shellQuote, type Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import { runDetached, type StepResult } from "./detached-step.ts";
import { ensureNode } from "./ensure-node.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { remoteScript, remoteScripts } from "./remote/scripts.ts";
import { describeProgress, duplicatePaths } from "./sync-text.ts";

/** Objects up to this size come in one request, whose answer tells their checksum. */
const wholeBytes = 8 * 1024 * 1024;
/** Exit statuses of the engine on the host. */
const changedStatus = 3;
/** A sync that crawls is given up after so long; the next `up` goes on from there. */
const timeoutSeconds = 12 * 3600;
const progressEverySeconds = 5;

/** What to bring where. */
export interface SyncInputs {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly folder: string;
  readonly dataFolder: string;
  /** The host pays for requests and traffic, as the bucket's owner asks. @default false */
  readonly requesterPays?: boolean | undefined;
}

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
const checkSchema = z.object({ manifestSha256: z.string(), damaged: z.array(z.string()) });
const errorSchema = z.object({ code: z.string(), message: z.string() });

function tagged<T>(result: StepResult, tag: string, schema: z.ZodType<T>): T | undefined {
  const line = result.lines.findLast((text) => text.startsWith(`@${tag} `));
  if (line === undefined) return undefined;
  return schema.parse(JSON.parse(line.slice(tag.length + 2)));
}

function storeOf({ bucket, prefix, region, requesterPays }: SyncInputs): WeightsStore {
  return new WeightsStore(bucket, prefix, region, { requesterPays });
}

/** Puts the sync's program on the host, in a folder named by its content, and finds it a Node. */
async function installEngine(
  host: Host,
  dataFolder: string,
): Promise<{ node: string; main: string }> {
  const names = remoteScripts("sync");
  const files = Object.fromEntries(names.map((name) => [name, remoteScript(`sync/${name}`)]));
  const text = JSON.stringify(files);
  const sha256 = createHash("sha256").update(text).digest("hex");
  const folder = `${dataFolder}/sync/${sha256.slice(0, 12)}`;
  const node = await ensureNode(host, dataFolder);
  const has = await host.output('[ -d "$1" ] && echo yes || echo no', [folder]);
  if (has.trim() !== "yes") {
    const words = [node.path, "-e", remoteScript("receive-files.cjs"), folder, sha256];
    const command = words.map(shellQuote).join(" ");
    const result = await host.run(command, () => ({ timeoutMs: 60_000, stdin: text }));
    if (result.code !== 0)
      throw new Error(
        `the sync's program could not be put on ${host.name}: ${result.stderr.trim()}`,
      );
  }
  return { node: node.path, main: `${folder}/main.mjs` };
}

/** @param presigned with an address for each object that needs no credentials, for a host without a role */
async function makePlan(
  store: WeightsStore,
  inputs: SyncInputs & { readonly folder: string },
  objects: readonly WeightsObject[],
  presigned: boolean,
) {
  const query = async (key: string) => new URL(await store.presign(key)).search.slice(1);
  const files = presigned
    ? await Promise.all(objects.map(async (each) => ({ ...each, query: await query(each.key) })))
    : objects;
  const { bucket, prefix, region, folder, requesterPays } = inputs;
  const origin = await store.origin();
  const place = { bucket, prefix, region, requesterPays, origin, folder };
  return JSON.stringify({ version: 2, ...place, rangeBytes: wholeBytes, files });
}

async function describe(
  store: WeightsStore,
  { bucket, prefix }: SyncInputs,
): Promise<readonly WeightsObject[]> {
  const objects = await store.describe(wholeBytes + 1).catch((error: unknown) => {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UserError(`the weights in s3://${bucket}/${prefix} cannot be listed (${why})`, {
      cause: error,
      hint: "Check the bucket's name and region, and that your credentials may list and read it.",
    });
  });
  if (objects.length === 0) {
    throw new UserError(`there are no weights under s3://${bucket}/${prefix}`, {
      hint: "Upload the model's files there first.",
    });
  }
  const twice = duplicatePaths(objects.map(({ path }) => path));
  if (twice !== undefined)
    throw new UserError(
      `two objects under s3://${bucket}/${prefix} would become one file: ${twice}`,
    );
  return objects;
}

function explain(result: StepResult, host: Host): UserError {
  const error = tagged(result, "error", errorSchema);
  const message = error?.message ?? `the sync ended with status ${result.code}`;
  const code = error === undefined ? "" : ` (${error.code})`;
  const disk = "Give the host a larger root volume with `rootVolumeGiB`.";
  return new UserError(`the weights did not reach ${host.name}: ${message}${code}`, {
    hint:
      error?.code === "E_DISK"
        ? disk
        : "Run `up` again: what has arrived is kept, and only the rest is fetched.",
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
    let presigned = false;
    for (let attempt = 1; ; attempt++) {
      const objects = await describe(store, inputs);
      const planPath = `${folder}/.sync/plan.json`;
      const plan = await makePlan(store, { ...inputs, folder }, objects, presigned);
      await host.put(plan, planPath, "600");
      const result = await runEngine(host, { ...engine, dataFolder, planPath }, operation);
      const done = tagged(result, "result", resultSchema);
      const files = await manifestOf(host, folder);
      if (result.code === 0 && done !== undefined && isOf(files, objects)) {
        operation.log(describeProgress.end(done, objects));
        return summary(files, done);
      }
      const refused = tagged(result, "error", errorSchema)?.code === "E_ACCESS";
      if (refused && !presigned) {
        presigned = true;
        continue;
      }
      const again = (result.code === changedStatus || result.code === 0) && attempt < 3;
      if (!again) throw explain(result, host);
      operation.log("objects changed in the bucket under way; planning again", "warning");
    }
  } finally {
    store.close();
  }
}

interface Engine {
  readonly node: string;
  readonly main: string;
  readonly dataFolder: string;
  readonly planPath: string;
}

function runEngine(host: Host, engine: Engine, operation: Operation): Promise<StepResult> {
  const progress = describeProgress.follow(progressEverySeconds, (line) => {
    operation.log(line);
  });
  return runDetached(host, {
    name: "weights",
    // exec: a signal to the step reaches the engine itself.
    script: 'exec nice -n 5 "$1" "$2" sync "$3"\n',
    args: [engine.node, engine.main, engine.planPath],
    folder: `${engine.dataFolder}/steps`,
    timeoutSeconds,
    signal: operation.signal,
    onLine: progress,
  });
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

/** What a look at the host's disk and at the bucket found. */
export interface SyncCheck {
  /** "" when the disk does not hold the manifest. */
  readonly manifestSha256: string;
  /** Keys whose file is gone, or has another size or time than the sync left it with. */
  readonly damaged: readonly string[];
  /** Keys that are new, gone or different in the bucket; undefined when the bucket could not be asked. */
  readonly changed: readonly string[] | undefined;
}

/** Compares the host's disk with its manifest, and the bucket with what was synced. */
export async function checkWeights(
  host: Host,
  inputs: SyncInputs,
  files: Synced["files"],
): Promise<SyncCheck> {
  const dataFolder = await ensureFolder(host, inputs.dataFolder);
  const folder = await ensureFolder(host, inputs.folder);
  const engine = await installEngine(host, dataFolder);
  const output = await host.output(
    'exec "$1" "$2" check "$3"',
    [engine.node, engine.main, folder],
    120_000,
  );
  const line = output.split("\n").find((text) => text.startsWith("@result ")) ?? "@result {}";
  const found = checkSchema.parse(JSON.parse(line.slice("@result ".length)));
  const store = storeOf(inputs);
  try {
    const listed = await store.list();
    return { ...found, changed: differences(listed, files) };
  } catch {
    return { ...found, changed: undefined };
  } finally {
    store.close();
  }
}

function differences(
  listed: readonly { key: string; etag: string }[],
  files: Synced["files"],
): readonly string[] {
  const now = new Map(listed.map(({ key, etag }) => [key, etag]));
  const then = new Map(files.map(({ key, etag }) => [key, etag]));
  return [...new Set([...now.keys(), ...then.keys()])].filter(
    (key) => now.get(key) !== then.get(key),
  );
}
