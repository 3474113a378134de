import { gib, usd } from "../plan-figures.ts";
import { headings } from "../plan-report/grouped-reasons.ts";
import type { PlanReport, SavingLadder } from "../plan-report/report.ts";
import type { Rejection, RejectionKind } from "../plan.ts";
import { html, none, type Html } from "./html.ts";

function rejectedRows(rejections: readonly Rejection[]): readonly Html[] {
  return rejections.map(
    ({ instanceType, region, hourlyUsd, reason }) =>
      html`<tr>
        <th scope="row">${instanceType}</th>
        <td>${region}</td>
        <td class="number">${hourlyUsd === undefined ? "-" : usd(hourlyUsd)}</td>
        <td>${reason}</td>
      </tr>`,
  );
}

function group(kind: RejectionKind, rejections: readonly Rejection[], open: boolean): Html {
  const attribute = open ? html` open` : none;
  return html`<details${attribute}>
<summary>${headings[kind]} (${rejections.length})</summary>
<div class="scroll"><table>
<thead><tr><th scope="col">Type</th><th scope="col">Region</th><th scope="col" class="number">$ an hour</th><th scope="col">Why</th></tr></thead>
<tbody>${rejectedRows(rejections)}</tbody>
</table></div>
</details>`;
}

/** A longer list begins folded. */
const mostOpen = 12;

/** Every type that was not taken, by what it is about. */
export function rejectedSection({ rejected }: PlanReport): Html {
  if (rejected.length === 0) return none;
  const byKind = Map.groupBy(rejected, ({ kind }) => kind);
  const kinds = (Object.keys(headings) as RejectionKind[]).filter((kind) => byKind.has(kind));
  const groups = kinds.map((kind, index) => {
    const all = byKind.get(kind) ?? [];
    return group(kind, all, index === 0 && all.length <= mostOpen);
  });
  return html`<section aria-labelledby="rejected">
    <h2 id="rejected">Not taken</h2>
    ${groups}
  </section>`;
}

/** What to change until it fits; nothing when it does. */
export function savingSection(saving: SavingLadder | undefined): Html {
  if (saving === undefined) return none;
  const rows = saving.rungs.map(
    ({ change, cost, totalMiB, savesMiB, fits, name }) =>
      html`<tr>
        <th scope="row">${name === "as-asked" ? "as asked" : change}</th>
        <td class="number">${gib(totalMiB)}</td>
        <td class="number">${savesMiB > 0 ? gib(savesMiB) : "-"}</td>
        <td>${fits ? "yes" : "no"}</td>
        <td>${name === "as-asked" ? "-" : cost}</td>
      </tr>`,
  );
  return html`<section aria-labelledby="saving">
    <h2 id="saving">To make it fit ${saving.machine}</h2>
    <div class="scroll">
      <table>
        <caption>
          ${gib(saving.usableMiB)} each; one after the other
        </caption>
        <thead>
          <tr>
            <th scope="col">Change</th>
            <th scope="col" class="number">Needed on a GPU</th>
            <th scope="col" class="number">Saved</th>
            <th scope="col">Fits</th>
            <th scope="col">What it costs</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}
