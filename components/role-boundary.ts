import type * as pulumi from "@pulumi/pulumi";

/**
 * Gives every role of a deployment a permissions boundary, whether or not its component thought of it: the most that the role may
 * ever do, whoever writes its policies (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
 *
 * @param arn of the policy; nothing is changed without one
 */
export function roleBoundary(arn: string | undefined): pulumi.ResourceTransformation {
  return ({ type, props, opts }) => {
    if (arn === undefined || type !== "aws:iam/role:Role") return undefined;
    return { props: { ...(props as object), permissionsBoundary: arn }, opts };
  };
}
