import { monthlyCost, type MonthlyCost } from "../components/cost/monthly-cost.ts";
import { parseOfficeHours } from "../components/lease/office-hours.ts";

/** Settings that say when a deployment may run. */
export interface MonthSettings {
  readonly leaseHours: number | undefined;
  readonly officeHours?: string | undefined;
  readonly expiresAt?: string | undefined;
  /** Weekly hours of an endpoint, outside of which it is stopped. */
  readonly endpointHours?: string | undefined;
}

/** What a month of a plan costs by the schedule that the settings declare. */
export function declaredMonth(hourlyUsd: number, settings: MonthSettings): MonthlyCost {
  const { leaseHours, officeHours, expiresAt, endpointHours } = settings;
  const endless = leaseHours === undefined || expiresAt === "none";
  if (endpointHours !== undefined && endless) {
    return monthlyCost(hourlyUsd, {
      leaseHours: undefined,
      officeHours: parseOfficeHours(endpointHours),
    });
  }
  return monthlyCost(hourlyUsd, {
    leaseHours: expiresAt === "none" ? undefined : leaseHours,
    // An end of one's own is not moved by office hours.
    officeHours:
      officeHours === undefined || expiresAt !== undefined
        ? undefined
        : parseOfficeHours(officeHours),
  });
}
