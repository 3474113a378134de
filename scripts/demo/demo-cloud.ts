import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { startCloud, type Cloud, type CloudOptions } from "../../offline/cloud/cloud.ts";
import type { Cleanup } from "./cleanup.ts";
import { fillBucket, type DemoBucket } from "./demo-bucket.ts";
import { demoArchitecture } from "./model/architecture.ts";
import { writeDemoModel } from "./model/write-model.ts";

/** The demo's emulated AWS, with the weights in its S3. */
export interface DemoCloud {
  readonly cloud: Cloud;
  readonly bucket: DemoBucket;
}

/** Starts the emulated AWS; its end is left to the cleanup. */
export async function startDemoCloud(
  tier: NonNullable<CloudOptions["tier"]>,
  cleanup: Cleanup,
  log: (line: string) => void,
): Promise<DemoCloud> {
  const cloud = await startCloud({ tier, log });
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
export async function stockBucket(bucket: DemoBucket, cleanup: Cleanup): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "berth-weights-"));
  const drop = () => rm(folder, { recursive: true, force: true });
  cleanup.add("the made weights", drop);
  const bytes = await fillBucket(bucket, folder, await writeDemoModel(folder));
  await drop();
  return bytes;
}

/** A port of loopback that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
