import * as pulumi from "@pulumi/pulumi";

/**
 * Makes a role of a deployment anew when who may take it changes. So the deployer needs no `iam:UpdateAssumeRolePolicy`, which
 * has no condition key that would hold it to bounded roles
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
 */
export const roleTrust: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (type !== "aws:iam/role:Role") return undefined;
  return { props, opts: pulumi.mergeOptions(opts, { replaceOnChanges: ["assumeRolePolicy"] }) };
};
