import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import { openBucket } from "./bucket-source.ts";
import { checkRegion, type PushStack } from "./find-target.ts";
import { openFolder } from "./folder-source.ts";
import { S3Connection } from "./s3-client.ts";
import type { WeightsSource } from "./source.ts";
import { TargetBucket } from "./target-bucket.ts";

/** What a source may need besides its name. */
export interface SourceWishes {
  readonly stack: PushStack;
  readonly lanes: number;
  /** Pay for reading a bucket of somebody else's. */
  readonly requesterPays: boolean;
  readonly allowCrossRegion: boolean;
  /** Ends the wait for a source that does not answer. */
  readonly signal?: AbortSignal;
}

async function openS3(address: string, wishes: SourceWishes): Promise<WeightsSource> {
  const [, bucket, given = ""] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(address) ?? [];
  if (bucket === undefined) {
    throw new UserError(`"${address}" does not name a bucket.`, {
      hint: "Give s3://<bucket>/<prefix>.",
    });
  }
  const { settings, cloud } = wishes.stack;
  const prefix = given === "" || given.endsWith("/") ? given : `${given}/`;
  const { client } = accountOf(settings.stack, settings.region, cloud);
  const near = new S3Connection({ ...client, lanes: wishes.lanes });
  const region = (await near.regionOf(bucket)) ?? settings.region;
  near.close();
  const connection = new S3Connection({ ...client, region, lanes: wishes.lanes });
  const from = new TargetBucket(connection, { bucket, prefix }, wishes);
  const source = await openBucket(from);
  const bytes = source.files.reduce((sum, { size }) => sum + size, 0);
  checkRegion(bucket, { bucket: region, hosts: settings.region }, bytes, wishes.allowCrossRegion);
  return source;
}

/** Who answers when a source is listed. */
export function ownerOf(from: string): string {
  if (from.startsWith("s3://")) return "S3";
  return from.startsWith("hf:") ? "Hugging Face" : "the disk";
}

/**
 * Opens what `berth push` was given: `hf:<owner>/<repository>[@<revision>]`, `s3://<bucket>/<prefix>`, or a folder.
 *
 * @throws UserError when it is none of them, or cannot be read
 */
export async function openSource(from: string, wishes: SourceWishes): Promise<WeightsSource> {
  if (from.startsWith("s3://")) return openS3(from, wishes);
  if (!from.startsWith("hf:")) return openFolder(from);
  const { openHub } = await import("./hub-source.ts");
  return openHub(from.slice("hf:".length), process.env, undefined, wishes.signal);
}
