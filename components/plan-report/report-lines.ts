import { dollars, figure, gib, rangeText, shortGpu, timeText, usd } from "../plan-figures.ts";
import { leaseLine, memoryLine, modelLine, typeLine } from "../plan-text.ts";
import type { Range } from "../range.ts";
import { groupedReasons } from "./grouped-reasons.ts";
import { layoutTexts } from "./layout-lines.ts";
import { ladderLines } from "./ladder-lines.ts";
import { priceTexts } from "./price-lines.ts";
import type { ImageSpeed } from "../throughput/image-speed.ts";
import { line } from "./report-line.ts";
import { trainingLines } from "./training-lines.ts";
import type { OwnMachine, PlanReport, Rung, SavingLadder } from "./report.ts";

function times(range: Range): string {
  return rangeText(range, timeText);
}

function money(range: Range): string {
  return rangeText(range, dollars);
}

function imageLines(speed: ImageSpeed, { perThousandImagesUsd }: Rung): string[] {
  const { images, steps, batchSeconds, imagesPerHour } = speed;
  const what = images === 1 ? "an image" : `${images} images at once`;
  const price =
    perThousandImagesUsd === undefined ? "" : `; ${money(perThousandImagesUsd)} a thousand`;
  return [
    line(
      "speed",
      `${times(batchSeconds)} for ${what} of ${steps} steps; ${rangeText(imagesPerHour)} an hour${price}`,
    ),
  ];
}

function servingSpeedLines({ serving }: PlanReport, rung: Rung): string[] {
  if (serving === undefined) return [];
  const { speed, fullLoad, imageSpeed } = rung;
  if (imageSpeed !== undefined) return imageLines(imageSpeed, rung);
  if (speed === undefined) {
    return [
      line("speed", "not known: the tables lack the rates of this GPU, or of this kind of model"),
    ];
  }
  const shape = `${serving.promptTokens} + ${serving.answerTokens} tokens`;
  const each = `${rangeText(speed.tokensPerSecond)} tokens/s each`;
  const full =
    fullLoad === undefined || fullLoad.concurrency <= serving.concurrency
      ? []
      : [
          line(
            "",
            `${fullLoad.concurrency} at once fit: ${rangeText(fullLoad.speed.totalTokensPerSecond)} tokens/s in all, ${times(fullLoad.speed.requestSeconds)} a request`,
          ),
        ];
  return [
    line(
      "speed",
      `${times(speed.requestSeconds)} for a request of ${shape}, ${serving.concurrency} at once; first token ${times(speed.firstTokenSeconds)}; ${each}`,
    ),
    ...full,
  ];
}

function contextLines({ longestContext, serving }: PlanReport): string[] {
  if (longestContext === undefined || serving === undefined) return [];
  const { tokens, ofModel } = longestContext;
  if (tokens <= serving.contextTokens) return [];
  const all = ofModel ? ", all that the model takes" : "";
  return [line("", `one sequence alone may have ${tokens.toLocaleString("en-US")} tokens${all}`)];
}

function tokenLines({ serving }: PlanReport, { perMillionTokensUsd, fullLoad }: Rung): string[] {
  if (perMillionTokensUsd === undefined || serving === undefined) return [];
  const full =
    fullLoad === undefined || fullLoad.concurrency <= serving.concurrency
      ? ""
      : `, ${money(fullLoad.perMillionTokensUsd)} at the ${fullLoad.concurrency} that fit`;
  return [
    line(
      "",
      `${money(perMillionTokensUsd)} for 1 M answer tokens at ${serving.concurrency} at once${full}`,
    ),
  ];
}

function aroundLines({ around, serving, ladder }: PlanReport): string[] {
  if (around === undefined) return [];
  const text = serving !== undefined && ladder[0]?.speed !== undefined;
  const answers = !text
    ? []
    : [`1 M answer tokens to the internet ${usd(around.egressPerMillionTokensUsd)}`];
  const parts = [
    `weights in S3 ${usd(around.weightsMonthlyUsd)} a month`,
    `a sync ${usd(around.syncUsd)} (${usd(around.crossRegionSyncUsd)} more from a bucket elsewhere in the US or Europe)`,
    ...answers,
  ];
  return [line("around it", `${parts.join(", ")} (${around.priceAsOf})`)];
}

function trainingJobLines(ladder: readonly Rung[]): string[] {
  const jobs = ladder.flatMap((rung) => rung.sagemakerTraining ?? []);
  const cheapest = jobs.toSorted((a, b) => a.hourlyUsd - b.hourlyUsd)[0];
  const text =
    cheapest === undefined
      ? "no price of a training job is in the tables; a refresh of the catalogue reads them"
      : `a training job on ${cheapest.instanceType} ${usd(cheapest.hourlyUsd)} an hour (${cheapest.priceAsOf})`;
  return [line("SageMaker", text)];
}

function sagemakerLines({ serving, ladder }: PlanReport): string[] {
  if (serving === undefined) return trainingJobLines(ladder);
  const offers = ladder.flatMap(({ sagemaker }) => (sagemaker === undefined ? [] : [sagemaker]));
  const cheapest = offers.toSorted((a, b) => a.hourlyUsd - b.hourlyUsd)[0];
  if (cheapest === undefined)
    return [line("SageMaker", "no endpoint type with a known price is on the ladder")];
  const { instanceType, hourlyUsd, priceAsOf } = cheapest;
  const [chosen] = ladder;
  const hours =
    chosen === undefined ? undefined : (730 * chosen.hourly.totalUsd) / Math.max(hourlyUsd, 1e-9);
  const compared =
    hours === undefined || hours >= 730
      ? "no dearer an hour than the host"
      : `cheaper than a host that is up all month below ${figure(hours)} h a month`;
  return [
    line("SageMaker", `${instanceType} ${usd(hourlyUsd)} an hour (${priceAsOf}): ${compared}`),
  ];
}

