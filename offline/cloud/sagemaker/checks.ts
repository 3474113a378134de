import type { Faults } from "../faults.ts";
import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import { endpointQuota } from "./endpoint-quotas.ts";
import type { HostedContainer, HostedVariant } from "./hosted-endpoint.ts";
import { typesOf } from "./provision.ts";
import { objectsBelow } from "./model-data.ts";
import { checkServerlessConfig, checkServerlessQuota, checkShadows } from "./variant-checks.ts";
import { imageExists, type ServingImage } from "./serving-images.ts";

function refuse(message: string): never {
  throw new ApiError("ValidationException", message);
}

const namePattern = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;

function checkName(member: string, value: unknown): void {
  if (typeof value === "string" && namePattern.test(value)) return;
  refuse(
    `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`,
  );
}

function checkModel(call: ApiRequest, store: ObjectStore, images: readonly ServingImage[]): void {
  checkName("modelName", call.parameters["ModelName"]);
  const container = (call.parameters["PrimaryContainer"] ?? {}) as HostedContainer;
  const { Image = "", ModelDataSource } = container;
  if (!imageExists(Image, images)) refuse(`Requested image ${Image} not found.`);
  const { ModelDataUrl: archive } = container;
  if (archive !== undefined && !objectsBelow(store, archive).some(isAt(archive))) {
    refuse(`Could not find model data at ${archive}.`);
  }
  const uri = ModelDataSource?.S3DataSource?.S3Uri;
  if (uri === undefined) return;
  if (!uri.endsWith("/")) refuse(`S3Uri of S3Prefix must end with "/", and ${uri} does not.`);
  if (objectsBelow(store, uri).length === 0) refuse(`Could not find model data at ${uri}.`);
}

function isAt(uri: string): (object: { readonly key: string }) => boolean {
  return ({ key }) => uri.endsWith(`/${key}`);
}

/** Types whose disks are NVMe take no size of a volume: docs.aws.amazon.com/sagemaker/latest/dg/host-instance-storage.html */
export const withNvme = /^ml\.(g4dn|g5|g6|g6e|g7|g7e|p4d|p4de|p5|p5e|p5en|p6\S*|trn1\S*|\w+d)\./;

function checkPools(type: string | undefined, pools: HostedVariant["InstancePools"]): void {
  if (pools === undefined) return;
  if (type !== undefined) refuse("InstanceType and InstancePools cannot both be specified.");
  const priorities = new Set(pools.map(({ Priority }) => Priority));
  const inRange = [...priorities].every((each) => each >= 1 && each <= 5);
  if (pools.length < 1 || pools.length > 5 || !inRange) {
    refuse("InstancePools takes 1 to 5 pools, with priorities from 1 to 5.");
  }
}

/** Where a variant without a model may not go down to no instances: seen in 2026-08, https://github.com/stdapi-ai/stdapi.ai/issues/43 */
const withoutZero = new Set(["eu-west-3"]);

/** Of a variant whose models come as inference components. */
function checkWithoutModel(call: ApiRequest, variant: HostedVariant): void {
  if (call.parameters["ExecutionRoleArn"] === undefined) {
    refuse("ExecutionRoleArn is required when a production variant has no ModelName.");
  }
  if (variant.ManagedInstanceScaling?.MinInstanceCount === 0 && withoutZero.has(call.region)) {
    refuse("MinInstanceCount 0 of ManagedInstanceScaling is not supported in this region.");
  }
}

function checkConfig(call: ApiRequest): void {
  checkName("endpointConfigName", call.parameters["EndpointConfigName"]);
  checkServerlessConfig(call);
  checkShadows(call);
  for (const variant of (call.parameters["ProductionVariants"] ?? []) as (HostedVariant & {
    VolumeSizeInGB?: number;
  })[]) {
    const { InstanceType, InstancePools, VolumeSizeInGB } = variant;
    checkPools(InstanceType, InstancePools);
    if (variant.ModelName === undefined) checkWithoutModel(call, variant);
    const withDisks = typesOf(variant).find((type) => withNvme.test(type));
    if (VolumeSizeInGB !== undefined && withDisks !== undefined) {
      refuse(
        `VolumeSizeInGB parameter is not allowed for the selected Instance type ${withDisks}.`,
      );
    }
    const seconds = variant.ContainerStartupHealthCheckTimeoutInSeconds;
    if (seconds !== undefined && (seconds < 60 || seconds > 3600)) {
      refuse(
        `1 validation error detected: Value '${seconds}' at 'productionVariants.1.member.containerStartupHealthCheckTimeoutInSeconds' failed to satisfy constraint: Member must have value between 60 and 3600`,
      );
    }
  }
}

/** Refuses what SageMaker refuses at once, and moto takes. */
export function checkSageMakerCall(
  call: ApiRequest,
  { store, images }: { store: ObjectStore; images: readonly ServingImage[] },
): void {
  if (call.operation === "CreateModel") checkModel(call, store, images);
  if (call.operation === "CreateEndpointConfig") checkConfig(call);
  if (call.operation === "CreateEndpoint") {
    checkName("endpointName", call.parameters["EndpointName"]);
  }
}

/** Refuses an endpoint for which the account's quota has no room. */
export function checkEndpointQuota(faults: Faults, variants: readonly HostedVariant[]): void {
  for (const variant of variants) {
    checkServerlessQuota(faults, variant);
    const { InitialInstanceCount = 1 } = variant;
    const [InstanceType = ""] = typesOf(variant);
    if (InstanceType === "") continue;
    const value = endpointQuota(faults, InstanceType);
    if (InitialInstanceCount <= value) continue;
    throw new ApiError(
      "ResourceLimitExceeded",
      `The account-level service limit '${InstanceType} for endpoint usage' is ${value} Instances, with current utilization of 0 Instances and a request delta of ${InitialInstanceCount} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.`,
    );
  }
}
