import type { EndpointPlan } from "./endpoint-plan.ts";

/** Where a stack's weights lie. */
export interface WeightsKeys {
  /** Ends with a slash. @default `<model>/` */
  readonly weightsPrefix?: string | undefined;
  /** Key of the archive of an endpoint without instances. @default `<weightsPrefix>model.tar.gz` */
  readonly weightsArchive?: string | undefined;
}

/**
 * What a container is given of the bucket: the prefix that its files lie below, or the one archive of an endpoint without
 * instances. SageMaker says of files that are not compressed that they are for large models
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-uncompressed.html), and nowhere that a serverless
 * endpoint takes them; an archive it has always taken.
 */
export function weightsKey(
  { modelId, endpoint }: Pick<EndpointPlan, "modelId" | "endpoint">,
  { weightsPrefix = `${modelId}/`, weightsArchive = `${weightsPrefix}model.tar.gz` }: WeightsKeys,
): string {
  return endpoint.serverless === undefined ? weightsPrefix : weightsArchive;
}
