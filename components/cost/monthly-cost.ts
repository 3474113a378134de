import { weeklyOpenHours, type OfficeHours } from "../lease/office-hours.ts";
import { hoursAMonth, roundUsd } from "../pricing/hourly-cost.ts";

/** When a deployment may run. */
export interface Schedule {
  /** undefined means no deadline. */
  readonly leaseHours: number | undefined;
  /** undefined means at any time. */
  readonly officeHours?: OfficeHours | undefined;
}

/** What a month costs by the declared schedule. */
export interface MonthlyCost {
  /** Hours that are counted; 730 is a whole month. */
  readonly hours: number;
  readonly usd: number;
  /** What the hours are. */
  readonly basis: "always" | "office-hours" | "one-lease";
}

/** A month has so many weeks when a year has 8,760 hours, as AWS counts. */
const weeksAMonth = hoursAMonth / 168;

/**
 * USD of a month: of all its hours without an end; of every window with office hours, from its opening on and no longer
 * than a lease; of the one lease otherwise, since nothing begins another one.
 */
export function monthlyCost(hourlyUsd: number, { leaseHours, officeHours }: Schedule): MonthlyCost {
  const of = (hours: number, basis: MonthlyCost["basis"]): MonthlyCost => ({
    hours: Math.round(hours * 10) / 10,
    usd: roundUsd(hourlyUsd * hours),
    basis,
  });
  if (officeHours !== undefined) {
    return of(weeklyOpenHours(officeHours, leaseHours) * weeksAMonth, "office-hours");
  }
  return leaseHours === undefined ? of(hoursAMonth, "always") : of(leaseHours, "one-lease");
}
