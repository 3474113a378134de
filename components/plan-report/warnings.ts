import { gpusOf } from "../sizing/memory-part.ts";
import { usd } from "../plan-figures.ts";
import type { Decision } from "../sizing/decide.ts";
import type { PlanRequest } from "../sizing/plan-request.ts";
import { whyUnserved } from "../sizing/usual-engine.ts";
import { loadPrecision } from "../model-server/load-precision.ts";
import { UserError } from "../user-error.ts";
import type { Rung } from "./report.ts";

function lease({ training }: Rung, { leaseHours }: PlanRequest): string | undefined {
  const jobHours = training?.jobHours.high;
  if (leaseHours === undefined || jobHours === undefined || jobHours <= leaseHours)
    return undefined;
  return `the lease of ${leaseHours} h may end before the job does: it takes up to ${Math.ceil(jobHours)} h`;
}

function idle(rung: Rung): string | undefined {
  const used = gpusOf(rung.demand);
  const held = rung.gpuCount * (rung.nodes ?? 1);
  return used < held ? `only ${used} of its ${held} GPUs are used` : undefined;
}

function crossing(rung: Rung): string | undefined {
  if (gpusOf(rung.demand) === 1 || rung.nvlink) return undefined;
  return "its GPUs exchange over PCIe, which the time range allows for";
}

function halfPrecision({ gpuModel }: Rung, { job, model }: Decision): string | undefined {
  if (job.task !== "serve" || model.nativePrecision !== "bf16" || !/^(T4|V100)/.test(gpuModel)) {
    return undefined;
  }
  return "this GPU has no bf16: the engine computes in fp16, which a few models do not stand";
}

/** A limit below what spot was by the last that is known of it; a fresh price leaves such a type out. */
function below({ pastSpot, spotMaxHourlyUsd }: Rung): string | undefined {
  if (pastSpot === undefined || spotMaxHourlyUsd === undefined) return undefined;
  if (pastSpot.hourlyUsd <= spotMaxHourlyUsd) return undefined;
  return `spot of ${pastSpot.asOf} was ${usd(pastSpot.hourlyUsd)}, above the ${usd(spotMaxHourlyUsd)} that is paid at most: it may never start`;
}

/** An `up` refuses such a model. */
function unserved({ job, model }: Decision, { customModel }: PlanRequest): string | undefined {
  if (job.task !== "serve" || customModel !== undefined) return undefined;
  const why = whyUnserved(model);
  return why === undefined ? undefined : `it can be planned and not brought up: ${why}`;
}

/** An `up` refuses a precision that the engine does not make of the model's files; it is sized all the same, for files that hold it. */
function unmade({ job, model }: Decision): string | undefined {
  if (job.task !== "serve" || model.quantisation !== undefined) return undefined;
  const { engine, precision } = job.workload;
  if (engine === "tgi") return undefined;
  try {
    loadPrecision(engine, precision, model.nativePrecision);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, hint = "" } = error;
    return `an up of the files as they are would refuse it: ${message} ${hint}`;
  }
}

/** What does not keep a plan from being made, and may surprise; one sentence each. */
export function warningsOf(decision: Decision, request: PlanRequest): readonly string[] {
  const [chosen] = decision.ladder;
  const { commercialUse } = decision.model;
  const licence = commercialUse === "no" ? "the licence does not allow commercial use" : undefined;
  const ofRung =
    chosen === undefined
      ? []
      : [
          lease(chosen, request),
          idle(chosen),
          crossing(chosen),
          below(chosen),
          halfPrecision(chosen, decision),
        ];
  const ofEngine = [unserved(decision, request), unmade(decision)];
  return [...ofEngine, ...ofRung, licence].filter((warning) => warning !== undefined);
}
