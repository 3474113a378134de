import { gib } from "../plan-figures.ts";
import type { Rung } from "../plan-report/report.ts";
import { mergedParts, partName } from "../plan-text.ts";
import { gpusOf, type MemoryDemand, type MemoryPart } from "../sizing/memory-part.ts";
import { html, none, type Html } from "./html.ts";
import { partColours } from "./page-style.ts";

interface Shown extends MemoryPart {
  readonly label: string;
  readonly colour: string;
}

/** Each part with its colour. */
function shownParts(demand: MemoryDemand): readonly Shown[] {
  return mergedParts(demand).map((part, index) => ({
    ...part,
    label: partName(part.name, demand),
    colour: partColours[Math.min(index, partColours.length - 1)] ?? "#7f7f7f",
  }));
}

function percent(mib: number, of: number): string {
  return `${Math.min(100, (mib / of) * 100).toFixed(2)}%`;
}

function bar(parts: readonly Shown[], usableMiB: number, limitMiB: number): Html {
  // More than there is would push the last parts out of the bar, so the bar then stands for what is needed.
  const total = parts.reduce((sum, { mib }) => sum + mib, 0);
  const scaleMiB = Math.max(usableMiB, total);
  const pieces = parts.map(
    ({ mib, colour, label }) =>
      html`<span
        style="width:${percent(mib, scaleMiB)};background:${colour}"
        title="${label} ${gib(mib)}"
      ></span>`,
  );
  const text = `${gib(total)} of ${gib(usableMiB)}: ${parts
    .map(({ label, mib }) => `${label} ${gib(mib)}`)
    .join(", ")}`;
  return html`<div class="bar" role="img" aria-label="${text}">
    ${pieces}<i
      class="limit"
      style="left:${percent(limitMiB, scaleMiB)}"
      title="what the engine may take: ${gib(limitMiB)}"
    ></i>
  </div>`;
}

function idle(usableMiB: number): Html {
  return html`<div class="bar" role="img" aria-label="not used, ${gib(usableMiB)}"></div>`;
}

function partRows(parts: readonly Shown[]): readonly Html[] {
  return parts.map(
    ({ label, mib, lowMiB, highMiB, why, colour }) =>
      html`<tr>
        <th scope="row"><i class="swatch" style="background:${colour}"></i>${label}</th>
        <td class="number">${gib(mib)}</td>
        <td class="number">${(lowMiB / 1024).toFixed(1)} to ${(highMiB / 1024).toFixed(1)}</td>
        <td class="why">${why}</td>
      </tr>`,
  );
}

/** One bar for each GPU of the machine, and a table of its parts. */
export function memorySection(
  demand: MemoryDemand,
  gpus: { readonly count: number; readonly usableMiB: number; readonly hosts?: number },
): Html {
  const parts = shownParts(demand);
  const used = gpusOf(demand);
  const limitMiB = gpus.usableMiB * demand.utilisation;
  const alike = gpus.hosts ?? 1;
  const rows = Array.from(
    { length: gpus.count },
    (_, index) =>
      html`<div class="gpu">
        <span>GPU ${index}</span>${
          index < used ? bar(parts, gpus.usableMiB, limitMiB) : idle(gpus.usableMiB)
        }
      </div>`,
  );
  return html`<section aria-labelledby="memory">
    <h2 id="memory">Memory of each GPU</h2>
    <p>
      ${gib(demand.totalMiB)} (${(demand.lowMiB / 1024).toFixed(1)} to
      ${(demand.highMiB / 1024).toFixed(1)}) of ${gib(limitMiB)} that the engine may take of
      ${gib(gpus.usableMiB)}; the dashed line is that
      limit.${alike === 1 ? "" : ` All ${alike} hosts are alike; the GPUs of one are shown.`}
    </p>
    ${rows}
    <div class="scroll">
      <table>
        <caption>
          What the memory is for
        </caption>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col" class="number">Likely</th>
            <th scope="col" class="number">Range, GiB</th>
            <th scope="col">How it comes about</th>
          </tr>
        </thead>
        <tbody>
          ${partRows(parts)}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** The memory of the first rung; nothing when there is none. */
export function rungMemory(rung: Rung | undefined): Html {
  if (rung === undefined) return none;
  const { demand, gpuCount, gpuMemoryMiB, nodes = 1 } = rung;
  return memorySection(demand, { count: gpuCount, usableMiB: gpuMemoryMiB, hosts: nodes });
}
