import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "./named-tags.ts";
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
