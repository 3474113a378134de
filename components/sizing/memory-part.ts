/** What a piece of GPU memory is for. */
export type PartName =
  | "weights"
  | "kv-cache"
  | "activations"
  | "logits"
  | "gradients"
  | "optimizer"
  | "adapters"
  | "image-decode"
  | "cuda-graphs"
  | "communication"
  | "fragmentation"
  | "libraries"
  | "runtime";

/** One piece of what a GPU has to hold. */
export interface MemoryPart {
  readonly name: PartName;
  /** The figure that is most likely. */
  readonly mib: number;
  readonly lowMiB: number;
  readonly highMiB: number;
  /** The arithmetic, in one line. */
  readonly why: string;
}

/**
 * What ONE GPU has to hold, MiB. It is solved per GPU and never on the sum: context, activations and replicated heads do
 * not divide.
 */
export interface MemoryDemand {
  readonly perGpu: true;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  /** 1 when a model is served. */
  readonly dataParallel: number;
  /** GPUs that share out the tokens of one sequence. @default 1 */
  readonly contextParallel?: number;
  readonly parts: readonly MemoryPart[];
  readonly totalMiB: number;
  readonly lowMiB: number;
  readonly highMiB: number;
  /** What it takes to start: with one sequence at a time where the engine queues the others, else all of it. */
  readonly startMiB: number;
  /** Share of the GPU's memory that the engine takes, 0 to 1. */
  readonly utilisation: number;
  /** It has to hold the upper end of its range to run to its end, as a training that meets its longest batch at some time. */
  readonly wholeRange: boolean;
  /** Of the total, what the engine does not count in its share: it lies in what the share leaves. */
  readonly outsideMiB: number;
  /** The part of that name. */
  readonly weightsMiB: number;
  /** The part of that name; 0 in training. */
  readonly kvCacheMiB: number;
  /** All the rest. */
  readonly runtimeMiB: number;
}

/** GPUs that the demand is of, each alike. */
export function gpusOf(demand: MemoryDemand): number {
  const { tensorParallel, pipelineParallel, dataParallel, contextParallel = 1 } = demand;
  return tensorParallel * pipelineParallel * dataParallel * contextParallel;
}

/** What a {@link MemoryDemand} is made of. */
export interface DemandInput {
  readonly parts: readonly MemoryPart[];
  readonly parallelism: {
    readonly tensorParallel: number;
    readonly pipelineParallel: number;
    readonly dataParallel?: number;
    readonly contextParallel?: number;
  };
  readonly utilisation: number;
  /** @default false */
  readonly wholeRange?: boolean;
  /** Of the total, what only further sequences need. @default 0 */
  readonly queuedMiB?: number;
  /** Parts that the engine does not count in its share. @default none */
  readonly outside?: readonly PartName[];
}

function sum(parts: readonly MemoryPart[], of: (part: MemoryPart) => number): number {
  return parts.reduce((total, part) => total + of(part), 0);
}

function sumOf(parts: readonly MemoryPart[], name: PartName): number {
  return sum(
    parts.filter((part) => part.name === name),
    ({ mib }) => mib,
  );
}

/**
 * Adds up the parts. The parts' errors are taken as independent, so the range of the sum is the root of the sum of squares
 * on either side, not the sum of all the best and worst cases.
 */
export function demandOf({
  parts,
  parallelism,
  utilisation,
  wholeRange = false,
  queuedMiB = 0,
  outside = [],
}: DemandInput): MemoryDemand {
  const totalMiB = sum(parts, ({ mib }) => mib);
  const weightsMiB = sumOf(parts, "weights");
  const kvCacheMiB = sumOf(parts, "kv-cache");
  return {
    perGpu: true,
    dataParallel: 1,
    ...parallelism,
    parts: parts.filter(({ highMiB }) => highMiB > 0),
    totalMiB,
    lowMiB: totalMiB - Math.sqrt(sum(parts, ({ mib, lowMiB }) => (mib - lowMiB) ** 2)),
    highMiB: totalMiB + Math.sqrt(sum(parts, ({ mib, highMiB }) => (highMiB - mib) ** 2)),
    startMiB: totalMiB - queuedMiB,
    utilisation,
    wholeRange,
    outsideMiB: outside.reduce((total, name) => total + sumOf(parts, name), 0),
    weightsMiB,
    kvCacheMiB,
    runtimeMiB: totalMiB - weightsMiB - kvCacheMiB,
  };
}
