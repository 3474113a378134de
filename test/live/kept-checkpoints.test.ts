import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { newEd25519Key } from "../../components/ed25519-key.ts";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import type { UserError } from "../../components/user-error.ts";
import { motoPython } from "../../offline/cloud/moto/environment.ts";
import { hostOf } from "../../provider/connection.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import type { StepResult } from "../../provider/detached-step.ts";
import { repository } from "../../scripts/adapters/repository.ts";
import { storedIn } from "../../scripts/finetune/stored-checkpoints.ts";
import { fetchKept } from "../../scripts/finetune/fetch-kept.ts";
import {
  jobsFolder,
  readJobFolder,
  runJob,
  sendJob,
  type JobFolder,
} from "../../scripts/finetune/host-job.ts";
import { sendKeeper, uriOf, type KeptPlace } from "../../scripts/finetune/kept-checkpoints.ts";
import { dlami, instanceOf, makeProfile, settingsFor, until } from "../offline/cloud/account.ts";

/** Stands for a training: a whole checkpoint each third step, and a half-written one after it. */
const trainer = `#!/usr/bin/env bash
set -eu
cd "$(dirname "$0")/output"
step=0
for mark in checkpoint-*/whole; do
  [ -f "$mark" ] || continue
  at=$(basename "$(dirname "$mark")" | cut -d- -f2)
  if [ "$at" -gt "$step" ]; then step=$at; fi
done
if [ "$step" -gt 0 ]; then [ "$(cat "checkpoint-$step/state/model.bin")" = "weights of $step" ]; fi
echo "from step $step"
last=$((step > 0 ? step + 15 : 3000))
while [ "$step" -lt "$last" ]; do
  step=$((step + 1))
  sleep 0.2
  echo "{\\"step\\": $step, \\"steps\\": $last, \\"time\\": 0, \\"loss\\": 1.5}" >>progress.jsonl
  if [ $((step % 3)) = 0 ]; then
    mkdir -p "checkpoint-$step/state" "checkpoint-$((step + 1))"
    echo "weights of $step" >"checkpoint-$step/state/model.bin"
    echo "half of it" >"checkpoint-$((step + 1))/model.bin"
    echo "$step" >"checkpoint-$step/whole"
    find . -maxdepth 1 -name 'checkpoint-*' ! -name "checkpoint-$step" ! -name "checkpoint-$((step + 1))" -exec rm -rf {} +
  fi
done
mkdir -p adapter
echo "learnt at $step" >adapter/adapter.bin
echo '{"result": "adapter"}' >finished.json
`;

/** A folder as berth finetune writes it, as far as a run needs it. */
function writeJob(folder: string, samples: string): JobFolder {
  mkdirSync(join(folder, "data"), { recursive: true });
  const facts = { schemaVersion: 1, modelId: "tiny", baseModel: "owner/tiny", gated: false };
  writeFileSync(join(folder, "job.json"), JSON.stringify(facts));
  writeFileSync(join(folder, "run.sh"), trainer, { mode: 0o755 });
  for (const name of ["train.py", "training.yaml", "requirements.txt"]) {
    writeFileSync(join(folder, name), "");
  }
  writeFileSync(join(folder, "data/train.jsonl"), samples);
  return readJobFolder(folder);
}

