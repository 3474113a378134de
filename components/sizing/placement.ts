import { usableMemoryMiB, type Accelerator } from "../catalogue/accelerator.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { InstanceType } from "../catalogue/instance-type.ts";
import type { Placement, Purchase, Rejection } from "../plan.ts";
import { hourlyParts, ofHosts, type HourlyParts } from "../pricing/rung-cost.ts";
import { quotaReason, refusal, type PlacementWishes, type Refusal } from "./constraints.ts";
import { demandsOf, hostMemoryGiB, type Job, type ServingJob, type TrainingJob } from "./job.ts";
import type { MemoryDemand } from "./memory-part.ts";
import { formatProblem, softwareStack, usesPytorch, type SoftwareStack } from "./software-stack.ts";
import { layoutBook, type LayoutBook } from "./parallel/layout-book.ts";
import { weighHosts } from "./parallel/weigh-hosts.ts";
import type { TrainingLayout } from "./parallel/training-layout.ts";
import { trainingDemand } from "./training-demand.ts";
import { verdict } from "./verdict.ts";

/** A type of a region that holds the job. */
export interface Candidate {
  readonly placement: Placement;
  readonly type: InstanceType;
  readonly accelerator: Accelerator;
  readonly demand: MemoryDemand;
  /** Undefined when the model is served. */
  readonly layout: TrainingLayout | undefined;
  readonly software: SoftwareStack | undefined;
  /** Of all its hosts. */
  readonly hourly: HourlyParts;
}

/** Types that hold the job, in no order, and those that do not with the reason. */
export interface PlacementChoice {
  readonly holding: readonly Candidate[];
  readonly rejected: readonly Rejection[];
}

/** What {@link findPlacements} looks for. */
export interface PlacementQuestion {
  readonly job: Job;
  readonly wishes: PlacementWishes;
  readonly rootVolumeGiB: number;
  readonly catalogue: Catalogue;
}

interface Weighed {
  readonly accelerator: Accelerator;
  readonly demand: MemoryDemand;
  readonly layout: TrainingLayout | undefined;
  readonly software: SoftwareStack | undefined;
  readonly usableMiB: number;
}

/** The smallest split of a served model with room to spare, else the smallest that starts. */
function weighServed(job: ServingJob, gpuCount: number, usableMiB: number): MemoryDemand | Refusal {
  const demands = demandsOf(job, gpuCount);
  const comfortable = demands.find((demand) => verdict(demand, usableMiB).comfortable);
  const demand = comfortable ?? demands.find((each) => verdict(each, usableMiB).fits);
  if (demand !== undefined) return demand;
  const nearest = demands.toSorted((a, b) => a.startMiB - b.startMiB)[0];
  if (nearest === undefined) {
    return { kind: "memory", reason: "the model cannot be split over its GPUs" };
  }
  return { kind: "memory", reason: verdict(nearest, usableMiB).reason };
}

interface Gpu {
  readonly accelerator: Accelerator;
  readonly usableMiB: number;
}

/** The denoiser of an image model is trained on one GPU, whatever the machine has. */
function weighImages({ model, workload }: TrainingJob, { accelerator, usableMiB }: Gpu) {
  // In fp16 the VAE of SDXL overflows, so it works in 32 bit there, in memory that nobody measured.
  if (accelerator.supportsBf16 !== true) {
    const reason = "its GPU has no bf16, in which trainings of image models were measured";
    return { kind: "software", reason } as const;
  }
  const demand = trainingDemand(model, workload);
  const { fits, reason } = verdict(demand, usableMiB);
  return fits ? { demand, layout: undefined } : ({ kind: "memory", reason } as const);
}

