import type { Model } from "../catalogue/model.ts";
import { checkTraining } from "./check-workload.ts";
import { demandOf, type MemoryDemand } from "./memory-part.ts";
import { shapeOf } from "./model-shape.ts";
import { trainingActivations } from "./training-activations.ts";
import { trainingRuntime } from "./training-runtime.ts";
import { stateParts } from "./training-states.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

const single = { dataParallel: 1, tensorParallel: 1, pipelineParallel: 1 } as const;

/**
 * What each GPU has to hold to train the model so. Pure.
 *
 * @throws UserError when the workload makes no sense, or the catalogue lacks a figure that it takes
 */
export function trainingDemand(
  model: Model,
  workload: TrainingWorkload,
  parallelism: TrainingParallelism = single,
): MemoryDemand {
  checkTraining(model, workload, parallelism);
  const shape = shapeOf(model);
  const parts = [
    ...stateParts(model, shape, workload, parallelism),
    ...trainingActivations(shape, workload, parallelism),
    ...trainingRuntime(shape, workload, parallelism),
  ];
  return demandOf({ parts, parallelism, utilisation: 0.98 });
}
