import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Shuts a bucket to the public, whatever a policy or an ACL of it says later.
 *
 * @param name of the block's resource
 */
export function shutToPublic(
  name: string,
  bucket: aws.s3.Bucket,
  parent: pulumi.Resource,
): aws.s3.BucketPublicAccessBlock {
  return new aws.s3.BucketPublicAccessBlock(
    name,
    {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    { parent },
  );
}
