import { timestamp } from "../lease/lease.ts";

const minuteMs = 60_000;

/** After the deadline the schedule has this long alone, before sweeps begin. */
const sweepAfterMinutes = 3;

/** How long sweeps go on; 72 of them are within Step Functions' free transitions of a month. */
const sweepForMinutes = 360;

/** When sweeps look, once the lease is over: two of them, the least that ends a thing, are within a quarter of an hour. */
export const sweepExpression = "rate(5 minutes)";

/** When a region that is not the stack's own is looked at; its second look, too, is within a quarter of an hour. */
export const sweepElsewhereExpression = "rate(10 minutes)";

/** What a schedule tells a sweep: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
export const sweepInput = JSON.stringify({ time: "<aws.scheduler.scheduled-time>" });

/** From when and until when sweeps run, RFC 3339, for a lease that ends at `expiresAt`. */
export function sweepBounds(expiresAt: string): {
  readonly startDate: string;
  readonly endDate: string;
} {
  const end = Date.parse(expiresAt);
  const after = (minutes: number) => timestamp(new Date(end + minutes * minuteMs));
  return {
    startDate: after(sweepAfterMinutes),
    endDate: after(sweepAfterMinutes + sweepForMinutes),
  };
}

/** How long a start by weekly hours that is refused is tried again, seconds; EventBridge Scheduler takes 60 to 86,400. */
export const startEventSeconds = 300;

/** The end of weekly starts, RFC 3339: so long before the deadline that one that is tried again does not come after it. */
export function lastStart(expiresAt: string): string {
  return timestamp(new Date(Date.parse(expiresAt) - startEventSeconds * 1000));
}
