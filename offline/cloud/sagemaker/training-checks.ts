import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Faults } from "../faults.ts";
import { ApiError } from "../proxy/api-request.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import { withNvme } from "./checks.ts";
import { objectsBelow } from "./model-data.ts";
import type { TrainingRequest } from "./training-view.ts";

/** Instances of a type that an account may have in training jobs here, unless a `quota` fault says none. */
const granted = 4;

/** How the quotas of training jobs end, as Service Quotas names them. */
const kinds = ["training job usage", "spot training job usage", "training warm pool usage"];

const { types } = JSON.parse(
  readFileSync(new URL("../data/gpu-instance-types.json", import.meta.url), "utf8"),
) as { readonly types: Readonly<Record<string, unknown>> };

function refuse(message: string): never {
  throw new ApiError("ValidationException", message);
}

function quotaOf(faults: Faults, instanceType: string): number {
  const none = faults.all().some(({ kind, service, operation, instanceType: of }) => {
    if (kind !== "quota" || service !== "sagemaker") return false;
    if (operation !== undefined && operation !== "CreateTrainingJob") return false;
    return of === undefined || of === instanceType;
  });
  return none ? 0 : granted;
}

/** Quotas of training jobs as Service Quotas lists them. */
export function trainingQuotas(faults: Faults): { code: string; name: string; value: number }[] {
  return Object.keys(types).flatMap((type) =>
    kinds.map((kind) => {
      const name = `ml.${type} for ${kind}`;
      const code = `L-${createHash("sha256").update(name).digest("hex").slice(0, 8).toUpperCase()}`;
      return { code, name, value: quotaOf(faults, `ml.${type}`) };
    }),
  );
}

function checkTimes(request: TrainingRequest): void {
  const { MaxRuntimeInSeconds = 86_400, MaxWaitTimeInSeconds: wait } = request.StoppingCondition;
  if (MaxRuntimeInSeconds < 1 || MaxRuntimeInSeconds > 28 * 86_400) {
    refuse("MaxRuntimeInSeconds must be from 1 to 2419200.");
  }
  if (request.EnableManagedSpotTraining !== true) {
    if (wait !== undefined) refuse("MaxWaitTimeInSeconds is for managed spot training alone.");
  } else if (wait === undefined || wait < MaxRuntimeInSeconds) {
    refuse(
      "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds.",
    );
  }
  const { KeepAlivePeriodInSeconds: keep = 0 } = request.ResourceConfig;
  if (keep < 0 || keep > 3600) refuse("KeepAlivePeriodInSeconds must be from 0 to 3600.");
}

function checkChannels(request: TrainingRequest, store: ObjectStore) {
  const { InputDataConfig = [], RoleArn, VpcConfig } = request;
  for (const { DataSource } of InputDataConfig) {
    if (DataSource.FileSystemDataSource !== undefined) {
      if (VpcConfig === undefined) refuse("VpcConfig is required with a FileSystemDataSource.");
      continue;
    }
    const uri = DataSource.S3DataSource?.S3Uri ?? "";
    if (objectsBelow(store, uri).length > 0) continue;
    refuse(
      `No S3 objects found under S3 URL "${uri}" given in input data source. Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, and that the role "${RoleArn}" has "s3:ListBucket" permissions on the bucket.`,
    );
  }
}

/** Refuses what SageMaker refuses at once: names, times, types, data that are not there, and quotas that are used up. */
export function checkTrainingJob(
  request: TrainingRequest,
  { store, faults, used }: { store: ObjectStore; faults: Faults; used: number },
): void {
  const { TrainingJobName: name, ResourceConfig, AlgorithmSpecification } = request;
  if (!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(name)) {
    refuse(
      `1 validation error detected: Value '${name}' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`,
    );
  }
  const { InstanceType, InstanceCount = 1 } = ResourceConfig;
  if (!(InstanceType.replace(/^ml\./, "") in types) || !InstanceType.startsWith("ml.")) {
    refuse(
      `1 validation error detected: Value '${InstanceType}' at 'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum value set`,
    );
  }
  if ((AlgorithmSpecification.ContainerEntrypoint ?? []).length > 10) {
    refuse("ContainerEntrypoint takes 10 words.");
  }
  if (request.CheckpointConfig !== undefined) {
    refuse("The emulated AWS does not have CheckpointConfig.");
  }
  // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
  if (ResourceConfig.VolumeKmsKeyId !== undefined && withNvme.test(InstanceType)) {
    refuse(`VolumeKmsKeyId cannot be given for ${InstanceType}, which has local storage.`);
  }
  checkTimes(request);
  checkChannels(request, store);
  const value = quotaOf(faults, InstanceType);
  if (used + InstanceCount <= value) return;
  const kind = request.EnableManagedSpotTraining === true ? kinds[1] : kinds[0];
  throw new ApiError(
    "ResourceLimitExceeded",
    `The account-level service limit '${InstanceType} for ${kind ?? ""}' is ${value} Instances, with current utilization of ${used} Instances and a request delta of ${InstanceCount} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.`,
  );
}
