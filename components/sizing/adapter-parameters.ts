import type { ModelShape } from "./model-shape.ts";
import type { LoraSettings } from "./workload.ts";

/** The settings of LoRA where none are given. */
export const defaultLora: LoraSettings = { rank: 16, targets: "all-linear" };

/** Inputs and outputs, added up, of the matrices that are adapted in one layer. */
function adaptedWidths(shape: ModelShape, targets: LoraSettings["targets"]): number {
  const { hiddenSize, attentionHeads, kvHeads, headDimension } = shape;
  const query = hiddenSize + attentionHeads * headDimension;
  const key = hiddenSize + kvHeads * headDimension;
  if (targets === "q-v") return query + key;
  if (targets === "qkv") return hiddenSize + (attentionHeads + 2 * kvHeads) * headDimension;
  const attention = 2 * query + 2 * key;
  if (targets === "attention") return attention;
  const matrices = shape.feedForwardMatrices * shape.expertCount;
  return attention + matrices * (hiddenSize + shape.matrixSize);
}

/**
 * Parameters of LoRA adapters: for each adapted matrix rank x (inputs + outputs) (https://arxiv.org/abs/2106.09685).
 * `qkv` is one fused matrix, as in GPT-2, Falcon and Qwen 1.
 */
export function adapterParameters(shape: ModelShape, lora: LoraSettings = defaultLora): number {
  return shape.layers * lora.rank * adaptedWidths(shape, lora.targets);
}
