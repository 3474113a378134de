import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { PooledConfiguration } from "./pooled-configuration.ts";

/** The one variant of an endpoint; the name that SageMaker's own tools give it. */
export const variantName = "AllTraffic";

/** How long SageMaker looks for capacity among several types, seconds; 300 to 3600 are allowed. */
const provisionTimeoutSeconds = 900;

/** What a configuration is made of. */
export interface EndpointConfigurationArgs {
  readonly plan: EndpointPlan;
  readonly region: string;
  readonly model: aws.sagemaker.Model;
  readonly asyncBucket: pulumi.Output<string> | undefined;
  readonly captureBucket: pulumi.Output<string> | undefined;
  readonly kmsKeyArn?: string | undefined;
  readonly tags: TagInputs;
}

/**
 * The configuration of an endpoint. It cannot be changed, only made anew: it has no name of its own, so that the next one is
 * there before this one goes, and an endpoint is never left with a configuration that is gone.
 */
export function endpointConfiguration(
  name: string,
  args: EndpointConfigurationArgs,
  parent: pulumi.Resource,
): { readonly name: pulumi.Output<string> } {
  const { pools } = args.plan.endpoint;
  const configuration = configurationOf(name, args);
  if (pools.length === 1) {
    return new aws.sagemaker.EndpointConfiguration(`${name}-config`, configuration, { parent });
  }
  return new PooledConfiguration(
    `${name}-config`,
    {
      region: args.region,
      namePrefix: `${name}-config`,
      configuration,
      instanceTypes: pools.map(({ instanceType }) => instanceType),
      provisionTimeoutSeconds,
    },
    { parent },
  );
}

function configurationOf(
  name: string,
  args: EndpointConfigurationArgs,
): aws.sagemaker.EndpointConfigurationArgs {
  const { plan, model, asyncBucket, captureBucket, kmsKeyArn, tags } = args;
  const { endpoint, ladder, concurrency } = plan;
  const { volumeGiB, minInstances, container } = endpoint;
  return {
    productionVariants: [
      {
        variantName,
        modelName: model.name,
        instanceType: ladder[0].instanceType,
        // It starts with one, so that a mistake shows at once; scaling takes it to none later.
        initialInstanceCount: Math.max(1, minInstances),
        initialVariantWeight: 1,
        modelDataDownloadTimeoutInSeconds: endpoint.downloadTimeoutSeconds,
        containerStartupHealthCheckTimeoutInSeconds: endpoint.startupTimeoutSeconds,
        ...(volumeGiB === undefined ? {} : { volumeSizeInGb: volumeGiB }),
        ...(container.inferenceAmiVersion === undefined
          ? {}
          : { inferenceAmiVersion: container.inferenceAmiVersion }),
      },
    ],
    ...(asyncBucket === undefined
      ? {}
      : {
          asyncInferenceConfig: {
            outputConfig: {
              s3OutputPath: pulumi.interpolate`s3://${asyncBucket}/answers/`,
              s3FailurePath: pulumi.interpolate`s3://${asyncBucket}/failures/`,
            },
            clientConfig: { maxConcurrentInvocationsPerInstance: concurrency },
          },
        }),
    ...(captureBucket === undefined
      ? {}
      : { dataCaptureConfig: capture(captureBucket, endpoint.captureDataPercent) }),
    // A key is refused where the disks are NVMe, which the hardware encrypts itself.
    ...(kmsKeyArn === undefined || volumeGiB === undefined ? {} : { kmsKeyArn }),
    tags: namedTags(tags, `${name}-config`),
  };
}

function capture(bucket: pulumi.Output<string>, initialSamplingPercentage: number) {
  return {
    enableCapture: true,
    initialSamplingPercentage,
    destinationS3Uri: pulumi.interpolate`s3://${bucket}/captures/`,
    captureOptions: [{ captureMode: "Input" }, { captureMode: "Output" }],
  };
}
