import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { trainingRequest } from "../../components/sagemaker-training/training-request.ts";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { readJobFolder } from "../../scripts/finetune/host-job.ts";
import { keptState } from "../../scripts/finetune/kept-state.ts";
import { uriOf, type KeptPlace } from "../../scripts/finetune/kept-checkpoints.ts";
import { uploadJob } from "../../scripts/finetune/upload-job.ts";
import { until } from "../offline/cloud/account.ts";
import { freePort } from "../../offline/cloud/free-port.ts";
import { JobCloud } from "./finetune/job-cloud.ts";
import { samples } from "./finetune/samples.ts";
import type { Work } from "./finetune/work.ts";

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
  let jobs: JobCloud;
  let work: Work;
  let cloud: Cloud;
  let client: SageMakerClient;
  let place: KeptPlace;
  let meeting: number;

  before(async function () {
    jobs = await JobCloud.open(this, "pair");
    meeting = await freePort();
    ({ work, cloud, client, place } = jobs);
    await work.makeBase(samples().split("\n").slice(0, 96).join("\n") + "\n");
    await jobs.sendBase();
    await writeFolder("single", 16);
    await writeFolder("pair", 8);
  });
  after(() => jobs.close());

  /** A step of sixteen samples, of which one process takes so many. */
  async function writeFolder(name: string, each: number): Promise<void> {
    await work.finetune(name, "--method", "lora", "--sequence", "64");
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
    const request = trainingRequest(inputs, 8 * 3600);
    const Environment = { ...request.Environment, MASTER_PORT: String(meeting) };
    await client.send(new CreateTrainingJobCommand({ ...request, Environment }));
    const look = () => client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
    await until(async () => (await look()).TrainingJobStatus !== "InProgress", 900);
    const { TrainingJobStatus, FailureReason } = await look();
    assert.equal(TrainingJobStatus, "Completed", FailureReason);
    return TrainingJobStatus;
  }

  it("learns what one process does with the same samples a step, to 0.001 of each loss", async () => {
    await Promise.all([trainPair(), work.finish("single")]);
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
