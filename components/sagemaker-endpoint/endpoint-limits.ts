import type { InstanceType } from "../catalogue/instance-type.ts";
import { weightsDelivery } from "../pricing/weights-delivery.ts";
import { UserError } from "../user-error.ts";

/**
 * What SageMaker allows of a variant, seconds and GiB
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html).
 */
export const variantLimits = { leastSeconds: 60, mostSeconds: 3600, mostVolumeGiB: 512 } as const;

/** An endpoint gets at least so long: images and first requests take their time whatever the model's size. */
const floorSeconds = 600;

/**
 * Assumptions, not measurements, that timeouts are made with: SageMaker fetches uncompressed model data from S3 at this rate or
 * better, and an engine reads it from disk into GPU memory at that one. Two thirds of what half of the slowest network of a type
 * with a GPU carries, so that a slow day passes. What is too large for them is held to the type's own network and disks, by
 * the figures that were measured of those on EC2 (`weights-delivery.ts`).
 */
const assumedDownloadMiBPerSecond = 100;
const assumedLoadMiBPerSecond = 100;

/** Room on the disk besides the weights, GiB: image layers and the engine's caches. */
const spareGiB = 30;

/** How long an endpoint may take, and what disk it asks for. */
export interface VariantSizes {
  readonly downloadTimeoutSeconds: number;
  readonly startupTimeoutSeconds: number;
  /** At which the weights have to come to be there in time, where that is more than is assumed; else undefined. */
  readonly neededMiBPerSecond?: number | undefined;
  /** Undefined on types with NVMe disks of their own, where the API refuses a size. */
  readonly volumeGiB: number | undefined;
}

/** Whether a type's disk takes the weights, and what else lies there. */
export function fitsDisk(weightsGiB: number, localNvmeGB: number): boolean {
  return Math.ceil(weightsGiB + spareGiB) <= diskGiBOf(localNvmeGB);
}

function diskGiBOf(localNvmeGB: number): number {
  return localNvmeGB > 0
    ? Math.floor((localNvmeGB * 1e9) / 1024 ** 3)
    : variantLimits.mostVolumeGiB;
}

function secondsFor(weightsGiB: number, mebibytesPerSecond: number): number {
  const seconds = floorSeconds + (weightsGiB * 1024) / mebibytesPerSecond;
  return Math.min(variantLimits.mostSeconds, Math.ceil(seconds / 60) * 60);
}

/** The type of a variant, as far as its weights are concerned. */
export type VariantType = Pick<InstanceType, "instanceType" | "localNvmeGB"> &
  Partial<Pick<InstanceType, "networkGbps" | "networkGbpsPeak">>;

/** Seconds in which the weights come at best, by the type's network and disks. */
function bestFetchSeconds(weightsGiB: number, type: VariantType): number {
  const { localNvmeGB, networkGbps, networkGbpsPeak } = type;
  const [fromS3] = weightsDelivery({ weightsGiB, localNvmeGB, networkGbps, networkGbpsPeak });
  return fromS3?.seconds.low ?? Infinity;
}

/**
 * Timeouts and disk of a variant, from the size of the weights.
 *
 * @throws UserError when the weights cannot be fetched in the longest time that SageMaker allows, or do not fit the disk
 */
export function variantSizes(weightsGiB: number, type: VariantType): VariantSizes {
  const { instanceType, localNvmeGB = 0 } = type;
  const neededGiB = Math.ceil(weightsGiB + spareGiB);
  const diskGiB = diskGiBOf(localNvmeGB);
  const fetchSeconds = bestFetchSeconds(weightsGiB, type);
  const neededMiBPerSecond = Math.ceil((weightsGiB * 1024) / variantLimits.mostSeconds);
  const problems = [
    ...(neededGiB > diskGiB
      ? [`${instanceType} has ${diskGiB} GiB of disk, and ${neededGiB} GiB are needed`]
      : []),
    ...(fetchSeconds > variantLimits.mostSeconds
      ? [
          `fetching ${weightsGiB.toFixed(0)} GiB takes ${Math.ceil(fetchSeconds)} s at best, and SageMaker allows ${variantLimits.mostSeconds}`,
        ]
      : []),
  ];
  if (problems.length > 0) {
    throw new UserError(`The weights are too large for an endpoint of ${instanceType}.`, {
      problems,
      hint: "Use berth:target ec2, a type with a larger disk, or a smaller model.",
    });
  }
  return {
    downloadTimeoutSeconds: secondsFor(weightsGiB, assumedDownloadMiBPerSecond),
    startupTimeoutSeconds: secondsFor(weightsGiB, assumedLoadMiBPerSecond),
    neededMiBPerSecond:
      neededMiBPerSecond > assumedDownloadMiBPerSecond ? neededMiBPerSecond : undefined,
    volumeGiB: localNvmeGB > 0 ? undefined : neededGiB,
  };
}

/**
 * The volume of instances that several models share; undefined on types with NVMe disks.
 *
 * @throws UserError when the weights of all of them do not fit the disk
 */
export function sharedVolumeGiB(
  weightsGiB: number,
  { instanceType, localNvmeGB = 0 }: { instanceType: string; localNvmeGB?: number | undefined },
): number | undefined {
  const neededGiB = Math.ceil(weightsGiB + spareGiB);
  if (fitsDisk(weightsGiB, localNvmeGB)) return localNvmeGB > 0 ? undefined : neededGiB;
  throw new UserError(`The models together are too large for ${instanceType}.`, {
    problems: [`it has ${diskGiBOf(localNvmeGB)} GiB of disk, and ${neededGiB} GiB are needed`],
    hint: "Name a type with a larger disk in berth:instanceTypes, or give one of them a stack of its own.",
  });
}

/** What the names of an endpoint's components have after its own, which is nothing for the first; none where it has no components. */
export function componentEndings({
  copy,
  further,
}: {
  readonly copy: unknown;
  readonly further: readonly { readonly name: string }[];
}): readonly string[] {
  return copy === undefined ? [] : ["", ...further.map(({ name }) => `-${name}`)];
}

/** Longest name of an endpoint, configuration, model or variant. */
const longestName = 63;

/**
 * The name of a deployment's endpoint: its stack's, and what no other deployment has, so that the schedule that ends it can
 * be armed before it exists.
 *
 * @param endings what the names of its further components have after it
 * @throws UserError when it, or one of those, is longer than SageMaker's 63 characters
 */
export function endpointName(
  stack: string,
  runId: string,
  endings: readonly string[] = [],
): string {
  const name = `${stack}-${runId}`;
  const tooLong = [name, ...endings.map((ending) => `${name}${ending}`)].find(
    ({ length }) => length > longestName,
  );
  if (tooLong === undefined) return name;
  const what = tooLong === name ? "The endpoint's name" : "A component's name";
  throw new UserError(`${what} "${tooLong}" has ${tooLong.length} characters.`, {
    hint: `SageMaker takes ${longestName}: give the stack${tooLong === name ? "" : " or the component"} a shorter name.`,
  });
}
