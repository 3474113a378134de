import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import type { UserError } from "../../components/user-error.ts";
import { motoPython } from "../../offline/cloud/moto/environment.ts";
import { repository } from "../../scripts/adapters/repository.ts";
import { storedIn } from "../../scripts/finetune/stored-checkpoints.ts";
import { fetchKept } from "../../scripts/finetune/fetch-kept.ts";
import type { JobFolder } from "../../scripts/finetune/host-job.ts";
import { uriOf, type KeptPlace } from "../../scripts/finetune/kept-checkpoints.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";
import { writeStandIn } from "./training/stand-in.ts";
import { TrainingHosts } from "./training/training-hosts.ts";

describe("checkpoints that are kept in S3", () => {
  let cloud: Cloud;
  let s3: S3Client;
  let hosts: TrainingHosts;
  let place: KeptPlace;
  let local: string;
  let job: JobFolder;

  before(async () => {
    cloud = await startCloud({ tier: "process" });
    s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    hosts = new TrainingHosts(cloud, "kept", "job");
    ({ place } = hosts);
    await hosts.prepare();
    local = mkdtempSync(join(tmpdir(), "berth-kept-"));
    job = writeStandIn(join(local, "job"));
  });

  after(async () => {
    hosts.close();
    rmSync(local, { recursive: true, force: true });
    await cloud.stop();
  });

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
    const first = await hosts.launch();
    const lost = hosts.train(first, job).catch(() => undefined);
    await until(async () => (await newestStep()) >= 6, 60);
    await hosts.end(first);
    const step = await newestStep();
    assert.equal(step % 3, 0);
    const fetched = await fetchKept(job, place);
    assert.deepEqual([fetched.step, fetched.finished], [step, false]);
    const state = join(job.folder, `output/checkpoint-${step}/state/model.bin`);
    assert.equal(readFileSync(state, "utf8"), `weights of ${step}\n`);

    const second = await hosts.launch();
    // Refused writes are said, and do not stop the training. The first may be that of the progress, which says nothing.
    cloud.setFault({ kind: "access-denied", service: "s3", operation: "PutObject", times: 2 });
    const { code, lines } = await hosts.train(second, job);
    assert.equal(code, 0, lines.join("\n"));
    assert.match(lines.join("\n"), new RegExp(`from S3 +step ${step}: s3://kept/training`));
    assert.match(lines.join("\n"), new RegExp(`, from step ${step}\\b`));
    assert.match(
      lines.join("\n"),
      /checkpoints did not reach s3:.*AccessDenied.*(goes on|tried again)/s,
    );
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
    const own = writeStandIn(join(local, "pruned"));
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
    const folder = writeStandIn(join(local, "spot")).folder;
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
      (name) => writeStandIn(join(local, name)).folder,
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
    const ground = await hosts.launch();
    const other = writeStandIn(join(local, "other/job"), {}, "two");
    const untouched = await kept("newest.json");
    const { code, lines } = await hosts.train(ground, other);
    assert.equal(code, 1);
    assert.match(lines.join("\n"), /of another training: other samples, or another model/);
    assert.equal(await kept("newest.json"), untouched);
    await assert.rejects(fetchKept(other, place), /is of another training/);

    cloud.setFault({ kind: "access-denied", service: "s3", operation: "GetObject", times: 1 });
    const refused = await hosts.train(ground, job);
    assert.equal(refused.code, 1);
    assert.match(refused.lines.join("\n"), /cannot be told: .*AccessDenied/);
    assert.equal(
      refused.lines.some((line) => line.includes("from step")),
      false,
    );
  });
});
