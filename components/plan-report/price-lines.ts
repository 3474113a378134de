import { figure, usd } from "../plan-figures.ts";
import { capacityBlockDays } from "../pricing/capacity-block.ts";
import { hoursAMonth } from "../pricing/hourly-cost.ts";
import type { PlanReport, Rung } from "./report.ts";

/** What a reservation of the same hours costs, as far as the tables have it. */
function reservedNote({ reserved, hourly }: Rung): string {
  if (reserved === undefined) return "no 1- or 3-year price is in the tables";
  const { oneYearHourlyUsd, threeYearHourlyUsd, asOf, source } = reserved;
  const term = (name: string, price: number | undefined) =>
    price === undefined ? `${name} not known` : `${name} ${usd(price)}`;
  const terms = [term("1 year", oneYearHourlyUsd), term("3 years", threeYearHourlyUsd)];
  const hours = ((oneYearHourlyUsd ?? 0) / hourly.instanceUsd) * hoursAMonth;
  const pays =
    oneYearHourlyUsd === undefined ? "" : `; the year pays above ${figure(hours)} h a month`;
  return `reserved, every hour paid: ${terms.join(", ")} (${source}, ${asOf})${pays}`;
}

function blockNote(leaseHours: number | undefined): string {
  const days = leaseHours === undefined ? undefined : capacityBlockDays(leaseHours);
  const asked = days === undefined ? "" : `; ${days} ${days === 1 ? "day" : "days"} for this lease`;
  return `1 to 14 days or weeks up to 26, paid in advance, at the price of the day it is bought${asked}`;
}

/** What spot costs, as far as that is known: by zone where AWS was asked, else of a day that is over. */
function spotNote({ spotHourlyUsd, spotHighHourlyUsd, spotAsOf = "", pastSpot }: Rung): string {
  if (spotHourlyUsd !== undefined) {
    return spotHighHourlyUsd === undefined || spotHighHourlyUsd === spotHourlyUsd
      ? `spot was ${usd(spotHourlyUsd)} on ${spotAsOf}`
      : `spot was ${usd(spotHourlyUsd)} to ${usd(spotHighHourlyUsd)} by zone on ${spotAsOf}`;
  }
  return pastSpot === undefined
    ? "no spot price is known, so the most that it can cost is shown"
    : `spot of ${pastSpot.asOf} was ${usd(pastSpot.hourlyUsd)} (${pastSpot.source}), and has moved since: "berth catalogue refresh" asks AWS`;
}

/** What is known beside the price of an hour. */
function priceNote(rung: Rung, leaseHours: number | undefined): string {
  const { purchase, spotMaxHourlyUsd } = rung;
  if (purchase === "capacity-block") return blockNote(leaseHours);
  if (purchase === "on-demand") return reservedNote(rung);
  const limit =
    spotMaxHourlyUsd === undefined ? "" : `, with no more than ${usd(spotMaxHourlyUsd)} paid`;
  return `${spotNote(rung)}${limit}`;
}

/** What an hour and a month cost, and what is known beside that: one text a line. */
export function priceTexts(report: PlanReport, rung: Rung): readonly string[] {
  const { hourly, purchase, region, priceSource, priceAsOf, monthlyUsd } = rung;
  const most = purchase === "spot" ? "at most " : "";
  const now = priceNote(rung, report.leaseHours);
  const parts = `instance ${usd(hourly.instanceUsd)}, ${report.rootVolumeGiB} GiB volume ${usd(hourly.volumeUsd)}, public address ${usd(hourly.publicIpv4Usd)}`;
  const hour = `${most}${usd(hourly.totalUsd)} an hour: ${parts} (${purchase}, ${region}; ${priceSource}, ${priceAsOf})`;
  if (report.task === "serve") {
    return [hour, `${most}${usd(monthlyUsd)} a month of ${report.monthlyHours} h; ${now}`];
  }
  // A training ends: nobody pays a month of it, and nobody reserves a year for it.
  return purchase === "on-demand" ? [hour] : [hour, now];
}
