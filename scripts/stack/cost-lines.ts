import { openHours, parseOfficeHours } from "../../components/lease/office-hours.ts";
import { hoursLeft, hoursSince } from "../../components/lease/lease.ts";
import { roundUsd } from "../../components/pricing/hourly-cost.ts";
import { usd } from "../../components/plan-text.ts";
import { priceDate, type BerthOutputs } from "./stack-outputs.ts";

/** Money and time of a deployment at one moment. */
export interface RunningCost {
  readonly hours: number;
  readonly hourlyUsd: number;
  readonly soFarUsd: number;
  /** Undefined without a deadline; negative once it has passed. */
  readonly hoursLeft: number | undefined;
}

/** What it has cost until `now`, by the price that was recorded when it was made; undefined before it was. */
export function runningCost(outputs: BerthOutputs, now: Date): RunningCost | undefined {
  const { startedAt, expiresAt, hourlyUsd } = outputs;
  if (startedAt === undefined || hourlyUsd === undefined) return undefined;
  const start = new Date(startedAt);
  const end = expiresAt === undefined || expiresAt === "" ? undefined : new Date(expiresAt);
  const left = hoursLeft({ startedAt: start, expiresAt: end }, now);
  // Nothing runs on after the deadline, so nothing is counted after it.
  const until = left !== undefined && left < 0 && end !== undefined ? end : now;
  // By hand it may have been stopped for longer, or started sooner, which nothing here knows of.
  const weekly = outputs.plan?.endpoint?.hours?.text;
  const hours =
    weekly === undefined
      ? hoursSince(start, until)
      : openHours(parseOfficeHours(weekly), start, until);
  return { hours, hourlyUsd, soFarUsd: roundUsd(hours * hourlyUsd), hoursLeft: left };
}

/** Hours and minutes. */
export function duration(hours: number): string {
  const minutes = Math.round(Math.abs(hours) * 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Cost and deadline as a person reads them. */
export function costLines(outputs: BerthOutputs, now: Date): readonly string[] {
  const cost = runningCost(outputs, now);
  if (cost === undefined) return [];
  const { hours, hourlyUsd, soFarUsd, hoursLeft: left } = cost;
  const end =
    left === undefined
      ? "ends       never by itself; take it down with: berth down"
      : left < 0
        ? `ends       its deadline ${outputs.expiresAt ?? ""} passed ${duration(left)} ago`
        : `ends       ${outputs.expiresAt ?? ""}, in ${duration(left)}`;
  const { mode, serverless } = outputs.plan?.endpoint ?? {};
  if (mode === "serverless") {
    const warm = (serverless?.provisionedConcurrency ?? 0) > 0 ? ", not what is kept warm" : "";
    return [
      `cost       at most ${usd(soFarUsd)} so far, had it answered all of ${duration(hours)}; berth cost counts the answers${warm}`,
      end,
    ];
  }
  return [
    `cost       ${usd(soFarUsd)} so far: ${duration(hours)} at ${usd(hourlyUsd)} an hour, by the prices of ${priceDate(outputs)}`,
    end,
  ];
}
