import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { shutToPublic, takeOnlyTls } from "../private-bucket.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";

/** Days that a request and its answer stay. */
const keptDays = 7;

/**
 * The bucket of an endpoint's requests and answers, queued or captured: private, over TLS alone, emptied after a week, and gone with the stack.
 *
 * @param name of the bucket's resource
 */
function trafficBucket(name: string, tags: TagInputs, parent: pulumi.Resource): aws.s3.Bucket {
  const bucket = new aws.s3.Bucket(
    name,
    { forceDestroy: true, tags: namedTags(tags, name) },
    { parent },
  );
  const shut = shutToPublic(`${name}-private`, bucket, parent);
  takeOnlyTls(`${name}-tls`, bucket, { parent, dependsOn: [shut] });
  new aws.s3.BucketLifecycleConfiguration(
    `${name}-lifecycle`,
    {
      bucket: bucket.id,
      rules: [
        {
          id: "old-requests",
          status: "Enabled",
          filter: { prefix: "" },
          expiration: { days: keptDays },
          abortIncompleteMultipartUpload: { daysAfterInitiation: keptDays },
        },
      ],
    },
    { parent },
  );
  return bucket;
}

/** The buckets of an endpoint that queues, or that keeps a share of what passes. */
export interface TrafficBuckets {
  readonly asyncBucket: pulumi.Output<string> | undefined;
  readonly captureBucket: pulumi.Output<string> | undefined;
}

/** Those that the plan asks for. */
export function trafficBuckets(
  name: string,
  { plan, tags }: { readonly plan: EndpointPlan; readonly tags: TagInputs },
  parent: pulumi.Resource,
): TrafficBuckets {
  const { mode, captureDataPercent } = plan.endpoint;
  const bucket = (role: string) => trafficBucket(`${name}-${role}`, tags, parent).bucket;
  return {
    asyncBucket: mode === "async" ? bucket("queue") : undefined,
    captureBucket: captureDataPercent > 0 ? bucket("captures") : undefined,
  };
}
