import type { Model } from "../catalogue/model.ts";
import { shapeOf } from "./model-shape.ts";
import type { ServingParallelism, TrainingParallelism, WeightFormat } from "./workload.ts";

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
  return reviewed(model, tensorParallel);
}

/** The catalogue's own word on 1, 2, 4 and 8 GPUs, which knows models that no engine splits. */
function reviewed({ tensorParallelSizes, id }: Model, size: number): string | undefined {
  if (tensorParallelSizes === undefined || ![2, 4, 8].includes(size)) return undefined;
  return tensorParallelSizes.includes(size) ? undefined : `${id} is not split over ${size} GPUs`;
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

/** Why Megatron-LM cannot split a training so; undefined when it can: heads over the group, layers evenly over the stages. */
export function trainingSplitProblem(
  model: Model,
  { tensorParallel, pipelineParallel }: TrainingParallelism,
): string | undefined {
  const { layers } = shapeOf(model);
  if (layers % pipelineParallel !== 0) {
    return `${layers} layers do not divide over ${pipelineParallel} pipeline stages`;
  }
  return splitProblem(model, "bf16", tensorParallel);
}

/** Whole numbers that divide a count, smallest first. */
export function divisorsOf(count: number): readonly number[] {
  const small = Array.from({ length: Math.floor(Math.sqrt(count)) }, (_, index) => index + 1);
  const factors = small.filter((size) => count % size === 0);
  return [...new Set([...factors, ...factors.map((size) => count / size)])].toSorted(
    (a, b) => a - b,
  );
}

/** Ways to use exactly `gpuCount` GPUs: data x tensor x pipeline parallel, whatever the model divides by. */
export function trainingSplits(gpuCount: number): readonly TrainingParallelism[] {
  const divisors = divisorsOf(gpuCount);
  return divisors.flatMap((tensorParallel) =>
    divisors
      .filter((stages) => gpuCount % (tensorParallel * stages) === 0)
      .map((pipelineParallel) => ({
        dataParallel: gpuCount / tensorParallel / pipelineParallel,
        tensorParallel,
        pipelineParallel,
      })),
  );
}
