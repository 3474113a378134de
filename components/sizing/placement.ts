import { usableMemoryMiB, type Accelerator } from "../catalogue/accelerator.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { InstanceType } from "../catalogue/instance-type.ts";
import type { Model } from "../catalogue/model.ts";
import type { Placement, Purchase, Rejection } from "../plan.ts";
import {
  fits,
  isComfortable,
  memoryDemand,
  type MemoryDemand,
  type Workload,
} from "./memory-demand.ts";

/** What a placement has to satisfy besides holding the model. */
export interface PlacementWishes {
  readonly region: string;
  readonly purchase: Purchase;
  /** Only these types; undefined allows all. */
  readonly instanceTypes?: readonly string[] | undefined;
  /** Only types with so many GPUs; undefined allows any. */
  readonly gpuCount?: number | undefined;
}

/** Types that hold the model, cheapest first, and those that do not with the reason. */
export interface PlacementChoice {
  readonly holding: readonly { readonly placement: Placement; readonly demand: MemoryDemand }[];
  readonly rejected: readonly Rejection[];
}

/** Gone from DescribeInstanceTypes though still priced: nothing can be launched. */
const retired = new Set(["p3.2xlarge", "p3.8xlarge", "p3.16xlarge"]);

function gib(mebibytes: number): string {
  return (mebibytes / 1024).toFixed(1);
}

/** Why the type is out before memory is looked at; undefined when it is not. */
function ruledOut(type: InstanceType, wishes: PlacementWishes): string | undefined {
  if (wishes.instanceTypes !== undefined && !wishes.instanceTypes.includes(type.instanceType)) {
    return "not among the types that were asked for";
  }
  if (retired.has(type.instanceType)) return "retired: it can no longer be launched";
  if (type.gpuCount < 1) return "a slice of a GPU, which needs NVIDIA's licensed GRID driver";
  if (type.cpuArchitecture === "arm64")
    return "an Arm host, for which there is no machine image yet";
  if (type.prices?.[wishes.region] === undefined) return `no on-demand price in ${wishes.region}`;
  if (wishes.gpuCount !== undefined && type.gpuCount !== wishes.gpuCount) {
    return `${type.gpuCount} GPUs, and ${wishes.gpuCount} were asked for`;
  }
  return undefined;
}

/** Counts of GPUs that the model can be split over on this type, smallest first. */
function splits(model: Model, type: InstanceType): readonly number[] {
  const valid = model.tensorParallelSizes ?? [1];
  return valid.filter((size) => size <= type.gpuCount).toSorted((a, b) => a - b);
}

function tooSmall(demand: MemoryDemand, usableMiB: number, gpuCount: number): string {
  const each = gpuCount === 1 ? "" : ` on each of ${demand.tensorParallel} GPUs`;
  return `needs ${gib(demand.totalMiB)} GiB${each} of the ${gib(0.92 * usableMiB)} GiB that can be used`;
}

function weigh(
  model: Model,
  workload: Workload,
  type: InstanceType,
  accelerator: Accelerator | undefined,
): { demand: MemoryDemand; usableMiB: number } | string {
  const usableMiB = accelerator === undefined ? undefined : usableMemoryMiB(accelerator);
  if (usableMiB === undefined) return "the memory of its GPU is not known";
  const demands = splits(model, type).map((size) => memoryDemand(model, workload, size));
  const largest = demands.at(-1);
  if (largest === undefined) return "the model cannot be split over its GPUs";
  const comfortable = demands.find((demand) => isComfortable(demand, usableMiB));
  const demand = comfortable ?? demands.find((candidate) => fits(candidate, usableMiB));
  return demand === undefined ? tooSmall(largest, usableMiB, type.gpuCount) : { demand, usableMiB };
}

/** Looks at every type of the catalogue; pure. */
export function findPlacements(
  model: Model,
  workload: Workload,
  wishes: PlacementWishes,
  catalogue: Catalogue,
): PlacementChoice {
  const accelerators = new Map(catalogue.accelerators.map((gpu) => [gpu.model, gpu]));
  const holding: { placement: Placement; demand: MemoryDemand }[] = [];
  const rejected: Rejection[] = [];
  for (const type of catalogue.instanceTypes) {
    const price = type.prices?.[wishes.region];
    const { instanceType } = type;
    const out = ruledOut(type, wishes);
    const verdict = out ?? weigh(model, workload, type, accelerators.get(type.gpuModel));
    if (typeof verdict === "string" || price === undefined) {
      const reason =
        typeof verdict === "string" ? verdict : `no on-demand price in ${wishes.region}`;
      rejected.push({ instanceType, hourlyUsd: price?.onDemandHourlyUsd, reason });
      continue;
    }
    const { demand, usableMiB } = verdict;
    const placement: Placement = {
      instanceType,
      region: wishes.region,
      purchase: wishes.purchase,
      gpuModel: type.gpuModel,
      gpuCount: type.gpuCount,
      gpuMemoryMiB: Math.floor(usableMiB),
      cpuArchitecture: type.cpuArchitecture,
      tensorParallel: demand.tensorParallel,
      hourlyUsd: price.onDemandHourlyUsd,
      priceAsOf: price.asOf,
      priceSource: "AWS Price List",
      fits: true,
      comfortable: isComfortable(demand, usableMiB),
    };
    holding.push({ placement, demand });
  }
  const byPrice = holding.toSorted(
    (a, b) =>
      a.placement.hourlyUsd - b.placement.hourlyUsd ||
      a.placement.instanceType.localeCompare(b.placement.instanceType),
  );
  return { holding: byPrice, rejected };
}
