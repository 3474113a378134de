import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import { pullImages, sagemakerRole, standInVpc, writeMetrics } from "../sagemaker-role.ts";

/** All that the containers of a training job may touch. */
export interface TrainingRoleArgs {
  readonly jobName: pulumi.Input<string>;
  readonly region: string;
  readonly image: string;
  /** `s3://bucket/prefix/` of the job's folder. */
  readonly sourceUri: string;
  /** `s3://bucket/prefix/` that it writes. */
  readonly checkpointsUri: string;
  /** `s3://bucket/prefix/` of the base model. */
  readonly baseUri?: string | undefined;
  /** Whether it stands in a network of the account. */
  readonly inVpc: boolean;
  /** Key of the volume and of what SageMaker writes. */
  readonly kmsKeyArn?: string | undefined;
  /** Key that the base model in S3 is encrypted with. @default that of AWS */
  readonly weightsKmsKeyArn?: string | undefined;
  readonly tags: TagInputs;
}

type Known = Omit<TrainingRoleArgs, "jobName" | "tags"> & {
  readonly jobName: string;
  readonly account: string;
};

const Effect = "Allow";

function placeOf(uri: string): { bucket: string; prefix: string } {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  return { bucket, prefix };
}

function listing(sid: string, uri: string): object {
  const { bucket, prefix } = placeOf(uri);
  return {
    Sid: sid,
    Effect,
    Action: "s3:ListBucket",
    Resource: `arn:aws:s3:::${bucket}`,
    Condition: { StringLike: { "s3:prefix": `${prefix}*` } },
  };
}

function reading(sid: string, uri: string): object[] {
  const { bucket, prefix } = placeOf(uri);
  const Resource = `arn:aws:s3:::${bucket}/${prefix}*`;
  return [
    { Sid: `Read${sid}`, Effect, Action: "s3:GetObject", Resource },
    listing(`List${sid}`, uri),
  ];
}

function keepCheckpoints({ checkpointsUri }: Known): object[] {
  const { bucket, prefix } = placeOf(checkpointsUri);
  return [
    {
      Sid: "KeepCheckpoints",
      Effect,
      Action: [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
      ],
      Resource: `arn:aws:s3:::${bucket}/${prefix}*`,
    },
    {
      Sid: "PruneCheckpoints",
      Effect,
      Action: "s3:DeleteObject",
      Resource: `arn:aws:s3:::${bucket}/${prefix}checkpoint-*`,
    },
    listing("FindCheckpoints", checkpointsUri),
  ];
}

/** All jobs of a region share one group of logs, which SageMaker makes; a job's streams begin with its name. */
function writeLogsAndMetrics({ jobName, account, region }: Known): object[] {
  const group = `arn:aws:logs:${region}:${account}:log-group:/aws/sagemaker/TrainingJobs`;
  return [
    {
      Sid: "MakeTheGroup",
      Effect,
      Action: ["logs:CreateLogGroup", "logs:DescribeLogStreams"],
      Resource: `${group}:*`,
    },
    {
      Sid: "WriteLogs",
      Effect,
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: `${group}:log-stream:${jobName}/*`,
    },
    writeMetrics,
  ];
}

/**
 * CreateGrant for the volume, Encrypt for what SageMaker writes
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html), the others for checkpoints in S3.
 */
function useKey({ kmsKeyArn }: Known): object[] {
  if (kmsKeyArn === undefined) return [];
  const Action = [
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
  ];
  return [{ Sid: "UseKey", Effect, Action, Resource: kmsKeyArn }];
}

function decryptBase({ baseUri, weightsKmsKeyArn: Resource }: Known): object[] {
  if (baseUri === undefined || Resource === undefined) return [];
  return [{ Sid: "DecryptBaseModel", Effect, Action: "kms:Decrypt", Resource }];
}

/** Reads its folder and its base model, writes below its own prefix, and logs under its own name. */
export function trainingPolicy(known: Known): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      ...reading("Job", known.sourceUri),
      ...(known.baseUri === undefined ? [] : reading("BaseModel", known.baseUri)),
      ...keepCheckpoints(known),
      ...pullImages([known.image], known),
      ...writeLogsAndMetrics(known),
      ...standInVpc(known.inVpc),
      ...useKey(known),
      ...decryptBase(known),
    ],
  });
}

/** The role of a training job's containers, which SageMaker takes in this account alone; with the policy to wait for. */
export function trainingRole(
  name: string,
  args: TrainingRoleArgs,
  opts: pulumi.ResourceOptions,
): { readonly role: aws.iam.Role; readonly policy: aws.iam.RolePolicy } {
  const { jobName, tags, ...rest } = args;
  const account = aws.getCallerIdentityOutput({}, opts).accountId;
  const role = sagemakerRole(
    `${name}-role`,
    {
      description: "berth: runs the containers of one training job",
      region: args.region,
      account,
      tags,
    },
    opts,
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-run`,
    {
      role: role.name,
      policy: pulumi
        .all([jobName, account])
        .apply(([job, id]) => trainingPolicy({ ...rest, jobName: job, account: id })),
    },
    opts,
  );
  return { role, policy };
}
