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

/**
 * Has a bucket refuse every request that is not over TLS.
 *
 * @param name of the policy's resource
 * @param opts with what shuts it in `dependsOn`: a policy that is put while public ones are still being blocked can be refused
 *   for a moment
 */
export function takeOnlyTls(
  name: string,
  bucket: aws.s3.Bucket,
  opts: pulumi.ResourceOptions,
): aws.s3.BucketPolicy {
  return new aws.s3.BucketPolicy(
    name,
    { bucket: bucket.id, policy: bucket.arn.apply(tlsOnly) },
    opts,
  );
}

/** Policy that refuses every request which is not over TLS. */
function tlsOnly(bucketArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [bucketArn, `${bucketArn}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
}
