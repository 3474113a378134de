import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { startCloud, type Cloud, type CloudOptions } from "../../offline/cloud/cloud.ts";
import type { Cleanup } from "./cleanup.ts";
import { fillBucket, type DemoBucket } from "./demo-bucket.ts";
import { demoArchitecture } from "./model/architecture.ts";
import { demoServingImages } from "./serving-images.ts";
import { writeDemoModel } from "./model/write-model.ts";

/** The demo's emulated AWS, with the weights in its S3. */
export interface DemoCloud {
  readonly cloud: Cloud;
  readonly bucket: DemoBucket;
}

/** What a demo keeps in temporary files at its fullest: 496 MB with process machines, 623 MB with nspawn. */
export const demoBytes = 700e6;

/** Starts the emulated AWS; its end is left to the cleanup. */
export async function startDemoCloud(
  tier: NonNullable<CloudOptions["tier"]>,
  cleanup: Cleanup,
  log: (line: string) => void,
): Promise<DemoCloud> {
  const cloud = await startCloud({
    tier,
    log,
    stateBytes: demoBytes,
    servingImages: demoServingImages,
  });
  cleanup.add("the emulated AWS", () => cloud.stop());
  const client = new S3Client({
    endpoint: cloud.endpoint,
    forcePathStyle: true,
    region: cloud.environment["AWS_REGION"] ?? "us-east-1",
    credentials: {
      accessKeyId: cloud.environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: cloud.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  });
  const bucket = { client, bucket: "berth-demo-weights", prefix: `${demoArchitecture.id}/` };
  return { cloud, bucket };
}

/** Makes the model and uploads it. @returns bytes uploaded */
export async function stockBucket({ cloud, bucket }: DemoCloud): Promise<number> {
  const folder = join(cloud.folder, "weights");
  await mkdir(folder);
  try {
    return await fillBucket(bucket, folder, await writeDemoModel(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