function weigh(
  { job, wishes, book }: PlacementQuestion & { readonly book: LayoutBook | undefined },
  type: InstanceType,
  gpu: Gpu,
): { readonly demand: MemoryDemand; readonly layout: TrainingLayout | undefined } | Refusal {
  if (job.task === "serve") {
    const demand = weighServed(job, type.gpuCount, gpu.usableMiB);
    return "kind" in demand ? demand : { demand, layout: undefined };
  }
  if (job.model.task === "image-generation") return weighImages(job, gpu);
  const range = wishes.nodes ?? { least: 1, most: 1 };
  return weighHosts(job, type, { range, gpu, book: book ?? layoutBook(job) });
}

/** Memory and software of GPUs, worked out once for all types and regions that have them alike. */
function weigher(question: PlacementQuestion) {
  const { job, catalogue } = question;
  const accelerators = new Map(catalogue.accelerators.map((gpu) => [gpu.model, gpu]));
  const known = new Map<string, Weighed | Refusal>();
  const stacks = new Map<string, SoftwareStack | undefined>();
  const book = job.task === "serve" ? undefined : layoutBook(job);
  const engine = job.task === "serve" ? job.workload.engine : undefined;
  const format = job.task === "serve" ? job.workload.precision : "native";
  const precision = format === "native" ? job.model.nativePrecision : format;

  function stackOf(accelerator: Accelerator): SoftwareStack | undefined {
    const { model } = accelerator;
    if (!stacks.has(model)) stacks.set(model, softwareStack(accelerator, catalogue, engine));
    return stacks.get(model);
  }

  function make(type: InstanceType): Weighed | Refusal {
    const { gpuModel } = type;
    const accelerator = accelerators.get(gpuModel);
    const usableMiB = accelerator === undefined ? undefined : usableMemoryMiB(accelerator);
    if (accelerator === undefined || usableMiB === undefined) {
      return { kind: "unknown", reason: "the memory of its GPU is not known" };
    }
    const needed = usesPytorch(engine);
    const software = needed ? stackOf(accelerator) : undefined;
    if (needed && software === undefined) {
      return { kind: "software", reason: "no PyTorch release has a build for its GPU" };
    }
    const problem = formatProblem(precision, accelerator);
    if (problem !== undefined) return { kind: "software", reason: problem };
    const found = weigh({ ...question, book }, type, { accelerator, usableMiB });
    return "kind" in found ? found : { accelerator, ...found, software, usableMiB };
  }
  return (type: InstanceType): Weighed | Refusal => {
    const { gpuModel, gpuCount, nvlink, efa, networkGbps } = type;
    const alike = job.task === "serve" ? [] : [nvlink, efa, networkGbps];
    const key = [gpuModel, gpuCount, ...alike].join(" ");
    const weighed = known.get(key) ?? make(type);
    known.set(key, weighed);
    return weighed;
  };
}

/** What an hour costs there, or on spot can cost at most; undefined where that is not known. */
function priceOf({ prices, capacityBlocks }: InstanceType, region: string, purchase: Purchase) {
  if (purchase === "capacity-block") return capacityBlocks?.[region];
  const price = prices?.[region];
  if (price === undefined) return undefined;
  const { onDemandHourlyUsd, asOf, source = "AWS Price List" } = price;
  return { hourlyUsd: onDemandHourlyUsd, asOf, source };
}

interface Buying extends Pick<PlacementWishes, "zones" | "spotMaxHourlyUsd"> {
  readonly purchase: Purchase;
}

function placementOf(
  type: InstanceType,
  region: string,
  { demand, layout, usableMiB }: Weighed,
  { purchase, zones, spotMaxHourlyUsd = Infinity }: Buying,
): Placement | undefined {
  const price = priceOf(type, region, purchase);
  if (price === undefined) return undefined;
  const limited = purchase === "spot" && spotMaxHourlyUsd < price.hourlyUsd;
  const nodes = layout?.nodes ?? 1;
  const { fits, comfortable } = verdict(demand, usableMiB);
  return {
    instanceType: type.instanceType,
    region,
    zones: zones.filter((zone) => zone.startsWith(region)),
    purchase,
    nodes: nodes === 1 ? undefined : nodes,
    gpuModel: type.gpuModel,
    gpuCount: type.gpuCount,
    gpuMemoryMiB: Math.floor(usableMiB),
    cpuArchitecture: type.cpuArchitecture,
    tensorParallel: demand.tensorParallel,
    pipelineParallel: demand.pipelineParallel,
    dataParallel: demand.dataParallel,
    nvlink: type.nvlink ?? false,
    hourlyUsd: nodes * (limited ? spotMaxHourlyUsd : price.hourlyUsd),
    ...(limited ? { spotMaxHourlyUsd, onDemandHourlyUsd: nodes * price.hourlyUsd } : {}),
    priceAsOf: price.asOf,
    priceSource: price.source,
    fits,
    comfortable,
  };
}

