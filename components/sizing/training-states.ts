import type { Model } from "../catalogue/model.ts";
import { adapterParameters } from "./adapter-parameters.ts";
import { partOf, readable } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import { embeddingParameters, type ModelShape } from "./model-shape.ts";
import { isBitsandbytes, weightBytes } from "./weight-layout.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

/** Bytes that a trained parameter takes in each state. */
interface StateBytes {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
}

/** Moments of the optimiser, bytes of a parameter: Adam has two, Adafactor a row and a column, plain SGD none. */
function momentBytes({ optimizer, precision }: TrainingWorkload): number {
  if (optimizer === "adamw") return precision === "bf16" ? 4 : 8;
  if (optimizer === "adamw-8bit") return 2 + (2 * 4) / 256;
  return optimizer === "adafactor" ? 0.02 : 0;
}

/** DeepSpeed adds gradients up in 32 bit beside bf16 weights. */
function gradientBytes({ precision, sharding = "none" }: TrainingWorkload): number {
  if (precision === "fp32") return 4;
  return precision === "amp" && sharding.startsWith("zero") ? 4 : 2;
}

/** ZeRO's table (https://arxiv.org/abs/1910.02054, section 3): 16 bytes of a parameter with Adam in mixed precision. */
function stateBytes(workload: TrainingWorkload): StateBytes {
  const moments = momentBytes(workload);
  const { precision, optimizerInBackward } = workload;
  const gradients = optimizerInBackward === true ? 0 : gradientBytes(workload);
  if (precision === "fp32") return { weights: 4, gradients, optimizer: moments };
  if (precision === "bf16") return { weights: 2, gradients, optimizer: moments };
  return { weights: 2, gradients, optimizer: 4 + moments };
}

/** Bytes of a parameter that learns in all its states together: no sharing out makes them fewer. */
export function learningBytes(workload: TrainingWorkload): number {
  const { weights, gradients, optimizer } = stateBytes(workload);
  return weights + gradients + optimizer;
}

/**
 * Tables that are trained beside adapters: a copy in 16 bit with gradients and moments in 16 bit, 8 bytes by the book; Qwen's
 * table of fine-tuning memory shows 11.5 to 12.1 with the step's copy.
 */
const tableBytes: StateBytes = { weights: 2, gradients: 2, optimizer: 5.6 };

/**
 * Bytes of the moments that `adamw_bnb_8bit` holds in 32 bit all the same: those of embeddings
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py, register_module_override).
 */
function wideMoments(shape: ModelShape, { optimizer, method }: TrainingWorkload): number {
  const narrow = optimizer === "adamw-8bit" && method === "full";
  return narrow ? (8 - 2) * shape.vocabularySize * shape.hiddenSize : 0;
}

/** Over how many data-parallel GPUs each state is shared out. */
function shards({ sharding = "none" }: TrainingWorkload, dataParallel: number) {
  const stage = { none: 0, "zero-1": 1, "zero-2": 2, "zero-3": 3, fsdp: 3 }[sharding];
  const of = (from: number) => (stage >= from ? dataParallel : 1);
  return { optimizer: of(1), gradients: of(2), weights: of(3) };
}

/** Parameters that are trained: adapters or all; tables that are trained whole beside adapters; and those frozen. */
export function trainedParameters(
  shape: ModelShape,
  { method, lora }: TrainingWorkload,
): { readonly trained: number; readonly tables: number; readonly frozen: number } {
  if (method === "full") return { trained: shape.parameters, tables: 0, frozen: 0 };
  const tables = lora?.trainEmbeddings === true ? embeddingParameters(shape) : 0;
  return { trained: adapterParameters(shape, lora), tables, frozen: shape.parameters };
}

/** 32-bit copies of the largest matrix that transformers' Adafactor computes an update with. */
const adafactorCopies = 3;

/** What a step has beside the states on this GPU: a copy of one moment of each parameter, or Adafactor's update of a matrix. */
export function stepBytes(
  shape: ModelShape,
  workload: TrainingWorkload,
  split: TrainingParallelism,
): number {
  const { optimizer, fusedOptimizer = true, offload = "none" } = workload;
  if (offload !== "none") return 0;
  if (optimizer === "adafactor" && workload.method === "full") {
    return adafactorCopies * 4 * shape.vocabularySize * shape.hiddenSize;
  }
  if (optimizer !== "adamw" || fusedOptimizer) return 0;
  const { trained, tables } = trainedParameters(shape, workload);
  const { dataParallel, tensorParallel, pipelineParallel } = split;
  const over = shards(workload, dataParallel).optimizer * tensorParallel * pipelineParallel;
  return (trained * (momentBytes(workload) / 2) + tables * 2) / over;
}

const exact = { below: 0.01, above: 0.02 };
const usual = { below: 0.05, above: 0.15 };

function frozenPart(
  model: Model,
  shape: ModelShape,
  workload: TrainingWorkload,
  share: number,
): MemoryPart {
  const { method, precision, quantisation = "nf4-double" } = workload;
  const held = precision === "fp32" ? "fp32" : "bf16";
  const format = method === "qlora" ? quantisation : held;
  const wide =
    method === "qlora" && precision === "amp" && isBitsandbytes(format)
      ? embeddingParameters(shape) * 2
      : 0;
  const bytes = (weightBytes(model, format) + wide) / share;
  return partOf("weights", bytes, exact, `${readable(bytes)} of frozen weights in ${format}`);
}

/** Weights, gradients and optimiser, on the fullest GPU. */
export function stateParts(
  model: Model,
  shape: ModelShape,
  workload: TrainingWorkload,
  { dataParallel, tensorParallel, pipelineParallel }: TrainingParallelism,
): readonly MemoryPart[] {
  const { offload = "none", method } = workload;
  const { trained, tables } = trainedParameters(shape, workload);
  const split = tensorParallel * pipelineParallel;
  const bytes = stateBytes(workload);
  const over = shards(workload, dataParallel);
  const of = (own: number, ofTables: number) => (trained * own + tables * ofTables) / split;
  const weights = of(bytes.weights, tableBytes.weights) / over.weights;
  const gradients = of(bytes.gradients, tableBytes.gradients) / over.gradients;
  const moments = of(bytes.optimizer, tableBytes.optimizer) + wideMoments(shape, workload) / split;
  const optimizer = moments / over.optimizer;
  const name = method === "full" ? "weights" : "adapters";
  const parts = [
    partOf(name, weights, exact, `${trained + tables} trained parameters x ${bytes.weights} bytes`),
    partOf(
      "gradients",
      gradients,
      usual,
      `${bytes.gradients} bytes of each, over ${over.gradients}`,
    ),
    partOf(
      "optimizer",
      optimizer,
      usual,
      `${bytes.optimizer} bytes of each, over ${over.optimizer}`,
    ),
  ];
  const share = split * over.weights;
  const held = method === "full" ? parts : [frozenPart(model, shape, workload, share), ...parts];
  return held.filter(({ name: part }) => {
    if (offload === "none") return true;
    return part !== "optimizer" && !(offload === "optimizer-and-weights" && part === "weights");
  });
}
