import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostDataFolder } from "../../components/host-folders.ts";
import { UserError } from "../../components/user-error.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import { ensureFolder } from "../../provider/connection.ts";
import { checkpointsPlace } from "../../stacks/checkpoints.ts";
import type { HostSettings, Settings } from "../../stacks/parse-settings.ts";
import { repository } from "../adapters/repository.ts";
import type { BerthOutputs } from "../stack/stack-outputs.ts";
import type { JobFolder } from "./host-job.ts";

/** Where in S3 a job's checkpoints are. */
export interface KeptPlace {
  readonly bucket: string;
  /** Of this job alone; ends with a slash. */
  readonly prefix: string;
  readonly region: string;
  /** undefined is AWS's own. */
  readonly endpoint: string | undefined;
  /** The bucket is the stack's own, and a `down` removes it with what is in it. */
  readonly goesWithStack: boolean;
}

/** What a host does with them. */
export interface Keeping {
  readonly place: KeptPlace;
  /** Between two looks for a new checkpoint. */
  readonly minutes: number;
  /** The folder of checkpoints.py on the host. */
  readonly tools: string;
}

/** Minutes between two looks for a new checkpoint unless said otherwise. */
const usualMinutes = 15;

/**
 * Where a job's checkpoints are kept: as the stack says, or as its file does when it is down; undefined when they are not.
 *
 * @throws UserError when the stack's file asks for what cannot be
 */
export function keptPlace(
  settings: Settings,
  outputs: BerthOutputs,
  job: Pick<JobFolder, "name" | "modelId">,
): KeptPlace | undefined {
  const uri = outputs.checkpointsUri ?? declaredUri(settings, job.modelId);
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri ?? "") ?? [];
  if (bucket === undefined || prefix === undefined) return undefined;
  const endpoint = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
  const where = { bucket, prefix: `${prefix}${job.name}/`, region: settings.region, endpoint };
  return { ...where, goesWithStack: settings.target === "ec2" && ownsBucket(settings) };
}

function ownsBucket({ checkpointsBucket, weightsBucket, protect }: HostSettings): boolean {
  return (checkpointsBucket ?? weightsBucket) === undefined && !protect;
}

function declaredUri(settings: Settings, modelId: string): string | undefined {
  if (settings.target !== "ec2") return undefined;
  const place = checkpointsPlace(settings, modelId);
  const bucket = place?.bucket ?? settings.weightsBucket;
  return place === undefined || bucket === undefined ? undefined : `s3://${bucket}/${place.prefix}`;
}

/** `s3://bucket/prefix/` of a place. */
export function uriOf({ bucket, prefix }: KeptPlace): string {
  return `s3://${bucket}/${prefix}`;
}

/**
 * Minutes of `--sync-minutes`.
 *
 * @throws UserError when they are none
 */
export function syncMinutes(given: string | undefined): number {
  const minutes = given === undefined ? usualMinutes : Number(given);
  if (given?.trim() !== "" && minutes >= 0 && minutes <= 24 * 60) return minutes;
  throw new UserError(`--sync-minutes "${given ?? ""}" is no time.`, {
    hint: "Give minutes up to 1440, such as 15; 0 keeps nothing in S3.",
  });
}

/** Puts checkpoints.py and what it needs on the host. @returns its folder there */
export async function sendKeeper(host: Host): Promise<string> {
  const tools = await ensureFolder(host, `${hostDataFolder}/checkpoints`);
  const here = join(repository, "scripts/finetune");
  const files = { "checkpoints.py": "checkpoints.py", "s3-requirements.txt": "requirements.txt" };
  for (const [from, to] of Object.entries(files)) {
    await host.put(readFileSync(join(here, from)), `${tools}/${to}`);
  }
  return tools;
}
