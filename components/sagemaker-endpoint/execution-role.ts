import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import { oneOrAll } from "../one-or-all.ts";
import { pullImages, sagemakerRole, standInVpc, writeMetrics } from "../sagemaker-role.ts";

/** Where the weights lie. */
export interface WeightsSource {
  readonly bucket: pulumi.Input<string>;
  /** What the keys of its objects begin with; the whole key where it is one archive. */
  readonly prefix: string;
  /** Key that they are encrypted with. @default AWS's own, which needs no permission */
  readonly kmsKeyArn?: string | undefined;
}

/** All that a container of the endpoint may touch. */
export interface ExecutionRoleArgs {
  readonly weights: Pick<WeightsSource, "bucket" | "kmsKeyArn">;
  /** Of the weights of each model in the bucket. */
  readonly prefixes: readonly string[];
  readonly images: readonly string[];
  /** Where the log lines go, below `/aws/sagemaker/`: `Endpoints/<name>`, or `InferenceComponents/<name>` of each. */
  readonly logOwners: readonly pulumi.Input<string>[];
  readonly region: string;
  /** Bucket of requests and answers in async mode. */
  readonly asyncBucket?: pulumi.Input<string> | undefined;
  /** Bucket of captured requests and answers. */
  readonly captureBucket?: pulumi.Input<string> | undefined;
  /** Names of the alarms that roll an update back, with a star for what is made up at their end; none when nothing is watched. */
  readonly alarms: readonly string[];
  /** Whether they stand in a network of the account. */
  readonly inVpc: boolean;
  readonly tags: TagInputs;
}

interface Known {
  readonly bucket: string;
  readonly prefixes: readonly string[];
  readonly weightsKmsKeyArn: string | undefined;
  readonly images: readonly string[];
  readonly logOwners: readonly string[];
  readonly account: string;
  readonly region: string;
  readonly asyncBucket: string | undefined;
  readonly captureBucket: string | undefined;
  readonly alarms: readonly string[];
  readonly inVpc: boolean;
}

const Effect = "Allow";

function readWeights({ bucket, prefixes, weightsKmsKeyArn }: Known): object[] {
  return [
    ...(weightsKmsKeyArn === undefined
      ? []
      : [{ Sid: "DecryptWeights", Effect, Action: "kms:Decrypt", Resource: weightsKmsKeyArn }]),
    {
      Sid: "ReadWeights",
      Effect,
      Action: "s3:GetObject",
      Resource: oneOrAll(prefixes.map((prefix) => `arn:aws:s3:::${bucket}/${prefix}*`)),
    },
    {
      Sid: "ListWeights",
      Effect,
      Action: "s3:ListBucket",
      Resource: `arn:aws:s3:::${bucket}`,
      Condition: { StringLike: { "s3:prefix": oneOrAll(prefixes.map((prefix) => `${prefix}*`)) } },
    },
  ];
}

function writeLogsAndMetrics({ logOwners, account, region }: Known): object[] {
  const groups = logOwners.map(
    (owner) => `arn:aws:logs:${region}:${account}:log-group:/aws/sagemaker/${owner}`,
  );
  return [
    {
      Sid: "WriteLogs",
      Effect,
      Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      Resource: groups.flatMap((group) => [group, `${group}:*`]),
    },
    writeMetrics,
  ];
}

function queueRequests({ asyncBucket }: Known): object[] {
  if (asyncBucket === undefined) return [];
  const Resource = `arn:aws:s3:::${asyncBucket}`;
  return [
    {
      Sid: "QueueOfRequests",
      Effect,
      Action: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
      Resource: `${Resource}/*`,
    },
    {
      Sid: "FindRequests",
      Effect,
      Action: ["s3:ListBucket", "s3:GetBucketLocation"],
      Resource,
    },
  ];
}

function writeCaptures({ captureBucket }: Known): object[] {
  if (captureBucket === undefined) return [];
  const Resource = `arn:aws:s3:::${captureBucket}/captures/*`;
  return [{ Sid: "WriteCaptures", Effect, Action: "s3:PutObject", Resource }];
}

/** SageMaker looks at them with this role: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html */
function watchAlarms({ alarms, account, region }: Known): object[] {
  if (alarms.length === 0) return [];
  const Resource = alarms.map((alarm) => `arn:aws:cloudwatch:${region}:${account}:alarm:${alarm}`);
  return [{ Sid: "WatchAlarms", Effect, Action: "cloudwatch:DescribeAlarms", Resource }];
}

/** Logs go to the endpoint's own group; the rest is read only, and only what this endpoint needs. */
export function executionPolicy(known: Known): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      ...readWeights(known),
      ...pullImages(known.images, known),
      ...writeLogsAndMetrics(known),
      ...queueRequests(known),
      ...writeCaptures(known),
      ...watchAlarms(known),
      ...standInVpc(known.inVpc),
    ],
  });
}

/** The role of the endpoint's containers, which SageMaker takes in this account alone; with the policy to wait for. */
export function executionRole(
  name: string,
  args: ExecutionRoleArgs,
  parent: pulumi.Resource,
): { readonly role: aws.iam.Role; readonly policy: aws.iam.RolePolicy } {
  const { weights, prefixes, images, region, asyncBucket, alarms, inVpc, tags } = args;
  const account = aws.getCallerIdentityOutput({}, { parent }).accountId;
  const role = sagemakerRole(
    `${name}-role`,
    { description: "berth: runs the containers of one endpoint", region, account, tags },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-run`,
    {
      role: role.name,
      policy: pulumi
        .all([
          weights.bucket,
          pulumi.all([...args.logOwners]),
          account,
          asyncBucket,
          args.captureBucket,
        ])
        .apply(([bucket, logOwners, id, queue, captureBucket]) =>
          executionPolicy({
            ...{ bucket, prefixes, images, logOwners, region, captureBucket, alarms, inVpc },
            weightsKmsKeyArn: weights.kmsKeyArn,
            account: id,
            asyncBucket: queue,
          }),
        ),
    },
    { parent },
  );
  return { role, policy };
}
