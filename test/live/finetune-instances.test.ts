import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { trainingRequest } from "../../components/sagemaker-training/training-request.ts";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { readJobFolder } from "../../scripts/finetune/host-job.ts";
import { keptState } from "../../scripts/finetune/kept-state.ts";
import { uriOf, type KeptPlace } from "../../scripts/finetune/kept-checkpoints.ts";
import { uploadJob } from "../../scripts/finetune/upload-job.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";
import { samples } from "./finetune/samples.ts";
import { makeTree, Work } from "./finetune/work.ts";

/** What the CPU needs to be told, and what makes two runs equal. */
const onCpu = [
  "use_cpu: true",
  "ddp_backend: gloo",
  "lora_dropout: 0",
  "lr_scheduler_type: constant",
];

/** Two containers of one job, each with its own torchrun, which meet by gloo; and one process that does the same steps. */
describe("A fine-tuning of a tiny Llama on two instances of SageMaker", function () {
  // The tree is made once: four minutes on two idle cores.
  this.timeout(30 * 60_000);
  let work: Work;
  let cloud: Cloud;
  let client: SageMakerClient;
  let place: KeptPlace;

  before(async function () {
    const tree = await makeTree(this);
    work = new Work(tree, mkdtempSync(join(tmpdir(), "berth-instances-")));
    const container = new URL("finetune/container.sh", import.meta.url).pathname;
    const servingImages = [{ repository: "pytorch-training", command: [container, tree] as const }];
    cloud = await startCloud({ tier: "none", servingImages });
    client = new SageMakerClient(settingsFor(cloud));
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
    process.env["AWS_ENDPOINT_URL_S3"] = cloud.endpoint;
    const where = { bucket: "runs", prefix: "training/checkpoints/pair/" };
    place = { ...where, region: "us-east-1", endpoint: cloud.endpoint, goesWithStack: false };
    writeFileSync(work.path("train.jsonl"), samples().split("\n").slice(0, 96).join("\n") + "\n");
    await work.python("make_model.py", "/work/train.jsonl", "/work/base");
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "runs" }));
    for (const name of readdirSync(work.path("base"))) {
      const Body = readFileSync(work.path(`base/${name}`));
      await s3.send(new PutObjectCommand({ Bucket: "runs", Key: `base/${name}`, Body }));
    }
    await writeFolder("single", 16);
    await writeFolder("pair", 8);
  });
  after(async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"]) {
      Reflect.deleteProperty(process.env, name);
    }
    await cloud.stop();
    work.close();
  });

  /** A step of sixteen samples, of which one process takes so many. */
  async function writeFolder(name: string, each: number): Promise<void> {
    const { runBerth } = await import("../../scripts/run-berth.ts");
    let said = "";
    const keep = (text: string) => (said += text);
    const words = [
      ...["finetune", "--config", work.path("base"), "--base", "/work/base", "--method", "lora"],
      ...["--data", work.path("train.jsonl"), "--out", work.path(name), "--epochs", "2"],
      ...["--training-precision", "fp32", "--sequence", "64", "--learning-rate", "0.003"],
    ];
    assert.equal(await runBerth(words, { out: keep, err: keep, interactive: false }), 0, said);
    const file = work.path(`${name}/training.yaml`);
    const other =
      /^(per_device_train_batch_size|gradient_accumulation_steps|lora_dropout|lr_scheduler_type|warmup\w*|packing|padding_free):.*\n/gm;
    const kept = readFileSync(file, "utf8").replaceAll(other, "");
    const batch = [`per_device_train_batch_size: ${each}`, "gradient_accumulation_steps: 1"];
    writeFileSync(file, [kept.trimEnd(), ...batch, ...onCpu, ""].join("\n"));
  }

  async function trainPair(): Promise<string | undefined> {
    const TrainingJobName = "local-train-pair-1";
    const inputs = {
      jobName: TrainingJobName,
      roleArn: "arn:aws:iam::123456789012:role/trainer",
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2",
      ...{ instanceType: "ml.g6.xlarge", instances: 2, volumeGiB: 50, spot: false },
      ...{ keepWarmMinutes: 0, baseModel: "owner/tiny", baseUri: "s3://runs/base/" },
      sourceUri: await uploadJob(readJobFolder(work.path("pair")), place),
      ...{ checkpointsUri: uriOf(place), syncMinutes: 0.02, tags: {} },
      expiresAt: new Date(cloud.now().getTime() + 8 * 3_600_000).toISOString(),
    };
    await client.send(new CreateTrainingJobCommand(trainingRequest(inputs, 8 * 3600)));
    const look = () => client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
    await until(async () => (await look()).TrainingJobStatus !== "InProgress", 900);
    const { TrainingJobStatus, FailureReason } = await look();
    assert.equal(TrainingJobStatus, "Completed", FailureReason);
    return TrainingJobStatus;
  }

  it("learns what one process does with the same samples a step, to 0.001 of each loss", async () => {
    const [, code] = await Promise.all([trainPair(), work.run("single")]);
    assert.equal(code, 0, work.said);
    const { progress, finished } = await keptState(place);
    assert.equal(finished?.result, "adapter");
    const pair = new Map(
      progress.flatMap(({ step, loss }) => (loss === undefined ? [] : [[step, loss] as const])),
    );
    const single = work.losses("single");
    assert.deepEqual([...pair.keys()], [...single.keys()]);
    assert.equal(single.size, 12);
    assert.ok(single.get(12)! < single.get(1)! - 0.3);
    for (const [step, loss] of single) {
      const other = pair.get(step)!;
      assert.ok(Math.abs(loss - other) < 1e-3, `step ${step}: ${loss} and ${other}`);
    }
  });
});
