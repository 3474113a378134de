import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { parseImageAddress } from "./container-images/image-address.ts";
import { namedTags, type TagInputs } from "./named-tags.ts";
import { oneOrAll } from "./one-or-all.ts";
import { trustPolicy } from "./trust-policy.ts";

/** What a role of SageMaker is made of. */
export interface SageMakerRoleArgs {
  readonly description: string;
  readonly region: string;
  readonly account: pulumi.Output<string>;
  readonly tags: TagInputs;
}

/**
 * A role that SageMaker takes for things of this account and region alone
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html).
 */
export function sagemakerRole(
  name: string,
  { description, region, account, tags }: SageMakerRoleArgs,
  opts: pulumi.ResourceOptions,
): aws.iam.Role {
  return new aws.iam.Role(
    name,
    {
      description,
      assumeRolePolicy: account.apply((id) =>
        trustPolicy("sagemaker.amazonaws.com", `arn:aws:sagemaker:${region}:${id}:*`),
      ),
      tags: namedTags(tags, name),
    },
    opts,
  );
}

/**
 * What the role of containers in a network of the account may do, for models as for jobs
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html); SageMaker refuses the network without it.
 */
export function standInVpc(inVpc: boolean): object[] {
  if (!inVpc) return [];
  const Action = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
  ];
  return [{ Sid: "StandInVpc", Effect: "Allow", Action, Resource: "*" }];
}

/** What the role of containers may do to pull its images; one whose address is not of ECR's form is the own account's. */
export function pullImages(
  images: readonly string[],
  { account, region }: { readonly account: string; readonly region: string },
): object[] {
  const addresses = images.map(
    (image) => parseImageAddress(image) ?? { account, region, repository: "*" },
  );
  return [
    // It takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    { Sid: "LogInToEcr", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
    {
      Sid: "PullImage",
      Effect: "Allow",
      Action: [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
      ],
      Resource: oneOrAll(
        addresses.map((at) => `arn:aws:ecr:${at.region}:${at.account}:repository/${at.repository}`),
      ),
    },
  ];
}

/** What its containers measure of themselves. It takes no resource; the namespace limits it. */
export const writeMetrics: object = {
  Sid: "WriteMetrics",
  Effect: "Allow",
  Action: "cloudwatch:PutMetricData",
  Resource: "*",
  Condition: { StringLike: { "cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"] } },
};
