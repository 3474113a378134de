import { UserError } from "../user-error.ts";
import { longestLeaseHours, timestamp, type Lease } from "./lease.ts";

const hourMs = 3_600_000;

/** The oldest that a deployment with a deadline may get, hours: ninety days. */
export const longestAgeHours = 2160;

/**
 * A length of time as a person writes it: `90m`, `4h`, `2d`, `1h30m`; a bare number is hours.
 *
 * @returns hours, more than 0
 * @throws UserError when it is none of these
 */
export function parseHours(text: string): number {
  const found = /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)(?:h|$))?(?:(\d+)m)?$/.exec(text.trim());
  const [, days = "0", hours = "0", minutes = "0"] = found ?? [];
  const sum = Number(days) * 24 + Number(hours) + Number(minutes) / 60;
  if (found !== null && sum > 0) return sum;
  throw new UserError(`"${text}" is no length of time.`, {
    hint: "Write it as 4h, 90m, 2d or 1h30m.",
  });
}

/** Hours as {@link parseHours} reads them, rounded down to the minute: `69h`, `1h30m`, `45m`. */
function hoursText(hours: number): string {
  const minutes = Math.floor(hours * 60);
  const parts = [`${Math.floor(minutes / 60)}h`, `${minutes % 60}m`];
  return parts.filter((part) => !part.startsWith("0")).join("");
}

/** What bounds an extension. */
export interface ExtensionBounds {
  readonly now: Date;
  /** Hours from the start that no extension passes. */
  readonly maxAgeHours: number;
}

/**
 * The end of a lease that is given so many more hours. They count from its end, or from now when that has passed.
 *
 * @throws UserError when the lease has no end, or when its age would pass the environment's
 */
export function extendedEnd(lease: Lease, hours: number, bounds: ExtensionBounds): Date {
  const { startedAt, expiresAt } = lease;
  const { now, maxAgeHours } = bounds;
  if (expiresAt === undefined) {
    throw new UserError("This deployment has no end, so there is nothing to extend.", {
      hint: "Take it down when it is done with: berth down.",
    });
  }
  const from = Math.max(expiresAt.getTime(), now.getTime());
  const end = new Date(from + hours * hourMs);
  const latest = new Date(startedAt.getTime() + maxAgeHours * hourMs);
  const furthest = new Date(now.getTime() + longestLeaseHours * hourMs);
  const bound = latest < furthest ? latest : furthest;
  if (end <= bound) return end;
  const left = (bound.getTime() - from) / hourMs;
  const why =
    bound === latest
      ? `It began at ${timestamp(startedAt)} and may last ${maxAgeHours} h`
      : `No lease reaches further than ${longestLeaseHours} h from now`;
  throw new UserError(`${why}; ${hours} h more would end it at ${timestamp(end)}.`, {
    hint:
      left * 60 >= 1
        ? `At most ${hoursText(left)} more, until ${timestamp(bound)}; or set berth:maxAgeHours.`
        : "It cannot be extended any more: take it down and up again, or set berth:maxAgeHours.",
  });
}
