import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand } from "@aws-sdk/client-sagemaker";
import {
  trainingRequest,
  type TrainingJobInputs,
} from "../../components/sagemaker-training/training-request.ts";
import { fetchKept } from "../../scripts/finetune/fetch-kept.ts";
import { readJobFolder } from "../../scripts/finetune/host-job.ts";
import { uriOf } from "../../scripts/finetune/kept-checkpoints.ts";
import { keptState } from "../../scripts/finetune/kept-state.ts";
import { uploadJob } from "../../scripts/finetune/upload-job.ts";
import {
  megatronStandIn,
  writeMegatronFolder,
} from "../components/training/megatron/megatron-folder.ts";
import { until } from "../offline/cloud/account.ts";
import { freePort } from "../../offline/cloud/free-port.ts";
import { JobCloud } from "./finetune/job-cloud.ts";

/** Two containers of one job with torchrun, gloo and one file system; Megatron-LM is a stand-in whose ranks each write a part. */
describe("A training by Megatron-LM on two instances of SageMaker", function () {
  // The tree is made once: four minutes on two idle cores.
  this.timeout(30 * 60_000);
  let jobs: JobCloud;
  let meeting: number;
  let folder: string;

  before(async function () {
    jobs = await JobCloud.open(this, "megatron");
    meeting = await freePort();
    folder = jobs.work.path("megatron");
    writeMegatronFolder(folder, { nodes: 2 });
    cpSync(megatronStandIn, join(folder, "stand-in"), { recursive: true });
    // Its packages are the stand-in and the tree's.
    writeFileSync(join(folder, "requirements.txt"), "");
    await jobs.work.makeBase('{"messages": [{"role": "user", "content": "One."}]}\n');
    await jobs.sendBase();
  });
  after(() => jobs.close());

  /** Runs a job to its end. @returns its state, and what the first instance said */
  async function train(TrainingJobName: string, stopAt?: number) {
    const { cloud, client, place } = jobs;
    const inputs: TrainingJobInputs = {
      jobName: TrainingJobName,
      roleArn: "arn:aws:iam::123456789012:role/trainer",
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2",
      ...{ instanceType: "ml.g6.xlarge", instances: 2, volumeGiB: 50, spot: false },
      ...{ keepWarmMinutes: 0, baseModel: "owner/tiny", baseUri: "s3://runs/base/" },
      sourceUri: await uploadJob(readJobFolder(folder), place),
      ...{ checkpointsUri: uriOf(place), syncMinutes: 0.02, tags: {} },
      sharedStorage: "fsx:fs-0123456789abcdef0:/mount/runs",
      ...{ subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] },
      expiresAt: new Date(cloud.now().getTime() + 8 * 3_600_000).toISOString(),
    };
    const request = trainingRequest(inputs, 8 * 3600);
    const Environment = {
      ...request.Environment,
      ...(stopAt === undefined ? {} : { STOP_AT: String(stopAt) }),
      MASTER_PORT: String(meeting),
      PYTHONPATH: "/opt/ml/input/data/job/stand-in",
    };
    await client.send(new CreateTrainingJobCommand({ ...request, Environment }));
    const look = () => client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
    await until(async () => (await look()).TrainingJobStatus !== "InProgress", 300);
    const { TrainingJobStatus, FailureReason } = await look();
    assert.equal(TrainingJobStatus, "Completed", FailureReason);
    return keptState(place);
  }

  it("stops with a checkpoint of both, which is kept whole, goes on from it, and gives the model", async () => {
    const stopped = await train("local-train-megatron-1", 1);
    assert.equal(stopped.finished, undefined);
    const kept = (await fetchKept(readJobFolder(folder), jobs.place)).folder;
    for (const rank of [0, 1]) {
      assert.equal(readFileSync(join(kept, `part-${rank}`), "utf8"), "weights of 1");
    }
    const { finished, progress } = await train("local-train-megatron-2");
    assert.equal(finished?.result, "model");
    assert.deepEqual(
      progress.flatMap(({ step, loss }) => (loss === undefined ? [] : [step])),
      [1, 2, 3, 4, 5, 6],
    );
    const model = (await fetchKept(readJobFolder(folder), jobs.place)).folder;
    const weights = readFileSync(join(model, "model.safetensors"), "utf8");
    assert.equal(weights, "weights of 6 and weights of 6");
  });
});
