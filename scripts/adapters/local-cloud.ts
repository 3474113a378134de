import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { isAlive } from "../../processes/process-alive.ts";
import { ownFolder } from "./repository.ts";
import { isExistingHost } from "./stack-target.ts";

const localCloudSchema = z.object({
  endpoint: z.url(),
  environment: z.record(z.string(), z.string()),
  tier: z.string(),
  machineSshPort: z.int(),
  weightsBucket: z.string(),
  /** Prefix of the demo's weights in that bucket. */
  weightsPrefix: z.string(),
  /** The process that runs it. */
  pid: z.int(),
});

/** The emulated cloud that `berth cloud` runs, as it tells other commands of it. */
export type LocalCloud = Readonly<z.infer<typeof localCloudSchema>>;

/** Where `berth cloud` says how to reach it. */
export const localCloudFile = join(ownFolder, "cloud.json");

/** The emulated cloud that runs now; undefined when none does. */
export function findLocalCloud(file: string = localCloudFile): LocalCloud | undefined {
  try {
    const cloud = localCloudSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    return isAlive(cloud.pid) ? cloud : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The emulated cloud for an environment that lives in it; undefined for the others, and for a machine that is there already.
 *
 * @throws UserError when a local environment is asked for and no emulated cloud runs
 */
export function cloudOf(stack: string, file: string = localCloudFile): LocalCloud | undefined {
  if (!/^local(-|$)/.test(stack) || isExistingHost(stack)) return undefined;
  const cloud = findLocalCloud(file);
  if (cloud !== undefined) return cloud;
  throw new UserError(`"${stack}" lives in the emulated cloud, and none is running.`, {
    hint: "Start one in another terminal: npm run berth -- cloud",
  });
}

/** Tells other commands of the cloud. */
export async function announceCloud(
  cloud: LocalCloud,
  file: string = localCloudFile,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(cloud, null, 2), { mode: 0o600 });
}

/** Takes the announcement back. */
export async function withdrawCloud(file: string = localCloudFile): Promise<void> {
  await rm(file, { force: true });
}