describe("checkpoints that are kept in S3", () => {
  let cloud: Cloud;
  let client: ec2.EC2Client;
  let s3: S3Client;
  let place: KeptPlace;
  let local: string;
  let job: JobFolder;
  const login = newEd25519Key();
  const hosts: Host[] = [];

  before(async () => {
    cloud = await startCloud({ tier: "process" });
    const settings = settingsFor(cloud);
    client = new ec2.EC2Client(settings);
    s3 = new S3Client({ ...settings, forcePathStyle: true });
    await makeProfile(cloud, "trainer");
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    const PublicKeyMaterial = Buffer.from(login.publicKey);
    await client.send(new ec2.ImportKeyPairCommand({ KeyName: "k", PublicKeyMaterial }));
    local = mkdtempSync(join(tmpdir(), "berth-kept-"));
    job = writeJob(join(local, "job"), '{"text": "one"}\n');
    const { region, endpoint } = settings;
    const where = { bucket: "kept", prefix: "training/checkpoints/job/" };
    place = { ...where, region, endpoint, goesWithStack: false };
    process.env["BERTH_SSH_PRIVATE_KEY"] = login.privateKey;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
    process.env["AWS_ENDPOINT_URL_S3"] = endpoint;
  });

  after(async () => {
    for (const host of hosts) host.close();
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"]) {
      Reflect.deleteProperty(process.env, name);
    }
    rmSync(local, { recursive: true, force: true });
    await cloud.stop();
  });

  /** A new spot host with the packages in place, so that nothing is fetched. */
  async function launch(): Promise<{ id: string; host: Host; folder: string; tools: string }> {
    const seeded = newEd25519Key();
    const indented = seeded.privateKey.trim().replaceAll("\n", "\n    ");
    const userData = `#cloud-config\nssh_keys:\n  ed25519_private: |\n    ${indented}\n  ed25519_public: ${seeded.publicKey}\n`;
    const run = await client.send(
      new ec2.RunInstancesCommand({
        ImageId: await dlami(cloud),
        InstanceType: "g6.xlarge",
        KeyName: "k",
        IamInstanceProfile: { Name: "trainer" },
        UserData: Buffer.from(userData).toString("base64"),
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    const id = run.Instances![0]!.InstanceId!;
    await until(async () => (await instanceOf(client, id)).State?.Name === "running", 20);
    const address = (await instanceOf(client, id)).PublicIpAddress!;
    const port = cloud.machineSshPort;
    const where = { host: address, port, user: "ubuntu", hostKey: seeded.publicKey };
    const host = hostOf(where, { connectMs: 10_000 });
    hosts.push(host);
    const tools = await sendKeeper(host);
    const folder = `${await jobsFolder(host)}/job`;
    await prepare(host, folder, tools);
    return { id, host, folder, tools };
  }

  async function prepare(host: Host, folder: string, tools: string): Promise<void> {
    await host.output('mkdir -p "$1/.venv"; : >"$1/.venv/pinned.txt"', [folder]);
    const python = `#!/bin/sh\nexec ${await motoPython(() => undefined)} "$@"\n`;
    await host.put(python, `${tools}/.venv/bin/python`, "755");
    await host.output('cp "$1/requirements.txt" "$1/.venv/pinned.txt"', [tools]);
  }

  async function train(
    { host, folder, tools }: Awaited<ReturnType<typeof launch>>,
    onLine: (line: string) => void = () => undefined,
  ): Promise<StepResult> {
    const keeping = { place, minutes: 0.01, tools };
    const run = { folder, baseModel: "owner/tiny", stopAt: undefined, stopServer: false };
    return runJob(host, { ...run, keeping, onLine });
  }

  async function kept(name: string): Promise<string> {
    const Key = `${place.prefix}${name}`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "kept", Key }));
    return (await Body?.transformToString()) ?? "";
  }

  async function folders(prefix: string): Promise<readonly string[]> {
    const asked = { Bucket: "kept", Prefix: `${prefix}checkpoint-` };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(asked));
    return [...new Set(Contents.map(({ Key = "" }) => Key.split("/")[3] ?? ""))];
  }

  async function newestStep(): Promise<number> {
    const text = await kept("newest.json").catch(() => "{}");
    return (JSON.parse(text) as { step?: number }).step ?? 0;
  }

  it("outlive the host, and a new one goes on from the newest whole one", async () => {
    const first = await launch();
    await sendJob(first.host, job, first.folder);
    const lost = train(first).catch(() => undefined);
    await until(async () => (await newestStep()) >= 6, 60);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [first.id] }));
    first.host.close();
    await until(async () => (await instanceOf(client, first.id)).State?.Name === "terminated", 20);
    const step = await newestStep();
    assert.equal(step % 3, 0);
    const fetched = await fetchKept(job, place);
    assert.deepEqual([fetched.step, fetched.finished], [step, false]);
    const state = join(job.folder, `output/checkpoint-${step}/state/model.bin`);
    assert.equal(readFileSync(state, "utf8"), `weights of ${step}\n`);

    const second = await launch();
    await sendJob(second.host, job, second.folder);
    // Refused writes are said, and do not stop the training. The first may be that of the progress, which says nothing.
    cloud.setFault({ kind: "access-denied", service: "s3", operation: "PutObject", times: 2 });
    const { code, lines } = await train(second);
    assert.equal(code, 0, lines.join("\n"));
    assert.match(lines.join("\n"), new RegExp(`from S3 +step ${step}: s3://kept/training`));
    assert.ok(lines.includes(`from step ${step}`));
    assert.match(lines.join("\n"), /checkpoints did not reach s3:.*AccessDenied.*goes on/s);
    const steps = (await kept("progress.jsonl")).trim().split("\n");
    const numbers = steps.map((line) => (JSON.parse(line) as { step: number }).step);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
    assert.equal(numbers.at(-1), step + 15);

    const result = await fetchKept(job, place);
    assert.equal(result.finished, true);
    const adapter = readFileSync(join(result.folder, "adapter.bin"), "utf8");
    assert.equal(adapter, `learnt at ${step + 15}\n`);
    await lost;
  });

  /** Runs checkpoints.py once. @returns what it said */
  async function keeper(action: string, folder: string, uri: string): Promise<string> {
    const script = join(repository, "scripts/finetune/checkpoints.py");
    const words = [script, action, join(folder, "output"), uri];
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL: place.endpoint,
      AWS_DEFAULT_REGION: place.region,
    };
    const python = await motoPython(() => undefined);
    const child = spawn(python, words, { env, stdio: ["ignore", "pipe", "inherit"] });
    return Buffer.concat((await child.stdout.toArray()) as Buffer[]).toString();
  }

  it("are the last two and the best: older ones are removed, or it is said that they stay", async () => {
    const own = writeJob(join(local, "pruned"), '{"text": "three"}\n');
    const there = { ...place, prefix: "training/checkpoints/pruned/" };
    mkdirSync(join(own.folder, "output"));
    let said = "";
    let progress = "";
    for (const [step, loss] of [
      [3, 2.5],
      [6, 1.5],
      [9, 2],
      [12, 2],
      [15, 2],
      [18, 2],
    ] as const) {
      const checkpoint = join(own.folder, `output/checkpoint-${step}`);
      mkdirSync(checkpoint);
      writeFileSync(join(checkpoint, "model.bin"), `weights of ${step}\n`);
      writeFileSync(join(checkpoint, "whole"), "");
      progress += `${JSON.stringify({ step, steps: 20, time: 0, eval_loss: loss })}\n`;
      writeFileSync(join(own.folder, "output/progress.jsonl"), progress);
      const kind = "access-denied";
      if (step === 15)
        cloud.setFault({ kind, service: "s3", operation: "DeleteObjects", times: 1 });
      said += await keeper("push", own.folder, uriOf(there));
    }
    assert.match(said, /removed +checkpoint-3 from S3/);
    assert.match(said, /warning .*AccessDenied.*costs its storage/);
    assert.match(said, /removed +checkpoint-12, checkpoint-9 from S3/);
    assert.deepEqual(await folders(there.prefix), [
      "checkpoint-15",
      "checkpoint-18",
      "checkpoint-6",
    ]);
    const best = await fetchKept(own, there, 6);
    assert.deepEqual([best.step, best.finished], [6, false]);
    assert.equal(readFileSync(join(best.folder, "model.bin"), "utf8"), "weights of 6\n");
    await assert.rejects(fetchKept(own, there, 3), ({ hint }: UserError) =>
      String(hint).includes("6 (best), 15, 18"),
    );
    const { checkpoints, bytes } = await storedIn(there);
    assert.equal(checkpoints, 3);
    assert.ok(bytes > 100);
  });

  it("are written once more when EC2 takes the host back", async () => {
    const metadata = createServer(({ url }, response) => {
      if (url?.endsWith("api/token") === true) response.end("a token");
      else if (url?.endsWith("meta-data/spot/instance-action") === true) {
        response.end('{"action": "terminate", "time": "2026-11-25T12:00:00Z"}');
      } else response.writeHead(404).end();
    });
    await once(metadata.listen(0, "127.0.0.1"), "listening");
    const { port } = metadata.address() as AddressInfo;
    const folder = writeJob(join(local, "spot"), "").folder;
    mkdirSync(join(folder, "output"));
    const script = join(repository, "scripts/finetune/checkpoints.py");
    const words = [script, "keep", join(folder, "output"), "s3://kept/spot/", "0.01"];
    const child = spawn(await motoPython(() => undefined), words, {
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: place.endpoint,
        AWS_DEFAULT_REGION: place.region,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}/`,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = child.stdout.toArray();
    await until(() => Promise.resolve(existsSync(join(folder, "output/stop"))), 20);
    mkdirSync(join(folder, "output/checkpoint-7"));
    writeFileSync(join(folder, "output/checkpoint-7/whole"), "7");
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    metadata.close();
    const text = Buffer.concat((await said) as Buffer[]).toString();
    assert.equal(code, 0, text);
    assert.match(text, /EC2 takes this host back at 2026-11-25T12:00:00Z/);
    assert.match(text, /in S3 +step 7: s3:\/\/kept\/spot\//);
  });

  it("are those of Megatron-LM too, which then goes on from them", async () => {
    const uri = "s3://kept/megatron/";
    const [here, there] = ["megatron", "megatron-again"].map(
      (name) => writeJob(join(local, name), "").folder,
    );
    for (const folder of [here!, there!]) {
      writeFileSync(join(folder, "megatron.yaml"), "");
      mkdirSync(join(folder, "output"));
    }
    const checkpoint = join(here!, "output/checkpoints/iter_0000040");
    mkdirSync(checkpoint, { recursive: true });
    writeFileSync(join(checkpoint, "train_state.pt"), "state of 40");
    writeFileSync(join(here!, "output/progress.jsonl"), '{"step": 40, "steps": 50, "time": 0}\n');
    // Without its mark it was cut off.
    assert.doesNotMatch(await keeper("push", here!, uri), /in S3/);
    writeFileSync(join(checkpoint, "whole"), "40\n");
    assert.match(await keeper("push", here!, uri), /in S3 +step 40/);
    assert.match(await keeper("pull", there!, uri), /from S3 +step 40/);
    const brought = (name: string) =>
      readFileSync(join(there!, "output/checkpoints", name), "utf8");
    assert.equal(brought("iter_0000040/train_state.pt"), "state of 40");
    assert.equal(brought("latest_train_state.pt"), "state of 40");
    assert.equal(brought("latest_checkpointed_iteration.txt"), "40");
  });

  it("are not taken for another training, nor when what is there cannot be told", async () => {
    const ground = await launch();
    const other = writeJob(join(local, "other/job"), '{"text": "two"}\n');
    await sendJob(ground.host, other, ground.folder);
    const untouched = await kept("newest.json");
    const { code, lines } = await train(ground);
    assert.equal(code, 1);
    assert.match(lines.join("\n"), /of another training: other samples, or another model/);
    assert.equal(await kept("newest.json"), untouched);
    await assert.rejects(fetchKept(other, place), /is of another training/);

    await sendJob(ground.host, job, ground.folder);
    cloud.setFault({ kind: "access-denied", service: "s3", operation: "GetObject", times: 1 });
    const refused = await train(ground);
    assert.equal(refused.code, 1);
    assert.match(refused.lines.join("\n"), /cannot be told: .*AccessDenied/);
    assert.equal(
      refused.lines.some((line) => line.startsWith("from step")),
      false,
    );
  });
});