/** Why it costs too much; undefined when it does not. */
function priceProblem(
  {
    spotUsd,
    eachUsd,
    totalUsd,
  }: { spotUsd: number | undefined; eachUsd: number; totalUsd: number },
  { maxHourlyUsd }: PlacementWishes,
): string | undefined {
  if (spotUsd !== undefined && spotUsd > eachUsd) {
    return `spot was $${spotUsd}, above the most that is paid, $${eachUsd}`;
  }
  return maxHourlyUsd !== undefined && totalUsd > maxHourlyUsd
    ? `$${totalUsd.toFixed(2)} an hour with its volume, above the limit of $${maxHourlyUsd}`
    : undefined;
}

/** Looks at every type of the catalogue in every region that is asked for; pure. */
export function findPlacements(question: PlacementQuestion): PlacementChoice {
  const { job, wishes, rootVolumeGiB, catalogue } = question;
  const weighed = weigher(question);
  const hostGiB = new Map<string, number | undefined>();
  const hostOf = (gpuCount: number, nodes: number) => {
    const key = `${gpuCount} ${nodes}`;
    if (!hostGiB.has(key)) hostGiB.set(key, hostMemoryGiB(job, gpuCount, nodes));
    return hostGiB.get(key);
  };
  const holding: Candidate[] = [];
  const rejected: Rejection[] = [];

  function judge(type: InstanceType, region: string, purchase: Purchase): Candidate | Refusal {
    const out = refusal(type, wishes, region);
    if (out !== undefined) return out;
    const found = weighed(type);
    if ("kind" in found) return found;
    const nodes = found.layout?.nodes ?? 1;
    const quota = quotaReason(type, wishes, nodes);
    if (quota !== undefined) return { kind: "quota", reason: quota };
    const needGiB = hostOf(type.gpuCount, nodes);
    if (needGiB !== undefined && needGiB > type.memoryGiB) {
      const reason = `loading needs ${Math.ceil(needGiB)} GiB of host memory, and it has ${type.memoryGiB}`;
      return { kind: "host-memory", reason };
    }
    const placement = placementOf(type, region, found, { ...wishes, purchase });
    if (placement === undefined) return { kind: "no-price", reason: `no price in ${region}` };
    const eachUsd = placement.hourlyUsd / nodes;
    const hourly = ofHosts(hourlyParts(region, eachUsd, rootVolumeGiB), nodes);
    const spotUsd = purchase === "spot" ? type.prices?.[region]?.spotHourlyUsd : undefined;
    const dear = priceProblem({ spotUsd, eachUsd, totalUsd: hourly.totalUsd }, wishes);
    if (dear !== undefined) return { kind: "price", reason: dear };
    const { accelerator, demand, layout, software } = found;
    return { placement, type, accelerator, demand, layout, software, hourly };
  }

  const places = wishes.regions.flatMap((region) =>
    wishes.purchases.map((purchase) => [region, purchase] as const),
  );
  for (const type of catalogue.instanceTypes) {
    for (const [region, purchase] of places) {
      const judged = judge(type, region, purchase);
      if ("placement" in judged) holding.push(judged);
      else {
        const hourlyUsd = priceOf(type, region, purchase)?.hourlyUsd;
        rejected.push({ instanceType: type.instanceType, region, hourlyUsd, ...judged });
      }
    }
  }
  return { holding, rejected };
}
