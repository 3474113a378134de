import type { Model } from "../catalogue/model.ts";
import { shapeOf } from "./model-shape.ts";
import type { ServingParallelism, WeightFormat } from "./workload.ts";

/** Weights that share a scale in GPTQ and AWQ checkpoints, and the tile of the Marlin kernels. */
const groupSize = 128;
const grouped: ReadonlySet<WeightFormat> = new Set(["int4", "awq-int4", "gptq-int8"]);

/** Why the model cannot be split over that many GPUs of a tensor-parallel group; undefined when it can. */
export function splitProblem(
  model: Model,
  precision: WeightFormat,
  tensorParallel: number,
): string | undefined {
  if (tensorParallel === 1) return undefined;
  const { attentionHeads, kvHeads, matrixSize } = shapeOf(model);
  if (attentionHeads % tensorParallel !== 0) {
    return `${attentionHeads} attention heads do not divide over ${tensorParallel} GPUs`;
  }
  const replicated = tensorParallel % kvHeads === 0;
  if (model.kvType !== "mla" && kvHeads % tensorParallel !== 0 && !replicated) {
    return `${kvHeads} key-value heads neither divide over ${tensorParallel} GPUs nor into them`;
  }
  if (grouped.has(precision) && matrixSize % (groupSize * tensorParallel) !== 0) {
    return `${matrixSize} columns in groups of ${groupSize} do not divide over ${tensorParallel} GPUs`;
  }
  return undefined;
}

/**
 * Ways to split a served model over at most `gpuCount` GPUs, fewest first; of as many GPUs those with more tensor
 * parallelism, which answers sooner. Pipeline stages take any count up to the layers. An image model takes one GPU.
 */
export function validSplits(
  model: Model,
  precision: WeightFormat,
  gpuCount: number,
): readonly ServingParallelism[] {
  const whole = Math.max(1, Math.floor(gpuCount));
  if (model.task === "image-generation") return [{ tensorParallel: 1, pipelineParallel: 1 }];
  const { layers } = shapeOf(model);
  const splits: ServingParallelism[] = [];
  for (let tensorParallel = 1; tensorParallel <= whole; tensorParallel += 1) {
    if (splitProblem(model, precision, tensorParallel) !== undefined) continue;
    const stages = Math.min(layers, Math.floor(whole / tensorParallel));
    for (let pipelineParallel = 1; pipelineParallel <= stages; pipelineParallel += 1) {
      splits.push({ tensorParallel, pipelineParallel });
    }
  }
  const size = (split: ServingParallelism) => split.tensorParallel * split.pipelineParallel;
  return splits.toSorted((a, b) => size(a) - size(b) || b.tensorParallel - a.tensorParallel);
}
