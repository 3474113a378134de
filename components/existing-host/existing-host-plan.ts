import type { Catalogue } from "../catalogue/catalogue.ts";
import { findModel } from "../catalogue/find-model.ts";
import { parseOwnGpus, type OwnGpu } from "../own-machine/card.ts";
import type { Placement, Plan, ServingEngine } from "../plan.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import { pricedRegions } from "../pricing/region-prices.ts";
import { demandsOf, jobOf, type Job } from "../sizing/job.ts";
import type { MemoryDemand } from "../sizing/memory-part.ts";
import { checkRequest, type PlanRequest } from "../sizing/plan-request.ts";
import { plannedModel } from "../sizing/planned-model.ts";
import { whyUnserved } from "../sizing/usual-engine.ts";
import { verdict, type Verdict } from "../sizing/verdict.ts";
import { heldPrecision, nativeWeightBytes } from "../sizing/weight-layout.ts";
import { UserError } from "../user-error.ts";

/** What is asked of a machine that is there already. */
export interface ExistingHostRequest extends PlanRequest {
  /** Every GPU that the machine has, such as "2 x RTX 3090"; "none" serves on the CPU. */
  readonly gpus: string;
  /** `user@address`, for the text. */
  readonly host: string;
}

/** The plan of a deployment on a machine that is there already: it has a memory, and no price. */
export interface ExistingHostPlan extends Plan {
  readonly existingHost: { readonly host: string; readonly gpus: string };
}

const gibi = 1024 ** 3;

/** The card without its memory, which is how nvidia-smi names it. */
function modelOf(gpus: readonly OwnGpu[]): string {
  return gpus[0]?.name.replace(/ \d+(\.\d+)?GB$/, "") ?? "";
}

function refuse(request: ExistingHostRequest, problem: string, hint: string): never {
  throw new UserError(`${request.host} does not hold ${request.model} as asked.`, {
    problems: [problem],
    hint,
  });
}

function gpusOf(request: ExistingHostRequest): readonly OwnGpu[] {
  if (request.gpus === "none") return [];
  const gpus = parseOwnGpus(request.gpus);
  const names = [...new Set(gpus.map(({ name }) => name))];
  if (names.length > 1) {
    const problem = `berth:gpus: ${names.join(", ")}: a model is split over GPUs of one kind only`;
    refuse(request, problem, "Name the GPUs of one kind, and leave the others to other work.");
  }
  return gpus;
}

interface Fit extends Verdict {
  readonly demand: MemoryDemand;
}

/** The least split that holds the job with room, else one that holds it. */
function fitOf(request: ExistingHostRequest, job: Job, gpus: readonly OwnGpu[]): Fit {
  const usableMiB = Math.min(...gpus.map((gpu) => gpu.usableMiB));
  const judged = demandsOf(job, gpus.length).map((demand) => ({
    demand,
    ...verdict(demand, usableMiB),
  }));
  const found = judged.find(({ comfortable }) => comfortable) ?? judged.find(({ fits }) => fits);
  if (found !== undefined) return found;
  const [closest] = judged.toSorted((a, b) => a.demand.startMiB - b.demand.startMiB);
  const why = closest?.reason ?? "the model cannot be split over these GPUs";
  const next = "Ask for less (berth:precision: int4, a shorter berth:context), or another model.";
  return refuse(request, `berth:gpus: ${request.gpus}: it ${why}`, next);
}

/** What serves there. @throws UserError for what cannot be served on it */
function engineOf(request: ExistingHostRequest, job: Job, gpus: readonly OwnGpu[]): ServingEngine {
  const engine = job.task === "serve" ? job.workload.engine : "training";
  const unserved = request.customModel === undefined ? whyUnserved(job.model) : undefined;
  if (unserved !== undefined) {
    return refuse(request, `engine: ${unserved}`, "Take another model.");
  }
  if (engine === "training" || engine === "tgi")
    return refuse(request, `engine: ${engine} is not served`, "Take another engine.");
  if (engine === "vllm" && gpus.length === 0) {
    const problem = "berth:gpus: none, and vLLM needs a GPU";
    return refuse(request, problem, "Name the machine's GPUs, or take a model in GGUF files.");
  }
  return engine;
}

function placementOf(gpus: readonly OwnGpu[], demand: MemoryDemand, fit: Verdict): Placement {
  const usableMiB = gpus.length === 0 ? 0 : Math.min(...gpus.map((gpu) => gpu.usableMiB));
  return {
    instanceType: "existing-host",
    region: "",
    zones: [],
    purchase: "on-demand",
    gpuModel: modelOf(gpus),
    gpuCount: gpus.length,
    gpuMemoryMiB: Math.floor(usableMiB),
    cpuArchitecture: "x86_64",
    tensorParallel: demand.tensorParallel,
    pipelineParallel: demand.pipelineParallel,
    dataParallel: demand.dataParallel,
    nvlink: false,
    hourlyUsd: 0,
    priceAsOf: "",
    priceSource: "your own machine",
    fits: fit.fits,
    comfortable: fit.comfortable,
  };
}

/**
 * The plan of a model on a machine that is there already, from what its GPUs are said to be; pure. The bootstrap holds the
 * machine to it.
 *
 * @throws UserError when the request is wrong, or its GPUs do not hold the model
 */
export function planExistingHost(
  request: ExistingHostRequest,
  catalogue: Catalogue,
): ExistingHostPlan {
  const model = request.customModel ?? findModel(request.model, catalogue);
  // It is in no region; the check wants one that has prices.
  const asked = { ...request, region: pricedRegions[0] ?? "us-east-1", tensorParallelOnly: true };
  checkRequest(asked, model, catalogue);
  const job = jobOf(asked, model);
  const gpus = gpusOf(request);
  const engine = engineOf(request, job, gpus);
  if (job.task !== "serve") throw new Error("only serving is deployed to a machine");
  const [onOne] = demandsOf(job, 1);
  if (onOne === undefined) throw new Error(`${model.id} has no demand`);
  const onCpu = { demand: onOne, fits: true, comfortable: true, reason: "", utilisation: 0 };
  const fit = gpus.length === 0 ? onCpu : fitOf(request, job, gpus);
  const { precision, contextTokens, concurrency } = job.workload;
  return {
    ...plannedModel(model),
    env: request.env,
    engine,
    precision: heldPrecision(model, precision, engine),
    contextTokens,
    concurrency,
    demand: fit.demand,
    weightsGiB: roundUsd(nativeWeightBytes(model) / gibi),
    rootVolumeGiB: 0,
    ladder: [placementOf(gpus, fit.demand, fit)],
    rejected: [],
    hourlyUsd: 0,
    leaseHours: undefined,
    leaseUsd: undefined,
    leaseMostUsd: undefined,
    catalogueVersion: catalogue.version,
    existingHost: { host: request.host, gpus: request.gpus },
  };
}
