import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import * as s3 from "@aws-sdk/client-s3";
import type { UserError } from "../../../components/user-error.ts";
import { manifestText, type WeightsManifest } from "../../../components/weights/manifest.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { openFolder } from "../../../scripts/push/folder-source.ts";
import { describeWeights, storeOf } from "../../../provider/weights-plan.ts";
import { until } from "../../offline/cloud/account.ts";
import { folderOf, PushedBucket, restoreEnvironment, safetensors } from "./support.ts";

describe("two pushes to one prefix", () => {
  let cloud: Cloud;
  let place: PushedBucket;
  let folder: string;
  let count = 0;
  const shard = safetensors(randomBytes(20 * 1024 * 1024));

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(() => cloud.stop());
  beforeEach(async () => {
    folder = await folderOf({ "model.safetensors": shard, "config.json": "{}" });
    place = new PushedBucket(cloud, `session-${(count += 1)}`);
    await place.client.send(new s3.CreateBucketCommand({ Bucket: place.bucket }));
  });
  afterEach(async () => {
    cloud.clearFaults();
    place.client.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  const put = (path: string, Body: string | Buffer) =>
    place.client.send(
      new s3.PutObjectCommand({ Bucket: place.bucket, Key: `${place.prefix}${path}`, Body }),
    );

  const pushing = (push: Partial<WeightsManifest["push"]>): string => {
    const now = new Date().toISOString();
    const whole = { id: "1", by: "ada@elsewhere", pid: 1, startedAt: now, seenAt: now, ...push };
    const manifest = { version: 1, state: "pushing", source: "folder:x", push: whole } as const;
    return manifestText({ ...manifest, uploads: {}, files: [], left: [] });
  };

  /** What a sync of the bucket would see. */
  const syncOf = () => {
    const saved = { ...process.env };
    process.env["AWS_ENDPOINT_URL_S3"] = cloud.endpoint;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
    // A prefix is set with or without its slash.
    const prefix = place.prefix.slice(0, -1);
    const inputs = {
      bucket: place.bucket,
      prefix,
      region: "us-east-1",
      folder: "",
      dataFolder: "",
    };
    const store = storeOf(inputs);
    const close = () => {
      store.close();
      restoreEnvironment(saved);
    };
    return { inputs, store, close };
  };

  it("waits for one that lives elsewhere, and follows one that is silent or dead", async () => {
    await put(".berth-manifest.json", pushing({}));
    await assert.rejects(place.push(await openFolder(folder)), /ada@elsewhere pushes folder:x/);
    await place.push(await openFolder(folder), { takeOver: true });
    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    for (const push of [
      { seenAt: old },
      { by: `${userInfo().username}@${hostname()}`, pid: 2 ** 22 },
    ]) {
      await put(".berth-manifest.json", pushing(push));
      await place.push(await openFolder(folder));
      assert.equal((await place.manifest()).state, "complete");
    }
  });

  it("lets one of two that begin together finish, and stops the other", async () => {
    const sources = [await openFolder(folder), await openFolder(folder)];
    const results = await Promise.allSettled(sources.map((source) => place.push(source)));
    const failed = results.filter(({ status }) => status === "rejected");
    assert.ok(failed.length <= 1, "one of them comes through");
    const [loser] = failed as PromiseRejectedResult[];
    if (loser !== undefined) {
      assert.match(String(loser.reason), /took this prefix over|pushes folder|somebody else/);
    }
    assert.equal((await place.manifest()).state, "complete");
    assert.deepEqual(await place.content("model.safetensors"), shard);
  });

  it("does not overwrite an object that somebody wrote under way", async () => {
    const source = await openFolder(folder);
    cloud.setFault({ kind: "slow", service: "s3", operation: "UploadPart", milliseconds: 1500 });
    const push = place.push(source);
    await until(async () => (await place.uploads()) === 1);
    await put("model.safetensors", "theirs");
    await assert.rejects(push, /model.safetensors was written by somebody else/);
    assert.equal((await place.content("model.safetensors")).toString(), "theirs");
  });

  it("goes on with the parts of a push that failed, and ends uploads that nobody wants any more", async () => {
    cloud.setFault({ kind: "access-denied", service: "s3", operation: "CompleteMultipartUpload" });
    await assert.rejects(place.push(await openFolder(folder)), { name: "AccessDenied" });
    assert.equal(await place.uploads(), 1);
    cloud.clearFaults();
    const since = cloud.calls().length;
    await place.push(await openFolder(folder));
    const sent = cloud
      .calls()
      .slice(since)
      .filter(({ operation }) => operation === "UploadPart");
    assert.equal(sent.length, 0, "both parts were there");
    assert.deepEqual(await place.content("model.safetensors"), shard);

    await writeFile(join(folder, "second.safetensors"), safetensors(randomBytes(20 * 1024 * 1024)));
    cloud.setFault({ kind: "access-denied", service: "s3", operation: "CompleteMultipartUpload" });
    await assert.rejects(place.push(await openFolder(folder)));
    cloud.clearFaults();
    await rm(join(folder, "second.safetensors"));
    await place.push(await openFolder(folder));
    assert.equal(await place.uploads(), 0);
  });

  it("ends an upload that a killed push had no time to note, and no other tool's", async () => {
    const begin = (path: string, ChecksumType: s3.ChecksumType) =>
      place.client.send(
        new s3.CreateMultipartUploadCommand({
          Bucket: place.bucket,
          Key: `${place.prefix}${path}`,
          ChecksumAlgorithm: "CRC32",
          ChecksumType,
        }),
      );
    await begin("model.safetensors", "FULL_OBJECT");
    await begin("model.safetensors", "COMPOSITE");
    await begin("other.safetensors", "FULL_OBJECT");
    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    await put(".berth-manifest.json", pushing({ seenAt: old }));
    await place.push(await openFolder(folder));
    assert.equal(await place.uploads(), 2);
  });

  it("removes what an earlier push brought only when asked, and never what is somebody else's", async () => {
    await put("notes.txt", "theirs");
    await place.push(await openFolder(folder));
    await rm(join(folder, "config.json"));
    await writeFile(join(folder, "new.json"), "{}");
    const kept = await place.push(await openFolder(folder));
    assert.ok(kept.lines.some((line) => /left +config.json.*--prune/.test(line)));
    assert.ok((await place.keys()).includes("llama/config.json"));
    const pruned = await place.push(await openFolder(folder), { prune: true });
    assert.deepEqual(pruned.pruned, ["config.json"]);
    assert.ok((await place.keys()).includes("llama/notes.txt"));
    assert.ok(!(await place.keys()).includes("llama/config.json"));
  });

  it("keeps a sync from half a push, and lets it have the whole", async () => {
    const { inputs, store, close } = syncOf();
    try {
      await put("model-00001-of-00002.safetensors", shard);
      await put(".berth-manifest.json", pushing({}));
      await assert.rejects(describeWeights(store, inputs), (error: UserError) => {
        assert.match(error.message, /not all there/);
        assert.match(error.problems.join(), /ada@elsewhere began to push folder:x/);
        return true;
      });
      await put(".berth-manifest.json", "{}");
      await place.push(await openFolder(folder), { takeOver: true });
      const paths = (await describeWeights(store, inputs)).map(({ path }) => path);
      assert.ok(paths.includes("model.safetensors") && !paths.includes(".berth-manifest.json"));
    } finally {
      close();
    }
  });

  it("encrypts with the key that is asked for, and a sync does not take its ETag for an MD5", async () => {
    const target = place.target({ kmsKey: "alias/models" });
    await place.push(await openFolder(folder), { target });
    for (const path of ["model.safetensors", "config.json", ".berth-manifest.json"]) {
      const Key = `${place.prefix}${path}`;
      const head = await place.client.send(new s3.HeadObjectCommand({ Bucket: place.bucket, Key }));
      assert.equal(head.ServerSideEncryption, "aws:kms");
      assert.equal(head.SSEKMSKeyId, "alias/models");
    }
    const { inputs, store, close } = syncOf();
    try {
      const objects = await describeWeights(store, inputs);
      const found = objects.find(({ path }) => path === "model.safetensors");
      assert.equal(found?.etagIsMd5, false);
      assert.ok(found.checksum !== undefined);
    } finally {
      close();
    }
  });
});
