import type { Model } from "../../catalogue/model.ts";
import type { TrainingJob } from "../job.ts";
import type { MemoryDemand } from "../memory-part.ts";
import { trainingDemand } from "../training-demand.ts";
import { huggingFaceLayout, megatronLayouts, type GpuGrid } from "./layouts.ts";
import { leastMegatronMiB, megatronDemand, type MegatronTraining } from "./megatron-demand.ts";
import type { TrainingLayout } from "./training-layout.ts";

/** A layout with what each GPU has to hold. */
export interface LayoutOption {
  readonly layout: TrainingLayout;
  /** Below this no GPU holds it; it takes far less to work out than the demand. */
  readonly leastMiB: number;
  /** Worked out when it is first asked for. */
  readonly demand: () => MemoryDemand;
  /** The same with its activations kept: where that holds the training, nobody makes them again. */
  readonly kept?: LayoutOption | undefined;
}

/** The ways to lay a training out over the GPUs of a grid. */
export interface LayoutOptions {
  readonly simple: LayoutOption | undefined;
  /** Those of Megatron-LM: hundreds on many GPUs. */
  readonly megatron: () => readonly LayoutOption[];
}

/** The ways over each grid, whatever its GPUs: types that join as many of them alike share the work. */
export type LayoutBook = (grid: GpuGrid) => LayoutOptions;

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

function optionOf(model: Model, layout: TrainingLayout): LayoutOption {
  const { dataParallel, tensorParallel, pipelineParallel, workload } = layout;
  const split = { dataParallel, tensorParallel, pipelineParallel };
  const { megatron: settings } = workload;
  if (settings === undefined) {
    return { layout, leastMiB: 0, demand: once(() => trainingDemand(model, workload, split)) };
  }
  // `megatronLayouts` makes none that a check would refuse.
  const training: MegatronTraining = { workload, settings, split };
  const leastMiB = leastMegatronMiB(model, training);
  return { layout, leastMiB, demand: once(() => megatronDemand(model, training)) };
}

/** The ways of Megatron-LM; each that makes its activations again comes right after the one that keeps them. */
function megatronOptions(job: TrainingJob, grid: GpuGrid): readonly LayoutOption[] {
  let kept: LayoutOption | undefined;
  return megatronLayouts(job, grid).map((layout) => {
    const option = optionOf(job.model, layout);
    if (layout.workload.gradientCheckpointing) return { ...option, kept };
    kept = option;
    return option;
  });
}

/** The book of a job. It remembers what it has worked out, so that each way is weighed once, however many types ask for it. */
export function layoutBook(job: TrainingJob): LayoutBook {
  const { model, wishes } = job;
  const known = new Map<string, LayoutOptions>();
  const make = (grid: GpuGrid): LayoutOptions => ({
    simple:
      wishes.framework === "megatron" ? undefined : optionOf(model, huggingFaceLayout(job, grid)),
    megatron: once(() => (wishes.framework === "hugging-face" ? [] : megatronOptions(job, grid))),
  });
  return (grid) => {
    const key = [grid.nodes, grid.gpusPerNode, grid.nvlink, grid.bf16].join(" ");
    const options = known.get(key) ?? make(grid);
    known.set(key, options);
    return options;
  };
}
