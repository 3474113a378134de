import type { Model } from "../catalogue/model.ts";
import { withAttentionKernel } from "./attention-kernel.ts";
import { checkTraining } from "./check-workload.ts";
import { imageTrainingDemand } from "./image-training-demand.ts";
import { partOf } from "./mebibytes.ts";
import { demandOf, type MemoryDemand, type MemoryPart } from "./memory-part.ts";
import { shapeOf } from "./model-shape.ts";
import { megatronDemand } from "./parallel/megatron-demand.ts";
import { trainingActivations } from "./training-activations.ts";
import { gatheringHoles, trainingRuntime } from "./training-runtime.ts";
import { stateParts, stepBytes } from "./training-states.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

/** Of the GPU: training that fills the last twentieth dies of one long sequence. */
const trainingShare = 0.95;

const single = { dataParallel: 1, tensorParallel: 1, pipelineParallel: 1 } as const;

/** What a step of the optimiser needs beyond the activations, which are gone by then. */
function stepPart(bytes: number, activations: readonly MemoryPart[]): MemoryPart {
  const freed = activations.reduce((sum, { mib }) => sum + mib, 0) * 1024 ** 2;
  const beyond = Math.max(0, bytes - freed);
  return partOf("optimizer", beyond, { below: 0.1, above: 0.1 }, "a copy of a moment for a step");
}

/**
 * What each GPU has to hold to train the model so. Pure.
 *
 * @throws UserError when the workload makes no sense, or the catalogue lacks a figure that it takes
 */
export function trainingDemand(
  model: Model,
  asked: TrainingWorkload,
  parallelism: TrainingParallelism = single,
): MemoryDemand {
  checkTraining(model, asked, parallelism);
  if (model.task === "image-generation") return imageTrainingDemand(model, asked);
  if (asked.megatron !== undefined) {
    const {
      megatron: settings,
      gradientCheckpointing: again,
      gradientAccumulation: passes,
    } = asked;
    return megatronDemand(model, { workload: asked, settings, split: parallelism, again, passes });
  }
  const workload = withAttentionKernel(model, asked);
  const shape = shapeOf(model);
  const states = stateParts(model, shape, workload, parallelism);
  const activations = trainingActivations(shape, workload, parallelism);
  const loadedMiB = states
    .filter(({ name }) => name === "weights")
    .reduce((sum, { mib }) => sum + mib, 0);
  const passingMiB = activations
    .filter(({ name }) => name !== "fragmentation")
    .reduce((sum, { mib }) => sum + mib, 0);
  const parts = [
    ...states,
    ...activations,
    ...gatheringHoles(workload, passingMiB),
    stepPart(stepBytes(shape, workload, parallelism), activations),
    ...trainingRuntime(shape, workload, parallelism, loadedMiB),
  ];
  return demandOf({ parts, parallelism, utilisation: trainingShare, wholeRange: true });
}
