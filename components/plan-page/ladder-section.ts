import { dollars, rangeText, shortGpu, timeText, usd } from "../plan-figures.ts";
import { hostsText, workUnit, workUsd } from "../plan-report/ladder-lines.ts";
import type { PlanReport, Rung } from "../plan-report/report.ts";
import { middle, type Range } from "../range.ts";
import { html, none, type Html } from "./html.ts";

function money(range: Range | undefined): string {
  return range === undefined ? "not known" : rangeText(range, dollars);
}

function time({ speed, imageSpeed, training }: Rung): string {
  if (imageSpeed !== undefined) return rangeText(imageSpeed.batchSeconds, timeText);
  if (speed !== undefined) return rangeText(speed.requestSeconds, timeText);
  if (training === undefined) return "not known";
  const { low, high } = training.jobHours;
  return rangeText({ low: low * 3600, high: high * 3600 }, timeText);
}

/** What the bar stands for: the price that the ladder is ranked by, of a job the middle of its range. */
function rankedUsd({ hourly, jobUsd }: Rung, { ranking }: PlanReport): number {
  if (ranking.by === "hour") return hourly.totalUsd;
  return jobUsd === undefined ? 0 : middle(jobUsd);
}

function priceBar(rung: Rung, report: PlanReport, mostUsd: number): Html {
  const width = (value: number) => `${((value / mostUsd) * 100).toFixed(1)}%`;
  const { sagemaker } = rung;
  const endpoint =
    sagemaker === undefined
      ? none
      : html`<i class="sagemaker" style="width:${width(sagemaker.hourlyUsd)}"></i>`;
  return html`<span class="price" aria-hidden="true"
    ><i style="width:${width(rankedUsd(rung, report))}"></i>${endpoint}</span
  >`;
}

function row(rung: Rung, report: PlanReport, mostUsd: number, index: number): Html {
  const { ranking, serving } = report;
  const { sagemaker, hourly, monthlyUsd } = rung;
  const endpoint = sagemaker === undefined ? "-" : usd(sagemaker.hourlyUsd);
  return html`<tr class="${index === 0 ? "chosen" : "other"}">
    <th scope="row">${hostsText(rung)}</th>
    <td class="name">${rung.gpuCount * (rung.nodes ?? 1)} x ${shortGpu(rung.gpuModel)}</td>
    <td class="name">${rung.purchase}</td>
    <td class="name">${rung.region}</td>
    <td>${priceBar(rung, report, mostUsd)}</td>
    <td class="number">${usd(hourly.totalUsd)}</td>
    ${serving === undefined ? none : html`<td class="number">${usd(monthlyUsd)}</td>`}
    <td class="number">${money(workUsd(rung, ranking.by))}</td>
    <td class="number">${time(rung)}</td>
    ${serving === undefined ? none : html`<td class="number">${endpoint}</td>`}
  </tr>`;
}

/** What is tried in which order, with a bar of each price. */
export function ladderSection(report: PlanReport): Html {
  const { ladder, ranking } = report;
  if (ladder.length === 0) return none;
  const prices = ladder.flatMap((rung) => [
    rankedUsd(rung, report),
    rung.sagemaker?.hourlyUsd ?? 0,
  ]);
  const mostUsd = Math.max(...prices);
  const serving = report.serving !== undefined;
  const month = `; a month is ${report.monthlyHours} h, and 1 M tokens are of answers`;
  const spot = ladder.some(({ purchase }) => purchase === "spot");
  const spotNote = spot ? " Spot costs at most the price that is shown." : "";
  return html`<section aria-labelledby="ladder">
    <h2 id="ladder">Price ladder</h2>
    <p>
      Ranked by the price of ${ranking.by === "job" ? "the job" : "an hour"}; ties go by
      ${ranking.tieBreak}.${spotNote}
    </p>
    <div class="scroll">
      <table>
        <caption>
          EC2 with its volume and public
          address${serving ? `; the second bar is the same GPUs as a SageMaker endpoint${month}` : ""}
        </caption>
        <thead>
          <tr>
            <th scope="col">Type</th>
            <th scope="col">GPUs</th>
            <th scope="col">Market</th>
            <th scope="col">Region</th>
            <th scope="col">Price</th>
            <th scope="col" class="number">$ an hour</th>
            ${serving ? html`<th scope="col" class="number">$ a month</th>` : none}
            <th scope="col" class="number">${workUnit(report)}</th>
            <th scope="col" class="number">${serving ? "Request" : "Job"}</th>
            ${serving ? html`<th scope="col" class="number">SageMaker $ an hour</th>` : none}
          </tr>
        </thead>
        <tbody>
          ${ladder.map((rung, index) => row(rung, report, mostUsd, index))}
        </tbody>
      </table>
    </div>
  </section>`;
}
