import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as s3 from "@aws-sdk/client-s3";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import type { UserError } from "../../../components/user-error.ts";
import { openFolder } from "../../../scripts/push/folder-source.ts";
import { until } from "../../offline/cloud/account.ts";
import { folderOf, PushedBucket, safetensors } from "./support.ts";

const mebibyte = 1024 * 1024;

describe("berth push of a folder", () => {
  let cloud: Cloud;
  let place: PushedBucket;
  let folder: string;
  let count = 0;
  const shard = safetensors(randomBytes(18 * mebibyte));
  const files = {
    "model.safetensors": shard,
    "config.json": "{}",
    "README.md": "a model",
    LICENSE: "free",
    "pytorch_model.bin": "pickle",
    ".git/config": "x",
    "sub/deep/tokenizer.model": "t",
  };

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(() => cloud.stop());

  beforeEach(async () => {
    folder = await folderOf(files);
    place = new PushedBucket(cloud, `weights-${(count += 1)}`);
    await place.client.send(new s3.CreateBucketCommand({ Bucket: place.bucket }));
  });
  afterEach(async () => {
    cloud.clearFaults();
    place.client.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  const writes = (since: number): string[] =>
    cloud
      .calls()
      .slice(since)
      .map(({ operation }) => operation)
      .filter((operation) => /^(Put|Upload|Create|Complete|Copy|Abort|Delete)/.test(operation));

  it("brings what belongs to the model, whole and checked, with the manifest last", async () => {
    const since = cloud.calls().length;
    const { lines, manifest } = await place.push(await openFolder(folder));
    assert.deepEqual(
      await place.keys(),
      [".berth-manifest.json", "LICENSE", "README.md", "config.json", "model.safetensors"]
        .concat("sub/deep/tokenizer.model")
        .map((path) => `llama/${path}`),
    );
    assert.deepEqual(await place.content("model.safetensors"), shard);
    const stored = await place.manifest();
    assert.equal(stored.state, "complete");
    assert.deepEqual(stored.uploads, {});
    assert.equal(stored.files.length, 5);
    const whole = stored.files.find(({ path }) => path === "model.safetensors")!;
    assert.equal(whole.sha256, createHash("sha256").update(shard).digest("hex"));
    const head = await place.client.send(
      new s3.HeadObjectCommand({
        Bucket: place.bucket,
        Key: "llama/model.safetensors",
        ChecksumMode: "ENABLED",
      }),
    );
    assert.equal(head.ChecksumType, "FULL_OBJECT");
    assert.equal(head.ChecksumCRC32, whole.checksum?.value);
    assert.equal(head.ETag, whole.etag);
    assert.equal(manifest?.files.length, 5);
    assert.ok(lines.some((line) => /^skip +pytorch_model.bin .*safe weights/.test(line)));
    assert.ok(lines.some((line) => /^licence +LICENSE, README.md come along/.test(line)));
    assert.ok(lines.some((line) => line.includes("a month")));
    const last = cloud
      .calls()
      .slice(since)
      .findLast(({ operation }) => /^(Put|Complete)/.test(operation));
    assert.ok(JSON.stringify(last).includes("berth-manifest"));
  });

  it("sends nothing again that is unchanged, and one shard that changed at the same size", async () => {
    await place.push(await openFolder(folder));
    let since = cloud.calls().length;
    const again = await place.push(await openFolder(folder));
    assert.equal(again.plan.upToDate, true);
    assert.deepEqual(writes(since), []);
    const other = Buffer.from(shard);
    other[other.length - 1]! ^= 1;
    await writeFile(join(folder, "model.safetensors"), other);
    await utimes(join(folder, "model.safetensors"), 1, 1);
    since = cloud.calls().length;
    const third = await place.push(await openFolder(folder));
    assert.deepEqual(
      third.plan.send.map(({ path }) => path),
      ["model.safetensors"],
    );
    assert.deepEqual(await place.content("model.safetensors"), other);
    assert.equal((await place.manifest()).files.length, 5);
  });

  it("knows a file that another tool uploaded by the checksum that S3 made of it", async () => {
    await place.client.send(
      new s3.PutObjectCommand({
        Bucket: place.bucket,
        Key: "llama/model.safetensors",
        Body: shard,
      }),
    );
    const { plan } = await place.push(await openFolder(folder));
    assert.equal(plan.unchanged, 1);
    assert.ok(!plan.send.some(({ path }) => path === "model.safetensors"));
    assert.equal((await place.manifest()).files.length, 5);
  });

  it("shows the plan and writes nothing with --plan", async () => {
    const since = cloud.calls().length;
    const { plan } = await place.push(await openFolder(folder), { planOnly: true });
    assert.equal(plan.send.length, 5);
    assert.deepEqual(writes(since), []);
  });

  it("retries what is throttled, refused for a moment or cut", async () => {
    for (const kind of ["throttle", "unavailable", "reset"] as const) {
      cloud.setFault({ kind, service: "s3", operation: "UploadPart", times: 1 });
      cloud.setFault({ kind, service: "s3", operation: "PutObject", times: 1 });
      cloud.setFault({ kind, service: "s3", operation: "CompleteMultipartUpload", times: 1 });
    }
    await place.push(await openFolder(folder));
    assert.deepEqual(await place.content("model.safetensors"), shard);
  });

  it("refuses a file that changes while it is read, and keeps nothing of it", async () => {
    const source = await openFolder(folder);
    cloud.setFault({ kind: "slow", service: "s3", operation: "UploadPart", milliseconds: 1500 });
    const push = place.push(source);
    await until(async () => (await place.uploads()) === 1);
    await utimes(join(folder, "model.safetensors"), 1, 1);
    await assert.rejects(push, /model.safetensors changed while it was being read/);
    assert.ok(!(await place.keys()).includes("llama/model.safetensors"));
    assert.equal(await place.uploads(), 0);
  });

  it("refuses pickled weights, cut files and git-lfs pointers before anything is sent", async () => {
    await rm(join(folder, "model.safetensors"));
    const since = cloud.calls().length;
    await assert.rejects(place.push(await openFolder(folder)), (error: UserError) => {
      assert.match(error.hint ?? "", /--allow-pickle pytorch_model\.bin/);
      return true;
    });
    await writeFile(join(folder, "model.safetensors"), shard.subarray(0, 1000));
    await writeFile(join(folder, "b.safetensors"), "version https://git-lfs.github.com/spec/v1");
    await assert.rejects(place.push(await openFolder(folder)), (error: UserError) => {
      assert.match(error.problems.join("\n"), /b\.safetensors: is a git-lfs.*cut off/s);
      return true;
    });
    assert.deepEqual(writes(since), []);
  });

  it("refuses links that leave the folder, and follows those that stay", async () => {
    await symlink("model.safetensors", join(folder, "again.safetensors"));
    assert.ok((await openFolder(folder)).files.some(({ path }) => path === "again.safetensors"));
    await symlink("/etc/passwd", join(folder, "secrets.txt"));
    await symlink("..", join(folder, "up"));
    await symlink("nothing", join(folder, "lost"));
    await assert.rejects(openFolder(folder), (error: { problems?: string[] }) => {
      assert.equal(error.problems?.length, 3);
      return true;
    });
  });
});
