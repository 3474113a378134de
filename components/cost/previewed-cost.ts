import { aroundCost } from "../pricing/rung-cost.ts";
import { hoursAMonth, roundUsd } from "../pricing/hourly-cost.ts";
import type { MonthlyCost } from "./monthly-cost.ts";

/** What is planned, as far as it costs. */
export interface PlannedSpending {
  readonly hourlyUsd: number;
  /** Whether that is the most that an hour may cost: spot, or an endpoint that scales. */
  readonly atMost: boolean;
  readonly month: MonthlyCost;
  readonly region: string;
  readonly weightsGiB: number;
  /** Hosts that fetch the weights. @default 1 */
  readonly hosts?: number | undefined;
  /** Where the weights lie. @default the host's own region */
  readonly weightsRegion?: string | undefined;
}

/** What runs already, as its last `up` recorded it. */
export interface RunningSpending {
  readonly hourlyUsd: number;
  /** undefined where an older version recorded none. */
  readonly monthlyUsd: number | undefined;
}

/** Two figures, and what lies between them. */
export interface Change {
  readonly beforeUsd: number;
  readonly afterUsd: number;
  readonly differenceUsd: number;
}

/** What an `up` would cost: by the hour, by the month, once, and against what runs. */
export interface PreviewedCost {
  readonly hourlyUsd: number;
  readonly atMost: boolean;
  readonly month: MonthlyCost;
  /** If it ran for all of a month's hours. */
  readonly wholeMonthUsd: number;
  readonly once: {
    /** Requests for bringing the weights to where they are used, and the way from another region. */
    readonly syncUsd: number;
    readonly crossesRegions: boolean;
  };
  readonly weightsMonthlyUsd: number;
  readonly hourly: Change;
  /** undefined where what runs has no month recorded. */
  readonly monthly: Change | undefined;
  /** Whether anything runs now. */
  readonly runs: boolean;
}

function change(beforeUsd: number, afterUsd: number): Change {
  return { beforeUsd, afterUsd, differenceUsd: roundUsd(afterUsd - beforeUsd) };
}

/**
 * What a deployment would cost, and the difference to what runs already; pure.
 *
 * @param running undefined when nothing of the stack runs
 */
export function previewCost(
  planned: PlannedSpending,
  running: RunningSpending | undefined,
): PreviewedCost {
  const {
    hourlyUsd,
    atMost,
    month,
    region,
    weightsGiB,
    weightsRegion = region,
    hosts = 1,
  } = planned;
  const around = aroundCost(region, weightsGiB, weightsRegion);
  const crossesRegions = weightsRegion !== region;
  const before = running?.hourlyUsd ?? 0;
  const monthlyBefore = running === undefined ? 0 : running.monthlyUsd;
  return {
    hourlyUsd,
    atMost,
    month,
    wholeMonthUsd: roundUsd(hourlyUsd * hoursAMonth),
    once: {
      syncUsd: roundUsd(
        hosts * (around.syncUsd + (crossesRegions ? around.crossRegionSyncUsd : 0)),
      ),
      crossesRegions,
    },
    weightsMonthlyUsd: around.weightsMonthlyUsd,
    hourly: change(before, hourlyUsd),
    monthly: monthlyBefore === undefined ? undefined : change(monthlyBefore, month.usd),
    runs: running !== undefined,
  };
}
