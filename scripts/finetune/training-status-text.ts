import { timeText } from "../../components/plan-figures.ts";
import type { TrainingJobView } from "../adapters/training-jobs.ts";

/** What a job does, on what, and for how long. */
export function jobLine(view: TrainingJobView): string {
  const { name, status, step, instances, instanceType, spot, ranSeconds, billedSeconds } = view;
  const doing = step === status ? status : `${status} (${step})`;
  const billed = billedSeconds === undefined || !spot ? "" : `, ${timeText(billedSeconds)} billed`;
  const how = spot ? "spot" : "on demand";
  return `job        ${name}: ${doing} on ${instances} x ${instanceType} (${how}), ${timeText(ranSeconds)}${billed}`;
}

/** Of the seconds that are billed so far, and of those on spot at most. */
export function costLine(
  { ranSeconds, billedSeconds, spot }: TrainingJobView,
  hourlyUsd = 0,
): string {
  if (hourlyUsd === 0) return "cost       not known: no price of its type is";
  const seconds = billedSeconds ?? ranSeconds;
  const most = spot && billedSeconds === undefined ? "at most " : "";
  return `cost       ${most}$${((seconds / 3600) * hourlyUsd).toFixed(2)} of computing so far`;
}
