import type {
  BucketLocationConstraint,
  ListObjectVersionsCommandOutput,
  ObjectIdentifier,
  S3,
} from "@aws-sdk/client-s3";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { boolean, string } from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";

async function remove(s3: S3, Bucket: string, Objects: ObjectIdentifier[]): Promise<void> {
  if (Objects.length === 0) return;
  const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects, Quiet: true } });
  const [first] = Errors;
  if (first !== undefined) {
    throw new Error(
      `${first.Key ?? "an object"} of ${Bucket} cannot be deleted: ${first.Message ?? first.Code ?? ""}`,
    );
  }
}

/** Deletes all versions of all objects, and uploads that were never finished. */
async function empty(s3: S3, Bucket: string): Promise<void> {
  let page: ListObjectVersionsCommandOutput | undefined;
  do {
    page = await s3.listObjectVersions({
      Bucket,
      KeyMarker: page?.NextKeyMarker,
      VersionIdMarker: page?.NextVersionIdMarker,
    });
    const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    await remove(
      s3,
      Bucket,
      all.map(({ Key, VersionId }) => ({ Key, VersionId })),
    );
  } while (page.IsTruncated === true);
  // Objects from before there were versions.
  const { Contents = [] } = await s3.listObjectsV2({ Bucket });
  await remove(
    s3,
    Bucket,
    Contents.map(({ Key }) => ({ Key })),
  );
  const { Uploads = [] } = await s3.listMultipartUploads({ Bucket });
  for (const { Key, UploadId } of Uploads) {
    await unlessGone(s3.abortMultipartUpload({ Bucket, Key, UploadId }));
  }
}

async function tagsOf(s3: S3, Bucket: string) {
  const found = await unlessGone(s3.getBucketTagging({ Bucket }));
  return tagMap(found?.TagSet);
}

/** A place for objects; all that is set on it has types of its own, except tags. */
export const bucket = resourceType({
  token: "aws:s3/bucket:Bucket",
  inputs: {
    bucket: string({ computed: true, replace: true }),
    forceDestroy: boolean({ default: false }),
    objectLockEnabled: boolean({ computed: true, replace: true }),
  },
  outputs: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName"],
  name: { property: "bucket", limit: 63, lowercase: true },
  // The tags of a bucket are written as a whole.
  tag: async (context, id, change) => {
    const s3 = await context.clients.s3();
    const kept = Object.entries(await tagsOf(s3, id)).filter(
      ([key]) => !change.remove.includes(key),
    );
    const TagSet = awsTags({ ...Object.fromEntries(kept), ...change.set });
    if (TagSet.length === 0) await s3.deleteBucketTagging({ Bucket: id });
    else await s3.putBucketTagging({ Bucket: id, Tagging: { TagSet } });
  },
  create: async (context, inputs) => {
    const s3 = await context.clients.s3();
    const id = inputs.bucket ?? "";
    const constraint = context.region as BucketLocationConstraint;
    await s3.createBucket({
      Bucket: id,
      ObjectLockEnabledForBucket: inputs.objectLockEnabled,
      // us-east-1 cannot be named: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
      ...(context.region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: constraint } }),
    });
    const TagSet = awsTags(inputs.tagsAll);
    const finish = async (): Promise<void> => {
      if (TagSet.length > 0) await s3.putBucketTagging({ Bucket: id, Tagging: { TagSet } });
    };
    return { id, finish };
  },
  read: async (context, id) => {
    const s3 = await context.clients.s3();
    if ((await unlessGone(s3.headBucket({ Bucket: id }))) === undefined) return undefined;
    return {
      arn: `arn:aws:s3:::${id}`,
      bucket: id,
      bucketDomainName: `${id}.s3.amazonaws.com`,
      bucketRegion: context.region,
      bucketRegionalDomainName: `${id}.s3.${context.region}.amazonaws.com`,
      tagsAll: await tagsOf(s3, id),
    };
  },
  delete: async (context, id, state) => {
    const s3 = await context.clients.s3();
    if ((await unlessGone(s3.headBucket({ Bucket: id }))) === undefined) return;
    if (state["forceDestroy"] === true) await empty(s3, id);
    await unlessGone(s3.deleteBucket({ Bucket: id }));
  },
});
