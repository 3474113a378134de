import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import {
  DescribeInferenceComponentCommand,
  ListTagsCommand,
  paginateListInferenceComponents,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import type { SharedCopies } from "../../../components/cost/component-shares.ts";
import { modelTag } from "../../../components/identity.ts";
import { measuredHours } from "./hourly-metric.ts";

/**
 * Copies of a component: each reports its load once a minute, as an instance does
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, metrics of inference components).
 */
const copiesMetric = {
  namespace: "/aws/sagemaker/InferenceComponents",
  name: "CPUUtilizationNormalized",
  statistic: "SampleCount",
  perUnitHour: 60,
} as const;

interface Asked {
  readonly sagemaker: SageMakerClient;
  readonly cloudwatch: CloudWatchClient;
  readonly endpointName: string;
  /** Of one instance. */
  readonly gpuCount: number;
  readonly from: Date;
  readonly now: Date;
}

async function copiesOf(name: string, asked: Asked): Promise<SharedCopies> {
  const { sagemaker, cloudwatch, gpuCount, from, now } = asked;
  const found = await sagemaker.send(
    new DescribeInferenceComponentCommand({ InferenceComponentName: name }),
  );
  const { InferenceComponentArn: ResourceArn, RuntimeConfig, Specification } = found;
  const { Tags = [] } = await sagemaker.send(new ListTagsCommand({ ResourceArn }));
  const gpus =
    Specification?.ComputeResourceRequirements?.NumberOfAcceleratorDevicesRequired ?? gpuCount;
  const dimensions = { InferenceComponentName: name };
  return {
    name,
    modelId: Tags.find(({ Key }) => Key === modelTag)?.Value ?? name,
    shareOfInstance: gpus / gpuCount,
    copies: RuntimeConfig?.CurrentCopyCount ?? 0,
    measured: await measuredHours(cloudwatch, { ...copiesMetric, dimensions }, { from, now }),
  };
}

/** What the components of an endpoint reserve of its instances, and did. */
export async function endpointCopies(asked: Asked): Promise<readonly SharedCopies[]> {
  const { sagemaker: client, endpointName: EndpointNameEquals } = asked;
  const names: string[] = [];
  for await (const page of paginateListInferenceComponents({ client }, { EndpointNameEquals })) {
    const { InferenceComponents = [] } = page;
    names.push(
      ...InferenceComponents.map(({ InferenceComponentName = "" }) => InferenceComponentName),
    );
  }
  return Promise.all(names.map((name) => copiesOf(name, asked)));
}
