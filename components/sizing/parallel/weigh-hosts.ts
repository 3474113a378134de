import type { Accelerator } from "../../catalogue/accelerator.ts";
import type { InstanceType } from "../../catalogue/instance-type.ts";
import type { Refusal } from "../constraints.ts";
import type { TrainingJob } from "../job.ts";
import { holding } from "../verdict.ts";
import { chooseLayout, type WeighedLayout } from "./choose-layout.ts";
import type { LayoutBook } from "./layout-book.ts";
import { nearGpus } from "./layouts.ts";

/** Between how many hosts of one type a training may be laid out. */
export interface NodeRange {
  readonly least: number;
  readonly most: number;
}

/** Where nothing is asked: one host, and when none holds it so many at most. */
export const mostNodesByItself = 64;

/** Counts of hosts that are tried: the least, twice as many each time, and the most. */
export function nodeCounts({ least, most }: NodeRange): readonly number[] {
  const counts: number[] = [];
  for (let nodes = least; nodes < most; nodes *= 2) counts.push(nodes);
  return [...counts, most];
}

/** Why hosts of the type cannot work together; undefined when they can, or there is one. */
function networkProblem({ efa, networkGbps }: InstanceType, nodes: number): Refusal | undefined {
  if (nodes === 1) return undefined;
  if (efa !== true) {
    const reason = "no Elastic Fabric Adapter, over which several hosts would exchange";
    return { kind: "interconnect", reason };
  }
  if (networkGbps !== undefined) return undefined;
  return { kind: "unknown", reason: "the bandwidth of its network is not known" };
}

interface Gpu {
  readonly accelerator: Accelerator;
  /** Of one GPU. */
  readonly usableMiB: number;
}

/** What {@link weighHosts} goes by besides the job and the type. */
export interface HostsQuestion {
  readonly range: NodeRange;
  readonly gpu: Gpu;
  /** Of this job; the types of a search share one. */
  readonly book: LayoutBook;
}

/**
 * The fewest hosts of the type, of the counts that may be, which hold the training with room to spare, else the fewest that
 * run it.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function weighHosts(
  job: TrainingJob,
  type: InstanceType,
  { range, gpu, book }: HostsQuestion,
): WeighedLayout | Refusal {
  const { accelerator, usableMiB } = gpu;
  const { gpuCount: gpusPerNode, nvlink = false, networkGbps } = type;
  const near = nearGpus(job, usableMiB);
  let running: WeighedLayout | undefined;
  let refused: (() => Refusal) | undefined;
  for (const nodes of nodeCounts(range)) {
    const problem = networkProblem(type, nodes);
    if (problem !== undefined) return running ?? refused?.() ?? problem;
    // The last count is weighed all the same: its need is the reason that is given.
    if (nodes < range.most && nodes * gpusPerNode < near) continue;
    const hosts = { accelerator, usableMiB, nodes, gpusPerNode, nvlink, networkGbps };
    const found = chooseLayout(job, hosts, book);
    if (typeof found === "function") refused = found;
    else if (holding(found.demand, usableMiB).comfortable) return found;
    else running ??= found;
  }
  return running ?? refused?.() ?? { kind: "memory", reason: "no count of hosts was tried" };
}
