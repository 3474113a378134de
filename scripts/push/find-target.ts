import type { Model } from "../../components/catalogue/model.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { storagePriceSource, transferUsd } from "../../components/pricing/storage-price.ts";
import { UserError } from "../../components/user-error.ts";
import type { Settings } from "../../stacks/parse-settings.ts";
import { accountOf } from "../adapters/account.ts";
import type { EngineChoice } from "../adapters/engine.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import { readStackSettings } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { localConfig } from "../stack/deployment.ts";
import { usdText } from "./push-plan.ts";
import { S3Connection } from "./s3-client.ts";
import { sayWhenSlow } from "./say-when-slow.ts";
import { TargetBucket, type WriteOptions } from "./target-bucket.ts";
import { makeWeightsStack, ownBucketOf } from "./weights-stack.ts";

/** Whose weights, and where they belong, as the stack's file says. */
export interface PushStack {
  readonly settings: Settings;
  readonly model: Model;
  readonly cloud: LocalCloud | undefined;
  /** Ends with a slash. */
  readonly prefix: string;
}

/** Reads a stack's file for a push. @throws UserError with every problem of it */
export function readPushStack(env: string): PushStack {
  const cloud = cloudOf(env);
  const settings = readStackSettings(env, localConfig(cloud, env));
  const model = findModel(settings.model, loadCatalogue());
  return { settings, model, cloud, prefix: settings.weightsPrefix ?? `${model.id}/` };
}

/** How a target is reached. */
export interface TargetWishes extends WriteOptions {
  readonly engine: EngineChoice;
  readonly lanes: number;
  /** Write to a bucket of another region than the hosts'. */
  readonly allowCrossRegion: boolean;
  /** Whether a bucket may be made where there is none. */
  readonly mayMake: boolean;
}

/** What a push to another region than the hosts' costs at each `up`, refused unless it was asked for. */
export function checkRegion(
  bucket: string,
  regions: { readonly bucket: string; readonly hosts: string },
  bytes: number,
  allowed: boolean,
): void {
  if (regions.bucket === regions.hosts || allowed) return;
  const usd = usdText(transferUsd(bytes, regions.bucket, regions.hosts));
  throw new UserError(
    `The bucket ${bucket} is in ${regions.bucket}, and the other end is in ${regions.hosts}.`,
    {
      problems: [`each time these weights cross, about ${usd} (${storagePriceSource})`],
      hint: `Use a bucket in ${regions.hosts}, or give --allow-cross-region.`,
    },
  );
}

/** The stack's bucket: the one that its file names, the one that it made itself, or a new one in a stack of its own. */
async function bucketOf(
  { settings }: PushStack,
  wishes: TargetWishes,
  terminal: Terminal,
): Promise<string | undefined> {
  if (settings.weightsBucket !== undefined) return settings.weightsBucket;
  const own = await ownBucketOf(settings.stack, wishes.engine);
  if (own !== undefined || !wishes.mayMake) return own;
  const { stack, env, region, owner } = settings;
  // A machine that is there already has none.
  const tags = settings.target === "existing-host" ? undefined : settings.tags;
  return makeWeightsStack({ stack, env, region, owner, tags, engine: wishes.engine }, terminal);
}

/**
 * The place that a push writes to.
 *
 * @param bytes that are going to be there, for the price of another region
 * @throws UserError when the bucket is not there, or in another region and that was not asked for
 */
export async function findTarget(
  stack: PushStack,
  wishes: TargetWishes,
  bytes: number,
  terminal: Terminal,
): Promise<TargetBucket> {
  const { settings, cloud, prefix } = stack;
  const bucket = await bucketOf(stack, wishes, terminal);
  if (bucket === undefined) {
    throw new UserError(`"${settings.stack}" has no bucket of weights yet.`, {
      hint: "Leave --plan out: the push makes one in a stack of its own.",
    });
  }
  const { client } = accountOf(settings.stack, settings.region, cloud);
  const near = new S3Connection({ ...client, lanes: wishes.lanes });
  const whom = `S3's answer about ${bucket}`;
  const region = (await sayWhenSlow(near.regionOf(bucket), { terminal, whom })) ?? settings.region;
  checkRegion(bucket, { bucket: region, hosts: settings.region }, bytes, wishes.allowCrossRegion);
  if (region === settings.region) return new TargetBucket(near, { bucket, prefix }, wishes);
  near.close();
  const far = new S3Connection({ ...client, region, lanes: wishes.lanes });
  return new TargetBucket(far, { bucket, prefix }, wishes);
}
