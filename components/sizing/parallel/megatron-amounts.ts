import { adapterParameters } from "../adapter-parameters.ts";
import { mebibytes, type Spread } from "../mebibytes.ts";
import { UpperEnd, type MemoryNeed } from "../memory-part.ts";
import type { ModelShape } from "../model-shape.ts";
import type { MegatronSettings, TrainingParallelism, TrainingWorkload } from "../workload.ts";
import {
  layerNumbers,
  paddedVocabulary,
  passesInFlight,
  stageLayers,
  stageParameters,
  type StageParameters,
} from "./megatron-shape.ts";

const gibi = 1024 ** 3;
/** Of the GPU, as in any training. */
export const trainingShare = 0.95;

/**
 * Bytes of a parameter: 16-bit weights, 32-bit gradients, and 32-bit weights with two moments, which the distributed optimizer
 * shares out (docs/source/api-guide/dist_optimizer.md of github.com/NVIDIA/Megatron-LM: 6 + 12/d of 18 bytes).
 */
export const stateBytes = { weights: 2, gradients: 4, optimizer: 12 } as const;

/** Bytes of a logit: 16 bit, its 32-bit copy, the softmax that is kept and the gradient. */
const logitBytes = 12;

/** A figure with its range, MiB. */
interface Amount {
  readonly mib: number;
  readonly lowMiB: number;
  readonly highMiB: number;
}

/** CUDA context, and NCCL's buffers: of one group, and of each kind of group beyond it. */
const context: Amount = { mib: 400, lowMiB: 140, highMiB: 1200 };
const nccl: Amount = { mib: 700, lowMiB: 300, highMiB: 2000 };
const furtherGroups: Amount = { mib: 400, lowMiB: 100, highMiB: 1200 };
/** Blocks that PyTorch's allocator holds and nothing uses; assumed as for other trainings. */
const unused = { gib: 0.6, share: 0.065 } as const;

/** How Megatron-LM shares the states of a training out, whatever its passes. */
export interface MegatronSharing {
  readonly workload: Pick<TrainingWorkload, "method" | "sequenceTokens" | "microBatch" | "lora">;
  readonly settings: Omit<MegatronSettings, "virtualStages">;
  readonly split: TrainingParallelism;
}

/** What a training by Megatron-LM is weighed from. */
export interface MegatronTraining extends MegatronSharing {
  readonly settings: MegatronSettings;
  /** Activations are made a second time in the backward pass. */
  readonly again: boolean;
  /** Of a step; undefined is enough of them to fill a pipeline. */
  readonly passes: number | undefined;
}

/** Bytes of the states on one GPU, and of the holes beside them. */
export interface StateAmounts {
  /** Parameters of the stage. */
  readonly held: number;
  readonly weights: number;
  readonly adapters: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly holes: number;
}

/** Bytes of the activations on one GPU, and what they come from. */
export interface PassAmounts {
  readonly activations: number;
  readonly logits: number;
  /** Sequence parallelism gathers the whole stream before each pair of matrices. */
  readonly gathered: number;
  readonly tokens: number;
  readonly layers: number;
  readonly inFlight: number;
}

/**
 * Over how many GPUs the distributed optimizer shares its part out: all that hold the same parameters, which learn from other
 * sequences or from other tokens of one. Experts are the same on fewer.
 */
export function optimizerShares({ settings, split }: MegatronSharing): StageParameters {
  if (settings.distributedOptimizer === false) return { rest: 1, experts: 1 };
  const { contextParallel = 1, expertParallel = 1 } = settings;
  const rest = split.dataParallel * contextParallel;
  return { rest, experts: (rest * split.tensorParallel) / expertParallel };
}

/**
 * Weights, gradients and moments of all that learns. Adapters lie beside frozen weights: the one of a layer's experts is shared
 * by those of a GPU, and a half of each pair may lie whole on every GPU of a tensor-parallel group (docs/training/peft.md of
 * github.com/NVIDIA-NeMo/Megatron-Bridge).
 */
export function stateAmounts(shape: ModelShape, sharing: MegatronSharing): StateAmounts {
  const { workload, split, settings } = sharing;
  const stage = stageParameters(shape, split, settings);
  const over = optimizerShares(sharing);
  const held = stage.rest + stage.experts;
  const weights = held * stateBytes.weights;
  const holes = unused.gib * gibi + unused.share * weights;
  if (workload.method === "full") {
    const stepped = stage.rest / over.rest + stage.experts / over.experts;
    const gradients = held * stateBytes.gradients;
    const optimizer = stepped * stateBytes.optimizer;
    return { held, weights, adapters: 0, gradients, optimizer, holes };
  }
  const all = adapterParameters({ ...shape, expertCount: 1 }, workload.lora);
  const learning = all / split.tensorParallel / split.pipelineParallel;
  return {
    held,
    weights,
    adapters: learning * stateBytes.weights,
    gradients: learning * stateBytes.gradients,
    optimizer: (learning * stateBytes.optimizer) / over.rest,
    holes,
  };
}

/** MiB of the states alone, without a range: no GPU with less holds the training, whatever its activations. */
export function leastStatesMiB(
  { weights, gradients, optimizer }: StateAmounts,
  { workload }: MegatronSharing,
): number {
  return mebibytes(workload.method === "full" ? weights + gradients + optimizer : weights);
}

