import assert from "node:assert/strict";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetResourcesCommand,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { settingsFor, until } from "./account.ts";

/** Stands for a training: what it does is in the variable SCRIPT. */
const entry = `#!/usr/bin/env bash
set -eu
cd "$SAGEMAKER_BASE_DIR"
eval "$SCRIPT"
`;

describe("Training jobs of the emulated cloud", () => {
  let cloud: Cloud;
  let client: sagemaker.SageMakerClient;
  let s3: S3Client;

  before(async () => {
    const servingImages = [{ repository: "pytorch-training", command: ["env"] as const }];
    cloud = await startCloud({ tier: "none", servingImages });
    client = new sagemaker.SageMakerClient(settingsFor(cloud));
    s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "data" }));
    await s3.send(new PutObjectCommand({ Bucket: "data", Key: "job/entry.sh", Body: entry }));
  });
  after(() => cloud.stop());
  afterEach(() => {
    cloud.clearFaults();
  });

  function requested(
    name: string,
    script: string,
    more: Partial<sagemaker.CreateTrainingJobCommandInput> = {},
  ): sagemaker.CreateTrainingJobCommandInput {
    return {
      TrainingJobName: name,
      RoleArn: "arn:aws:iam::123456789012:role/trainer",
      AlgorithmSpecification: {
        TrainingImage: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2",
        TrainingInputMode: "File",
        ContainerEntrypoint: ["bash", "/opt/ml/input/data/job/entry.sh"],
      },
      Environment: { SCRIPT: script },
      InputDataConfig: [
        {
          ChannelName: "job",
          DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://data/job/" } },
        },
      ],
      OutputDataConfig: { S3OutputPath: "s3://data/out/" },
      ResourceConfig: { InstanceType: "ml.g6.xlarge", InstanceCount: 1, VolumeSizeInGB: 50 },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 },
      ...more,
    };
  }

  async function start(...words: Parameters<typeof requested>): Promise<void> {
    await client.send(new sagemaker.CreateTrainingJobCommand(requested(...words)));
  }

  const describeJob = (TrainingJobName: string) =>
    client.send(new sagemaker.DescribeTrainingJobCommand({ TrainingJobName }));

  async function ended(name: string): Promise<sagemaker.DescribeTrainingJobCommandOutput> {
    await until(async () => {
      const { TrainingJobStatus } = await describeJob(name);
      return TrainingJobStatus !== "InProgress" && TrainingJobStatus !== "Stopping";
    });
    return describeJob(name);
  }

  async function reached(name: string, status: string): Promise<void> {
    await until(async () => (await describeJob(name)).SecondaryStatus === status);
  }

  /** The lines of a job's containers. */
  async function said(name: string): Promise<readonly string[]> {
    const logs = new CloudWatchLogsClient(settingsFor(cloud));
    const { events = [] } = await logs.send(
      new FilterLogEventsCommand({
        logGroupName: "/aws/sagemaker/TrainingJobs",
        logStreamNamePrefix: `${name}/`,
      }),
    );
    return events.map(({ message = "" }) => message);
  }

  const steps = (job: sagemaker.DescribeTrainingJobCommandOutput) =>
    (job.SecondaryStatusTransitions ?? []).map(({ Status }) => Status);

  it("run their container with its data, keep its model and its log", async () => {
    await start("whole", "echo learning; cat input/config/resourceconfig.json >model/weights", {
      Tags: [{ Key: "berth:run-id", Value: "r1" }],
      ResourceConfig: { InstanceType: "ml.g6.xlarge", InstanceCount: 2, VolumeSizeInGB: 50 },
    });
    const job = await ended("whole");
    assert.equal(job.TrainingJobStatus, "Completed", job.FailureReason);
    assert.deepEqual(steps(job), [
      ...["Starting", "Downloading", "Training", "Uploading", "Completed"],
    ]);
    assert.equal(job.ModelArtifacts?.S3ModelArtifacts, "s3://data/out/whole/output/model.tar.gz");
    const Key = "out/whole/output/model.tar.gz";
    const { ContentLength = 0 } = await s3.send(new GetObjectCommand({ Bucket: "data", Key }));
    assert.ok(ContentLength > 100);
    await until(async () => (await said("whole")).length === 2);
    const index = new ResourceGroupsTaggingAPIClient(settingsFor(cloud));
    const { ResourceTagMappingList = [] } = await index.send(
      new GetResourcesCommand({ TagFilters: [{ Key: "berth:run-id", Values: ["r1"] }] }),
    );
    assert.match(ResourceTagMappingList[0]?.ResourceARN ?? "", /:training-job\/whole$/);
  });

  it("share a file system of the account, which is there for the next job too", async () => {
    const FileSystemDataSource = {
      ...{ FileSystemId: "fs-0123456789abcdef0", FileSystemType: "FSxLustre" as const },
      ...{ DirectoryPath: "/mount/runs", FileSystemAccessMode: "rw" as const },
    };
    const shared = (name: string, script: string) => {
      const { InputDataConfig = [] } = requested(name, script);
      return start(name, script, {
        InputDataConfig: [
          ...InputDataConfig,
          { ChannelName: "shared", DataSource: { FileSystemDataSource } },
        ],
        ResourceConfig: { InstanceType: "ml.g6.xlarge", InstanceCount: 2, VolumeSizeInGB: 50 },
        VpcConfig: { Subnets: ["subnet-1"], SecurityGroupIds: ["sg-1"] },
      });
    };
    const meet =
      "touch input/data/shared/$$; until [ $(ls input/data/shared | wc -l) = 2 ]; do sleep 0.1; done";
    await shared("writes", meet);
    assert.equal((await ended("writes")).TrainingJobStatus, "Completed");
    await shared("reads", "[ $(ls input/data/shared | wc -l) = 2 ]");
    assert.equal((await ended("reads")).TrainingJobStatus, "Completed");
    const { InputDataConfig = [] } = requested("x", "true");
    const bare = [...InputDataConfig, { ChannelName: "s", DataSource: { FileSystemDataSource } }];
    await assert.rejects(start("bare", "true", { InputDataConfig: bare }), /VpcConfig is required/);
  });

  it("fail with what the container says, and without capacity", async () => {
    await start("bad", "echo 'no such column: text' >output/failure; exit 3");
    assert.equal(
      (await ended("bad")).FailureReason,
      "AlgorithmError: no such column: text, exit code: 3",
    );
    cloud.setFault({ kind: "insufficient-capacity", service: "sagemaker", times: 1 });
    await start("scarce", "true");
    assert.match((await ended("scarce")).FailureReason ?? "", /^CapacityError: /);
  });

  it("are stopped with a word before, or by the moved clock", async () => {
    const script =
      "trap 'echo saved >model/last; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    await start("stopped", script);
    await until(async () => (await said("stopped")).includes("ready"));
    const stop = new sagemaker.StopTrainingJobCommand({ TrainingJobName: "stopped" });
    await client.send(stop);
    const stopped = await ended("stopped");
    assert.equal(stopped.SecondaryStatus, "Stopped");
    assert.ok(stopped.ModelArtifacts?.S3ModelArtifacts);
    await assert.rejects(client.send(stop), /in status Stopped/);
    await start("long", script);
    await reached("long", "Training");
    await cloud.advanceClock(3601);
    const long = await ended("long");
    assert.deepEqual(
      [long.TrainingJobStatus, long.SecondaryStatus],
      ["Stopped", "MaxRuntimeExceeded"],
    );
  });

  it("begin again on spot when their instances are taken, and wait for capacity no longer than they may", async () => {
    const spot = {
      EnableManagedSpotTraining: true,
      StoppingCondition: { MaxRuntimeInSeconds: 3600, MaxWaitTimeInSeconds: 7200 },
    };
    await start("spot", "sleep 1", spot);
    await reached("spot", "Training");
    cloud.setFault({ kind: "spot-interruption", times: 1 });
    const job = await ended("spot");
    assert.equal(job.TrainingJobStatus, "Completed");
    assert.equal(steps(job).filter((each) => each === "Training").length, 2);
    assert.ok(steps(job).includes("Interrupted"));
    cloud.setFault({ kind: "insufficient-capacity", service: "sagemaker" });
    await start("waits", "true", spot);
    await cloud.advanceClock(7201);
    assert.equal((await ended("waits")).SecondaryStatus, "MaxWaitTimeExceeded");
  });

  it("leave warm instances behind, which a like job takes, and time ends", async () => {
    const warm = (name: string) =>
      start(name, "true", {
        ResourceConfig: {
          ...{ InstanceType: "ml.g5.xlarge", InstanceCount: 1, VolumeSizeInGB: 50 },
          KeepAlivePeriodInSeconds: 600,
        },
      });
    const pool = async (name: string) => (await describeJob(name)).WarmPoolStatus?.Status;
    await warm("warm-1");
    await ended("warm-1");
    assert.equal(await pool("warm-1"), "Available");
    await warm("warm-2");
    await ended("warm-2");
    assert.equal(await pool("warm-1"), "Reused");
    await cloud.advanceClock(601);
    assert.equal(await pool("warm-2"), "Terminated");
  });

  it("are refused at once for a long name, missing data, a key for NVMe and no quota", async () => {
    await assert.rejects(start("x".repeat(64), "true"), /failed to satisfy constraint/);
    const nowhere = { S3DataSource: { S3DataType: "S3Prefix" as const, S3Uri: "s3://data/no/" } };
    const InputDataConfig = [{ ChannelName: "job", DataSource: nowhere }];
    await assert.rejects(start("empty", "true", { InputDataConfig }), /No S3 objects found/);
    const keyed = { VolumeKmsKeyId: "k", InstanceCount: 1, VolumeSizeInGB: 50 };
    const ResourceConfig = { ...keyed, InstanceType: "ml.g6.xlarge" as const };
    await assert.rejects(start("keyed", "true", { ResourceConfig }), /which has local storage/);
    cloud.setFault({ kind: "quota", service: "sagemaker", instanceType: "ml.g6.xlarge" });
    await assert.rejects(start("none", "true"), /ml.g6.xlarge for training job usage' is 0/);
    await assert.rejects(describeJob("none"), /Requested resource not found/);
  });
});
