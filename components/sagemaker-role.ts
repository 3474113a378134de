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
