import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import {
  trainingRequest,
  type TrainingJobInputs,
} from "../../components/sagemaker-training/training-request.ts";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { fetchKept } from "../../scripts/finetune/fetch-kept.ts";
import { readJobFolder } from "../../scripts/finetune/host-job.ts";
import { keptState } from "../../scripts/finetune/kept-state.ts";
import { uriOf, type KeptPlace } from "../../scripts/finetune/kept-checkpoints.ts";
import { uploadJob } from "../../scripts/finetune/upload-job.ts";
import { until } from "../offline/cloud/account.ts";
import { JobCloud } from "./finetune/job-cloud.ts";
import { samples } from "./finetune/samples.ts";
import type { Work } from "./finetune/work.ts";

/** The folder that `berth finetune` writes, in the container of a job: real training, on the CPU. */
describe("A fine-tuning of a tiny Llama as a job of SageMaker", function () {
  // The tree is made once: four minutes on two idle cores.
  this.timeout(30 * 60_000);
  let jobs: JobCloud;
  let work: Work;
  let cloud: Cloud;
  let client: SageMakerClient;
  let place: KeptPlace;

  before(async function () {
    jobs = await JobCloud.open(this, "lora");
    ({ work, cloud, client, place } = jobs);
  });
  after(() => jobs.close());

  const jobState = () =>
    client.send(new DescribeTrainingJobCommand({ TrainingJobName: "local-train-lora-1" }));

  it("learns, goes on when its spot capacity is taken, and gives its adapter", async () => {
    await work.makeBase(samples());
    await work.finetune(
      ...([
        "lora",
        "--method",
        "lora",
        "--sequence",
        "128",
        "--tokenizer",
        work.path("base"),
      ] as const),
    );
    await jobs.sendBase();
    const job = readJobFolder(work.path("lora"));
    const inputs: TrainingJobInputs = {
      jobName: "local-train-lora-1",
      roleArn: "arn:aws:iam::123456789012:role/trainer",
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2",
      ...{ instanceType: "ml.g6.xlarge", instances: 1, volumeGiB: 50, spot: true },
      ...{ keepWarmMinutes: 0, baseModel: "owner/tiny", baseUri: "s3://runs/base/" },
      sourceUri: await uploadJob(job, place),
      ...{ checkpointsUri: uriOf(place), syncMinutes: 0.02, tags: {} },
      expiresAt: new Date(cloud.now().getTime() + 8 * 3_600_000).toISOString(),
    };
    await client.send(new CreateTrainingJobCommand(trainingRequest(inputs, 8 * 3600)));
    await until(async () => (await keptState(place)).progress.length > 1, 600);
    cloud.setFault({ kind: "spot-interruption", times: 1 });
    await until(async () => (await jobState()).TrainingJobStatus !== "InProgress", 900);
    const ended = await jobState();
    assert.equal(ended.TrainingJobStatus, "Completed", ended.FailureReason);
    const steps = (ended.SecondaryStatusTransitions ?? []).map(({ Status }) => Status);
    assert.ok(steps.includes("Interrupted"), steps.join(", "));
    const { progress, finished } = await keptState(place);
    const losses = progress.flatMap(({ step, loss }) =>
      typeof loss !== "number" ? [] : [{ step, loss }],
    );
    assert.ok(losses.at(-1)!.loss < losses[0]!.loss - 0.3);
    assert.deepEqual(
      losses.map(({ step }) => step),
      losses.map((_, index) => index + 1),
      "no step is done twice",
    );
    assert.equal(finished?.result, "adapter");
    const { folder } = await fetchKept(job, place);
    assert.ok(existsSync(join(folder, "adapter_model.safetensors")));
  });
});
