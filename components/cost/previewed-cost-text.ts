import { usd } from "../plan-figures.ts";
import { hoursAMonth } from "../pricing/hourly-cost.ts";
import type { Change, PreviewedCost } from "./previewed-cost.ts";

function monthLine({ month, wholeMonthUsd, atMost }: PreviewedCost): string {
  const { hours, basis } = month;
  const most = atMost ? "at most " : "";
  if (basis === "always") return `month      ${most}${usd(month.usd)} for all ${hours} h`;
  const what = basis === "one-lease" ? `one lease of ${hours} h` : `${hours} h of office hours`;
  return `month      ${most}${usd(month.usd)} for ${what}; ${usd(wholeMonthUsd)} if it ran for all ${hoursAMonth} h`;
}

function onceLine({ once, weightsMonthlyUsd }: PreviewedCost): string {
  const way = once.crossesRegions ? ", most of it for the way from another region" : "";
  return `once       ${usd(once.syncUsd)} to fetch the weights${way}; in S3 they cost ${usd(weightsMonthlyUsd)} a month`;
}

function signed({ beforeUsd, afterUsd, differenceUsd }: Change, span: string): string {
  const sign = differenceUsd < 0 ? "-" : "+";
  return `${sign}${usd(Math.abs(differenceUsd))} ${span} (${usd(beforeUsd)} now, ${usd(afterUsd)} then)`;
}

function differenceLine({ runs, hourly, monthly }: PreviewedCost): string {
  if (!runs) return "difference all of it: nothing of this stack runs now";
  if (hourly.differenceUsd === 0 && (monthly?.differenceUsd ?? 0) === 0) {
    return `difference none: it costs ${usd(hourly.beforeUsd)} an hour already`;
  }
  const month = monthly === undefined ? "" : `; ${signed(monthly, "a month")}`;
  return `difference ${signed(hourly, "an hour")}${month}`;
}

/** What an `up` would cost, as a person reads it. One entry a line. */
export function previewedCostLines(cost: PreviewedCost): readonly string[] {
  return [monthLine(cost), onceLine(cost), differenceLine(cost)];
}
