import type { Model } from "../../catalogue/model.ts";
import type { TrainingJob } from "../job.ts";
import type { MemoryDemand, MemoryNeed } from "../memory-part.ts";
import { shapeOf } from "../model-shape.ts";
import { trainingDemand } from "../training-demand.ts";
import {
  huggingFaceLayout,
  layoutOfWay,
  megatronFamilies,
  waysOf,
  type GpuGrid,
  type MegatronFamily,
  type MegatronWay,
} from "./layouts.ts";
import {
  leastStatesMiB,
  megatronNeed,
  stateAmounts,
  type MegatronTraining,
  type StateAmounts,
} from "./megatron-amounts.ts";
import { megatronDemand } from "./megatron-demand.ts";
import type { TrainingLayout } from "./training-layout.ts";

/** A layout with what each GPU has to hold; what it takes longer to work out is worked out when it is first asked for. */
export interface LayoutOption {
  readonly layout: TrainingLayout;
  /** What a verdict goes by. */
  readonly need: MemoryNeed;
  /** The same in words. */
  readonly demand: MemoryDemand;
  /** The same with its activations kept: where that holds the training, nobody makes them again. */
  readonly kept?: LayoutOption | undefined;
}

/** The ways to lay a training out over the GPUs of a grid. */
export interface LayoutOptions {
  readonly simple: LayoutOption | undefined;
  /** Those of Megatron-LM: over a thousand on many GPUs. */
  readonly megatron: () => readonly LayoutFamily[];
}

/** The ways over each grid, whatever its GPUs: types that join as many of them alike share the work. */
export type LayoutBook = (grid: GpuGrid) => LayoutOptions;

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

class SimpleOption implements LayoutOption {
  readonly layout: TrainingLayout;
  readonly #model: Model;
  #demand: MemoryDemand | undefined;

  constructor(model: Model, layout: TrainingLayout) {
    this.#model = model;
    this.layout = layout;
  }

  get demand(): MemoryDemand {
    const { dataParallel, tensorParallel, pipelineParallel, workload } = this.layout;
    const split = { dataParallel, tensorParallel, pipelineParallel };
    return (this.#demand ??= trainingDemand(this.#model, workload, split));
  }

  get need(): MemoryNeed {
    return this.demand;
  }
}

class MegatronOption implements LayoutOption {
  readonly kept: LayoutOption | undefined;
  readonly #family: LayoutFamily;
  readonly #way: MegatronWay;
  #layout: TrainingLayout | undefined;
  #need: MemoryNeed | undefined;

  constructor(family: LayoutFamily, way: MegatronWay, kept: LayoutOption | undefined) {
    this.#family = family;
    this.#way = way;
    this.kept = kept;
  }

  // A way is one that a check would not refuse.
  get #training(): MegatronTraining {
    const { split, settings, passes, again } = this.#way;
    return { workload: this.#family.job.workload, split, settings, passes, again };
  }

  get layout(): TrainingLayout {
    return (this.#layout ??= layoutOfWay(this.#family.job, this.#family.grid, this.#way));
  }

  get need(): MemoryNeed {
    const { job, states } = this.#family;
    return (this.#need ??= megatronNeed(shapeOf(job.model), this.#training, states));
  }

  get demand(): MemoryDemand {
    return megatronDemand(this.#family.job.model, this.#training);
  }
}

/** Options of Megatron-LM whose states lie alike. */
export class LayoutFamily {
  readonly job: TrainingJob;
  readonly grid: GpuGrid;
  readonly states: StateAmounts;
  /** Below this no GPU holds one of them; it takes far less to work out than their needs. */
  readonly leastMiB: number;
  readonly #family: MegatronFamily;
  #options: readonly LayoutOption[] | undefined;

  constructor(job: TrainingJob, grid: GpuGrid, family: MegatronFamily) {
    const sharing = { workload: job.workload, split: family.split, settings: family.settings };
    this.job = job;
    this.grid = grid;
    this.#family = family;
    this.states = stateAmounts(shapeOf(job.model), sharing);
    this.leastMiB = leastStatesMiB(this.states, sharing);
  }

  /** Each that makes its activations again comes right after the one that keeps them. */
  get options(): readonly LayoutOption[] {
    return (this.#options ??= this.#make());
  }

  #make(): readonly LayoutOption[] {
    let last: LayoutOption | undefined;
    return waysOf(this.job, this.#family).map((way) => {
      const kept = way.again ? last : undefined;
      return (last = new MegatronOption(this, way, kept));
    });
  }
}

/** The book of a job. It remembers what it has worked out, so that each way is weighed once, however many types ask for it. */
export function layoutBook(job: TrainingJob): LayoutBook {
  const { model, wishes } = job;
  const known = new Map<string, LayoutOptions>();
  const make = (grid: GpuGrid): LayoutOptions => ({
    simple:
      wishes.framework === "megatron"
        ? undefined
        : new SimpleOption(model, huggingFaceLayout(job, grid)),
    megatron: once(() =>
      wishes.framework === "hugging-face"
        ? []
        : megatronFamilies(job, grid).map((family) => new LayoutFamily(job, grid, family)),
    ),
  });
  return (grid) => {
    const key = [grid.nodes, grid.gpusPerNode, grid.nvlink, grid.bf16].join(" ");
    const options = known.get(key) ?? make(grid);
    known.set(key, options);
    return options;
  };
}
