import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "./named-tags.ts";

/** Types of AWS that take no tags, or whose tags are their parts'. */
export const untaggableTypes: ReadonlySet<string> = new Set([
  "aws:appautoscaling/policy:Policy",
  "aws:ec2/route:Route",
  "aws:ec2/routeTableAssociation:RouteTableAssociation",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:scheduler/schedule:Schedule",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketPolicy:BucketPolicy",
]);

/**
 * Gives a deployment's tags to every AWS resource that takes tags, whether or not its component thought of them. What the
 * resource says itself wins. A type that takes none and is not known to is refused by the provider, so that none is
 * overlooked.
 */
export function tagContract(tags: TagInputs): pulumi.ResourceTransformation {
  return ({ type, props, opts }) => {
    if (!type.startsWith("aws:") || untaggableTypes.has(type)) return undefined;
    const given = props as { readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>> };
    return { props: { ...given, tags: merged(tags, given.tags ?? {}) }, opts };
  };
}

/** Plain maps stay plain: in a preview one unknown value must not hide the others. */
function merged(
  contract: TagInputs,
  own: pulumi.Input<Record<string, pulumi.Input<string>>>,
): pulumi.Input<Record<string, pulumi.Input<string>>> {
  if (pulumi.Output.isInstance(own) || own instanceof Promise) {
    return pulumi.output(own).apply((known) => ({ ...contract, ...known }));
  }
  return { ...contract, ...own };
}