function smallerLines({ smallerForms }: PlanReport): string[] {
  return smallerForms.map((form, index) => {
    const { precision, instanceType, gpuModel, gpuCount, gpuMiB, hourlyUsd, loss } = form;
    const gpu = `${gpuCount} x ${shortGpu(gpuModel)}`;
    const text = `--precision ${precision}: ${instanceType} (${gpu}) at ${usd(hourlyUsd)} an hour, ${gib(gpuMiB)} a GPU; ${loss}`;
    return line(index === 0 ? "fewer bits" : "", text);
  });
}

function energyLines({ energy }: Rung): string[] {
  if (energy === undefined) return [];
  const { kwhAnHour, gramsAnHour, gridGramsPerKwh, gridSource } = energy;
  return [
    line(
      "carbon",
      `${rangeText(kwhAnHour)} kWh and ${rangeText(gramsAnHour)} g CO2 an hour, GPUs and cooling (${figure(gridGramsPerKwh)} g a kWh: ${gridSource})`,
    ),
  ];
}

function softwareLines({ software }: Rung): string[] {
  if (software === undefined) return [];
  const driver =
    software.minLinuxDriver === undefined ? "" : `, driver ${software.minLinuxDriver} or newer`;
  return [line("software", `PyTorch ${software.pytorch} with CUDA ${software.cuda}${driver}`)];
}

function ownLines(own: OwnMachine | undefined): string[] {
  if (own === undefined) return [];
  const names = own.gpus.map(({ name }) => name).join(", ");
  const answer = own.fits ? (own.comfortable ? "yes" : "just") : "no";
  const power =
    own.electricityHourlyUsd === undefined
      ? []
      : [
          line(
            "",
            `${usd(own.electricityHourlyUsd)} an hour of electricity at full power, ${usd(own.electricityUsdPerKwh)} a kWh`,
          ),
        ];
  const buy = own.buying;
  const bought =
    buy === undefined
      ? []
      : [
          line(
            "",
            `to buy: ${buy.count} x ${buy.name}, ${usd(buy.listPriceUsd)} at release` +
              (buy.breakEvenHours === undefined
                ? "; its electricity costs as much as renting"
                : `, paid for after ${figure(buy.breakEvenHours)} h of renting`),
          ),
        ];
  return [line("your GPUs", `${names}: ${answer}; ${own.reason}`), ...power, ...bought];
}

function licenceLines({ licenceText, commercialUse }: PlanReport): string[] {
  if (licenceText === undefined) return [];
  const { title, url, terms } = licenceText;
  const use = commercialUse === undefined ? "" : `commercial use: ${commercialUse}; `;
  return [line("licence", `${title} (${url}): ${use}${terms}`)];
}

/** What to change until it fits. */
export function savingLines(saving: SavingLadder | undefined): string[] {
  if (saving === undefined) return [];
  const rows = saving.rungs.map(({ change, cost, totalMiB, savesMiB, fits, name }) => {
    const need = `${gib(totalMiB)} a GPU${fits ? ", fits" : ""}`;
    const saved = savesMiB > 0 ? `, ${gib(savesMiB)} less` : "";
    return name === "as-asked" ? `  as asked: ${need}` : `  ${change}: ${need}${saved}; ${cost}`;
  });
  return [
    "",
    `to make it fit ${saving.machine}, ${gib(saving.usableMiB)} each, one after the other:`,
    ...rows,
  ];
}

/** The answer of `berth plan` as a person reads it, one entry a line. */
export function reportLines(report: PlanReport): readonly string[] {
  const [chosen] = report.ladder;
  const others = report.rejected.filter(
    ({ kind, hourlyUsd }) =>
      kind !== "dearer" &&
      kind !== "not-asked" &&
      (chosen === undefined || (hourlyUsd ?? Infinity) < chosen.hourlyUsd),
  );
  const rented =
    chosen === undefined
      ? [line("type", "none that may be taken holds it")]
      : [
          memoryLine(chosen.demand, report.precision),
          typeLine(chosen, report.ranking.by),
          ...layoutTexts(chosen).map(([label, text]) => line(label, text)),
          ...servingSpeedLines(report, chosen),
          ...contextLines(report),
          ...trainingLines(report, chosen),
          ...priceTexts(report, chosen).map((text, index) =>
            line(index === 0 ? "price" : "", text),
          ),
          ...tokenLines(report, chosen),
          ...smallerLines(report),
          ...aroundLines(report),
          ...sagemakerLines(report),
          ...energyLines(chosen),
          ...softwareLines(chosen),
          leaseLine(report),
        ];
  return [
    modelLine(report),
    ...licenceLines(report),
    ...ownLines(report.own),
    ...rented,
    ...report.warnings.map((warning) => line("mind", warning)),
    ...(report.engine === undefined ? [] : [line("engine", report.engine)]),
    line("catalogue", `of ${report.catalogueVersion}`),
    ...ladderLines(report),
    ...savingLines(report.saving),
    ...(others.length === 0
      ? []
      : [
          "",
          chosen === undefined ? "not taken:" : "cheaper, and not taken:",
          ...groupedReasons(others).map((text) => `  ${text}`),
        ]),
  ];
}
