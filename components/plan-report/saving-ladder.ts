import { usableMemoryMiB } from "../catalogue/accelerator.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { demandsOf, type Job, type ServingJob, type TrainingJob } from "../sizing/job.ts";
import type { MemoryDemand } from "../sizing/memory-part.ts";
import { outOfMemoryLadder } from "../sizing/out-of-memory-ladder.ts";
import type { PlanRequest } from "../sizing/plan-request.ts";
import { verdict } from "../sizing/verdict.ts";
import type { ServingWorkload } from "../sizing/workload.ts";
import type { SavingLadder, SavingRung } from "./report.ts";

/** GPUs that a job is fitted to. */
export interface Machine {
  readonly name: string;
  /** Of each GPU. */
  readonly usableMiB: number;
  readonly gpuCount: number;
}

interface Step {
  readonly name: string;
  readonly change: string;
  readonly cost: string;
  /** Undefined where there is nothing to change. */
  readonly apply: (workload: ServingWorkload) => ServingWorkload | undefined;
}

function isSmall(precision: string): boolean {
  return /int4|q4|q3|q2|nf4|mxfp4/.test(precision);
}

function toFormat(precision: ServingWorkload["precision"]): Step["apply"] {
  return (workload) =>
    isSmall(workload.precision) || workload.precision === precision
      ? undefined
      : { ...workload, precision };
}

const textSteps: readonly Step[] = [
  {
    name: "fewer-sequences",
    change: "one sequence at a time",
    cost: "requests wait for each other",
    apply: (workload) => (workload.concurrency === 1 ? undefined : { ...workload, concurrency: 1 }),
  },
  {
    name: "shorter-context",
    change: "half the context",
    cost: "longer requests are refused",
    apply: (workload) =>
      workload.contextTokens < 1024
        ? undefined
        : { ...workload, contextTokens: Math.floor(workload.contextTokens / 2) },
  },
  {
    name: "int8",
    change: "weights in 8 bit",
    cost: "a small loss of quality; somewhat slower for short prompts",
    apply: toFormat("int8"),
  },
  {
    name: "int4",
    change: "weights in 4 bit, in groups of 128",
    cost: "some loss of quality, more for small models; faster for single requests",
    apply: toFormat("int4"),
  },
];

function smallest(job: Job, gpuCount: number): MemoryDemand | undefined {
  return demandsOf(job, gpuCount).toSorted((a, b) => a.startMiB - b.startMiB)[0];
}

function servingRungs(job: ServingJob, { usableMiB, gpuCount }: Machine): readonly SavingRung[] {
  const rungs: SavingRung[] = [];
  let workload = job.workload;
  let before: number | undefined;
  const add = (step: Omit<Step, "apply">, next: ServingWorkload): void => {
    const demand = smallest({ ...job, workload: next }, gpuCount);
    if (demand === undefined) return;
    const fits = verdict(demand, usableMiB).fits;
    const savesMiB = before === undefined ? 0 : before - demand.startMiB;
    // A step that frees nothing of what is needed to start is no way out.
    if (before !== undefined && savesMiB <= 0) return;
    rungs.push({ ...step, totalMiB: demand.startMiB, savesMiB, fits });
    before = demand.startMiB;
    workload = next;
  };
  add({ name: "as-asked", change: "nothing", cost: "nothing" }, workload);
  for (const { apply, ...step } of textSteps) {
    if (rungs.at(-1)?.fits === true) break;
    const changed = apply(workload);
    if (changed !== undefined) add(step, changed);
  }
  return rungs;
}

function trainingRungs(job: TrainingJob, { usableMiB, gpuCount }: Machine): readonly SavingRung[] {
  const sharding = job.workload.sharding ?? (gpuCount > 1 ? "fsdp" : "none");
  const workload = { ...job.workload, sharding };
  return outOfMemoryLadder(job.model, workload, { usableMiB, gpuCount }).map(
    ({ name, change, cost, demand, savesMiB, fits }) => ({
      name,
      change,
      cost,
      totalMiB: demand.totalMiB,
      savesMiB,
      fits,
    }),
  );
}

/** What to change until the job fits these GPUs; undefined for an image model's server, which has nothing to change here. */
export function savingLadder(job: Job, machine: Machine): SavingLadder | undefined {
  if (job.task === "serve" && job.model.task === "image-generation") return undefined;
  const rungs = job.task === "serve" ? servingRungs(job, machine) : trainingRungs(job, machine);
  return { machine: machine.name, usableMiB: machine.usableMiB, rungs };
}

/** The largest machine, by the memory of all its GPUs, that the request's own limits leave. */
export function largestMachine(request: PlanRequest, catalogue: Catalogue): Machine | undefined {
  const accelerators = new Map(catalogue.accelerators.map((gpu) => [gpu.model, gpu]));
  const { instanceTypes, gpuCount } = request;
  const machines = catalogue.instanceTypes.flatMap((type) => {
    const accelerator = accelerators.get(type.gpuModel);
    const usableMiB = accelerator === undefined ? undefined : usableMemoryMiB(accelerator);
    const allowed =
      (instanceTypes === undefined || instanceTypes.includes(type.instanceType)) &&
      (gpuCount === undefined || type.gpuCount === gpuCount) &&
      type.cpuArchitecture === "x86_64" &&
      type.gpuCount >= 1 &&
      type.prices?.[request.region] !== undefined;
    if (usableMiB === undefined || !allowed) return [];
    const name = `${type.instanceType} (${type.gpuCount} x ${type.gpuModel})`;
    return [{ name, usableMiB, gpuCount: type.gpuCount }];
  });
  return machines.toSorted((a, b) => b.usableMiB * b.gpuCount - a.usableMiB * a.gpuCount)[0];
}
