import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Faults } from "../faults.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import { defaultStartupSeconds, type HostedVariant } from "./hosted-endpoint.ts";
import { layOutModel, unpackModel } from "./model-data.ts";
import { programOf, type ServingImage } from "./serving-images.ts";
import { ServingProcess } from "./serving-process.ts";

/** What an endpoint's containers are made with. */
export interface ProvisionParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly images: readonly ServingImage[];
  /** For the files of what is started. */
  readonly folder: string;
  readonly log: (line: string) => void;
  /** More than that, and the system ends the container. @default what the machine has */
  readonly memoryMiB?: number | undefined;
  /** Fires when the endpoint is deleted meanwhile. */
  readonly signal: AbortSignal;
}

/** Why there is no container, in SageMaker's words. */
export class ProvisionFailure extends Error {}

/** SageMaker starts a container that ends anew; here three times, since it ends for the same reason again. */
const mostStarts = 3;

function hasCapacity(faults: Faults, instanceType: string): boolean {
  const operations = ["ProvisionEndpoint"];
  const fault = faults.take({ service: "sagemaker", operations, instanceType });
  return fault?.kind !== "insufficient-capacity";
}

/** Types that a variant may run on, the first to try first. */
export function typesOf({ InstancePools, InstanceType = "" }: HostedVariant): readonly string[] {
  if (InstancePools === undefined) return [InstanceType];
  const pools = InstancePools.toSorted((a, b) => a.Priority - b.Priority);
  return pools.map(({ InstanceType: type }) => type);
}

/**
 * The first of a variant's types for which there is capacity now.
 *
 * @throws ProvisionFailure when there is for none
 */
export function chooseType(faults: Faults, variant: HostedVariant): string {
  const chosen = typesOf(variant).find((type) => hasCapacity(faults, type));
  if (chosen !== undefined) return chosen;
  throw new ProvisionFailure(
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a different ML instance type or after some time.",
  );
}

/** A container that is well, and what it runs on. */
export interface Provisioned {
  readonly serving: ServingProcess;
  readonly instanceType: string;
}

/**
 * Starts the container of a variant, and waits until it is well.
 *
 * @throws ProvisionFailure with SageMaker's reason
 */
export async function provision(
  variant: HostedVariant,
  parts: ProvisionParts,
): Promise<Provisioned> {
  const instanceType = chooseType(parts.faults, variant);
  return { serving: await startWell(variant, parts), instanceType };
}

/**
 * Starts the container of a variant for which there is capacity, and waits until it is well.
 *
 * @throws ProvisionFailure with SageMaker's reason
 */
export async function startWell(
  variant: HostedVariant,
  parts: ProvisionParts,
): Promise<ServingProcess> {
  const { Image = "", Environment = {}, ModelDataSource, ModelDataUrl } = variant.container;
  const command = programOf(Image, parts.images);
  if (command === undefined) {
    throw new ProvisionFailure(`The emulated AWS has no program that stands for ${Image}.`);
  }
  const modelFolder = join(parts.folder, "model");
  await (ModelDataUrl === undefined
    ? layOutModel(parts.store, ModelDataSource?.S3DataSource?.S3Uri ?? "", modelFolder)
    : unpackModel(parts.store, ModelDataUrl, modelFolder));
  const seconds = variant.ContainerStartupHealthCheckTimeoutInSeconds ?? defaultStartupSeconds;
  const end = parts.clock.now().getTime() + seconds * 1000;
  const mayWait = (): boolean => !parts.signal.aborted && parts.clock.now().getTime() < end;
  for (let start = 1; start <= mostStarts && mayWait(); start += 1) {
    const { log, memoryMiB } = parts;
    const started = await ServingProcess.start({
      command,
      environment: Environment,
      modelFolder,
      log,
      memoryMiB,
    });
    if (await started.well(mayWait)) return started;
    await started.stop();
  }
  throw new ProvisionFailure(
    `The primary container for production variant ${variant.VariantName} did not pass the ping health check. Please check CloudWatch logs for this endpoint.`,
  );
}
