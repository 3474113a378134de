import type { Model } from "../../catalogue/model.ts";
import { mebibytes, partOf } from "../mebibytes.ts";
import { demandOf, type MemoryDemand, type MemoryPart } from "../memory-part.ts";
import { shapeOf, type ModelShape } from "../model-shape.ts";
import type { MegatronSettings, TrainingParallelism, TrainingWorkload } from "../workload.ts";
import { adapterParameters } from "../adapter-parameters.ts";
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
const trainingShare = 0.95;

/**
 * Bytes of a parameter: 16-bit weights, 32-bit gradients, and 32-bit weights with two moments, which the distributed optimizer
 * shares out (docs/source/api-guide/dist_optimizer.md of github.com/NVIDIA/Megatron-LM: 6 + 12/d of 18 bytes).
 */
const stateBytes = { weights: 2, gradients: 4, optimizer: 12 } as const;

/** Bytes of a logit: 16 bit, its 32-bit copy, the softmax that is kept and the gradient. */
const logitBytes = 12;

/** CUDA context, and NCCL's buffers: of one group, and of each kind of group beyond it. */
const context = { mib: 400, lowMiB: 140, highMiB: 1200 };
const nccl = { mib: 700, lowMiB: 300, highMiB: 2000 };
const furtherGroups = { mib: 400, lowMiB: 100, highMiB: 1200 };
/** Blocks that PyTorch's allocator holds and nothing uses; assumed as for other trainings. */
const unused = { gib: 0.6, share: 0.065 } as const;

/** What a training by Megatron-LM is weighed from. */
export interface MegatronTraining {
  readonly workload: TrainingWorkload;
  readonly settings: MegatronSettings;
  readonly split: TrainingParallelism;
}

/**
 * Over how many GPUs the distributed optimizer shares its part out: all that hold the same parameters, which learn from other
 * sequences or from other tokens of one. Experts are the same on fewer.
 */
function optimizerShares({ settings, split }: MegatronTraining): StageParameters {
  if (settings.distributedOptimizer === false) return { rest: 1, experts: 1 };
  const { contextParallel = 1, expertParallel = 1 } = settings;
  const rest = split.dataParallel * contextParallel;
  return { rest, experts: (rest * split.tensorParallel) / expertParallel };
}

/** Parameters that this GPU steps; those of adapters are frozen else. */
function steppedParameters({ rest, experts }: StageParameters, training: MegatronTraining): number {
  const over = optimizerShares(training);
  return rest / over.rest + experts / over.experts;
}

/** MiB of the states alone, without a range: no GPU with less holds the training, whatever its activations. */
export function leastMegatronMiB(model: Model, training: MegatronTraining): number {
  const { weights, gradients, optimizer } = stateBytes;
  const stage = stageParameters(shapeOf(model), training.split, training.settings);
  const held = stage.rest + stage.experts;
  if (training.workload.method !== "full") return mebibytes(held * weights);
  const stepped = steppedParameters(stage, training);
  return mebibytes(held * (weights + gradients) + stepped * optimizer);
}

const exact = { below: 0.01, above: 0.02 };

/** All of the model's weights, each of which learns. */
function fullStates(stage: StageParameters, training: MegatronTraining): readonly MemoryPart[] {
  const { gradients, optimizer } = stateBytes;
  const held = stage.rest + stage.experts;
  const over = optimizerShares(training);
  const shares =
    stage.experts === 0
      ? `over ${over.rest}`
      : `over ${over.rest}, of experts over ${over.experts}`;
  return [
    partOf("gradients", held * gradients, exact, `${gradients} bytes of each`),
    partOf(
      "optimizer",
      steppedParameters(stage, training) * optimizer,
      { below: 0.02, above: 0.05 },
      `${optimizer} bytes of each, ${shares}`,
    ),
  ];
}

/**
 * Adapters beside frozen weights: the one of a layer's experts is shared by those of a GPU, and a half of each pair may lie
 * whole on every GPU of a tensor-parallel group (docs/training/peft.md of github.com/NVIDIA-NeMo/Megatron-Bridge).
 */
function adapterStates(shape: ModelShape, training: MegatronTraining): readonly MemoryPart[] {
  const { weights, gradients, optimizer } = stateBytes;
  const { tensorParallel, pipelineParallel } = training.split;
  const all = adapterParameters({ ...shape, expertCount: 1 }, training.workload.lora);
  const held = all / tensorParallel / pipelineParallel;
  const over = optimizerShares(training).rest;
  const spread = { below: 0.3, above: 1 };
  return [
    partOf("adapters", held * weights, spread, `${(held / 1e6).toFixed(1)} M of adapters`),
    partOf("gradients", held * gradients, spread, `${gradients} bytes of each`),
    partOf(
      "optimizer",
      (held * optimizer) / over,
      spread,
      `${optimizer} bytes of each, over ${over}`,
    ),
  ];
}

