import type { Catalogue } from "../catalogue/catalogue.ts";
import { compareVersions } from "../compare-versions.ts";
import { partName } from "../identity.ts";
import { UserError } from "../user-error.ts";
import type { PinnedImage } from "../container-images/image-digests.ts";
import { fileSystemExample, parseFileSystem } from "./file-system.ts";
import { trainingImage, type TrainingImages } from "./training-images.ts";

/** A folder of `berth finetune`, as far as a job is planned from it. */
export interface TrainedFolder {
  /** Of the folder; names the job. */
  readonly name: string;
  readonly modelId: string;
  readonly instanceType: string;
  readonly gpuModel: string;
  readonly purchase: string;
  /** Disk that model, packages and checkpoints take, GiB. */
  readonly diskGiB: number;
  readonly sharding: string;
  /** Whether Megatron-LM trains it, and not the Trainer. */
  readonly megatron: boolean;
  /** Hosts that it was planned for. */
  readonly nodes: number;
}

/** What the environment and the command line say. */
export interface TrainingWishes {
  /** The stack that the job belongs to. */
  readonly env: string;
  readonly region: string;
  /** From the start to the end, whatever is done by then; undefined where nothing says it. */
  readonly hours: number | undefined;
  readonly maxAgeHours: number;
  /** @default as the folder was planned */
  readonly spot?: boolean | undefined;
  /** Instances of the type. @default as the folder was planned */
  readonly instances?: number | undefined;
  /** Minutes that they are kept after the end for a next job. @default 0 */
  readonly keepWarmMinutes?: number | undefined;
  /** Where each of several instances writes a part of a checkpoint, as {@link parseFileSystem} reads it. @default none */
  readonly sharedStorage?: string | undefined;
  /** Whether the job will stand in a network of the account. @default false */
  readonly inVpc?: boolean | undefined;
  /** USD that it may cost. @default no limit */
  readonly budgetUsd?: number | undefined;
  /** @default AWS's own image */
  readonly image?: string | undefined;
}

/** A training job as it will run: made from data alone. */
export interface TrainingJobPlan extends PinnedImage {
  /** The stack of its own that the job is brought up as. */
  readonly stack: string;
  readonly modelId: string;
  readonly region: string;
  readonly instanceType: string;
  readonly instances: number;
  readonly spot: boolean;
  readonly keepWarmMinutes: number;
  readonly volumeGiB: number;
  /** Its disk is the type's own NVMe, which encrypts itself: no key can be given for it. */
  readonly localNvme: boolean;
  /** @default each instance has a folder of its own */
  readonly sharedStorage: string | undefined;
  readonly hours: number;
  /** Names of the quotas that it takes from, as Service Quotas has them. */
  readonly quotaNames: readonly string[];
  /** All instances; on spot the most. Undefined where no price is known. */
  readonly hourlyUsd: number | undefined;
  /** When and of what the price is. */
  readonly priceOf: string;
}

/** Longest that a job may run (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html). */
const mostHours = 28 * 24;
/** Longest that instances may be kept (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html). */
const mostWarmMinutes = 60;
/** A job stops with a checkpoint this long before its end, so that it is sent in time. */
export const minutesBeforeEnd = 15;

/** Name of the stack of an environment's job. */
export function trainingStackName(env: string, job: string): string {
  const words = job.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return `${env}-train-${words.replaceAll(/^-+|-+$/g, "")}`;
}

function nameProblems(stack: string, { name }: TrainedFolder, env: string): readonly string[] {
  try {
    partName(stack, "job");
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const room = 31 - `${env}-train-`.length;
    return [
      `the folder's name "${name}" (${name.length} characters) makes the stack "${stack}"; give it one of at most ${room} characters`,
    ];
  }
}

function timeProblems({ hours, maxAgeHours, keepWarmMinutes = 0 }: TrainingWishes): string[] {
  const most = Math.min(mostHours, maxAgeHours);
  const least = (minutesBeforeEnd + keepWarmMinutes + 15) / 60;
  if (hours === undefined) return ["how long it may run is not said: --hours 8"];
  if (hours >= least && hours <= most) return [];
  return [`--hours ${hours}: from ${least} to ${most} hours`];
}

/** Megatron-LM's groups are of so many GPUs; the Trainer divides the samples by however many there are. */
function plannedProblems(
  { nodes, megatron, gpuModel }: TrainedFolder,
  instances: number,
  image: string | undefined,
): string[] {
  const wrong = megatron ? instances !== nodes : instances < nodes;
  return [
    ...(wrong
      ? [
          `--instances ${instances}: it was planned for ${nodes}; write the folder again with --nodes ${instances}`,
        ]
      : []),
    ...(megatron && image === undefined
      ? [
          `AWS's image has no Transformer Engine, which Megatron-LM takes; name one with --image, such as NVIDIA's NeMo container in a repository of yours, or train it on a GPU host with ${gpuModel}`,
        ]
      : []),
  ];
}

/** Each instance keeps its own part of a checkpoint with DeepSpeed and Megatron-LM, and only the first one's folder is kept. */
function storageProblems(
  { sharding, megatron }: TrainedFolder,
  { sharedStorage, inVpc = false }: TrainingWishes,
  instances: number,
): string[] {
  if (sharedStorage === undefined) {
    const by = megatron ? "Megatron-LM" : sharding;
    return instances > 1 && (megatron || sharding.startsWith("zero"))
      ? [
          `--instances ${instances}: each writes a part of a checkpoint of ${by}; give storage that they share, such as --shared-storage ${fileSystemExample}, or take FSDP`,
        ]
      : [];
  }
  return [
    ...(parseFileSystem(sharedStorage) === undefined
      ? [`--shared-storage ${sharedStorage}: a file system such as ${fileSystemExample}`]
      : []),
    ...(inVpc
      ? []
      : [
          "--shared-storage: name with --env a SageMaker stack that has berth:subnetIds and berth:securityGroupIds, in the file system's network",
        ]),
  ];
}

