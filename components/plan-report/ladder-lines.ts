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

function cell(rung: Rung, by: "hour" | "job", width: number): string {
  const { gpuModel, region, hourly, perMillionTokensUsd, jobUsd, nodes = 1 } = rung;
  const gpuCount = nodes * rung.gpuCount;
  const { perThousandImagesUsd } = rung;
  const used = rung.demand.totalMiB / rung.gpuMemoryMiB;
  const price = by === "job" ? jobUsd : (perThousandImagesUsd ?? perMillionTokensUsd);
  const sagemaker = rung.sagemaker === undefined ? "-" : usd(rung.sagemaker.hourlyUsd);
  return [
    hostsText(rung).padEnd(width),
    `${gpuCount} x ${shortGpu(gpuModel)}`.padEnd(20),
    rung.purchase.padEnd(marketWidth),
    region.padEnd(14),
    `${Math.round(used * 100)} %`.padStart(6),
    usd(hourly.totalUsd).padStart(9),
    usd(rung.monthlyUsd).padStart(9),
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
export function ladderLines({ ladder, ranking, task }: PlanReport): string[] {
  if (ladder.length === 0) return [];
  const width = Math.max(16, ...ladder.map((rung) => hostsText(rung).length));
  const images = ladder.some(({ imageSpeed }) => imageSpeed !== undefined);
  const served = images ? "$ 1000 images" : "$ 1 M tokens";
  const price = task === "serve" ? served : "$ a job";
  const head = [
    "type".padEnd(width),
    "GPUs".padEnd(20),
    "market".padEnd(marketWidth),
    "region".padEnd(14),
    "filled",
    "$ an hour".padStart(9),
    "$ a month".padStart(9),
    price.padStart(18),
    "SageMaker".padStart(10),
  ].join("  ");
  return [
    "",
    `ladder${inMarkets(ladder)}, by the price of ${ranking.by === "job" ? "the job" : "an hour"}:`,
    `  ${head}`,
    ...ladder.map((rung) => `  ${cell(rung, ranking.by, width)}`),
  ];
}
