import { rm } from "node:fs/promises";
import assert from "node:assert/strict";
import * as s3 from "@aws-sdk/client-s3";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import type { UserError } from "../../../components/user-error.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import type { Deployment } from "../../../scripts/stack/deployment.ts";
import { openFolder } from "../../../scripts/push/folder-source.ts";
import { requireWeights } from "../../../scripts/push/require-weights.ts";
import { folderOf, PushedBucket } from "./support.ts";

describe("requireWeights", () => {
  let cloud: Cloud;
  let place: PushedBucket;

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    place = new PushedBucket(cloud, "require-weights");
    await place.client.send(new s3.CreateBucketCommand({ Bucket: place.bucket }));
  });
  after(async () => {
    place.client.destroy();
    await cloud.stop();
  });

  const ask = (
    weightsBucket: string | undefined,
    resources: readonly object[] = [],
    more: object = {},
  ) => {
    const known = { stack: "dev", region: "us-east-1", weightsPrefix: "llama/" };
    const settings = { ...known, weightsBucket, ...more };
    const plan = { modelId: "llama", huggingfaceRepo: "meta/llama" };
    const stack = { exportStack: () => Promise.resolve({ version: 3, deployment: { resources } }) };
    const deployment = { settings, plan, cloud: { ...cloud, pid: 1 } };
    return requireWeights(deployment as unknown as Deployment, stack as unknown as Stack);
  };

  it("holds an up until the weights are all there", async () => {
    await assert.rejects(ask(undefined), (error: UserError) => {
      assert.match(error.message, /"dev" has no bucket/);
      assert.match(error.hint ?? "", /push hf:meta\/llama --env dev/);
      return true;
    });
    await assert.rejects(ask(place.bucket), /nothing is under s3:\/\/require-weights\/llama\//);
    const folder = await folderOf({ "config.json": "{}" });
    cloud.setFault({ kind: "access-denied", service: "s3", key: "config.json" });
    await assert.rejects(place.push(await openFolder(folder)));
    await assert.rejects(ask(place.bucket), /are not all there/);
    cloud.clearFaults();
    await place.push(await openFolder(folder));
    await ask(place.bucket);
    const adapters = { target: "ec2", adapters: ["acme=adapters/llama/acme/3f2a91c0/"] };
    await assert.rejects(ask(place.bucket, [], adapters), (error: UserError) => {
      assert.match(error.message, /adapter acme are not in S3 yet: .*\/acme\/3f2a91c0\//);
      assert.match(error.hint ?? "", /push adapter:<folder> --as acme --env dev/);
      return true;
    });
    await rm(folder, { recursive: true });
    const urn =
      "urn:pulumi:dev::berth::berth:index:WeightsBucket$aws:s3/bucket:Bucket::dev-weights-store-bucket";
    const own = { type: "aws:s3/bucket:Bucket", urn, outputs: { bucket: place.bucket } };
    await ask(undefined, [own]);
  });

  it("lets an up go on where the bucket may not be looked at", async () => {
    cloud.setFault({ kind: "access-denied", service: "s3", operation: "ListObjectsV2" });
    await ask(place.bucket);
    cloud.clearFaults();
  });
});
