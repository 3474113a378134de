import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";
import { parseImageAddress } from "./serving-container.ts";

/** Where the weights lie. */
export interface WeightsSource {
  readonly bucket: pulumi.Input<string>;
  readonly prefix: string;
  /** Key that they are encrypted with. @default AWS's own, which needs no permission */
  readonly kmsKeyArn?: string | undefined;
}

/** All that a container of the endpoint may touch. */
export interface ExecutionRoleArgs {
  readonly weights: WeightsSource;
  readonly image: string;
  readonly endpointName: pulumi.Input<string>;
  readonly region: string;
  /** Bucket of requests and answers in async mode. */
  readonly asyncBucket?: pulumi.Input<string> | undefined;
  /** Bucket of captured requests and answers. */
  readonly captureBucket?: pulumi.Input<string> | undefined;
  /** Names of the alarms that roll an update back, with a star for what is made up at their end; none when nothing is watched. */
  readonly alarms: readonly string[];
  readonly tags: TagInputs;
}

interface Known {
  readonly bucket: string;
  readonly prefix: string;
  readonly weightsKmsKeyArn: string | undefined;
  readonly image: string;
  readonly endpointName: string;
  readonly account: string;
  readonly region: string;
  readonly asyncBucket: string | undefined;
  readonly captureBucket: string | undefined;
  readonly alarms: readonly string[];
}

const Effect = "Allow";

function readWeights({ bucket, prefix, weightsKmsKeyArn }: Known): object[] {
  return [
    ...(weightsKmsKeyArn === undefined
      ? []
      : [{ Sid: "DecryptWeights", Effect, Action: "kms:Decrypt", Resource: weightsKmsKeyArn }]),
    {
      Sid: "ReadWeights",
      Effect,
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/${prefix}*`,
    },
    {
      Sid: "ListWeights",
      Effect,
      Action: "s3:ListBucket",
      Resource: `arn:aws:s3:::${bucket}`,
      Condition: { StringLike: { "s3:prefix": `${prefix}*` } },
    },
  ];
}

function pullImage({ image, account, region }: Known): object[] {
  const address = parseImageAddress(image) ?? { account, region, repository: "*" };
  return [
    // It takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    { Sid: "LogInToEcr", Effect, Action: "ecr:GetAuthorizationToken", Resource: "*" },
    {
      Sid: "PullImage",
      Effect,
      Action: [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
      ],
      Resource: `arn:aws:ecr:${address.region}:${address.account}:repository/${address.repository}`,
    },
  ];
}

function writeLogsAndMetrics({ endpointName, account, region }: Known): object[] {
  const group = `arn:aws:logs:${region}:${account}:log-group:/aws/sagemaker/Endpoints/${endpointName}`;
  return [
    {
      Sid: "WriteLogs",
      Effect,
      Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      Resource: [group, `${group}:*`],
    },
    // It takes no resource; the namespace limits it.
    {
      Sid: "WriteMetrics",
      Effect,
      Action: "cloudwatch:PutMetricData",
      Resource: "*",
      Condition: { StringLike: { "cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"] } },
    },
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
      ...pullImage(known),
      ...writeLogsAndMetrics(known),
      ...queueRequests(known),
      ...writeCaptures(known),
      ...watchAlarms(known),
    ],
  });
}

/** The role of the endpoint's containers, which SageMaker takes in this account alone; with the policy to wait for. */
export function executionRole(
  name: string,
  args: ExecutionRoleArgs,
  parent: pulumi.Resource,
): { readonly role: aws.iam.Role; readonly policy: aws.iam.RolePolicy } {
  const { weights, image, region, asyncBucket, tags } = args;
  const account = aws.getCallerIdentityOutput({}, { parent }).accountId;
  const role = new aws.iam.Role(
    `${name}-role`,
    {
      description: "berth: runs the containers of one endpoint",
      // https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
      assumeRolePolicy: account.apply((id) =>
        trustPolicy("sagemaker.amazonaws.com", `arn:aws:sagemaker:${region}:${id}:*`),
      ),
      tags: namedTags(tags, `${name}-role`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-run`,
    {
      role: role.name,
      policy: pulumi
        .all([weights.bucket, args.endpointName, account, asyncBucket, args.captureBucket])
        .apply(([bucket, endpointName, id, queue, captureBucket]) =>
          executionPolicy({
            bucket,
            prefix: weights.prefix,
            weightsKmsKeyArn: weights.kmsKeyArn,
            image,
            endpointName,
            account: id,
            region,
            asyncBucket: queue,
            captureBucket,
            alarms: args.alarms,
          }),
        ),
    },
    { parent },
  );
  return { role, policy };
}
