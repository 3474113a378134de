import { figure, gib, rangeText, timeText, usd } from "../plan-figures.ts";
import { hostsText } from "../plan-report/ladder-lines.ts";
import { batchText, splitText } from "../plan-report/layout-lines.ts";
import type { OwnMachine, PlanReport, Rung } from "../plan-report/report.ts";
import { html, none, type Html } from "./html.ts";
import { ladderSection } from "./ladder-section.ts";
import { memorySection, rungMemory } from "./memory-section.ts";
import { page } from "./page.ts";
import { pageStyle } from "./page-style.ts";
import { rejectedSection, savingSection } from "./rejected-section.ts";

function fact(name: string, value: string, note: string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}<small>${note}</small></dd>
  </div>`;
}

function speedFact(report: PlanReport, { speed, imageSpeed, training }: Rung): Html {
  if (imageSpeed !== undefined) {
    const { images, steps, batchSeconds, imagesPerHour } = imageSpeed;
    const note = `${steps} steps; ${rangeText(imagesPerHour)} an hour`;
    return fact(
      images === 1 ? "An image" : `${images} images`,
      rangeText(batchSeconds, timeText),
      note,
    );
  }
  const { serving, trainingAsked } = report;
  if (speed !== undefined && serving !== undefined) {
    const { promptTokens, answerTokens, concurrency } = serving;
    const note = `${promptTokens} + ${answerTokens} tokens, ${concurrency} at once; ${rangeText(speed.tokensPerSecond)} tokens/s each`;
    return fact("A request", rangeText(speed.requestSeconds, timeText), note);
  }
  if (training !== undefined && trainingAsked?.datasetTokens !== undefined) {
    const seconds = { low: training.jobHours.low * 3600, high: training.jobHours.high * 3600 };
    const note = `${figure(trainingAsked.datasetTokens / 1e6)} M tokens x ${trainingAsked.epochs ?? 1}, ${trainingAsked.method}`;
    return fact("The job", rangeText(seconds, timeText), note);
  }
  return none;
}

function splitFact({ layout }: Rung): Html {
  if (layout === undefined || layout.nodes * layout.gpusPerNode === 1) return none;
  return fact("Split", splitText(layout), batchText(layout));
}

function facts(report: PlanReport, rung: Rung): Html {
  const { hourly, purchase, region, energy, sagemaker, software } = rung;
  const spot = purchase === "spot";
  const month = report.serving === undefined ? "" : `${usd(rung.monthlyUsd)} a month; `;
  const end =
    report.leaseUsd === undefined || report.leaseHours === undefined
      ? fact("Ends", "never by itself", "it costs until somebody takes it down")
      : fact(
          "Ends",
          `after ${report.leaseHours} h`,
          `${usd(report.leaseUsd)} at most until then, by its first rung`,
        );
  return html`<dl class="facts">
    ${fact("Type", hostsText(rung), `${rung.gpuCount} x ${rung.gpuModel}, ${gib(rung.gpuMemoryMiB)} each; ${region}`)}
    ${fact("Price", `${spot ? "up to " : ""}${usd(hourly.totalUsd)} an hour`, `${month}${purchase}, ${rung.priceSource}, ${rung.priceAsOf}`)}
    ${speedFact(report, rung)} ${splitFact(rung)} ${end}
    ${energy === undefined ? none : fact("Carbon", `${rangeText(energy.gramsAnHour)} g an hour`, `${rangeText(energy.kwhAnHour)} kWh; ${energy.gridSource}`)}
    ${sagemaker === undefined ? none : fact("SageMaker", `${usd(sagemaker.hourlyUsd)} an hour`, `${sagemaker.instanceType}; cheaper below ${figure(sagemaker.breakEvenHoursAMonth ?? 730)} h a month`)}
    ${software === undefined ? none : fact("Software", `PyTorch ${software.pytorch}`, `CUDA ${software.cuda}, driver ${software.minLinuxDriver ?? "not known"} or newer`)}
  </dl>`;
}

function ownSection(own: OwnMachine | undefined, rented: boolean): Html {
  if (own === undefined) return none;
  const names = own.gpus.map(({ name }) => name).join(", ");
  const usableMiB = Math.min(...own.gpus.map((gpu) => gpu.usableMiB));
  const memory =
    own.demand === undefined || rented
      ? none
      : memorySection(own.demand, { count: own.gpus.length, usableMiB });
  const buying =
    own.buying === undefined
      ? none
      : html`<p>
          To buy: ${own.buying.count} x ${own.buying.name}, ${usd(own.buying.listPriceUsd)} at
          release${
            own.buying.breakEvenHours === undefined
              ? ""
              : `, paid for after ${figure(own.buying.breakEvenHours)} h of renting`
          }.
        </p>`;
  return html`<section aria-labelledby="own">
      <h2 id="own">Your own GPUs</h2>
      <p>${names}: ${own.fits ? "it fits" : "it does not fit"}; ${own.reason}.</p>
      ${buying}
    </section>
    ${memory}`;
}

function heading(report: PlanReport): string {
  if (report.serving !== undefined) {
    const { contextTokens, concurrency } = report.serving;
    return `Served in ${report.precision} by ${report.engine ?? "?"}, ${contextTokens} tokens x ${concurrency}`;
  }
  const { method, sequenceTokens = 0, microBatch, imageSize } = report.trainingAsked ?? {};
  const sample =
    imageSize === undefined
      ? `${sequenceTokens} tokens`
      : `${imageSize.width} x ${imageSize.height} pixels`;
  const what = report.task === "train" ? "Trained from nothing" : "Fine-tuned";
  return `${what}: ${method ?? ""}, ${sample} x ${microBatch ?? 0}, ${report.precision}`;
}

/** What may be done with the model, and where that is written. */
function licenceNote({ licenceText, commercialUse }: PlanReport): Html {
  if (licenceText === undefined) return none;
  const { title, url, terms } = licenceText;
  return html`<p class="quiet">
    <a href="${url}">${title}</a>: commercial use: ${commercialUse ?? "not known"}; ${terms}.
  </p>`;
}

/** A report as one page that needs no network: memory of each GPU, price ladder, and what was not taken. Pure. */
export function planPage(report: PlanReport): string {
  const [chosen] = report.ladder;
  const warnings = report.warnings.map((warning) => html`<p class="mind">Mind: ${warning}.</p>`);
  const licence = `licence ${report.licence}${report.gated ? ", gated" : ""}`;
  const body = html`<header>
      <h1>${report.modelId}</h1>
      <p class="quiet">
        ${heading(report)}; ${report.weightsGiB.toFixed(1)} GiB of weights; ${licence}
      </p>
      ${licenceNote(report)}
    </header>
    <main>
      ${chosen === undefined ? html`<p>No cloud type that may be taken holds it.</p>` : facts(report, chosen)}
      ${warnings} ${ownSection(report.own, chosen !== undefined)} ${rungMemory(chosen)}
      ${ladderSection(report)} ${savingSection(report.saving)} ${rejectedSection(report)}
    </main>
    <footer>
      Made by berth from its catalogue of ${report.catalogueVersion}. Times are rooflines with a
      range of efficiency, and no promise; prices carry the date of their source.
    </footer>`;
  return page(`berth plan ${report.modelId}`, pageStyle, body);
}
