import { UserError } from "../user-error.ts";

/** The longest lease, hours: thirty days. Longer than that is no lease; say "none". */
export const longestLeaseHours = 720;

const hourMs = 3_600_000;

/** When a deployment began and when it ends; `expiresAt` is undefined when it has no end. */
export interface Lease {
  readonly startedAt: Date;
  readonly expiresAt: Date | undefined;
}

/** RFC 3339 in UTC to the second: what tags, schedules and outputs carry. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The lease that begins now; hours undefined means no end. */
export function newLease(now: Date, hours: number | undefined): Lease {
  const expiresAt = hours === undefined ? undefined : new Date(now.getTime() + hours * hourMs);
  return { startedAt: now, expiresAt };
}

/**
 * A deadline that somebody wrote, checked.
 *
 * @throws UserError when it is no RFC 3339 time, has passed, or is further away than the longest lease
 */
export function parseDeadline(text: string, now: Date): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()) || !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) {
    throw new UserError(`The deadline "${text}" is not a time.`, {
      hint: `Write it as RFC 3339, such as ${timestamp(new Date(now.getTime() + 8 * hourMs))}.`,
    });
  }
  const hours = (date.getTime() - now.getTime()) / hourMs;
  if (hours <= 0) {
    throw new UserError(`The deadline ${text} has passed; it is ${timestamp(now)} now.`, {
      hint: "Give a later one, or take the deployment down.",
    });
  }
  if (hours > longestLeaseHours) {
    throw new UserError(
      `The deadline ${text} is ${hours.toFixed(0)} hours away; the longest lease is ${longestLeaseHours}.`,
      { hint: 'Give a nearer one, or "none" where the environment allows it.' },
    );
  }
  return date;
}

/** Hours that remain, negative once it has passed; undefined without an end. */
export function hoursLeft(lease: Lease, now: Date): number | undefined {
  const { expiresAt } = lease;
  return expiresAt === undefined ? undefined : (expiresAt.getTime() - now.getTime()) / hourMs;
}

/** Hours since the start, never negative. */
export function hoursSince(start: Date, now: Date): number {
  return Math.max(0, (now.getTime() - start.getTime()) / hourMs);
}
