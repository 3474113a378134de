import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3";
import { parse } from "yaml";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { writeStackConfig } from "../../scripts/adapters/stack-file.ts";
import { repository, stackFilePath } from "../../scripts/adapters/repository.ts";
import { runPushCommand, type PushFlags } from "../../scripts/commands/push.ts";
import { HubServer } from "../scripts/push/hub-server.ts";
import {
  folderOf,
  PushedBucket,
  quietTerminal,
  restoreEnvironment,
  safetensors,
} from "../scripts/push/support.ts";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("berth push", () => {
  const stack = `dev-push${process.pid % 100_000}`;
  const weights = `${stack}-weights`;
  const shard = safetensors(randomBytes(60 * 1024 * 1024));
  let cloud: Cloud;
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const children: ChildProcess[] = [];

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    folder = await folderOf({ "model.safetensors": shard, "config.json": "{}" });
    environment = {
      ...process.env,
      ...cloud.environment,
      PATH: `${join(repository, "offline", "aws-plugin")}${delimiter}${process.env["PATH"] ?? ""}`,
      PULUMI_BACKEND_URL: `file://${folder}-state`,
      PULUMI_CONFIG_PASSPHRASE: "push",
    };
    await writeStackConfig(stackFilePath(stack), {
      "aws:region": "us-east-1",
      "berth:model": "qwen2.5-7b",
      "berth:owner": "test",
      "berth:sshCidr": "192.0.2.1/32",
      "berth:sshPublicKey": "ssh-ed25519 AAAA",
    });
    await mkdir(`${folder}-state`);
  });
  after(async () => {
    for (const child of children) child.kill("SIGKILL");
    await cloud.stop();
    for (const name of [stack, weights]) await rm(stackFilePath(name), { force: true });
    for (const path of [folder, `${folder}-state`])
      await rm(path, { recursive: true, force: true });
  });

  const start = (...words: string[]): { child: ChildProcess; ended: Promise<Ended> } => {
    const node = ["--import", "tsx", join(repository, "scripts", "cli.ts"), ...words];
    const child = spawn(process.execPath, node, { env: environment, cwd: repository });
    children.push(child);
    let out = "";
    let err = "";
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => (err += text.toString()));
    const ended = new Promise<Ended>((resolve) => {
      child.on("close", (code) => {
        resolve({ code, out, err });
      });
    });
    return { child, ended };
  };
  const bucketOf = async (): Promise<string | undefined> => {
    const text = await readFile(stackFilePath(stack), "utf8");
    return (parse(text) as { config: Record<string, string> }).config["berth:weightsBucket"];
  };
  /** Parts that S3 has of the upload under way. */
  const stored = async (): Promise<number> => {
    const Bucket = await bucketOf();
    if (Bucket === undefined) return 0;
    const { client } = new PushedBucket(cloud, Bucket);
    try {
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      const { Key, UploadId } = Uploads?.[0] ?? {};
      if (UploadId === undefined) return 0;
      const { Parts } = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
      return Parts?.length ?? 0;
    } finally {
      client.destroy();
    }
  };
  const parts = (since: number) =>
    cloud
      .calls()
      .slice(since)
      .filter(({ operation }) => operation === "UploadPart");

  it("makes a bucket with a life of its own, goes on after kill -9, and is taken down", async () => {
    cloud.setFault({ kind: "slow", service: "s3", operation: "UploadPart", milliseconds: 400 });
    const first = start("push", folder, "--env", stack, "--engine", "offline", "--lanes", "2");
    while ((await stored()) < 2) {
      const early = await Promise.race([first.ended, new Promise((r) => setTimeout(r, 50))]);
      assert.equal(early, undefined, JSON.stringify(early));
    }
    first.child.kill("SIGKILL");
    await first.ended;
    cloud.clearFaults();
    const bucket = (await bucketOf())!;
    assert.match(bucket, new RegExp(`^${weights}-store`));
    // Parts that were on the wire when it was killed still land.
    let there = await stored();
    for (let looks = 0; looks < 8; looks += 1) {
      await new Promise((done) => setTimeout(done, 250));
      const now = await stored();
      if (now !== there) looks = 0;
      there = now;
    }

    const cut = cloud.calls().length;
    const second = await start("push", folder, "--env", stack, "--engine", "offline").ended;
    assert.equal(second.code, 0, second.err + second.out);
    const again = parts(cut).length;
    assert.equal(again, 4 - there, `${there} of 4 parts were there`);
    const place = new PushedBucket(cloud, bucket);
    const { Body } = await place.client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: "qwen2.5-7b/model.safetensors",
      }),
    );
    assert.deepEqual(Buffer.from(await Body!.transformToByteArray()), shard);
    assert.equal(await place.uploads(), 0);
    place.client.destroy();

    const down = await start("down", "--env", weights, "--yes", "--engine", "offline").ended;
    assert.equal(down.code, 0, down.err + down.out);
    assert.deepEqual(await cloud.leftovers(), []);
  });

  it("says what is wrong with the command line, and with a gated model", async () => {
    const { terminal } = quietTerminal();
    const push = (flags: Partial<PushFlags>) =>
      runPushCommand(folder, { env: stack, engine: "offline", lanes: "4", ...flags }, terminal);
    await assert.rejects(push({ lanes: "0" }), { hint: "Give a number from 1 to 256." });
    await writeStackConfig(stackFilePath(stack), { "berth:model": "llama-2-7b" });
    await assert.rejects(push({ plan: true }), /llama-2-7b is gated/);
    await assert.rejects(push({ plan: true, acceptLicence: "mit" }), /llama-2-7b is gated/);
  });

  it("says that there are no AWS credentials before it asks the hub", async () => {
    const hub = new HubServer();
    await hub.start();
    const others = Object.entries(environment).filter(([name]) => !name.startsWith("AWS_"));
    const nowhere = {
      AWS_CONFIG_FILE: "/nonexistent",
      AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
    };
    const without = {
      ...Object.fromEntries(others),
      ...nowhere,
      AWS_EC2_METADATA_DISABLED: "true",
      HF_ENDPOINT: hub.endpoint,
    };
    await writeStackConfig(stackFilePath(stack), { "berth:model": "qwen2.5-7b" });
    const before = environment;
    environment = without;
    try {
      const told = await start("push", `hf:${hub.repository}`, "--env", stack).ended;
      assert.equal(told.code, 1, told.out);
      assert.match(told.err, /there are no AWS credentials[^]*AWS_PROFILE/);
      assert.deepEqual(hub.requests, []);
    } finally {
      environment = before;
      await hub.stop();
    }
  });

  it("takes hf:, s3:// and a folder, each by the stack's own settings", async () => {
    const place = new PushedBucket(cloud, "given");
    await place.client.send(new CreateBucketCommand({ Bucket: place.bucket }));
    await writeStackConfig(stackFilePath(stack), {
      "berth:model": "qwen2.5-7b",
      "berth:weightsBucket": place.bucket,
    });
    const hub = new HubServer();
    await hub.start();
    hub.files.set("model.safetensors", safetensors(randomBytes(1000)));
    hub.files.set("README.md", Buffer.from("card"));
    const saved = { ...process.env };
    Object.assign(process.env, environment, { HF_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent" });
    try {
      const { terminal, lines } = quietTerminal();
      const push = (from: string, prefix: string): Promise<number> =>
        writeStackConfig(stackFilePath(stack), { "berth:weightsPrefix": prefix }).then(() =>
          runPushCommand(from, { env: stack, engine: "offline", lanes: "4" }, terminal),
        );
      await push(`hf:${hub.repository}`, "one/");
      await push(`s3://${place.bucket}/one`, "two/");
      await push(folder, "three/");
      const keys = await place.keys();
      for (const key of ["one/README.md", "two/README.md", "two/model.safetensors"]) {
        assert.ok(keys.includes(key), key);
      }
      assert.ok(keys.includes("three/model.safetensors"));
      assert.ok(lines.some((line) => line.includes("meta-llama/Tiny is pushed in its place")));
      await assert.rejects(push("s3://UPPER/x", "two/"), /does not name a bucket/);
      await assert.rejects(push("./nowhere", "two/"), /There is no folder/);
    } finally {
      restoreEnvironment(saved);
      place.client.destroy();
      await hub.stop();
    }
  });
});
