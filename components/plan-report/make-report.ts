import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Model } from "../catalogue/model.ts";
import type { OwnGpu } from "../own-machine/card.ts";
import { judgeOwnMachine } from "../own-machine/own-machine.ts";
import { leaseCost, roundUsd } from "../pricing/hourly-cost.ts";
import { aroundCost } from "../pricing/rung-cost.ts";
import { weightsDelivery, type WeightsDelivery } from "../pricing/weights-delivery.ts";
import { decide, paidHoursOf, type Decision } from "../sizing/decide.ts";
import { hostMemoryGiB, type Job } from "../sizing/job.ts";
import { imageSizeOf } from "../sizing/image-training-demand.ts";
import { dearestHourlyUsd, tieBreak } from "../sizing/ladder.ts";
import type { PlanRequest } from "../sizing/plan-request.ts";
import { plannedModel } from "../sizing/planned-model.ts";
import { heldPrecision, nativeWeightBytes } from "../sizing/weight-layout.ts";
import { comparedRules } from "./compared-rules.ts";
import { longestContext } from "./longest-context.ts";
import type {
  OwnMachine,
  PlanReport,
  SavingLadder,
  ServingRequest,
  TrainingAsked,
} from "./report.ts";
import { largestMachine, savingLadder } from "./saving-ladder.ts";
import { smallerForms } from "./smaller-forms.ts";
import { warningsOf } from "./warnings.ts";

/** GPUs that the user has, and what their electricity costs. */
export interface OwnGpus {
  readonly gpus: readonly OwnGpu[];
  readonly electricityUsdPerKwh: number;
}

const gibi = 1024 ** 3;

function licenceOf({ licence }: Model, { licences }: Catalogue): PlanReport["licenceText"] {
  const known = licences.find(({ name }) => name === licence);
  if (known === undefined) return undefined;
  const { title, url, terms } = known;
  return { title, url, terms };
}

function servingOf(job: Job): ServingRequest | undefined {
  if (job.task !== "serve") return undefined;
  const { promptTokens, answerTokens, workload } = job;
  const { contextTokens, concurrency } = workload;
  return { contextTokens, concurrency, promptTokens, answerTokens };
}

function trainingOf(job: Job): TrainingAsked | undefined {
  if (job.task === "serve") return undefined;
  const { datasetTokens, epochs, model, workload } = job;
  const { method, precision, optimizer, sequenceTokens, microBatch, gradientCheckpointing } =
    workload;
  const asked = { method, precision, optimizer, microBatch, gradientCheckpointing };
  return model.task === "image-generation"
    ? {
        ...asked,
        imageSize: imageSizeOf(model, workload),
        trainTextEncoder: workload.trainTextEncoder ?? false,
      }
    : { ...asked, sequenceTokens, datasetTokens, epochs };
}

function deliveryOf(
  chosen: string | undefined,
  weightsGiB: number,
  { instanceTypes }: Catalogue,
): readonly WeightsDelivery[] {
  const type = instanceTypes.find(({ instanceType }) => instanceType === chosen);
  if (type === undefined) return [];
  const { localNvmeGB, networkGbps, networkGbpsPeak } = type;
  return weightsDelivery({ weightsGiB, localNvmeGB, networkGbps, networkGbpsPeak });
}

function precisionOf({ job, model }: Decision): string {
  if (job.task !== "serve") {
    const { method, quantisation = "nf4-double", precision } = job.workload;
    return method === "qlora" ? quantisation : precision;
  }
  return heldPrecision(model, job.workload.precision, job.workload.engine);
}

function savingOf(
  request: PlanRequest,
  catalogue: Catalogue,
  { job, ladder }: Decision,
  own: OwnMachine | undefined,
): SavingLadder | undefined {
  if (own !== undefined && !own.fits) {
    const usableMiB = Math.min(...own.gpus.map((gpu) => gpu.usableMiB));
    const name = own.gpus.map((gpu) => gpu.name).join(", ");
    const ofOwn = savingLadder(job, { name, usableMiB, gpuCount: own.gpus.length });
    // Where they hold it as asked, something else than memory is in the way.
    return ofOwn?.rungs[0]?.fits === true ? undefined : ofOwn;
  }
  if (ladder.length > 0) return undefined;
  const machine = largestMachine(request, catalogue);
  if (machine === undefined) return undefined;
  const saving = savingLadder(job, machine);
  // Where the largest holds it as asked, something else than memory is in the way.
  return saving?.rungs[0]?.fits === true ? undefined : saving;
}

/**
 * The whole answer of `berth plan`; pure. Its ladder is empty when nothing holds the job: what would make it fit is in
 * `saving` then.
 *
 * @throws UserError naming every problem of the request at once
 */
export function makeReport(
  request: PlanRequest,
  catalogue: Catalogue,
  ownGpus?: OwnGpus,
): PlanReport {
  const decision = decide(request, catalogue);
  const { model, job, ladder, rankBy } = decision;
  const [chosen] = ladder;
  const { leaseHours } = request;
  const weightsGiB = nativeWeightBytes(model) / gibi;
  const paidHours = chosen === undefined ? undefined : paidHoursOf(chosen, leaseHours);
  const rentHourlyUsd = chosen?.hourly.totalUsd;
  const own =
    ownGpus === undefined
      ? undefined
      : judgeOwnMachine({ job, catalogue, rentHourlyUsd, ...ownGpus });
  return {
    schemaVersion: 1,
    task: job.task,
    ...plannedModel(model),
    commercialUse: model.commercialUse,
    licenceText: licenceOf(model, catalogue),
    parameters: model.parameters,
    env: request.env,
    engine: job.task === "serve" ? job.workload.engine : undefined,
    precision: precisionOf(decision),
    serving: servingOf(job),
    trainingAsked: trainingOf(job),
    weightsGiB: roundUsd(weightsGiB),
    rootVolumeGiB: decision.rootVolumeGiB,
    hostMemoryGiB: chosen === undefined ? undefined : hostMemoryGiB(job, chosen.gpuCount),
    ranking: { by: rankBy, tieBreak },
    ladder,
    rejected: decision.rejected,
    monthlyHours: decision.monthlyHours,
    leaseHours,
    leaseUsd: chosen === undefined ? undefined : leaseCost(chosen.hourly.totalUsd, paidHours),
    leaseMostUsd:
      chosen === undefined
        ? undefined
        : leaseCost(
            dearestHourlyUsd(ladder.filter(({ region }) => region === chosen.region)),
            paidHours,
          ),
    around: chosen === undefined ? undefined : aroundCost(chosen.region, weightsGiB),
    weightsDelivery: deliveryOf(chosen?.instanceType, weightsGiB, catalogue),
    own,
    otherRules: chosen === undefined ? [] : comparedRules(job, chosen.demand),
    longestContext: longestContext(job, chosen),
    smallerForms: smallerForms(request, catalogue, decision),
    saving: savingOf(request, catalogue, decision, own),
    warnings: warningsOf(decision, request),
    catalogueVersion: catalogue.version,
  };
}