function countProblems(
  { keepWarmMinutes = 0 }: TrainingWishes,
  instances: number,
  spot: boolean,
): string[] {
  const whole = Number.isInteger(instances) && instances >= 1 && instances <= 64;
  const warm = keepWarmMinutes >= 0 && keepWarmMinutes <= mostWarmMinutes;
  return [
    ...(whole ? [] : [`--instances ${instances}: a whole number from 1 to 64`]),
    ...(warm ? [] : [`--keep-warm ${keepWarmMinutes}: minutes from 0 to ${mostWarmMinutes}`]),
    ...(keepWarmMinutes > 0 && spot
      ? ["--keep-warm: spot capacity is not kept; add --on-demand"]
      : []),
  ];
}

interface Ground {
  readonly catalogue: Catalogue;
  readonly images: TrainingImages;
}

/** GiB of the type's own NVMe, which SageMaker takes in place of a volume; 0 without. */
function localDiskGiB({ instanceType }: TrainedFolder, { catalogue }: Ground): number {
  const { localNvmeGB = 0 } =
    catalogue.instanceTypes.find((type) => type.instanceType === instanceType) ?? {};
  return Math.floor((localNvmeGB * 1e9) / 1024 ** 3);
}

function typeProblems(
  folder: TrainedFolder,
  wishes: TrainingWishes,
  { catalogue, images }: Ground,
): string[] {
  const instanceType = `ml.${folder.instanceType}`;
  if (!images.types.names.includes(instanceType)) {
    return [
      `SageMaker trains on no ${instanceType}; write the folder again with --types g6.xlarge or another`,
    ];
  }
  const gpu = catalogue.accelerators.find(({ model }) => model === folder.gpuModel);
  const { cuda, leastComputeCapability: least } = images.image;
  const own = wishes.image !== undefined;
  const isOld = gpu !== undefined && compareVersions(gpu.computeCapability, least) < 0;
  const diskGiB = localDiskGiB(folder, { catalogue, images });
  return [
    ...(isOld && !own
      ? [`AWS's image has CUDA ${cuda}, which ${folder.gpuModel} is too old for; take a newer GPU`]
      : []),
    ...(diskGiB > 0 && folder.diskGiB > diskGiB
      ? [`${instanceType} has ${diskGiB} GiB of disk, and ${folder.diskGiB} GiB are needed`]
      : []),
  ];
}

/** Training's own price where a refresh brought it, else hosting's: AWS's list had the same for both where they were compared. */
function priceOf(
  instanceType: string,
  region: string,
  { sagemakerTypes }: Catalogue,
): { usd: number | undefined; of: string } {
  const row = sagemakerTypes.find((type) => type.instanceType === instanceType);
  const price = row?.prices?.[region];
  if (price === undefined) return { usd: undefined, of: "" };
  const { trainingHourlyUsd, hostingHourlyUsd, asOf } = price;
  if (trainingHourlyUsd !== undefined) return { usd: trainingHourlyUsd, of: asOf };
  return { usd: hostingHourlyUsd, of: `by hosting's price, ${asOf}` };
}

/**
 * The training job of a folder in an environment; pure.
 *
 * @throws UserError naming everything that keeps it from running
 */
export function trainingJobPlan(
  folder: TrainedFolder,
  wishes: TrainingWishes,
  ground: Ground,
): TrainingJobPlan {
  const { region, hours = 0, keepWarmMinutes = 0, sharedStorage, budgetUsd } = wishes;
  const { instances = folder.nodes } = wishes;
  const stack = trainingStackName(wishes.env, folder.name);
  const spot = wishes.spot ?? folder.purchase === "spot";
  const instanceType = `ml.${folder.instanceType}`;
  const { usd, of } = priceOf(instanceType, region, ground.catalogue);
  const hourlyUsd = usd === undefined ? undefined : usd * instances;
  const mostUsd = (hourlyUsd ?? 0) * hours;
  const problems = [
    ...nameProblems(stack, folder, wishes.env),
    ...typeProblems(folder, wishes, ground),
    ...timeProblems(wishes),
    ...countProblems(wishes, instances, spot),
    ...plannedProblems(folder, instances, wishes.image),
    ...storageProblems(folder, wishes, instances),
    ...(budgetUsd !== undefined && mostUsd > budgetUsd
      ? [
          `berth:budgetUsd is $${budgetUsd}, and ${hours} h of it cost up to $${mostUsd.toFixed(2)}; --hours makes it shorter`,
        ]
      : []),
  ];
  if (problems.length > 0) {
    throw new UserError(`${folder.name} cannot be trained on SageMaker as asked.`, { problems });
  }
  const usage = spot ? "spot training job usage" : "training job usage";
  return {
    ...{ stack, modelId: folder.modelId, region, instanceType, instances, spot, keepWarmMinutes },
    volumeGiB: Math.ceil(folder.diskGiB),
    localNvme: localDiskGiB(folder, ground) > 0,
    sharedStorage,
    ...(wishes.image === undefined
      ? trainingImage(ground.images, region)
      : { image: wishes.image, pin: undefined }),
    hours,
    quotaNames: [
      `${instanceType} for ${usage}`,
      ...(keepWarmMinutes > 0 ? [`${instanceType} for training warm pool usage`] : []),
    ],
    hourlyUsd,
    priceOf: of,
  };
}
