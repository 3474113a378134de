import type { Model } from "../../catalogue/model.ts";
import { shapeOf } from "../model-shape.ts";
import { splitProblem } from "../splits.ts";
import { stageLayers } from "./megatron-shape.ts";
import type { MegatronSettings, TrainingParallelism, TrainingWorkload } from "../workload.ts";

/** Why the model or its method is not one that a plan gives to Megatron-LM; undefined when it is. */
export function megatronProblem(model: Model, workload: TrainingWorkload): string | undefined {
  const { method, precision, optimizer, offload = "none" } = workload;
  if (method === "qlora") return "its frozen weights are in 16 bit, and qlora was asked for";
  // Adapters have 32-bit masters there, whatever the precision of the others.
  const held = method === "full" ? precision === "amp" : precision !== "fp32";
  if (!held) return `it holds 32-bit masters (amp), and ${precision} was asked for`;
  if (optimizer !== "adamw") return `its optimiser is AdamW, and ${optimizer} was asked for`;
  if (offload !== "none") return "its states stay on the GPUs, and offloading was asked for";
  if (model.task === "image-generation") return "it trains models of tokens";
  if (model.task === "multimodal") return "a vision tower is not laid out over its stages here";
  return model.encoderLayers === undefined
    ? undefined
    : "an encoder is not laid out over its stages here";
}

/** Why a sequence cannot be shared out so; undefined when it can: two pieces of one length for each GPU. */
export function contextProblem(
  sequenceTokens: number,
  contextParallel: number,
): string | undefined {
  if (contextParallel === 1 || sequenceTokens % (2 * contextParallel) === 0) return undefined;
  return `${sequenceTokens} tokens do not divide into two pieces for each of ${contextParallel} GPUs`;
}

/** Why the experts of a layer cannot be shared out so; undefined when they can, each of them whole. */
function expertProblem(
  { experts }: Model,
  { tensorParallel, dataParallel }: TrainingParallelism,
  { expertParallel = 1, contextParallel = 1 }: MegatronSettings,
): string | undefined {
  if (expertParallel === 1) return undefined;
  if (experts === undefined) return "it has no experts that GPUs could share out";
  if (experts.count % expertParallel !== 0) {
    return `${experts.count} experts do not divide over ${expertParallel} GPUs`;
  }
  const gpus = tensorParallel * contextParallel * dataParallel;
  return gpus % expertParallel === 0
    ? undefined
    : `the ${gpus} GPUs of a stage do not divide into groups of ${expertParallel} for its experts`;
}

/**
 * Why Megatron-LM cannot lay the training out so; undefined when it can. Layers divide evenly over stages and their groups,
 * heads and the feed-forward part over a tensor-parallel group, and with interleaving the passes over the stages
 * (`megatron/core/pipeline_parallel/schedules.py`, megatron-core 0.19.2).
 */
export function megatronSplitProblem(
  model: Model,
  split: TrainingParallelism,
  settings: MegatronSettings,
  passes: number,
): string | undefined {
  const { tensorParallel, pipelineParallel } = split;
  const { tablesAsLayers = false } = settings;
  const shape = shapeOf(model);
  const layers = stageLayers(shape, pipelineParallel, tablesAsLayers);
  if (!Number.isInteger(layers) || (tablesAsLayers && pipelineParallel === 1)) {
    const tables = tablesAsLayers ? " and two tables" : "";
    return `${shape.layers} layers${tables} do not divide over ${pipelineParallel} pipeline stages`;
  }
  const heads = splitProblem(model, "bf16", tensorParallel);
  if (heads !== undefined) return heads;
  const experts = expertProblem(model, split, settings);
  if (experts !== undefined) return experts;
  // Experts stay whole (expert_tensor_parallel_size 1).
  if (shape.experts === undefined && shape.matrixSize % tensorParallel !== 0) {
    return `${shape.matrixSize} feed-forward columns do not divide over ${tensorParallel} GPUs`;
  }
  return interleavingProblem(settings, split, { layers, passes });
}

/** Why the layers of a stage cannot be dealt out in so many groups; undefined when they can. */
export function interleavingProblem(
  { virtualStages, tablesAsLayers }: MegatronSettings,
  { pipelineParallel }: TrainingParallelism,
  { layers, passes }: { readonly layers: number; readonly passes: number },
): string | undefined {
  if (virtualStages === 1) return undefined;
  if (pipelineParallel === 1) return "interleaving is of pipeline stages, and there is one";
  // The first and the last group would have to hold a table and nothing else.
  if (layers % virtualStages !== 0 || (tablesAsLayers === true && layers === virtualStages)) {
    return `${layers} layers of a stage do not divide into ${virtualStages} groups`;
  }
  return passes % pipelineParallel === 0
    ? undefined
    : `${passes} passes do not divide over ${pipelineParallel} stages, as interleaving asks for`;
}
