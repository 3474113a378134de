import type { Catalogue } from "../catalogue/catalogue.ts";
import { findModel } from "../catalogue/find-model.ts";
import type { Model } from "../catalogue/model.ts";
import type { Placement, Plan, Rejection, ServingEngine } from "../plan.ts";
import { pricedRegions, roundUsd, volumeHourlyUsd } from "../pricing/hourly-cost.ts";
import { UserError } from "../user-error.ts";
import { weightBytes, type Precision, type Workload } from "./memory-demand.ts";
import { NoPlacementError } from "./no-placement-error.ts";
import { findPlacements, type PlacementChoice } from "./placement.ts";

/** What the user asks for. */
export interface PlanRequest {
  readonly model: string;
  readonly env: string;
  readonly region: string;
  readonly spot: boolean;
  /** Hours until teardown; undefined means no deadline. */
  readonly leaseHours: number | undefined;
  /** Tokens of prompt and answer together. @default 4096, or the model's own limit where that is less */
  readonly contextTokens?: number | undefined;
  /** Sequences served at once. @default 1 */
  readonly concurrency?: number | undefined;
  /** `native`, `int8` or `int4`; `auto` is `native`. @default "auto" */
  readonly precision?: string | undefined;
  readonly instanceTypes?: readonly string[] | undefined;
  readonly gpuCount?: number | undefined;
  /** Root volume, GiB. @default weights x 1.5 + 60, rounded up to 10 */
  readonly rootVolumeGiB?: number | undefined;
}

const defaultContextTokens = 4096;
const precisions = ["native", "int8", "int4"] as const;
/** Types up to this many times the cheapest price are tried when it lacks capacity, and at most so many. */
const ladderPriceFactor = 2;
const ladderLength = 6;
const gibi = 1024 ** 3;

function isPrecision(text: string): text is Precision {
  return precisions.some((known) => known === text);
}

function wrongTypes(request: PlanRequest, catalogue: Catalogue): readonly string[] {
  const known = new Set(catalogue.instanceTypes.map(({ instanceType }) => instanceType));
  return (request.instanceTypes ?? [])
    .filter((type) => !known.has(type))
    .map(
      (type) => `instanceTypes: "${type}" is no EC2 type with NVIDIA GPUs that the catalogue has`,
    );
}

function checkRequest(request: PlanRequest, model: Model, catalogue: Catalogue): void {
  const problems: string[] = [...wrongTypes(request, catalogue)];
  const limit = model.maxContextTokens;
  const { contextTokens, precision = "auto", region } = request;
  if (!pricedRegions.includes(region)) {
    problems.push(`region: no prices for "${region}"; there are ${pricedRegions.join(", ")}`);
  }
  if (contextTokens !== undefined && limit !== undefined && contextTokens > limit) {
    problems.push(`context: ${contextTokens} tokens, and ${model.id} takes at most ${limit}`);
  }
  if (precision !== "auto" && !isPrecision(precision)) {
    problems.push(`precision: "${precision}"; there are auto, ${precisions.join(", ")}`);
  }
  if (model.task === "image-generation") {
    problems.push(`model: ${model.id} makes images, and only text models are served yet`);
  }
  if (problems.length > 0) {
    throw new UserError(`${model.id} cannot be planned as asked.`, {
      problems,
      hint: "Change what is named above, and plan again.",
    });
  }
}

function workloadOf(request: PlanRequest, model: Model, engine: ServingEngine): Workload {
  const limit = model.maxContextTokens ?? defaultContextTokens;
  const { precision = "auto" } = request;
  return {
    contextTokens: request.contextTokens ?? Math.min(defaultContextTokens, limit),
    concurrency: request.concurrency ?? 1,
    precision: isPrecision(precision) ? precision : "native",
    engine,
  };
}

/** Those with room to spare where there are any, up to a price and a count. */
function ladderOf({ holding }: PlacementChoice): readonly Placement[] {
  const comfortable = holding.filter(({ placement }) => placement.comfortable);
  const chosen = (comfortable.length > 0 ? comfortable : holding).map(({ placement }) => placement);
  const limit = (chosen[0]?.hourlyUsd ?? 0) * ladderPriceFactor;
  return chosen.filter(({ hourlyUsd }) => hourlyUsd <= limit).slice(0, ladderLength);
}

function cheaperOnes(choice: PlacementChoice, chosen: Placement): readonly Rejection[] {
  const tight = choice.holding
    .filter(({ placement }) => !placement.comfortable)
    .map(({ placement: { instanceType, hourlyUsd } }) => ({
      instanceType,
      hourlyUsd,
      reason: "it starts, but has no room to spare",
    }));
  return [...choice.rejected, ...tight]
    .filter(({ hourlyUsd }) => hourlyUsd !== undefined && hourlyUsd < chosen.hourlyUsd)
    .toSorted((a, b) => (a.hourlyUsd ?? 0) - (b.hourlyUsd ?? 0));
}

function nothingHolds(model: Model, workload: Workload, choice: PlacementChoice): never {
  const what = `${model.id} in ${workload.precision} precision with ${workload.contextTokens} tokens x ${workload.concurrency}`;
  const next =
    workload.precision === "int4" ? "a shorter context" : "--precision int4, a shorter context";
  throw new NoPlacementError(what, choice.rejected, `Try ${next}, another region or fewer limits.`);
}

/**
 * The plan of a deployment: model, memory, types that hold it cheapest first, price and lease. A pure function of its
 * arguments: no account, no network, no clock.
 *
 * @throws UserError naming every problem of the request at once
 * @throws NoPlacementError with the reason for every type when none holds the model
 */
export function makePlan(request: PlanRequest, catalogue: Catalogue): Plan {
  const model = findModel(request.model, catalogue);
  checkRequest(request, model, catalogue);
  const engine = model.engine ?? "vllm";
  const workload = workloadOf(request, model, engine);
  const { region, instanceTypes, gpuCount, leaseHours } = request;
  const purchase = request.spot ? "spot" : "on-demand";
  const wishes = { region, purchase, instanceTypes, gpuCount } as const;
  const choice = findPlacements(model, workload, wishes, catalogue);
  const [chosen, ...others] = ladderOf(choice);
  const demand = choice.holding.find(({ placement }) => placement === chosen)?.demand;
  if (chosen === undefined || demand === undefined) return nothingHolds(model, workload, choice);

  const weightsGiB = weightBytes(model, "native") / gibi;
  const rootVolumeGiB = request.rootVolumeGiB ?? Math.ceil((weightsGiB * 1.5 + 60) / 10) * 10;
  const hourlyUsd = roundUsd(chosen.hourlyUsd + volumeHourlyUsd(region, rootVolumeGiB));
  return {
    modelId: model.id,
    modelName: model.family,
    huggingfaceRepo: model.huggingfaceRepo,
    licence: model.licence ?? "unknown",
    gated: model.gated ?? false,
    env: request.env,
    engine,
    precision: workload.precision === "native" ? model.nativePrecision : workload.precision,
    contextTokens: workload.contextTokens,
    concurrency: workload.concurrency,
    demand,
    weightsGiB: roundUsd(weightsGiB),
    rootVolumeGiB,
    ladder: [chosen, ...others],
    rejected: cheaperOnes(choice, chosen),
    hourlyUsd,
    leaseHours,
    leaseUsd: leaseHours === undefined ? undefined : roundUsd(hourlyUsd * leaseHours),
    catalogueVersion: catalogue.version,
  };
}
