import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { LocalStack } from "./local-stack.ts";

const [Bucket, model] = ["berth-demo-weights", "demo-llama-60m"];

/** The demo's own model as the archive that a serverless endpoint unpacks. */
async function putArchive(local: LocalStack): Promise<void> {
  const s3 = new S3Client({ ...local.clientSettings, forcePathStyle: true });
  const folder = mkdtempSync(join(tmpdir(), "berth-archive-"));
  try {
    const asked = new ListObjectsV2Command({ Bucket, Prefix: `${model}/` });
    const { Contents = [] } = await s3.send(asked);
    const keys = Contents.map(({ Key = "" }) => Key).filter((key) => key.endsWith(".gguf"));
    for (const Key of keys) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      writeFileSync(join(folder, basename(Key)), await Body!.transformToByteArray());
    }
    const names = keys.map((key) => basename(key));
    execFileSync("tar", ["-czf", join(folder, "a"), "-C", folder, ...names]);
    const archive = { Bucket, Key: `${model}/model.tar.gz`, Body: readFileSync(join(folder, "a")) };
    await s3.send(new PutObjectCommand(archive));
  } finally {
    rmSync(folder, { recursive: true });
    s3.destroy();
  }
}

/** An endpoint without instances by the commands that a person types, through the real engine. */
describe("a serverless endpoint, in the emulated cloud", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let local: LocalStack;
  before(async () => {
    local = await LocalStack.start("local-serverless");
  });
  after(() => local.stop());

  const berth = (...words: string[]) => local.berth(...words);

  it("wants its archive, answers from one container, changes its size, and ends", async () => {
    await local.settings("serverless", "concurrency=2");
    assert.match(await berth("up"), /There is no s3:\/\/\S+model\.tar\.gz[\s\S]*tar -czf - -C/);
    await putArchive(local);
    const preview = await berth("preview");
    assert.match(preview, /serverless: up to 2 containers of 1024 MiB on the CPU/);
    assert.match(preview, /at most \$0\.1440 an hour/);
    assert.match(await berth("up"), /done/);
    assert.match(await berth("up"), /done +0 steps/);
    const status = await berth("status");
    assert.match(status, /InService: \S+, serverless, 2 at once with 1024 MiB each/);
    assert.match(status, /not asked: that would start a container/);
    assert.match(await berth("invoke", "hello", "--max-tokens", "2"), /\w/);
    assert.match(await berth("cost"), /cost +\$0\.0000 of 1 run/);

    await local.settings("serverless", "concurrency=2", "serverlessMemoryMiB=2048");
    assert.match(await berth("up"), /replaced +\S+-endpoint-config/);
    assert.match(await berth("status"), /2 at once with 2048 MiB each/);
    await local.settings("realtime");
    assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.xlarge/);
    await local.settings("serverless");
    assert.match(await berth("up"), /has instances, and SageMaker makes no serverless one of it/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });
});
