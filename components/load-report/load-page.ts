import { dollars, figure, rangeText, timeText } from "../plan-figures.ts";
import { html, none, type Html } from "../plan-page/html.ts";
import { page } from "../plan-page/page.ts";
import { pageStyle } from "../plan-page/page-style.ts";
import { chartStyle, lineChart } from "./line-chart.ts";
import type { LoadReport, ReportedRung } from "./load-report.ts";
import type { Quantile, Spread } from "./quantile.ts";
import { problemNotes, settingsLines } from "./report-lines.ts";

function spreadSeries(
  rungs: readonly ReportedRung[],
  of: (rung: ReportedRung) => Spread | undefined,
) {
  const values = (quantile: keyof Spread) => rungs.map((rung) => of(rung)?.[quantile].value);
  return [
    { name: "p50", tone: "first", values: values("p50") },
    { name: "p90", tone: "second", values: values("p90") },
    { name: "p99", tone: "third", values: values("p99") },
  ] as const;
}

function charts({ rungs, limits, knee, settings }: LoadReport): Html {
  const loads = rungs.map(({ load }) => load);
  const loadUnit = settings.loop === "closed" ? "requests at once" : "requests a second";
  const shared = { loads, loadUnit, marked: knee?.load };
  const latency = (title: string, of: (rung: ReportedRung) => Spread | undefined, limit?: number) =>
    lineChart({
      ...shared,
      title,
      unit: "",
      series: spreadSeries(rungs, of),
      limit,
      show: timeText,
    });
  const plans = rungs.map((rung) => rung.planned);
  const one = (name: string, values: readonly (number | undefined)[]) =>
    [{ name, tone: "first", values }] as const;
  return html`<div class="charts">
    ${lineChart({
      ...shared,
      title: "Throughput",
      unit: "answer tokens a second",
      series: one(
        "measured",
        rungs.map((rung) => rung.answerTokensPerSecond),
      ),
      band: { name: "planned", ranges: plans.map((plan) => plan?.answerTokensPerSecond) },
      show: figure,
    })}
    ${latency("First token", (rung) => rung.firstTokenSeconds, limits.firstTokenSeconds)}
    ${latency("Whole answer", (rung) => rung.wholeSeconds, limits.wholeSeconds)}
    ${latency("Each further token", (rung) => rung.perTokenSeconds)}
    ${lineChart({
      ...shared,
      title: "Price of 1 M answer tokens",
      unit: "USD",
      series: one(
        "measured",
        rungs.map((rung) => rung.perMillionAnswerTokensUsd),
      ),
      band: { name: "planned", ranges: plans.map((plan) => plan?.perMillionAnswerTokensUsd) },
      show: dollars,
    })}
  </div>`;
}

function cell(quantile: Quantile | undefined): Html {
  if (quantile === undefined) return html`<td class="number">-</td>`;
  const { value, low, high } = quantile;
  const bounds = `${low === undefined ? "?" : timeText(low)} to ${high === undefined ? "?" : timeText(high)}`;
  return html`<td class="number" title="95 %: ${bounds}">
    ${timeText(value)}${high === undefined ? "?" : ""}
  </td>`;
}

/** A figure in a cell, or a dash where it is not known. */
function known(value: number | undefined, show: (value: number) => string): Html {
  return html`<td class="number">${value === undefined ? "-" : show(value)}</td>`;
}

function plannedCells({ planned: plan }: ReportedRung): Html {
  const range = plan === undefined ? "-" : rangeText(plan.perMillionAnswerTokensUsd, dollars);
  return html`<td class="number">${range}</td>
    ${known(plan?.ratio, figure)}`;
}

function row(rung: ReportedRung, chosen: boolean, planned: boolean): Html {
  const { firstTokenSeconds: first, perTokenSeconds: each, wholeSeconds: whole } = rung;
  const times = [first?.p50, first?.p90, first?.p99, each?.p50, each?.p90];
  return html`<tr class="${chosen ? "chosen" : "other"}">
    <th scope="row" class="number">${rung.load}${rung.clientBound ? "*" : ""}</th>
    <td class="number">${rung.requests}</td>
    <td class="number">${rung.failedShare === 0 ? "0" : figure(rung.failedShare * 100)} %</td>
    ${[...times, whole?.p50, whole?.p90, whole?.p99].map(cell)}
    ${known(rung.promptTokensPerSecond, figure)} ${known(rung.answerTokensPerSecond, figure)}
    ${known(rung.perMillionAnswerTokensUsd, dollars)} ${planned ? plannedCells(rung) : none}
  </tr>`;
}