function states(shape: ModelShape, training: MegatronTraining): readonly MemoryPart[] {
  const stage = stageParameters(shape, training.split, training.settings);
  const full = training.workload.method === "full";
  const held = stage.rest + stage.experts;
  const count = `${(held / 1e9).toFixed(2)} B parameters of a stage`;
  const frozen = full ? "" : ", frozen";
  return [
    partOf(
      "weights",
      held * stateBytes.weights,
      exact,
      `${count} x ${stateBytes.weights} bytes${frozen}`,
    ),
    ...(full ? fullStates(stage, training) : adapterStates(shape, training)),
  ];
}

/** Activations of the first stage, which holds the most passes, and the logits of the last one, which holds one. */
function activations(shape: ModelShape, training: MegatronTraining): readonly MemoryPart[] {
  const { workload, settings, split } = training;
  const { sequenceTokens, microBatch, gradientCheckpointing, gradientAccumulation } = workload;
  const { tensorParallel, pipelineParallel } = split;
  const { contextParallel = 1 } = settings;
  const tokens = (sequenceTokens * microBatch) / contextParallel;
  const inFlight = passesInFlight(split, settings, gradientAccumulation ?? Infinity);
  const layers = stageLayers(shape, pipelineParallel, settings.tablesAsLayers);
  const layer = (2 * tokens * layerNumbers(shape)) / tensorParallel;
  const checkpoint = (2 * tokens * shape.hiddenSize) / tensorParallel;
  const ofPasses = (passes: number) =>
    gradientCheckpointing ? passes * layers * checkpoint + layer : passes * layers * layer;
  const logits = (tokens * paddedVocabulary(shape, tensorParallel) * logitBytes) / tensorParallel;
  const first = ofPasses(inFlight);
  const last = ofPasses(1) + logits;
  // Both stages are at their fullest at the same place of a pipeline of one; else the fuller of the two is what counts.
  const [held, scores] =
    pipelineParallel === 1 || last > first ? [ofPasses(1), logits] : [first, 0];
  const kind = gradientCheckpointing ? "a checkpoint of each layer" : "all but attention's scores";
  // Adapters keep less, and experts of a GPU may get more tokens than the others.
  const below = workload.method === "full" ? 0.15 : 0.4;
  const spread = { below, above: shape.experts === undefined ? 0.2 : 0.6 };
  const passes = pipelineParallel === 1 ? "" : `, ${inFlight.toFixed(1)} passes in flight`;
  return [
    partOf("activations", held, spread, `${tokens} tokens x ${layers} layers${passes}: ${kind}`),
    partOf("logits", scores, { below: 0.3, above: 0.3 }, `${tokens} x ${shape.vocabularySize}`),
    // Sequence parallelism gathers the whole stream before each pair of matrices.
    partOf(
      "activations",
      tensorParallel === 1 ? 0 : 2 * tokens * shape.hiddenSize * 2,
      spread,
      "gathered streams",
    ),
  ];
}

function runtime(shape: ModelShape, { split, settings }: MegatronTraining): readonly MemoryPart[] {
  const { tensorParallel, pipelineParallel, dataParallel } = split;
  const stage = stageParameters(shape, split, settings);
  const loaded = (stage.rest + stage.experts) * stateBytes.weights;
  const holes = unused.gib * gibi + unused.share * loaded;
  const { contextParallel = 1, expertParallel = 1 } = settings;
  const sizes = [tensorParallel, pipelineParallel, dataParallel, contextParallel, expertParallel];
  const groups = sizes.filter((size) => size > 1).length;
  const parts: MemoryPart[] = [
    { name: "runtime", ...context, why: "CUDA context and libraries" },
    partOf("fragmentation", holes, { below: 0.8, above: 1 }, "blocks that the allocator holds"),
  ];
  if (groups > 0) {
    parts.push({ name: "communication", ...nccl, why: "NCCL's buffers between the GPUs" });
  }
  if (groups > 1) {
    parts.push({ name: "communication", ...furtherGroups, why: "and of the further groups" });
  }
  return parts;
}

/**
 * What each GPU has to hold when Megatron-LM trains all weights or adapters in mixed precision: the fuller of first and last stage. Pure.
 * The split has been checked.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function megatronDemand(model: Model, training: MegatronTraining): MemoryDemand {
  const shape = shapeOf(model);
  const parts = [
    ...states(shape, training),
    ...activations(shape, training),
    ...runtime(shape, training),
  ];
  const { split, settings } = training;
  const { contextParallel = 1 } = settings;
  const parallelism = contextParallel === 1 ? split : { ...split, contextParallel };
  return demandOf({ parts, parallelism, utilisation: trainingShare, wholeRange: true });
}
