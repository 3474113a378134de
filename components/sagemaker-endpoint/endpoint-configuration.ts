import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { firstVariantName, type FurtherModel } from "./further-models.ts";
import { HostedConfiguration } from "./hosted-configuration.ts";
import type { HostedModel } from "./hosted-models.ts";
import type { ServerlessShape } from "./serverless-plan.ts";

/** How long SageMaker looks for capacity among several types, seconds; 300 to 3600 are allowed. */
const provisionTimeoutSeconds = 900;

/** What a configuration is made of. */
export interface EndpointConfigurationArgs {
  readonly plan: EndpointPlan;
  readonly region: string;
  /** The models of the plan, in their order. */
  readonly models: readonly HostedModel[];
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
  const { pools, copy, further, share } = args.plan.endpoint;
  const configuration = configurationOf(name, args);
  const sharing = further.filter(({ isShadow }) => !isShadow);
  if (pools.length === 1 && copy === undefined && sharing.length === 0) {
    return new aws.sagemaker.EndpointConfiguration(`${name}-config`, configuration, { parent });
  }
  return new HostedConfiguration(
    `${name}-config`,
    {
      region: args.region,
      namePrefix: `${name}-config`,
      configuration,
      instanceTypes: pools.map(({ instanceType }) => instanceType),
      provisionTimeoutSeconds,
      ...(sharing.length > 0 && copy === undefined
        ? { initialWeights: [share, ...sharing.map((each) => each.share)] }
        : {}),
    },
    { parent },
  );
}

/** What a variant has, whichever it is. */
function variantOf(
  variantName: string,
  instanceType: string,
  {
    volumeGiB,
    container: { inferenceAmiVersion },
  }: Pick<EndpointPlan["endpoint"], "volumeGiB" | "container">,
) {
  return {
    variantName,
    instanceType,
    initialVariantWeight: 1,
    ...(volumeGiB === undefined ? {} : { volumeSizeInGb: volumeGiB }),
    ...(inferenceAmiVersion === undefined ? {} : { inferenceAmiVersion }),
  };
}

function furtherVariant(further: FurtherModel, models: readonly HostedModel[]) {
  return {
    ...variantOf(further.name, further.instanceType, further),
    ...modelOf(models, further.name),
    initialInstanceCount: further.minInstances,
    // Against the 1 of the variant whose requests it gets copies of.
    ...(further.isShadow ? { initialVariantWeight: further.share / 100 } : {}),
  };
}

function configurationOf(
  name: string,
  args: EndpointConfigurationArgs,
): aws.sagemaker.EndpointConfigurationArgs {
  const { plan, models, asyncBucket, captureBucket, kmsKeyArn, tags } = args;
  const { endpoint, ladder, concurrency } = plan;
  const { copy, further, instances, serverless } = endpoint;
  const ofKind = (isShadow: boolean) =>
    further
      .filter((each) => each.isShadow === isShadow)
      .map((each) => furtherVariant(each, models));
  const shadows = ofKind(true);
  const hasVolumes = [endpoint, ...further].every(({ volumeGiB }) => volumeGiB !== undefined);
  return {
    productionVariants: [
      serverless === undefined
        ? {
            ...variantOf(firstVariantName, ladder[0].instanceType, endpoint),
            ...(copy === undefined ? modelOf(models, firstVariantName) : managed(endpoint)),
            initialInstanceCount: instances.first,
          }
        : withoutInstances(serverless, models),
      ...(copy === undefined ? ofKind(false) : []),
    ],
    ...(shadows.length === 0 ? {} : { shadowProductionVariants: shadows }),
    // Where a component brings the model, its instances need the role before there is one.
    ...(copy === undefined ? {} : { executionRoleArn: models[0]?.model.executionRoleArn }),
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
    ...(kmsKeyArn === undefined || !hasVolumes ? {} : { kmsKeyArn }),
    tags: namedTags(tags, `${name}-config`),
  };
}

/** A variant that has the model itself. */
function modelOf(models: readonly HostedModel[], variantName: string) {
  const found = models.find(({ part }) => part.variantName === variantName);
  return {
    modelName: found?.model.name,
    modelDataDownloadTimeoutInSeconds: found?.part.downloadTimeoutSeconds,
    containerStartupHealthCheckTimeoutInSeconds: found?.part.startupTimeoutSeconds,
  };
}

/** A variant of containers that come with the requests; how long they may take is SageMaker's to say. */
function withoutInstances(
  { memoryMiB, concurrency, provisionedConcurrency }: ServerlessShape,
  models: readonly HostedModel[],
) {
  return {
    variantName: firstVariantName,
    modelName: modelOf(models, firstVariantName).modelName,
    initialVariantWeight: 1,
    serverlessConfig: {
      memorySizeInMb: memoryMiB,
      maxConcurrency: concurrency,
      ...(provisionedConcurrency === 0 ? {} : { provisionedConcurrency }),
    },
  };
}

/** A variant whose instances SageMaker starts and ends by the copies that components ask for. */
function managed({ instances: { least, most } }: EndpointPlan["endpoint"]) {
  return {
    managedInstanceScaling: {
      status: "ENABLED",
      minInstanceCount: least,
      maxInstanceCount: most,
    },
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
