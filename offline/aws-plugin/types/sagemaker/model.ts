import type { ContainerDefinition } from "@aws-sdk/client-sagemaker";
import { resourceType, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, list, map, object, set, string } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { retryWhile } from "../../engine/waiting.ts";
import { isRoleUnknownYet, tagsOfArn, tagSageMaker, unlessMissing } from "./sagemaker-calls.ts";

const inputs = {
  name: string({ computed: true, replace: true }),
  executionRoleArn: string({ required: true, replace: true }),
  enableNetworkIsolation: boolean({ replace: true }),
  primaryContainer: object(
    {
      image: string(),
      mode: string({ default: "SingleModel" }),
      environment: map(),
      modelDataUrl: string(),
      modelDataSource: object({
        s3DataSources: list(
          object({
            s3Uri: string({ required: true }),
            s3DataType: string({ required: true, oneOf: ["S3Prefix", "S3Object"] }),
            compressionType: string({ required: true, oneOf: ["None", "Gzip"] }),
          }),
          { required: true },
        ),
      }),
    },
    { required: true, replace: true },
  ),
  vpcConfig: object(
    {
      subnets: set(string(), { required: true }),
      securityGroupIds: set(string(), { required: true }),
    },
    { replace: true },
  ),
};
type Inputs = InputsOf<typeof inputs>;

function container(given: Inputs["primaryContainer"]): ContainerDefinition {
  const source = given?.modelDataSource?.s3DataSources?.[0];
  return {
    Image: given?.image,
    Mode: given?.mode as "SingleModel",
    Environment: { ...given?.environment },
    ...(given?.modelDataUrl === undefined ? {} : { ModelDataUrl: given.modelDataUrl }),
    ...(source === undefined
      ? {}
      : {
          ModelDataSource: {
            S3DataSource: {
              S3Uri: source.s3Uri,
              S3DataType: source.s3DataType as "S3Prefix",
              CompressionType: source.compressionType as "None",
            },
          },
        }),
  };
}

function containerOf(found: ContainerDefinition | undefined): object {
  const source = found?.ModelDataSource?.S3DataSource;
  const { S3Uri, S3DataType, CompressionType } = source ?? {};
  const { Image, Mode = "SingleModel", Environment, ModelDataUrl } = found ?? {};
  return {
    image: Image,
    mode: Mode,
    environment: Environment ?? {},
    ...(ModelDataUrl === undefined ? {} : { modelDataUrl: ModelDataUrl }),
    ...(source === undefined
      ? {}
      : {
          modelDataSource: {
            s3DataSources: [
              { s3Uri: S3Uri, s3DataType: S3DataType, compressionType: CompressionType },
            ],
          },
        }),
  };
}

/** What a container serves, and as whom. Nothing of it can be changed. */
export const model = resourceType({
  token: "aws:sagemaker/model:Model",
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 63 },
  tag: (context, _id, change, state) => tagSageMaker(context, change, state["arn"]),
  create: async (context, given) => {
    const sagemaker = await context.clients.sagemaker();
    const { vpcConfig } = given;
    await retryWhile(context, 60, isRoleUnknownYet, () =>
      sagemaker.createModel({
        ModelName: given.name,
        ExecutionRoleArn: given.executionRoleArn,
        EnableNetworkIsolation: given.enableNetworkIsolation,
        PrimaryContainer: container(given.primaryContainer),
        VpcConfig:
          vpcConfig === undefined
            ? undefined
            : { Subnets: vpcConfig.subnets, SecurityGroupIds: vpcConfig.securityGroupIds },
        Tags: awsTags(given.tagsAll),
      }),
    );
    return { id: given.name ?? "" };
  },
  read: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    const found = await unlessMissing(sagemaker.describeModel({ ModelName: id }));
    if (found === undefined) return undefined;
    return {
      arn: found.ModelArn,
      name: found.ModelName,
      executionRoleArn: found.ExecutionRoleArn,
      enableNetworkIsolation: found.EnableNetworkIsolation ?? false,
      primaryContainer: containerOf(found.PrimaryContainer),
      vpcConfig:
        found.VpcConfig?.Subnets === undefined
          ? undefined
          : {
              subnets: found.VpcConfig.Subnets,
              securityGroupIds: found.VpcConfig.SecurityGroupIds,
            },
      tagsAll: await tagsOfArn(context, found.ModelArn),
    };
  },
  delete: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    await unlessMissing(sagemaker.deleteModel({ ModelName: id }));
  },
});
