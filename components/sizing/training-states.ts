import type { Model } from "../catalogue/model.ts";
import { adapterParameters } from "./adapter-parameters.ts";
import { partOf, readable } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import { embeddingParameters, type ModelShape } from "./model-shape.ts";
import { weightBytes } from "./weight-layout.ts";
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

/** ZeRO's table (https://arxiv.org/abs/1910.02054, section 3): 16 bytes of a parameter with Adam in mixed precision. */
function stateBytes(workload: TrainingWorkload): StateBytes {
  const moments = momentBytes(workload);
  const { precision, optimizerInBackward } = workload;
  const gradients = precision === "fp32" ? 4 : 2;
  const kept = optimizerInBackward === true ? 0 : gradients;
  if (precision === "fp32") return { weights: 4, gradients: kept, optimizer: moments };
  if (precision === "bf16") return { weights: 2, gradients: kept, optimizer: moments };
  return { weights: 2, gradients: kept, optimizer: 4 + moments };
}

/** Over how many data-parallel GPUs each state is shared out. */
function shards({ sharding = "none" }: TrainingWorkload, dataParallel: number) {
  const stage = { none: 0, "zero-1": 1, "zero-2": 2, "zero-3": 3, fsdp: 3 }[sharding];
  const of = (from: number) => (stage >= from ? dataParallel : 1);
  return { optimizer: of(1), gradients: of(2), weights: of(3) };
}

/** Parameters that are trained, and those that are frozen. */
export function trainedParameters(
  shape: ModelShape,
  { method, lora }: TrainingWorkload,
): { readonly trained: number; readonly frozen: number } {
  if (method === "full") return { trained: shape.parameters, frozen: 0 };
  const tables = lora?.trainEmbeddings === true ? embeddingParameters(shape) : 0;
  return { trained: adapterParameters(shape, lora) + tables, frozen: shape.parameters };
}

const exact = { below: 0.01, above: 0.02 };

function frozenPart(model: Model, workload: TrainingWorkload, share: number): MemoryPart {
  const { method, precision, quantisation = "nf4-double" } = workload;
  const held = precision === "fp32" ? "fp32" : "bf16";
  const format = method === "qlora" ? quantisation : held;
  const bytes = weightBytes(model, format) / share;
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
  const { trained } = trainedParameters(shape, workload);
  const onGpu = trained / (tensorParallel * pipelineParallel);
  const bytes = stateBytes(workload);
  const over = shards(workload, dataParallel);
  const weights = (onGpu * bytes.weights) / over.weights;
  const gradients = (onGpu * bytes.gradients) / over.gradients;
  const optimizer = (onGpu * bytes.optimizer) / over.optimizer;
  const name = method === "full" ? "weights" : "adapters";
  const parts = [
    partOf(name, weights, exact, `${trained} trained parameters x ${bytes.weights} bytes`),
    partOf("gradients", gradients, { below: 0.1, above: 0.5 }, `x ${bytes.gradients} bytes`),
    partOf("optimizer", optimizer, { below: 0.02, above: 0.05 }, `x ${bytes.optimizer} bytes`),
  ];
  const share = tensorParallel * pipelineParallel * over.weights;
  const held = method === "full" ? parts : [frozenPart(model, workload, share), ...parts];
  return held.filter(({ name: part }) => {
    if (offload === "none") return true;
    return part !== "optimizer" && !(offload === "optimizer-and-weights" && part === "weights");
  });
}
