import { z } from "zod";
import { fitsOneNotification, isAlertAddress } from "../components/budget/budget-alerts.ts";
import { parseHostAddress } from "../components/host-address.ts";
import { longestAgeHours } from "../components/lease/extension.ts";
import { longestLeaseHours } from "../components/lease/lease.ts";
import { parseOfficeHours } from "../components/lease/office-hours.ts";
import { cidrProblem } from "../components/network/cidr.ts";
import { markets } from "../components/plan.ts";
import { updateStrategies } from "../components/sagemaker-endpoint/endpoint-update.ts";
import { mostPools } from "../components/sagemaker-endpoint/instance-pools.ts";
import { explainUserError, UserError } from "../components/user-error.ts";
import { furtherModelsShape, servingImage } from "./further-models-schema.ts";
import { serverlessShape } from "./serverless-schema.ts";
import { servingKeys, servingShape } from "./serving-schema.ts";
import {
  flag,
  licenceNames,
  list,
  listed,
  number,
  ownTags,
  text,
  whole,
} from "./setting-values.ts";

const sshCidr = text.superRefine((value, context) => {
  const problem = cidrProblem(value);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const publicKey = text.refine(
  (value) => /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*( .*)?$/.test(value),
  "must be one line of OpenSSH's public form, such as the content of ~/.ssh/id_ed25519.pub",
);

const leaseHours = z.union(
  [z.literal("none"), number.refine((hours) => hours > 0 && hours <= longestLeaseHours)],
  `must be hours, more than 0 and at most ${longestLeaseHours}, or "none"`,
);

const prefix = text
  .refine((value) => !value.startsWith("/") && !/[*?$"\\]/.test(value), "must be a plain S3 prefix")
  .transform((value) => (value.endsWith("/") ? value : `${value}/`));

const bucketName = text.refine(
  (value) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value),
  "must be the name of an S3 bucket",
);

function isDeadline(value: string): boolean {
  return value === "none" || z.iso.datetime({ offset: true }).safeParse(value).success;
}

const officeHours = text.superRefine((value, context) => {
  try {
    parseOfficeHours(value);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.addIssue({ code: "custom", message: explainUserError(error) });
  }
});

const addressWrong = "must be e-mail addresses, 10 at most, and the ARN of one SNS topic at most";
const alertAddresses = z.preprocess(
  listed,
  z
    .array(z.string(addressWrong).refine(isAlertAddress, addressWrong), addressWrong)
    .min(1, addressWrong)
    .refine(fitsOneNotification, addressWrong),
);

const port = whole(1, 65_535);

/** The four environments, each with its own defaults. */
export const environments = ["dev", "staging", "prod", "local"] as const;

/** What every key of the `berth:` namespace may be; a key that is not here is a mistake. */
export const berthSchema = z.strictObject({
  env: z.enum(environments, `must be one of ${environments.join(", ")}`).optional(),
  model: text,
  owner: text.refine(
    (value) => /^[\p{L}\p{N} _.:/=+@-]{1,128}$/u.test(value),
    "must be letters, digits, spaces and _ . : / = + - @, since it becomes a tag",
  ),
  /** Tags that everything gets besides berth's own. @default none */
  tags: ownTags.optional(),
  target: z.literal("ec2", 'must be "ec2", "sagemaker" or "existing-host"').default("ec2"),
  spot: flag.optional(),
  /** How capacity is bought, and in which order; it says more than `spot` and wins over it. */
  market: z.enum(markets, `must be one of ${markets.join(", ")}`).optional(),
  /** Most that the instance may cost in an hour on spot, USD. @default its on-demand price */
  spotMaxHourlyUsd: number.refine((usd) => usd > 0, "must be USD, more than 0").optional(),
  /** Availability zones to try, in this order. @default three that offer most of the types */
  zones: list(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, "us-east-1a, us-east-1b").optional(),
  leaseHours: leaseHours.optional(),
  expiresAt: text
    .refine(isDeadline, 'must be a time such as 2026-12-24T18:00:00Z, or "none"')
    .optional(),
  /** Hours from the start that no lease and no extension passes. */
  maxAgeHours: number
    .refine(
      (hours) => hours > 0 && hours <= longestAgeHours,
      `must be hours, more than 0 and at most ${longestAgeHours}`,
    )
    .optional(),
  /** USD that a lease, or a month without an end, may cost by the plan. @default no limit */
  budgetUsd: number.refine((amount) => amount > 0, "must be USD, more than 0").optional(),
  /** USD that a calendar month may cost by the schedule; arms an AWS budget too. @default none */
  monthlyBudgetUsd: number.refine((amount) => amount > 0, "must be USD, more than 0").optional(),
  /** Who is told of the AWS budget. @default the owner, when that is an e-mail address */
  budgetAlerts: alertAddresses.optional(),
  /** Role that may start nothing more once the month's budget is spent. @default none */
  budgetDenyRole: text
    .refine((value) => /^[\w+=,.@-]{1,64}$/.test(value), "must be the name of a role, without path")
    .optional(),
  /** Policy that is then attached to it. */
  budgetDenyPolicyArn: text
    .refine(
      (value) => /^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/\S+$/.test(value),
      "must be the ARN of a policy",
    )
    .optional(),
  /** Regions besides the stack's own that are swept after the deadline; `default` is every account's. @default none */
  sweepRegions: list(/^(default|[a-z]{2}(-[a-z]+)+-\d)$/, "default, me-central-1").optional(),
  /** Minutes without use after which the host ends itself. @default never */
  idleMinutes: whole(10, 1440).optional(),
  /** Weekly windows; a lease ends with the window that it begins in. @default none */
  officeHours: officeHours.optional(),
  protect: flag.optional(),
  sshCidr,
  sshPublicKey: publicKey,
  sshPort: port.default(22),
  /** What is on the way: ssm, instance-connect, or a bastion. @default SSH goes straight to the host */
  sshThrough: text
    .refine(
      (value) => /^(ssm|instance-connect)$/.test(value) || parseHostAddress(value) !== undefined,
      "must be ssm, instance-connect or user@bastion",
    )
    .optional(),
  sshThroughHostKey: publicKey.optional(),
  serverPort: port.default(8000),
  context: whole(1, 10_000_000).optional(),
  concurrency: whole(1, 10_000).default(1),
  precision: z
    .enum(["auto", "native", "int8", "int4"], "must be auto, native, int8 or int4")
    .default("auto"),
  ...servingShape({ number, text, cidr: sshCidr }),
  instanceTypes: list(/^(ml\.)?[a-z0-9-]+\.[a-z0-9-]+$/, "g5.xlarge, g6.xlarge").optional(),
  gpuCount: whole(1, 16).optional(),
  /** Equal hosts, all of one type in one zone. */
  hosts: whole(1, 64).default(1),
  /** Several hosts as close as can be, with an Elastic Fabric Adapter where the type has one. @default false */
  clusterNetwork: flag.optional(),
  /** What each further host's server port is higher by, where hosts share one loopback, as emulated ones do. */
  serverPortStep: whole(0, 1).default(0),
  rootVolumeGiB: whole(20, 16_384).optional(),
  weightsBucket: bucketName.optional(),
  weightsPrefix: prefix.optional(),
  weightsInclude: list(/^\S+$/, "*.safetensors, *.json").optional(),
  weightsExclude: list(/^\S+$/, "original/**").optional(),
  weightsRegion: text
    .refine((value) => /^[a-z]{2}(-[a-z]+)+-\d$/.test(value), "must be a region such as us-east-1")
    .optional(),
  weightsRequesterPays: flag.optional(),
  /** Where `berth train` keeps checkpoints: `<prefix>checkpoints/<job>/`. @default nowhere */
  checkpointsPrefix: prefix.optional(),
  /** @default the bucket of the weights */
  checkpointsBucket: bucketName.optional(),
  vpcId: text
    .refine((value) => /^vpc-[0-9a-f]+$/.test(value), "must be a VPC such as vpc-0123abcd")
    .optional(),
  subnetIds: list(/^subnet-[0-9a-f]+$/, "subnet-0123abcd").optional(),
  imageId: text
    .refine((value) => /^ami-[0-9a-f]+$/.test(value), "must be an image such as ami-0123abcd")
    .optional(),
  /** Policy that bounds every role that is made. @default none */
  permissionsBoundaryArn: text
    .refine(
      (value) => /^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/.test(value),
      "must be the ARN of a policy",
    )
    .optional(),
  /** Gated licences that a person has read and accepted, by their names in the plan. @default none */
  acceptLicence: licenceNames.optional(),
});

/** What the keys hold once they are checked. */
export type BerthSettings = Readonly<z.infer<typeof berthSchema>>;

/** What only a GPU host is asked; a SageMaker endpoint has no disk of its own, no image and nobody who logs in. */
const hostOnly = {
  vpcId: true,
  hosts: true,
  clusterNetwork: true,
  imageId: true,
  rootVolumeGiB: true,
  ...servingKeys,
  sshThrough: true,
  sshThroughHostKey: true,
  idleMinutes: true,
  weightsInclude: true,
  weightsExclude: true,
  weightsRegion: true,
  weightsRequesterPays: true,
  checkpointsPrefix: true,
  checkpointsBucket: true,
} as const;

/** What the keys may be when the target is a SageMaker endpoint. */
export const endpointSchema = berthSchema
  .omit(hostOnly)
  .partial({ sshCidr: true, sshPublicKey: true })
  .extend({
    target: z.literal("sagemaker"),
    /** Needed, since SageMaker looks at the weights when the model is made: a bucket of the stack's own would be empty. */
    weightsBucket: bucketName,
    endpointMode: z
      .enum(
        ["realtime", "async", "components", "serverless"],
        "must be realtime, async, components or serverless",
      )
      .optional(),
    minInstances: whole(0, 100).optional(),
    maxInstances: whole(1, 100).optional(),
    imageUri: text.optional(),
    /** What serves in the containers. @default the plan's engine */
    servingImage: servingImage.optional(),
    updateStrategy: z.enum(updateStrategies, `must be ${updateStrategies.join(", ")}`).optional(),
    updateBakeSeconds: whole(0, 3600).optional(),
    rollbackAlarms: list(/^\S.{0,254}$/, "my-latency-alarm").optional(),
    /** Weekly windows outside of which the endpoint is deleted; model and configuration stay. @default none */
    endpointHours: officeHours.optional(),
    /** Key that the objects of the weights are encrypted with, where it is not AWS's own. */
    weightsKmsKeyArn: text
      .refine((value) => /^arn:aws[a-z-]*:kms:/.test(value), "must be the ARN of a KMS key")
      .optional(),
    fallbackTypes: whole(0, mostPools - 1).optional(),
    ...furtherModelsShape({
      ...{ text, prefix, whole },
      share: number.refine(
        (share) => share >= 0 && share <= 100,
        "must be a percentage from 0 to 100",
      ),
      sampled: number.refine(
        (share) => share > 0 && share <= 100,
        "must be a percentage above 0, 100 at most",
      ),
      instanceTypes: list(/^(ml\.)?[a-z0-9-]+\.[a-z0-9-]+$/, "g5.xlarge, g6.xlarge"),
      precision: berthSchema.shape.precision,
    }),
    ...serverlessShape({ text, number, whole }),
    captureDataPercent: whole(0, 100).optional(),
    /** No calls out of the containers: a model is a stranger's file. @default false */
    networkIsolation: flag.optional(),
    /** A notebook instance beside the endpoint, such as ml.t3.medium. @default none */
    notebookType: text
      .refine(
        (value) => /^ml\.[a-z0-9-]+\.[a-z0-9]+$/.test(value),
        "must be a type such as ml.t3.medium",
      )
      .optional(),
    /** Minutes without use after which it stops itself. */
    notebookIdleMinutes: whole(10, 1440).default(60),
    /** Its price, where berth knows none, USD an hour. */
    notebookHourlyUsd: number.refine((usd) => usd > 0, "must be USD, more than 0").optional(),
    securityGroupIds: list(/^sg-[0-9a-f]+$/, "sg-0123abcd").optional(),
    kmsKeyArn: text
      .refine((value) => /^arn:aws[a-z-]*:kms:/.test(value), "must be the ARN of a KMS key")
      .optional(),
  });

/** What the keys of an endpoint's stack hold once they are checked. */
export type BerthEndpointSettings = Readonly<z.infer<typeof endpointSchema>>;
