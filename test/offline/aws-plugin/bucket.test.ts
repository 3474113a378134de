import assert from "node:assert/strict";
import { S3 } from "@aws-sdk/client-s3";
import { startBench, type Bench } from "./support.ts";

const token = "aws:s3/bucket:Bucket";

describe("Bucket", () => {
  let bench: Bench;
  let s3: S3;
  before(async () => {
    bench = await startBench();
    s3 = new S3({ region: "us-east-1", endpoint: bench.cloud.endpoint, forcePathStyle: true });
  });
  after(async () => {
    s3.destroy();
    await bench.stop();
  });

  it("goes with all that is in it when forceDestroy is set", async () => {
    const made = await bench.client.create(token, "full", { forceDestroy: true });
    const Bucket = made.id;
    await s3.putObject({ Bucket, Key: "before", Body: "1" });
    await s3.createMultipartUpload({ Bucket, Key: "unfinished" });
    for (const Body of ["2", "3"]) await s3.putObject({ Bucket, Key: "a b/ü", Body });
    await bench.client.delete(made);
    assert.equal(await bench.client.read(made), undefined);
  });

  it("stays when it is full and forceDestroy is not set", async () => {
    const made = await bench.client.create(token, "full", {});
    await s3.putObject({ Bucket: made.id, Key: "k", Body: "1" });
    await assert.rejects(bench.client.delete(made), /BucketNotEmpty/);
    const { outputs } = await bench.client.update(made, { forceDestroy: true });
    await bench.client.delete({ ...made, outputs });
    assert.equal(await bench.client.read(made), undefined);
  });

  it("is made where it is to be", async () => {
    const made = await bench.client.create(token, "far", { region: "eu-west-1" });
    assert.equal(made.outputs["bucketRegion"], "eu-west-1");
    const { LocationConstraint } = await s3.getBucketLocation({ Bucket: made.id });
    assert.equal(LocationConstraint, "eu-west-1");
    await bench.client.delete(made);
  });
});
