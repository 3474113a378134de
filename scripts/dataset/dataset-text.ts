import { figure, rangeText } from "../../components/plan-figures.ts";
import type { Range } from "../../components/range.ts";
import type { DatasetReport } from "./check-dataset.ts";
import type { ProblemGroup } from "./problem-list.ts";

function line(label: string, text: string): string {
  return `${label.padEnd(11)}${text}`;
}

function whole(count: number): string {
  return count.toLocaleString("en-US");
}

function tokens(range: Range): string {
  const millions = range.high >= 1e6;
  const shown = millions ? { low: range.low / 1e6, high: range.high / 1e6 } : range;
  return rangeText(shown, millions ? figure : whole) + (millions ? " M" : "");
}

function groupLines(group: ProblemGroup): string[] {
  const { severity, title, count, first } = group;
  const more = count - first.length;
  return [
    line(severity, `${title}${count > 1 ? `: ${whole(count)}` : ""}`),
    ...first.map(({ line: number, reason }) =>
      line("", number === undefined ? reason : `line ${number}: ${reason}`),
    ),
    ...(more > 0 ? [line("", `and ${whole(more)} more`)] : []),
  ];
}

/** What a person is told of a data set. */
export function datasetLines(report: DatasetReport): readonly string[] {
  const { longest, validationSamples } = report;
  const split =
    validationSamples === 0
      ? []
      : [
          line(
            "split",
            `${whole(report.trainSamples)} to train, ${whole(validationSamples)} to validate`,
          ),
        ];
  const most =
    longest === undefined ? "" : `; longest ${tokens(longest.tokens)} (line ${longest.line})`;
  return [
    line(
      "data",
      `${report.path}: ${whole(report.samples)} samples (${report.schema ?? "none"}) in ${whole(report.lines)} lines, ${figure(report.bytes / 1e6)} MB`,
    ),
    line("tokens", `${tokens(report.trainTokens)} to train, ${report.tokenSource}${most}`),
    ...split,
    ...report.problems.flatMap(groupLines),
  ];
}
