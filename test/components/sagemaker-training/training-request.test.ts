import assert from "node:assert/strict";
import { trainingPolicy } from "../../../components/sagemaker-training/training-role.ts";
import {
  runSeconds,
  trainingRequest,
  type TrainingJobInputs,
} from "../../../components/sagemaker-training/training-request.ts";

const inputs: TrainingJobInputs = {
  ...{ jobName: "dev-train-tiny-0123456789ab", roleArn: "arn:aws:iam::1:role/r", image: "i" },
  ...{ instanceType: "ml.g6.xlarge", instances: 2, volumeGiB: 60, spot: true, keepWarmMinutes: 0 },
  sourceUri: "s3://b/training/checkpoints/tiny/source/1/",
  checkpointsUri: "s3://b/training/checkpoints/tiny/",
  ...{ baseModel: "owner/tiny", syncMinutes: 15, expiresAt: "2026-12-01T12:00:00Z" },
  tags: { "berth:stack": "dev-train-tiny" },
};

describe("The call that makes a training job", () => {
  const now = new Date("2026-12-01T04:00:00Z");

  it("ends with the lease, waiting for spot included, and leaves time for the last checkpoint", () => {
    const seconds = runSeconds(inputs, now)!;
    assert.equal(seconds, 8 * 3600);
    const { StoppingCondition, Environment, InputDataConfig } = trainingRequest(inputs, seconds);
    assert.deepEqual(StoppingCondition, {
      MaxRuntimeInSeconds: 28_800,
      MaxWaitTimeInSeconds: 28_800,
    });
    assert.equal(Number(Environment["END_AT"]) - Number(Environment["STOP_AT"]), 15 * 60);
    assert.equal(Number(Environment["END_AT"]), Date.parse(inputs.expiresAt) / 1000);
    assert.deepEqual(
      InputDataConfig.map(({ ChannelName }) => ChannelName),
      ["job"],
    );
  });

  it("counts kept instances to the lease, and is not made when too little of that is left", () => {
    const warm = { ...inputs, spot: false, keepWarmMinutes: 30 };
    const seconds = runSeconds(warm, now)!;
    assert.equal(seconds, 7.5 * 3600);
    const { ResourceConfig, StoppingCondition, Environment } = trainingRequest(warm, seconds);
    assert.equal(ResourceConfig.KeepAlivePeriodInSeconds, 1800);
    assert.equal("MaxWaitTimeInSeconds" in StoppingCondition, false);
    assert.equal(Number(Environment["END_AT"]), Date.parse("2026-12-01T11:30:00Z") / 1000);
    assert.equal(runSeconds(inputs, new Date("2026-12-01T11:55:00Z")), undefined);
  });

  it("mounts the storage that all instances share", () => {
    const place = { ...inputs, sharedStorage: "efs:fs-0123abcd:/runs" };
    const { InputDataConfig } = trainingRequest(place, 600);
    assert.deepEqual(InputDataConfig.at(-1), {
      ChannelName: "shared",
      DataSource: {
        FileSystemDataSource: {
          ...{ FileSystemType: "EFS", FileSystemId: "fs-0123abcd" },
          ...{ DirectoryPath: "/runs", FileSystemAccessMode: "rw" },
        },
      },
    });
  });

  it("encrypts what is written, and the volume where that takes a key", () => {
    const key = "arn:aws:kms:us-east-1:1:key/k";
    const output = trainingRequest({ ...inputs, kmsKeyArn: key }, 600);
    assert.equal(output.OutputDataConfig.KmsKeyId, key);
    assert.equal("VolumeKmsKeyId" in output.ResourceConfig, false);
    const both = { ...inputs, kmsKeyArn: key, volumeKmsKeyArn: key };
    assert.equal(trainingRequest(both, 600).ResourceConfig.VolumeKmsKeyId, key);
  });

  it("puts the job into a network only with subnets and groups", () => {
    assert.equal(
      "VpcConfig" in trainingRequest({ ...inputs, subnetIds: ["subnet-1"] }, 600),
      false,
    );
    const both = { ...inputs, subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] };
    assert.deepEqual(trainingRequest(both, 600).VpcConfig, {
      Subnets: ["subnet-1"],
      SecurityGroupIds: ["sg-1"],
    });
  });
});

describe("The role of a training job", () => {
  interface Statement {
    readonly Sid: string;
    readonly Action: string | readonly string[];
    readonly Resource: string;
  }
  const policy = (change: object) =>
    (
      JSON.parse(
        trainingPolicy({
          ...{ jobName: inputs.jobName, region: "us-east-1", account: "123456789012" },
          image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2",
          ...{ sourceUri: inputs.sourceUri, checkpointsUri: inputs.checkpointsUri, inVpc: false },
          ...change,
        }),
      ) as { Statement: readonly Statement[] }
    ).Statement;

  it("writes below its own checkpoints alone, removes these alone, and has no wildcard of actions", () => {
    const statements = policy({ baseUri: "s3://w/tiny/" });
    const writes = statements.filter(({ Action }) => [Action].flat().includes("s3:PutObject"));
    assert.deepEqual(
      writes.map(({ Resource }) => Resource),
      ["arn:aws:s3:::b/training/checkpoints/tiny/*"],
    );
    const actions = statements.flatMap(({ Action }) => [Action].flat());
    assert.deepEqual(
      actions.filter((each) => /\*|Delete/.test(each)),
      ["s3:DeleteObject"],
    );
    const prune = statements.find(({ Sid }) => Sid === "PruneCheckpoints");
    assert.equal(prune?.Resource, "arn:aws:s3:::b/training/checkpoints/tiny/checkpoint-*");
    const reads = statements.find(({ Sid }) => Sid === "ReadBaseModel");
    assert.equal(reads?.Resource, "arn:aws:s3:::w/tiny/*");
    const logs = statements.find(({ Sid }) => Sid === "WriteLogs");
    assert.match(logs?.Resource ?? "", /TrainingJobs:log-stream:dev-train-tiny-0123456789ab\/\*$/);
  });

  it("gets the network's and the key's rights only with these", () => {
    const sids = (change: object) => policy(change).map(({ Sid }) => Sid);
    assert.equal(sids({}).includes("StandInVpc"), false);
    assert.ok(sids({ inVpc: true }).includes("StandInVpc"));
    assert.ok(sids({ kmsKeyArn: "arn:aws:kms:us-east-1:1:key/k" }).includes("UseKey"));
    const weightsKmsKeyArn = "arn:aws:kms:us-east-1:1:key/w";
    assert.equal(sids({ weightsKmsKeyArn }).includes("DecryptBaseModel"), false);
    const decrypt = policy({ weightsKmsKeyArn, baseUri: "s3://w/tiny/" }).find(
      ({ Sid }) => Sid === "DecryptBaseModel",
    );
    assert.deepEqual([decrypt?.Action, decrypt?.Resource], ["kms:Decrypt", weightsKmsKeyArn]);
  });
});
