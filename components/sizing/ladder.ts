import type { Rung } from "../plan-report/report.ts";
import type { Rejection } from "../plan.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import { middle } from "../range.ts";
import type { PlacementWishes } from "./constraints.ts";

/** What placements are compared by. */
export type RankBy = "hour" | "job";

/** How equal prices are decided, in words. */
export const tieBreak =
  "the lower price an hour, then the lower one on demand, then more GPU memory in all, then the order of the regions, then the name";

/** USD an hour of the rung that costs most. */
export function dearestHourlyUsd(ladder: readonly Rung[]): number {
  return Math.max(...ladder.map(({ hourly }) => hourly.totalUsd));
}

/** What is ranked by within a market; markets themselves keep the order that was asked for. */
interface Measure {
  readonly by: RankBy;
  /** By the spot price: only where the tables have one for every rung that is compared. */
  readonly spotKnown: boolean;
}

/** Types up to this many times the best price are tried when it lacks capacity, and at most so many. */
const ladderPriceFactor = 2;
const ladderLength = 6;

/** What the rung costs by that measure, USD; infinite where it is not known, so that it comes last. */
function priceBy({ by, spotKnown }: Measure, rung: Rung): number {
  const hourlyUsd = spotKnown ? expectedHourlyUsd(rung) : rung.hourly.totalUsd;
  if (by === "hour") return hourlyUsd;
  if (rung.jobUsd === undefined) return Infinity;
  return middle(rung.jobUsd) * (hourlyUsd / rung.hourly.totalUsd);
}

/** What an hour on spot takes at the price that is known, where it is below the most that is paid. */
function expectedHourlyUsd({ hourly, spotHourlyUsd }: Rung): number {
  const { instanceUsd, volumeUsd, publicIpv4Usd } = hourly;
  return roundUsd(Math.min(spotHourlyUsd ?? Infinity, instanceUsd) + volumeUsd + publicIpv4Usd);
}

function measureOf(by: RankBy, rungs: readonly Rung[]): Measure {
  const known = ({ purchase, spotHourlyUsd }: Rung) =>
    purchase === "spot" && spotHourlyUsd !== undefined;
  return { by, spotKnown: rungs.length > 0 && rungs.every(known) };
}

function totalMemoryMiB({ gpuMemoryMiB, gpuCount }: Rung): number {
  return gpuMemoryMiB * gpuCount;
}

/** Under a limit on spot all are paid the same at most; what is small on demand is likelier to be had for it. */
function onDemandHourlyUsd({ onDemandHourlyUsd: onDemand, hourlyUsd }: Rung): number {
  return onDemand ?? hourlyUsd;
}

function difference(left: number, right: number): number {
  return left === right ? 0 : left - right;
}

function byName(left: Rung, right: Rung): number {
  if (left.instanceType === right.instanceType) return 0;
  return left.instanceType < right.instanceType ? -1 : 1;
}

/** Best price first; ties go by {@link tieBreak}. */
function ranked(rungs: readonly Rung[], by: Measure, regions: readonly string[]): readonly Rung[] {
  const prices = new Map(rungs.map((rung) => [rung, priceBy(by, rung)]));
  const priceOf = (rung: Rung) => prices.get(rung) ?? Infinity;
  return rungs.toSorted(
    (a, b) =>
      difference(priceOf(a), priceOf(b)) ||
      a.hourly.totalUsd - b.hourly.totalUsd ||
      onDemandHourlyUsd(a) - onDemandHourlyUsd(b) ||
      totalMemoryMiB(b) - totalMemoryMiB(a) ||
      regions.indexOf(a.region) - regions.indexOf(b.region) ||
      byName(a, b),
  );
}

/** The rungs that are tried, and why the other ones are not. */
export interface Ladder {
  readonly ladder: readonly Rung[];
  readonly rejected: readonly Rejection[];
}

function refused(rung: Rung, kind: "tight" | "dearer", reason: string): Rejection {
  const { instanceType, region, hourlyUsd } = rung;
  return { instanceType, region, hourlyUsd, kind, reason };
}

/**
 * Those with room to spare where there are any, else those that just start; up to twice the best price, six at most.
 * `rungs` are {@link ranked}.
 */
function ladderOf(rungs: readonly Rung[], measure: Measure): Ladder {
  const comfortable = rungs.filter((rung) => rung.comfortable);
  const taken = comfortable.length > 0 ? comfortable : rungs;
  // A spot price may rise to the most that is paid, so that is held to the same factor.
  const most = { by: measure.by, spotKnown: false };
  const mostLimit = Math.min(...taken.map((rung) => priceBy(most, rung))) * ladderPriceFactor;
  const bounded = taken.filter((rung) => priceBy(most, rung) <= mostLimit);
  const [best] = bounded;
  if (best === undefined) return { ladder: [], rejected: [] };
  const limit = priceBy(measure, best) * ladderPriceFactor;
  const ladder = bounded.filter((rung) => priceBy(measure, rung) <= limit).slice(0, ladderLength);
  const chosen = new Set(ladder);
  const rejected = rungs
    .filter((rung) => !chosen.has(rung))
    .map((rung) =>
      comfortable.length > 0 && !rung.comfortable
        ? refused(rung, "tight", "it starts, but has no room to spare")
        : refused(rung, "dearer", "it holds it too, for more money"),
    );
  return { ladder, rejected };
}

/**
 * The ladder of each market after the other, in the order that was asked for. On spot, prices are the spot prices where the
 * tables have one for every rung that holds the job, else the most that an hour can cost.
 */
export function marketLadder(
  rungs: readonly Rung[],
  by: RankBy,
  { purchases, regions }: Pick<PlacementWishes, "purchases" | "regions">,
): Ladder {
  const ladders = purchases.map((purchase) => {
    const ofMarket = rungs.filter((rung) => rung.purchase === purchase);
    const measure = measureOf(by, ofMarket);
    return ladderOf(ranked(ofMarket, measure, regions), measure);
  });
  return {
    ladder: ladders.flatMap(({ ladder }) => ladder),
    rejected: ladders.flatMap(({ rejected }) => rejected),
  };
}
