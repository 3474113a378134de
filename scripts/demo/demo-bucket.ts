import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";

/** Where the demo's weights lie in the emulated S3. */
export interface DemoBucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
}

/** Makes the bucket and uploads the files of a folder under the prefix. @returns bytes sent */
export async function fillBucket(
  target: DemoBucket,
  folder: string,
  names: readonly string[],
): Promise<number> {
  await target.client.send(new CreateBucketCommand({ Bucket: target.bucket }));
  let bytes = 0;
  for (const name of names) {
    const path = join(folder, name);
    const { size } = await stat(path);
    await target.client.send(
      new PutObjectCommand({
        Bucket: target.bucket,
        Key: `${target.prefix}${name}`,
        Body: createReadStream(path),
        ContentLength: size,
      }),
    );
    bytes += size;
  }
  return bytes;
}

/** Deletes the bucket with all that is in it: it is the demo's own. */
export async function removeBucket(target: DemoBucket): Promise<void> {
  const { client, bucket } = target;
  for (;;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    const keys = (page.Contents ?? []).map(({ Key }) => ({ Key }));
    if (keys.length === 0) break;
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys } }));
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}
