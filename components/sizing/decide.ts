import type { Catalogue } from "../catalogue/catalogue.ts";
import { findModel } from "../catalogue/find-model.ts";
import type { Model } from "../catalogue/model.ts";
import type { Rung } from "../plan-report/report.ts";
import { rungMaker } from "../plan-report/rung.ts";
import type { Purchase, Rejection } from "../plan.ts";
import { capacityBlockDays } from "../pricing/capacity-block.ts";
import { hoursAMonth } from "../pricing/hourly-cost.ts";
import type { PlacementWishes } from "./constraints.ts";
import { diskDemand } from "./disk-demand.ts";
import { jobOf, type Job } from "./job.ts";
import { marketLadder, type RankBy } from "./ladder.ts";
import { checkRequest, type PlanRequest } from "./plan-request.ts";
import { mostNodesByItself } from "./parallel/weigh-hosts.ts";
import { findPlacements, type PlacementChoice, type PlacementQuestion } from "./placement.ts";

/** What was found for a request. */
export interface Decision {
  readonly model: Model;
  readonly job: Job;
  readonly rankBy: RankBy;
  /** Best first; empty when nothing holds the job. */
  readonly ladder: readonly Rung[];
  /** All others, cheapest first. */
  readonly rejected: readonly Rejection[];
  readonly rootVolumeGiB: number;
  readonly monthlyHours: number;
}

/** Every region that the request names, the own one first. */
export function regionsOf({ region, otherRegions = [] }: PlanRequest): readonly string[] {
  return [...new Set([region, ...otherRegions])];
}

function volumeGiB(request: PlanRequest, job: Job): number {
  if (request.rootVolumeGiB !== undefined) return request.rootVolumeGiB;
  const training = job.task === "serve" ? undefined : job.workload;
  const { totalGiB } = diskDemand(job.model, job.task, { training });
  return Math.ceil(totalGiB / 10) * 10;
}

/** Hours that are paid for a lease of so many: a Capacity Block has whole days; undefined where none is so long. */
export function paidHoursOf(
  { purchase }: Pick<Rung, "purchase">,
  leaseHours: number | undefined,
): number | undefined {
  if (purchase !== "capacity-block" || leaseHours === undefined) return leaseHours;
  const days = capacityBlockDays(leaseHours);
  return days === undefined ? undefined : days * 24;
}

/** Why the rung is above the budget; undefined when it is not, or there is none. */
function aboveBudget(
  { budgetUsd, leaseHours }: PlanRequest,
  rung: Rung,
  training: boolean,
): string | undefined {
  if (budgetUsd === undefined) return undefined;
  const { jobUsd, hourly, monthlyUsd } = rung;
  const limit = `above the budget of $${budgetUsd}`;
  if (training) {
    if (jobUsd === undefined) return "the time of the job is not known, and there is a budget";
    return jobUsd.high <= budgetUsd
      ? undefined
      : `the job may cost $${jobUsd.high.toFixed(2)}, ${limit}`;
  }
  const paidHours = paidHoursOf(rung, leaseHours);
  const costUsd = paidHours === undefined ? monthlyUsd : hourly.totalUsd * paidHours;
  const span = leaseHours === undefined ? "a month" : `the lease of ${leaseHours} h`;
  return costUsd <= budgetUsd ? undefined : `$${costUsd.toFixed(2)} for ${span}, ${limit}`;
}

/** Whether SageMaker has the type of an EC2 name, at a price that is known in the region. */
function endpointTest({ sagemakerTypes }: Catalogue) {
  const byEc2Type = new Map(sagemakerTypes.map((type) => [type.ec2InstanceType, type]));
  return (instanceType: string, region: string): boolean => {
    const type = byEc2Type.get(instanceType);
    return type?.hosting === true && type.prices?.[region] !== undefined;
  };
}

function purchasesOf(request: PlanRequest): readonly Purchase[] {
  const { spot, onDemandAfterSpot = false, capacityBlock = false } = request;
  if (capacityBlock) return ["capacity-block"];
  if (!spot) return ["on-demand"];
  return onDemandAfterSpot ? ["spot", "on-demand"] : ["spot"];
}

