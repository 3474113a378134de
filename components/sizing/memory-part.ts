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

/** What a verdict goes by. */
export type MemoryNeed = Pick<
  MemoryDemand,
  "startMiB" | "highMiB" | "utilisation" | "wholeRange" | "outsideMiB"
>;

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
 * Adds parts up. Their errors are taken as independent, so what a sum may be above its likely figure is the root of the sum of
 * squares, not the sum of all the worst cases.
 */
export class UpperEnd {
  totalMiB = 0;
  #squares = 0;

  add(mib: number, highMiB: number): void {
    this.totalMiB += mib;
    this.#squares += (highMiB - mib) ** 2;
  }

  get highMiB(): number {
    return this.totalMiB + Math.sqrt(this.#squares);
  }
}

/** Adds up the parts, with the range of {@link UpperEnd} on either side. */
export function demandOf({
  parts,
  parallelism,
  utilisation,
  wholeRange = false,
  queuedMiB = 0,
  outside = [],
}: DemandInput): MemoryDemand {
  const end = new UpperEnd();
  for (const { mib, highMiB } of parts) end.add(mib, highMiB);
  const { totalMiB, highMiB } = end;
  const weightsMiB = sumOf(parts, "weights");
  const kvCacheMiB = sumOf(parts, "kv-cache");
  return {
    perGpu: true,
    dataParallel: 1,
    ...parallelism,
    parts: parts.filter(({ highMiB }) => highMiB > 0),
    totalMiB,
    lowMiB: totalMiB - Math.sqrt(sum(parts, ({ mib, lowMiB }) => (mib - lowMiB) ** 2)),
    highMiB,
    startMiB: totalMiB - queuedMiB,
    utilisation,
    wholeRange,
    outsideMiB: outside.reduce((total, name) => total + sumOf(parts, name), 0),
    weightsMiB,
    kvCacheMiB,
    runtimeMiB: totalMiB - weightsMiB - kvCacheMiB,
  };
}
