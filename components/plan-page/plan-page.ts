import type { PlanReport } from "../plan-report/report.ts";

/** A report as one page that needs no network. */
export function planPage(report: PlanReport): string {
  return report.modelId;
}