function wishesOf(request: PlanRequest, catalogue: Catalogue): PlacementWishes {
  const { zones = [], instanceTypes, gpuCount, gpuFamilies, cpuArchitecture } = request;
  const { interconnect, maxHourlyUsd, quotaVcpus, spotMaxHourlyUsd } = request;
  return {
    regions: regionsOf(request),
    zones,
    purchases: purchasesOf(request),
    spotMaxHourlyUsd,
    instanceTypes,
    gpuCount,
    gpuFamilies,
    cpuArchitecture,
    nodes: request.nodes,
    interconnect,
    maxHourlyUsd,
    quotaVcpus,
    hasEndpoint: request.sagemakerOnly === true ? endpointTest(catalogue) : undefined,
  };
}

function placeOf({ instanceType, region }: { instanceType: string; region: string }): string {
  return `${instanceType} ${region}`;
}

/** A type that one market has on the ladder was taken, and a type that both refuse has its reason once. */
function withoutTaken(
  rejected: readonly Rejection[],
  ladder: readonly Rung[],
): readonly Rejection[] {
  const taken = new Set(ladder.map(placeOf));
  const left = rejected.filter((one) => !taken.has(placeOf(one)));
  return [...new Map(left.map((one) => [placeOf(one), one])).values()];
}

/** A server is on one host, and an image model is trained on one GPU. */
function onOneHost({ task, model }: Job): boolean {
  return task === "serve" || model.task === "image-generation";
}

/**
 * On one host, and where none holds a training by its memory on several. Types of one GPU, as an environment may ask for, stay
 * single.
 */
function placementsOf(question: PlacementQuestion): PlacementChoice {
  const { job, wishes } = question;
  const found = findPlacements(question);
  const single = onOneHost(job) || wishes.nodes !== undefined || wishes.gpuCount === 1;
  if (single || found.holding.length > 0) return found;
  // A host that a limit of price refuses holds it: several would not be what was asked for.
  if (found.rejected.some(({ kind }) => kind === "price")) return found;
  const nodes = { least: 2, most: mostNodesByItself };
  return findPlacements({ ...question, wishes: { ...wishes, nodes } });
}

/** The job and its placements, ranked; pure. `makePlan` and the report of `berth plan` both come from it.
 *
 * @throws UserError naming every problem of the request at once
 */
export function decide(request: PlanRequest, catalogue: Catalogue): Decision {
  const model = request.customModel ?? findModel(request.model, catalogue);
  checkRequest(request, model, catalogue);
  const job = jobOf(request, model);
  const rootVolumeGiB = volumeGiB(request, job);
  const monthlyHours = request.monthlyHours ?? hoursAMonth;
  const wishes = wishesOf(request, catalogue);
  const found = placementsOf({ job, wishes, rootVolumeGiB, catalogue });
  const training = job.task !== "serve";
  // The time of an image model's training is not known, and so not what its job costs.
  const rankBy = onOneHost(job) ? "hour" : "job";
  const rungs = found.holding.map(rungMaker(job, catalogue, monthlyHours));
  const judged = rungs.map((rung) => ({ rung, reason: aboveBudget(request, rung, training) }));
  const affordable = judged.flatMap(({ rung, reason }) => (reason === undefined ? [rung] : []));
  const { ladder, rejected } = marketLadder(affordable, rankBy, wishes);
  const dear = judged.flatMap(({ rung: { instanceType, region, hourlyUsd }, reason }) =>
    reason === undefined
      ? []
      : [{ instanceType, region, hourlyUsd, kind: "price", reason } as const],
  );
  const all = withoutTaken([...found.rejected, ...rejected, ...dear], ladder);
  return {
    model,
    job,
    rankBy,
    ladder,
    rejected: all.toSorted((a, b) => (a.hourlyUsd ?? Infinity) - (b.hourlyUsd ?? Infinity) || 0),
    rootVolumeGiB,
    monthlyHours,
  };
}
