import {
  GetBucketLocationCommand,
  ListBucketsCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { timestamp } from "../../../components/lease/lease.ts";
import { hoursAMonth } from "../../../components/pricing/hourly-cost.ts";
import { storagePrice } from "../../../components/pricing/storage-price.ts";
import { taggedThings } from "../tagged-things.ts";
import type { ClientSettings } from "../account-scope.ts";
import type { TaggedUsage } from "./cost-of-hosts.ts";

const gibi = 1024 ** 3;

async function bytesOf(client: S3Client, Bucket: string): Promise<number> {
  let bytes = 0;
  for await (const page of paginateListObjectsV2({ client }, { Bucket })) {
    for (const { Size = 0 } of page.Contents ?? []) bytes += Size;
  }
  return bytes;
}

async function creationTimes(client: S3Client): Promise<ReadonlyMap<string, Date>> {
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  return new Map(
    Buckets.flatMap(({ Name, CreationDate }) =>
      Name === undefined || CreationDate === undefined ? [] : [[Name, CreationDate] as const],
    ),
  );
}

/**
 * Buckets that berth made in a region, by the size of what lies in them now. One list request for a thousand objects, so it
 * costs next to nothing. A bucket of your own that a stack was given carries no tag of berth's and is not counted.
 */
export async function bucketUsages(
  given: ClientSettings,
  region: string,
): Promise<readonly TaggedUsage[]> {
  const settings = { ...given, region };
  const tagged = await taggedThings(settings, "s3");
  if (tagged.length === 0) return [];
  const client = new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined });
  try {
    const made = await creationTimes(client);
    const { usdPerGBMonth } = storagePrice(region);
    const found: TaggedUsage[] = [];
    for (const { arn, tags } of tagged) {
      const Bucket = arn.replace(/^arn:[^:]+:s3:::/, "");
      const created = made.get(Bucket);
      if (created === undefined || !(await isIn(client, Bucket, region))) continue;
      const from = timestamp(created);
      const usage = {
        kind: "bucket",
        resourceId: Bucket,
        type: "S3 Standard",
        units: (await bytesOf(client, Bucket)) / gibi,
        span: { from },
        prices: [{ from, hourlyUsd: usdPerGBMonth / hoursAMonth }],
      } as const;
      found.push({ tags, usage: { ...usage, prices: [...usage.prices] } });
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** A bucket's ARN names no region. */
async function isIn(client: S3Client, Bucket: string, region: string): Promise<boolean> {
  const { LocationConstraint } = await client.send(new GetBucketLocationCommand({ Bucket }));
  return (LocationConstraint ?? "us-east-1") === region;
}
