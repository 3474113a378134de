import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { openBucket } from "../../../scripts/push/bucket-source.ts";
import { PushedBucket, safetensors } from "./support.ts";

const mebibyte = 1024 * 1024;

describe("berth push from another bucket", () => {
  let cloud: Cloud;
  let from: PushedBucket;
  let place: PushedBucket;
  let count = 0;
  const shard = safetensors(randomBytes(14 * mebibyte));

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(() => cloud.stop());

  const put = (Key: string, Body: Buffer | string) =>
    from.client.send(new s3.PutObjectCommand({ Bucket: from.bucket, Key, Body }));

  beforeEach(async () => {
    count += 1;
    from = new PushedBucket(cloud, `from-${count}`);
    place = new PushedBucket(cloud, `to-${count}`);
    for (const { bucket } of [from, place]) {
      await place.client.send(new s3.CreateBucketCommand({ Bucket: bucket }));
    }
    await put("models/a b+c.safetensors", shard);
    await put("models/config.json", "{}");
    await put("elsewhere/x", "x");
  });
  afterEach(() => {
    from.client.destroy();
    place.client.destroy();
  });

  const bodies = (since: number): number =>
    cloud
      .calls()
      .slice(since)
      .filter(({ operation }) => ["UploadPart", "PutObject"].includes(operation)).length;

  for (const sizes of [
    { mostCopyBytes: 1024 ** 3, copyPartBytes: 5 * mebibyte },
    { mostCopyBytes: mebibyte, copyPartBytes: 5 * mebibyte },
  ]) {
    const how = sizes.mostCopyBytes > mebibyte ? "whole" : "in parts";
    it(`has S3 copy the objects ${how}, without their bytes passing through here`, async () => {
      const since = cloud.calls().length;
      await place.push(await openBucket(from.target({ prefix: "models/" }), sizes));
      assert.deepEqual(await place.content("a b+c.safetensors"), shard);
      const manifest = await place.manifest();
      assert.equal(manifest.source, `s3://${from.bucket}/models/`);
      assert.equal(manifest.files.length, 2);
      const copied = cloud
        .calls()
        .slice(since)
        .map(({ operation }) => operation);
      assert.equal(copied.filter((name) => name === "CopyObject").length, how === "whole" ? 2 : 1);
      assert.equal(
        copied.filter((name) => name === "CompleteMultipartUpload").length,
        how === "whole" ? 0 : 1,
      );
      assert.ok(
        bodies(since) <= (how === "whole" ? 3 : 6),
        "manifests, and part copies by their name",
      );
      assert.equal(await place.uploads(), 0);
      const again = await place.push(await openBucket(from.target({ prefix: "models/" }), sizes));
      assert.equal(again.plan.upToDate, true);
    });
  }

  it("refuses an object that changes between the list and the copy", async () => {
    const source = await openBucket(from.target({ prefix: "models/" }));
    await put("models/config.json", '{"a":1}');
    await assert.rejects(place.push(source), /config.json changed in its bucket/);
    assert.equal((await place.manifest()).state, "pushing");
    await place.push(await openBucket(from.target({ prefix: "models/" })));
    assert.equal((await place.manifest()).state, "complete");
  });

  it("says that a prefix is empty", async () => {
    await assert.rejects(openBucket(from.target({ prefix: "none/" })), /There is nothing under/);
  });
});
