import { dollars, rangeText, shortGpu, usd } from "../plan-figures.ts";
import type { Range } from "../range.ts";
import type { PlanReport, Rung } from "./report.ts";

/** The longest name of a market. */
const marketWidth = "capacity-block".length;

function money(range: Range): string {
  return rangeText(range, dollars);
}

/** "4 x p5.48xlarge", or the type alone. */
export function hostsText({ instanceType, nodes }: Pick<Rung, "instanceType" | "nodes">): string {
  return nodes === undefined ? instanceType : `${nodes} x ${instanceType}`;
}

/** What {@link workUsd} is of, as the head of a column. */
export function workUnit({ ladder, task }: Pick<PlanReport, "ladder" | "task">): string {
  const images = ladder.some(
    ({ imageSpeed, imageTraining }) => imageSpeed !== undefined || imageTraining !== undefined,
  );
  if (images) return "$ 1000 images";
  return task === "serve" ? "$ 1 M tokens" : "$ a job";
}

/** What the work costs that a rung does: the job, images or tokens; undefined where it is not known. */
export function workUsd(rung: Rung, by: "hour" | "job"): Range | undefined {
  const { perThousandImagesUsd, imageTraining, perMillionTokensUsd, jobUsd } = rung;
  if (by === "job") return jobUsd;
  return perThousandImagesUsd ?? imageTraining?.perThousandImagesUsd ?? perMillionTokensUsd;
}

function cell(
  rung: Rung,
  { ranking, task }: Pick<PlanReport, "ranking" | "task">,
  width: number,
): string {
  const { gpuModel, region, hourly, nodes = 1 } = rung;
  const gpuCount = nodes * rung.gpuCount;
  const used = rung.demand.totalMiB / rung.gpuMemoryMiB;
  const price = workUsd(rung, ranking.by);
  const sagemaker = rung.sagemaker === undefined ? "-" : usd(rung.sagemaker.hourlyUsd);
  return [
    hostsText(rung).padEnd(width),
    `${gpuCount} x ${shortGpu(gpuModel)}`.padEnd(20),
    rung.purchase.padEnd(marketWidth),
    region.padEnd(14),
    `${Math.round(used * 100)} %`.padStart(6),
    usd(hourly.totalUsd).padStart(9),
    ...(task === "serve" ? [usd(rung.monthlyUsd).padStart(9)] : []),
    (price === undefined ? "not known" : money(price)).padStart(18),
    sagemaker.padStart(10),
  ].join("  ");
}

/** The order of the markets, and the zones that were asked for. */
function inMarkets(ladder: readonly Rung[]): string {
  const markets = [...new Set(ladder.map(({ purchase }) => purchase))];
  const zones = [...new Set(ladder.flatMap((rung) => rung.zones))];
  return (
    (markets.length > 1 ? `, ${markets.join(" before ")}` : "") +
    (zones.length > 0 ? `, each type in ${zones.join(", then ")}` : "")
  );
}

/** The ladder as a table, one rung a line; nothing where it is empty. */
export function ladderLines(report: PlanReport): string[] {
  const { ladder, ranking, task } = report;
  if (ladder.length === 0) return [];
  const width = Math.max(16, ...ladder.map((rung) => hostsText(rung).length));
  const head = [
    "type".padEnd(width),
    "GPUs".padEnd(20),
    "market".padEnd(marketWidth),
    "region".padEnd(14),
    "filled",
    "$ an hour".padStart(9),
    // A training ends: nobody pays a month of it.
    ...(task === "serve" ? ["$ a month".padStart(9)] : []),
    workUnit(report).padStart(18),
    "SageMaker".padStart(10),
  ].join("  ");
  return [
    "",
    `ladder${inMarkets(ladder)}, by the price of ${ranking.by === "job" ? "the job" : "an hour"}:`,
    `  ${head}`,
    ...ladder.map((rung) => `  ${cell(rung, report, width)}`),
  ];
}
