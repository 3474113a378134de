import assert from "node:assert/strict";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { stopTraining } from "../../components/sagemaker-training/stop-training.ts";
import { sweepByTag } from "../../components/teardown/sweep-by-tag.ts";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";

const entry = "trap 'exit 0' TERM; while :; do sleep 0.1; done\n";

describe("Training jobs past their deadline", function () {
  this.timeout(300_000);
  let cloud: Cloud;
  let client: sagemaker.SageMakerClient;

  before(async () => {
    const servingImages = [{ repository: "pytorch-training", command: ["env"] as const }];
    cloud = await startCloud({ tier: "none", servingImages });
    client = new sagemaker.SageMakerClient(settingsFor(cloud));
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "data" }));
    await s3.send(new PutObjectCommand({ Bucket: "data", Key: "job/entry.sh", Body: entry }));
  });
  after(() => cloud.stop());

  async function start(TrainingJobName: string, Tags: sagemaker.Tag[] = []): Promise<void> {
    const S3DataSource = { S3DataType: "S3Prefix" as const, S3Uri: "s3://data/job/" };
    await client.send(
      new sagemaker.CreateTrainingJobCommand({
        TrainingJobName,
        Tags,
        RoleArn: "arn:aws:iam::123456789012:role/trainer",
        AlgorithmSpecification: {
          TrainingImage: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2",
          TrainingInputMode: "File",
          ContainerEntrypoint: ["bash", "/opt/ml/input/data/job/entry.sh"],
        },
        InputDataConfig: [{ ChannelName: "job", DataSource: { S3DataSource } }],
        OutputDataConfig: { S3OutputPath: "s3://data/out/" },
        ResourceConfig: { InstanceType: "ml.g6.xlarge", InstanceCount: 1, VolumeSizeInGB: 50 },
        StoppingCondition: { MaxRuntimeInSeconds: 3600 },
      }),
    );
  }

  async function statusOf(TrainingJobName: string): Promise<string | undefined> {
    const asked = new sagemaker.DescribeTrainingJobCommand({ TrainingJobName });
    return (await client.send(asked)).TrainingJobStatus;
  }

  async function stopped(name: string): Promise<void> {
    await until(async () => (await statusOf(name)) === "Stopped", 60);
  }

  /** Runs a state machine to its end. */
  async function execute(name: string, definition: string): Promise<void> {
    const sfn = new SFNClient(settingsFor(cloud));
    const roleArn = "arn:aws:iam::123456789012:role/teardown";
    const made = new CreateStateMachineCommand({ name, definition, roleArn });
    const { stateMachineArn } = await sfn.send(made);
    const input = JSON.stringify({ time: "2026-12-01T00:00:00Z" });
    const begun = await sfn.send(new StartExecutionCommand({ stateMachineArn, input }));
    const { executionArn } = begun;
    const asked = new DescribeExecutionCommand({ executionArn });
    await until(async () => (await sfn.send(asked)).status !== "RUNNING", 120);
    const { status, output, cause } = await sfn.send(asked);
    assert.equal(status, "SUCCEEDED", cause ?? output);
  }

  it("are stopped by the machine of the deadline, and by the sweep at its second sight", async () => {
    const owner = { stack: "dev-train-x", owner: "ada", runId: "run1" };
    const tags = {
      stack: owner.stack,
      owner: owner.owner,
      "run-id": owner.runId,
      protect: "false",
    };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key: `berth:${Key}`, Value }));
    await start("dev-train-x-run1", Tags);
    await start("dev-train-y-run2");
    await execute("sweep", sweepByTag(owner));
    assert.equal(await statusOf("dev-train-x-run1"), "InProgress");
    await execute("sweep-again", sweepByTag(owner));
    await stopped("dev-train-x-run1");
    assert.equal(await statusOf("dev-train-y-run2"), "InProgress");
    await execute("deadline", stopTraining("dev-train-y-run2"));
    await stopped("dev-train-y-run2");
  });
});
