import type { Model } from "../catalogue/model.ts";
import type { ServingEngine } from "../plan.ts";
import type { MemoryDemand } from "./memory-part.ts";
import { servingDemand } from "./serving-demand.ts";
import { verdict } from "./verdict.ts";
import { weightBytes as bytesInFormat } from "./weight-layout.ts";

export type { MemoryDemand } from "./memory-part.ts";

/** How the weights are held in memory. */
export type Precision = "native" | "int8" | "int4";

/** What is asked of the server. */
export interface Workload {
  readonly contextTokens: number;
  readonly concurrency: number;
  readonly precision: Precision;
  readonly engine: ServingEngine;
}

/** Bytes of the weights in that precision. */
export function weightBytes(model: Model, precision: Precision): number {
  return bytesInFormat(model, precision);
}

/** What each of `tensorParallel` GPUs has to hold. */
export function memoryDemand(
  model: Model,
  workload: Workload,
  tensorParallel: number,
): MemoryDemand {
  return servingDemand(model, workload, { tensorParallel, pipelineParallel: 1 });
}

/** It starts. */
export function fits(demand: MemoryDemand, usableMiB: number): boolean {
  return verdict(demand, usableMiB).fits;
}

/** It holds the load with room to spare. */
export function isComfortable(demand: MemoryDemand, usableMiB: number): boolean {
  return verdict(demand, usableMiB).comfortable;
}