/** Activations of the first stage, which holds the most passes, and the logits of the last one, which holds one. */
export function passAmounts(shape: ModelShape, training: MegatronTraining): PassAmounts {
  const { workload, settings, split, again, passes = Infinity } = training;
  const { sequenceTokens, microBatch } = workload;
  const { tensorParallel, pipelineParallel } = split;
  const { contextParallel = 1 } = settings;
  const tokens = (sequenceTokens * microBatch) / contextParallel;
  const inFlight = passesInFlight(split, settings, passes);
  const layers = stageLayers(shape, pipelineParallel, settings.tablesAsLayers);
  const layer = (2 * tokens * layerNumbers(shape)) / tensorParallel;
  const checkpoint = (2 * tokens * shape.hiddenSize) / tensorParallel;
  const kept = again ? checkpoint : layer;
  const live = again ? layer : 0;
  const scores = (tokens * paddedVocabulary(shape, tensorParallel) * logitBytes) / tensorParallel;
  const first = inFlight * layers * kept + live;
  const one = layers * kept + live;
  // Both stages are at their fullest at the same place of a pipeline of one; else the fuller of the two is what counts.
  const last = pipelineParallel === 1 || one + scores > first;
  return {
    activations: last ? one : first,
    logits: last ? scores : 0,
    gathered: tensorParallel === 1 ? 0 : 2 * tokens * shape.hiddenSize * 2,
    tokens,
    layers,
    inFlight,
  };
}

/** How far each amount may be off. */
type MegatronSpreads = Readonly<
  Record<Exclude<keyof StateAmounts, "held"> | "activations" | "logits" | "gathered", Spread>
>;

const exact = { below: 0.01, above: 0.02 };
const adapted = { below: 0.3, above: 1 };

// Adapters keep less, and experts of a GPU may get more tokens than the others.
function spreadsFor(full: boolean, experts: boolean): MegatronSpreads {
  const passing = { below: full ? 0.15 : 0.4, above: experts ? 0.6 : 0.2 };
  return {
    weights: exact,
    adapters: adapted,
    gradients: full ? exact : adapted,
    optimizer: full ? { below: 0.02, above: 0.05 } : adapted,
    activations: passing,
    logits: { below: 0.3, above: 0.3 },
    gathered: passing,
    holes: { below: 0.8, above: 1 },
  };
}

const spreads = {
  full: { dense: spreadsFor(true, false), experts: spreadsFor(true, true) },
  adapters: { dense: spreadsFor(false, false), experts: spreadsFor(false, true) },
} as const;

/** How far each amount of that training may be off. */
function spreadsOf({ experts }: ModelShape, { workload }: MegatronSharing): MegatronSpreads {
  const { dense, experts: mixed } = spreads[workload.method === "full" ? "full" : "adapters"];
  return experts === undefined ? dense : mixed;
}

/** Kinds of groups that exchange. */
function groupKinds({ split, settings }: MegatronSharing): number {
  const { tensorParallel, pipelineParallel, dataParallel } = split;
  const { contextParallel = 1, expertParallel = 1 } = settings;
  return (
    Number(tensorParallel > 1) +
    Number(pipelineParallel > 1) +
    Number(dataParallel > 1) +
    Number(contextParallel > 1) +
    Number(expertParallel > 1)
  );
}

/** What one of the amounts that a GPU holds is: of the states, of a pass, or of what runs beside them. */
export type AmountName = keyof MegatronSpreads | "context" | "nccl" | "furtherGroups";

/** Takes one of them. */
type TakeAmount = (name: AmountName, amount: Amount) => void;

function ranged(bytes: number, { below, above }: Spread): Amount {
  const mib = mebibytes(bytes);
  return { mib, lowMiB: mib * (1 - below), highMiB: mib * (1 + above) };
}

/** Hands over all that a GPU holds, amount by amount; what is told of a training and what a verdict goes by are both made of them. */
export function eachAmount(
  shape: ModelShape,
  training: MegatronTraining,
  { states, passes }: { readonly states: StateAmounts; readonly passes: PassAmounts },
  take: TakeAmount,
): void {
  const spread = spreadsOf(shape, training);
  const kinds = groupKinds(training);
  take("weights", ranged(states.weights, spread.weights));
  take("adapters", ranged(states.adapters, spread.adapters));
  take("gradients", ranged(states.gradients, spread.gradients));
  take("optimizer", ranged(states.optimizer, spread.optimizer));
  take("activations", ranged(passes.activations, spread.activations));
  take("logits", ranged(passes.logits, spread.logits));
  take("gathered", ranged(passes.gathered, spread.gathered));
  take("context", context);
  take("holes", ranged(states.holes, spread.holes));
  if (kinds > 0) take("nccl", nccl);
  if (kinds > 1) take("furtherGroups", furtherGroups);
}

/** What a verdict on a training goes by, without its words: a search weighs a thousand layouts, and tells of one. */
export function megatronNeed(
  shape: ModelShape,
  training: MegatronTraining,
  states: StateAmounts,
): MemoryNeed {
  const end = new UpperEnd();
  eachAmount(
    shape,
    training,
    { states, passes: passAmounts(shape, training) },
    (_, { mib, highMiB }) => {
      end.add(mib, highMiB);
    },
  );
  const { totalMiB: startMiB, highMiB } = end;
  return { startMiB, highMiB, utilisation: trainingShare, wholeRange: true, outsideMiB: 0 };
}