const heads = ["p50", "p90", "p99", "p50", "p90", "p50", "p90", "p99", "in", "out", "measured"];

function table({ rungs, knee, settings }: LoadReport): Html {
  const planned = rungs.some((rung) => rung.planned !== undefined);
  const all = planned ? [...heads, "planned", "ratio"] : heads;
  return html`<div class="scroll">
    <table>
      <caption>
        A ? has too few requests for an upper bound; the bounds (95 %) are in each cell's title.
        ${planned ? "The ratio is measured tokens a second by the middle of the plan's." : ""}
      </caption>
      <thead>
        <tr>
          <th scope="col" rowspan="2">${settings.loop === "closed" ? "At once" : "A second"}</th>
          <th scope="col" rowspan="2">Requests</th>
          <th scope="col" rowspan="2">Failed</th>
          <th scope="colgroup" colspan="3">First token</th>
          <th scope="colgroup" colspan="2">Each token</th>
          <th scope="colgroup" colspan="3">Whole answer</th>
          <th scope="colgroup" colspan="2">Tokens/s</th>
          <th scope="colgroup" colspan="${planned ? 3 : 1}">$ per 1 M answer tokens</th>
        </tr>
        <tr>
          ${all.map((name) => html`<th scope="col" class="number">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rungs.map((rung) => row(rung, rung.load === knee?.load, planned))}
      </tbody>
    </table>
  </div>`;
}

function fact(name: string, value: string, note: string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}<small>${note}</small></dd>
  </div>`;
}

/** What the best rung does. */
function facts({ rungs, knee, settings }: LoadReport): Html {
  const best = rungs.find(({ load }) => load === knee?.load);
  if (knee === undefined || best === undefined) return none;
  const { answerTokensPerSecond, requestsPerSecond, perMillionAnswerTokensUsd: usd } = best;
  const { firstTokenSeconds: first, wholeSeconds: whole } = best;
  const unit = settings.loop === "closed" ? "at once" : "a second";
  const times = (of: Spread | undefined) => (of === undefined ? "-" : timeText(of.p90.value));
  return html`<dl class="facts">
    ${fact("Best", `${knee.load} ${unit}`, knee.reason)}
    ${fact("Throughput", `${figure(answerTokensPerSecond)} tokens/s`, `${figure(requestsPerSecond)} answers a second`)}
    ${fact("First token", times(first), "90th percentile")}
    ${fact("Whole answer", times(whole), "90th percentile")}
    ${usd === undefined ? none : fact("Price", dollars(usd), "per 1 M answer tokens")}
  </dl>`;
}

/** A report as one page that needs no network: charts over the ladder, the table, and how it was measured. Pure. */
export function loadPage(report: LoadReport): string {
  const { target, at, rungs } = report;
  const how = settingsLines(report).map((line) => html`<p>${line.replace(/\s+/, ": ")}</p>`);
  const notes = problemNotes(report).map(
    (line) => html`<p class="mind">${line.replace(/\s+/, " ")}</p>`,
  );
  const body = html`<header>
      <h1>${target.model} under load</h1>
      <p class="quiet">
        ${target.instanceType ?? target.address}${target.emulated ? ", emulated: no GPU is real here" : ""};
        ${at}
      </p>
    </header>
    <main>
      ${facts(report)} ${notes}
      ${rungs.length === 0 ? html`<p>Nothing was measured.</p>` : charts(report)}
      ${rungs.length === 0 ? none : table(report)}
      <h2>How it was measured</h2>
      ${how}
    </main>
    <footer>Made by berth. Measured from this client: the network is in every latency.</footer>`;
  return page(`berth bench ${target.model}`, pageStyle + chartStyle, body);
}
