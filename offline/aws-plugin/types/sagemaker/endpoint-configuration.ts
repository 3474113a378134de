import type {
  AsyncInferenceConfig,
  DataCaptureConfig,
  ProductionVariant,
} from "@aws-sdk/client-sagemaker";
import { fromAws, toAws } from "../../engine/casing.ts";
import { resourceType, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, list, number, object, string } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { isObject } from "../../engine/wire.ts";
import { tagsOfArn, tagSageMaker, unlessMissing } from "./sagemaker-calls.ts";

const variant = object({
  variantName: string({ computed: true }),
  modelName: string(),
  instanceType: string(),
  initialInstanceCount: number(),
  initialVariantWeight: number({ default: 1 }),
  volumeSizeInGb: number(),
  inferenceAmiVersion: string(),
  modelDataDownloadTimeoutInSeconds: number(),
  containerStartupHealthCheckTimeoutInSeconds: number(),
  serverlessConfig: object({
    maxConcurrency: number({ required: true }),
    memorySizeInMb: number({ required: true }),
    provisionedConcurrency: number(),
  }),
});

const inputs = {
  name: string({ computed: true, replace: true }),
  kmsKeyArn: string({ replace: true }),
  productionVariants: list(variant, { required: true, replace: true }),
  shadowProductionVariants: list(variant, { replace: true }),
  asyncInferenceConfig: object(
    {
      clientConfig: object({ maxConcurrentInvocationsPerInstance: number() }),
      outputConfig: object(
        {
          s3OutputPath: string({ required: true }),
          s3FailurePath: string(),
          kmsKeyId: string(),
        },
        { required: true },
      ),
    },
    { replace: true },
  ),
  dataCaptureConfig: object(
    {
      enableCapture: boolean(),
      initialSamplingPercentage: number({ required: true }),
      destinationS3Uri: string({ required: true }),
      kmsKeyId: string(),
      captureOptions: list(object({ captureMode: string({ required: true }) }), { required: true }),
    },
    { replace: true },
  ),
};
type Inputs = InputsOf<typeof inputs>;

/** Names that differ from the API's by more than the case of their first letter. */
const apiNames: Readonly<Record<string, string>> = {
  VolumeSizeInGb: "VolumeSizeInGB",
  MemorySizeInMb: "MemorySizeInMB",
};

function rename(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, names));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    names[key] ?? key,
    rename(item, names),
  ]);
  return Object.fromEntries(entries);
}

const ourNames = Object.fromEntries(Object.entries(apiNames).map(([ours, api]) => [api, ours]));

function variants(given: Inputs["productionVariants"]): ProductionVariant[] {
  return rename(toAws(given), apiNames) as ProductionVariant[];
}

/** On what a model runs. Nothing of it can be changed: a change is a new one. */
export const endpointConfiguration = resourceType({
  token: "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 63 },
  tag: (context, _id, change, state) => tagSageMaker(context, change, state["arn"]),
  create: async (context, given) => {
    const sagemaker = await context.clients.sagemaker();
    await sagemaker.createEndpointConfig({
      EndpointConfigName: given.name,
      KmsKeyId: given.kmsKeyArn,
      ProductionVariants: variants(given.productionVariants),
      ...(given.shadowProductionVariants === undefined
        ? {}
        : { ShadowProductionVariants: variants(given.shadowProductionVariants) }),
      AsyncInferenceConfig: toAws(given.asyncInferenceConfig) as AsyncInferenceConfig | undefined,
      DataCaptureConfig: toAws(given.dataCaptureConfig) as DataCaptureConfig | undefined,
      Tags: awsTags(given.tagsAll),
    });
    return { id: given.name ?? "" };
  },
  read: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    const found = await unlessMissing(sagemaker.describeEndpointConfig({ EndpointConfigName: id }));
    if (found === undefined) return undefined;
    return {
      arn: found.EndpointConfigArn,
      name: found.EndpointConfigName,
      kmsKeyArn: found.KmsKeyId,
      productionVariants: fromAws(rename(found.ProductionVariants, ourNames)),
      ...(found.ShadowProductionVariants === undefined
        ? {}
        : {
            shadowProductionVariants: fromAws(rename(found.ShadowProductionVariants, ourNames)),
          }),
      asyncInferenceConfig: fromAws(found.AsyncInferenceConfig),
      dataCaptureConfig: fromAws(found.DataCaptureConfig),
      tagsAll: await tagsOfArn(context, found.EndpointConfigArn),
    };
  },
  delete: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    await unlessMissing(sagemaker.deleteEndpointConfig({ EndpointConfigName: id }));
  },
});
