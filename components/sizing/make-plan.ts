import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Placement, Plan, ServingEngine } from "../plan.ts";
import type { Rung } from "../plan-report/report.ts";
import { leaseCost, roundUsd } from "../pricing/hourly-cost.ts";
import { UserError } from "../user-error.ts";
import { decide, type Decision } from "./decide.ts";
import { imageSizeOf } from "./image-training-demand.ts";
import type { ServingJob, TrainingJob } from "./job.ts";
import { dearestHourlyUsd } from "./ladder.ts";
import { NoPlacementError } from "./no-placement-error.ts";
import type { PlanRequest } from "./plan-request.ts";
import { plannedModel } from "./planned-model.ts";
import { whyUnserved } from "./usual-engine.ts";
import { heldPrecision, nativeWeightBytes } from "./weight-layout.ts";
import type { SizingEngine } from "./workload.ts";

export type { PlanRequest } from "./plan-request.ts";

const gibi = 1024 ** 3;

function isServingEngine(engine: SizingEngine): engine is ServingEngine {
  return engine !== "tgi";
}

function sampleText({ model, workload }: TrainingJob): string {
  if (model.task !== "image-generation") return `${workload.sequenceTokens} tokens`;
  const { width, height } = imageSizeOf(model, workload);
  return `${width} x ${height} pixels`;
}

/** What the job is, for a sentence. */
export function jobText({ job, model }: Decision): string {
  if (job.task !== "serve") {
    const { method, microBatch } = job.workload;
    return `${job.task === "train" ? "the training" : "the fine-tuning"} of ${model.id} (${method}, ${sampleText(job)} x ${microBatch})`;
  }
  const { precision, contextTokens, concurrency } = job.workload;
  return `${model.id} in ${precision} precision with ${contextTokens} tokens x ${concurrency}`;
}

/** @throws NoPlacementError with the reason for every type */
export function nothingHolds(decision: Decision): never {
  const { job, rejected } = decision;
  const serving = job.task === "serve";
  const small = serving && /int4|q4|nf4|mxfp4/.test(job.workload.precision);
  const smaller = serving ? "--precision int4, a shorter context" : "--method qlora";
  const next = small ? "a shorter context" : smaller;
  throw new NoPlacementError(
    jobText(decision),
    rejected,
    `Try ${next}, another region or fewer limits.`,
  );
}

/** The part of a rung that a deployment is made from. */
function placementOf(rung: Rung): Placement {
  const { instanceType, region, zones, purchase, gpuModel, gpuCount, gpuMemoryMiB } = rung;
  const { cpuArchitecture, tensorParallel, pipelineParallel, dataParallel, nvlink } = rung;
  const { hourlyUsd, spotMaxHourlyUsd, priceAsOf, priceSource, fits, comfortable } = rung;
  return {
    instanceType,
    region,
    zones,
    purchase,
    gpuModel,
    gpuCount,
    gpuMemoryMiB,
    cpuArchitecture,
    tensorParallel,
    pipelineParallel,
    dataParallel,
    nvlink,
    hourlyUsd,
    spotMaxHourlyUsd,
    priceAsOf,
    priceSource,
    fits,
    comfortable,
  };
}

/** @throws UserError when berth can plan the job, and cannot deploy it yet */
function deployable(
  { job, model }: Decision,
  { customModel }: PlanRequest,
): { job: ServingJob; engine: ServingEngine } {
  const unserved = customModel === undefined ? whyUnserved(model) : undefined;
  if (unserved !== undefined) {
    throw new UserError(`${model.id} can be planned, and no engine here serves it.`, {
      problems: [`engine: ${unserved}`],
      hint: `Look at its plan with: berth plan ${model.id}`,
    });
  }
  if (job.task !== "serve") {
    throw new UserError(`A ${job.task} job cannot be deployed yet.`, {
      hint: `Look at its plan with: berth plan ${model.id} --task ${job.task}`,
    });
  }
  const { engine } = job.workload;
  if (isServingEngine(engine)) return { job, engine };
  throw new UserError(`${model.id} cannot be deployed as asked.`, {
    problems: [`engine: ${engine} is not served`],
    hint: `Look at its plan with: berth plan ${model.id}`,
  });
}

/**
 * The plan of a deployment: model, memory, types that hold it cheapest first, price and lease. A pure function of its
 * arguments: no account, no network, no clock.
 *
 * @throws UserError naming every problem of the request at once
 * @throws NoPlacementError with the reason for every type when none holds the model
 */
export function makePlan(request: PlanRequest, catalogue: Catalogue): Plan {
  if (request.capacityBlock === true) {
    throw new UserError("A Capacity Block can be planned, and not deployed.", {
      hint: "Buy it in the console and launch in it by hand, or deploy with another berth:market.",
    });
  }
  const decision = decide({ ...request, tensorParallelOnly: true }, catalogue);
  const { job, engine } = deployable(decision, request);
  const { model, rootVolumeGiB } = decision;
  // One deployment is in one region; the others are for comparison alone.
  const [chosen, ...others] = decision.ladder.filter(({ region }) => region === request.region);
  if (chosen === undefined) return nothingHolds(decision);
  const { leaseHours, env } = request;
  const { precision, contextTokens, concurrency } = job.workload;
  const hourlyUsd = chosen.hourly.totalUsd;
  return {
    ...plannedModel(model),
    env,
    engine,
    precision: heldPrecision(model, precision, engine),
    contextTokens,
    concurrency,
    demand: chosen.demand,
    weightsGiB: roundUsd(nativeWeightBytes(model) / gibi),
    rootVolumeGiB,
    ladder: [placementOf(chosen), ...others.map(placementOf)],
    rejected: decision.rejected.filter(
      ({ hourlyUsd: price, region }) =>
        region === request.region && price !== undefined && price < chosen.hourlyUsd,
    ),
    hourlyUsd,
    leaseHours,
    leaseUsd: leaseCost(hourlyUsd, leaseHours),
    leaseMostUsd: leaseCost(dearestHourlyUsd([chosen, ...others]), leaseHours),
    catalogueVersion: catalogue.version,
  };
}
