import { servingDemand } from "../sizing/serving-demand.ts";
import type { Job } from "../sizing/job.ts";
import { verdict } from "../sizing/verdict.ts";
import type { Rung } from "./report.ts";

/** Where the catalogue does not know how many tokens a model takes, no more are tried. */
const unknownLimit = 2 ** 20;
/** Contexts are told in steps of so many tokens. */
const step = 256;

/** The longest context of one sequence alone that a server on the rung has room for. */
export interface LongestContext {
  readonly tokens: number;
  /** It is all that the model takes. */
  readonly ofModel: boolean;
}

/** By halves; undefined for what is no server of text. */
export function longestContext(job: Job, rung: Rung | undefined): LongestContext | undefined {
  if (job.task !== "serve" || rung === undefined) return undefined;
  const { model, workload } = job;
  if (model.task === "image-generation") return undefined;
  const { tensorParallel, pipelineParallel, gpuMemoryMiB, comfortable } = rung;
  const holds = (contextTokens: number) => {
    const alone = { ...workload, contextTokens, concurrency: 1, promptTokens: undefined };
    const demand = servingDemand(model, alone, { tensorParallel, pipelineParallel });
    const judged = verdict(demand, gpuMemoryMiB);
    return comfortable ? judged.comfortable : judged.fits;
  };
  const limit = model.maxContextTokens ?? unknownLimit;
  if (holds(limit)) return { tokens: limit, ofModel: model.maxContextTokens !== undefined };
  let most = Math.floor(workload.contextTokens / step);
  let tooMany = Math.ceil(limit / step);
  while (tooMany - most > 1) {
    const half = Math.floor((most + tooMany) / 2);
    if (holds(half * step)) most = half;
    else tooMany = half;
  }
  return { tokens: Math.max(most * step, workload.contextTokens), ofModel: false };
}
