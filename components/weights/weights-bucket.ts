import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { shutToPublic, takeOnlyTls } from "../private-bucket.ts";

/** Days after which an upload that nobody finished is removed, so that it does not cost for ever. */
const abandonedUploadDays = 7;

/** What a bucket of weights is made with. */
export interface WeightsBucketArgs {
  /** Delete the objects with the bucket; false makes a destroy of a full bucket fail. */
  readonly disposable: boolean;
  readonly tags: TagInputs;
}

/**
 * A private, encrypted bucket for weights, that only takes TLS.
 *
 * ### Cost
 * $0.023 a GB-month in us-east-1 (https://aws.amazon.com/s3/pricing/): 13.5 GB of Llama 2 7B cost $0.31 a month.
 */
export class WeightsBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;

  constructor(name: string, args: WeightsBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:WeightsBucket", name, {}, opts);
    const bucket = new aws.s3.Bucket(
      `${name}-bucket`,
      { forceDestroy: args.disposable, tags: namedTags(args.tags, `${name}-bucket`) },
      { parent: this },
    );
    const shut = shutToPublic(`${name}-private`, bucket, this);
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket: bucket.id,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      },
      { parent: this },
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        bucket: bucket.id,
        rules: [
          {
            id: "abandoned-uploads",
            status: "Enabled",
            filter: { prefix: "" },
            abortIncompleteMultipartUpload: { daysAfterInitiation: abandonedUploadDays },
          },
        ],
      },
      { parent: this },
    );
    takeOnlyTls(`${name}-tls`, bucket, { parent: this, dependsOn: [shut] });
    this.bucketName = bucket.bucket;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
