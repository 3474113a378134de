import { dollars, figure, rangeText, timeText } from "../plan-figures.ts";
import { times as scaled, type Range } from "../range.ts";
import { line } from "./report-line.ts";
import type { PlanReport, Rung } from "./report.ts";

function times(range: Range): string {
  return rangeText(range, timeText);
}

function money(range: Range): string {
  return rangeText(range, dollars);
}

/** How long a training takes, and what the job costs. */
export function trainingLines(
  { trainingAsked }: PlanReport,
  { training, jobUsd, imageTraining }: Rung,
): string[] {
  if (trainingAsked === undefined) return [];
  const { datasetTokens, epochs, imageSize, microBatch, method } = trainingAsked;
  const { trainTextEncoder } = trainingAsked;
  if (datasetTokens === undefined || epochs === undefined) {
    const { width = 0, height = 0 } = imageSize ?? {};
    const learning = trainTextEncoder === true ? `${method} with text encoders` : method;
    const what = `${learning}, ${microBatch} of ${width} x ${height} pixels a step`;
    if (imageTraining === undefined) {
      return [
        line("time", `not known (${what}): the work of a pass of this network is in no source`),
      ];
    }
    const { stepSeconds, imagesPerHour, perThousandImagesUsd } = imageTraining;
    return [
      line(
        "time",
        `${times(stepSeconds)} a step (${what}); ${rangeText(imagesPerHour)} images an hour, ${money(perThousandImagesUsd)} a thousand`,
      ),
    ];
  }
  const data = `${figure(datasetTokens / 1e6)} M tokens`;
  if (training === undefined || jobUsd === undefined) {
    return [
      line("time", `not known for ${data}: the tables lack the peak of this GPU's arithmetic`),
    ];
  }
  const hours = (range: Range): Range => scaled(range, 3600);
  const epoch = `${times(hours(training.epochHours))} an epoch of ${data}`;
  const all = epochs === 1 ? "" : `, ${times(hours(training.jobHours))} for ${epochs} epochs`;
  return [
    line("time", `${epoch}${all}; ${rangeText(training.tokensPerSecond)} tokens/s`),
    line("job", `${money(jobUsd)} in all`),
  ];
}
