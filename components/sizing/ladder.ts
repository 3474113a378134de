import type { Rung } from "../plan-report/report.ts";
import type { Rejection } from "../plan.ts";
import { middle } from "../range.ts";

/** What placements are compared by. */
export type RankBy = "hour" | "job";

/** How equal prices are decided, in words. */
export const tieBreak =
  "the lower price an hour, then more GPU memory in all, then the order of the regions, then the name";

/** Types up to this many times the best price are tried when it lacks capacity, and at most so many. */
const ladderPriceFactor = 2;
const ladderLength = 6;

/** What the rung costs by that measure, USD; infinite where it is not known, so that it comes last. */
function priceBy(by: RankBy, rung: Rung): number {
  if (by === "hour") return rung.hourly.totalUsd;
  return rung.jobUsd === undefined ? Infinity : middle(rung.jobUsd);
}

function totalMemoryMiB({ gpuMemoryMiB, gpuCount }: Rung): number {
  return gpuMemoryMiB * gpuCount;
}

function difference(left: number, right: number): number {
  return left === right ? 0 : left - right;
}

/** Best price first; ties go by {@link tieBreak}. */
export function ranked(
  rungs: readonly Rung[],
  by: RankBy,
  regions: readonly string[],
): readonly Rung[] {
  return rungs.toSorted(
    (a, b) =>
      difference(priceBy(by, a), priceBy(by, b)) ||
      a.hourly.totalUsd - b.hourly.totalUsd ||
      totalMemoryMiB(b) - totalMemoryMiB(a) ||
      regions.indexOf(a.region) - regions.indexOf(b.region) ||
      a.instanceType.localeCompare(b.instanceType),
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
export function ladderOf(rungs: readonly Rung[], by: RankBy): Ladder {
  const comfortable = rungs.filter((rung) => rung.comfortable);
  const taken = comfortable.length > 0 ? comfortable : rungs;
  const [best] = taken;
  if (best === undefined) return { ladder: [], rejected: [] };
  const limit = priceBy(by, best) * ladderPriceFactor;
  const ladder = taken.filter((rung) => priceBy(by, rung) <= limit).slice(0, ladderLength);
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
