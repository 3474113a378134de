import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { oneOrAll } from "../one-or-all.ts";
import { trustPolicy } from "../trust-policy.ts";

/** The one place that a host may read. */
export interface WeightsLocation {
  readonly bucket: pulumi.Input<string>;
  /** Ends with a slash. */
  readonly prefix: string;
}

/** Prefixes of one bucket that a host may read. */
export interface AdapterLocations {
  readonly bucket: pulumi.Input<string>;
  /** Each ends with a slash. */
  readonly prefixes: readonly string[];
}

/** Read access to prefixes of one bucket, in two statements however many: all policies in a role may have 10,240 characters. */
function readPrefixes(bucket: string, prefixes: readonly string[]): string {
  const below = prefixes.map((prefix) => `${prefix}*`);
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "ReadWeights",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:GetObjectAttributes"],
        Resource: oneOrAll(below.map((each) => `arn:aws:s3:::${bucket}/${each}`)),
      },
      {
        Sid: "ListWeights",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: `arn:aws:s3:::${bucket}`,
        Condition: { StringLike: { "s3:prefix": oneOrAll(below) } },
      },
    ],
  });
}

function readAdapters({ bucket, prefixes }: AdapterLocations): pulumi.Output<string> {
  return pulumi.output(bucket).apply((name) => readPrefixes(name, prefixes));
}

/** Reading and writing below one prefix of one bucket; what it may remove are checkpoints alone. */
function keepPolicy({ bucket, prefix }: WeightsLocation): pulumi.Output<string> {
  return pulumi.output(bucket).apply((name) => keepPrefix(name, prefix));
}

function keepPrefix(bucket: string, prefix: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "KeepCheckpoints",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `arn:aws:s3:::${bucket}/${prefix}*`,
      },
      {
        // The older ones. It could put something over them anyway.
        Sid: "PruneCheckpoints",
        Effect: "Allow",
        Action: "s3:DeleteObject",
        Resource: `arn:aws:s3:::${bucket}/${prefix}*/checkpoint-*`,
      },
      {
        // Without it S3 says "denied" of what is not there yet.
        Sid: "ListCheckpoints",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: `arn:aws:s3:::${bucket}`,
        Condition: { StringLike: { "s3:prefix": `${prefix}*` } },
      },
    ],
  });
}

/**
 * What the agent of Session Manager needs for sessions, and no more
 * (https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html).
 */
const sessionPolicy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "OpenSessions",
      Effect: "Allow",
      Action: [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ],
      Resource: "*",
    },
  ],
});

/** What a host's role is for. */
export interface RoleWishes {
  readonly weights: WeightsLocation;
  /** Where the host may keep checkpoints of a training. @default nowhere */
  readonly checkpoints?: WeightsLocation | undefined;
  /** Where adapters are that are served beside the model. @default nowhere */
  readonly adapters?: AdapterLocations | undefined;
  /** @default false */
  readonly sessionManager?: boolean | undefined;
  readonly tags: TagInputs;
}

/**
 * An instance profile whose role reads the weights, keeps checkpoints and opens sessions where that is asked for, and can do
 * nothing else.
 */
export function instanceProfile(
  name: string,
  { weights, checkpoints, adapters, sessionManager = false, tags }: RoleWishes,
  parent: pulumi.Resource,
): aws.iam.InstanceProfile {
  const role = new aws.iam.Role(
    `${name}-role`,
    {
      description: `berth: reads one prefix of one bucket${checkpoints === undefined ? "" : ", keeps checkpoints below another"}`,
      assumeRolePolicy: trustPolicy("ec2.amazonaws.com"),
      tags: namedTags(tags, `${name}-role`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-read-weights`,
    {
      role: role.name,
      policy: pulumi
        .output(weights.bucket)
        .apply((bucket) => readPrefixes(bucket, [weights.prefix])),
    },
    { parent },
  );
  const more = [
    ...(checkpoints === undefined ? [] : [["keep-checkpoints", keepPolicy(checkpoints)] as const]),
    ...(adapters === undefined ? [] : [["read-adapters", readAdapters(adapters)] as const]),
    ...(sessionManager ? [["open-sessions", sessionPolicy] as const] : []),
  ].map(
    ([what, text]) =>
      new aws.iam.RolePolicy(`${name}-${what}`, { role: role.name, policy: text }, { parent }),
  );
  // A host that starts before its role may read would find its weights denied for some seconds.
  return new aws.iam.InstanceProfile(
    `${name}-profile`,
    { role: role.name, tags: namedTags(tags, `${name}-profile`) },
    { parent, dependsOn: [policy, ...more] },
  );
}
