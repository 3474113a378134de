import { dollars, figure, rangeText, timeText } from "../plan-figures.ts";
import type { LoadReport, ReportedRung } from "./load-report.ts";
import type { Quantile, Spread } from "./quantile.ts";

/** Seconds as milliseconds, with a mark where there were too few requests for an upper bound. */
function milliseconds(quantile: Quantile | undefined): string {
  if (quantile === undefined) return "-";
  return `${figure(quantile.value * 1000)}${quantile.high === undefined ? "?" : ""}`;
}

function spread(of: Spread | undefined): string[] {
  return [milliseconds(of?.p50), milliseconds(of?.p90), milliseconds(of?.p99)];
}

/** Columns with their heading, and the heading that stands over it and those that follow. */
const headings = [
  ["load", ""],
  ["requests", ""],
  ["failed", ""],
  ["p50", "first token, ms"],
  ["p90", ""],
  ["p99", ""],
  ["p50", "each token, ms"],
  ["p90", ""],
  ["p50", "whole answer, ms"],
  ["p90", ""],
  ["p99", ""],
  ["in", "tokens/s"],
  ["out", ""],
  ["measured", "$ per 1 M out"],
  ["planned", ""],
  ["ratio", ""],
] as const;

function cells(rung: ReportedRung): string[] {
  const { perMillionAnswerTokensUsd: usd, promptTokensPerSecond, planned } = rung;
  return [
    `${figure(rung.load).replace(/\.0$/, "")}${rung.clientBound ? "*" : ""}`,
    String(rung.requests),
    rung.failedShare === 0 ? "0" : `${Math.max(1, Math.round(rung.failedShare * 100))} %`,
    ...spread(rung.firstTokenSeconds),
    ...spread(rung.perTokenSeconds).slice(0, 2),
    ...spread(rung.wholeSeconds),
    promptTokensPerSecond === undefined ? "-" : figure(promptTokensPerSecond),
    rung.answerTokensPerSecond === 0 ? "0" : figure(rung.answerTokensPerSecond),
    usd === undefined ? "-" : dollars(usd),
    planned === undefined ? "-" : rangeText(planned.perMillionAnswerTokensUsd, dollars),
    planned === undefined ? "-" : figure(planned.ratio),
  ];
}

interface Group {
  readonly over: string;
  /** Heading and cells of each column. */
  readonly columns: (readonly string[])[];
}

/** The columns that anything is known for, below the heading that they share. */
function groupsOf(rows: readonly (readonly string[])[], unit: string): readonly Group[] {
  const groups: Group[] = [];
  for (const [index, [name, over]] of headings.entries()) {
    const column = rows.map((row) => row[index] ?? "");
    const last = groups.at(-1);
    if (over !== "" || last === undefined) groups.push({ over, columns: [] });
    if (column.every((cell) => cell === "-")) continue;
    groups.at(-1)?.columns.push([name === "load" ? unit : name, ...column]);
  }
  return groups.filter(({ columns }) => columns.length > 0);
}

/** The lines of a group, as wide as its widest cells and as its heading. */
function groupLines({ over, columns }: Group): string[] {
  const widths = columns.map((column) => Math.max(...column.map((cell) => cell.length)));
  const line = (row: number) =>
    columns.map((column, index) => (column[row] ?? "").padStart(widths[index] ?? 0)).join("  ");
  const below = Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => line(row));
  const width = Math.max(over.length, ...below.map((text) => text.length));
  return [over.padStart(width), ...below.map((text) => text.padStart(width))];
}

/** The table of the rungs. */
function table(rungs: readonly ReportedRung[], unit: string): string[] {
  const groups = groupsOf(rungs.map(cells), unit).map(groupLines);
  const height = groups[0]?.length ?? 0;
  return Array.from({ length: height }, (_, row) =>
    `  ${groups.map((lines) => lines[row] ?? "").join("   ")}`.trimEnd(),
  );
}

const endings: Readonly<Record<LoadReport["ended"], string>> = {
  done: "",
  "max-seconds": "ended      at --max-seconds; rungs that are missing were not reached",
  "max-requests": "ended      at --max-requests; rungs that are missing were not reached",
  deadline:
    "ended      before the lease of the deployment is over; berth extend gives it more time",
  failures: "ended      because too many requests failed; nothing more was sent",
  interrupted: "ended      by you; the figures are of what was measured until then",
};

function failureLines({ rungs, complaints }: LoadReport): string[] {
  const all = rungs.flatMap(({ failures }) => Object.entries(failures));
  const kinds = [...Map.groupBy(all, ([kind]) => kind)].map(
    ([kind, counts]) => `${counts.reduce((sum, [, count]) => sum + count, 0)} ${kind}`,
  );
  if (kinds.length === 0) return [];
  return [`failed     ${kinds.join(", ")}`, ...complaints.map((text) => `           ${text}`)];
}

function noteLines({ rungs, client, settings }: LoadReport): string[] {
  const notes: string[] = [];
  const spreads = rungs.flatMap((rung) => rung.wholeSeconds ?? []);
  if (spreads.some(({ p99, p90 }) => p99.high === undefined || p90.high === undefined)) {
    notes.push("? too few requests for an upper bound of that percentile; --json has the bounds");
  }
  if (rungs.some(({ clientBound }) => clientBound)) {
    notes.push(
      `* this client may have been the limit: it takes ${figure(client.ceilingPartsPerSecond)} parts/s at least`,
    );
  }
  if (rungs.some(({ countedBy }) => countedBy !== "server")) {
    notes.push("answer tokens are counted by the parts of the stream, for the server counts none");
  }
  const behind = rungs.filter(
    (rung) => settings.loop === "open" && rung.requestsPerSecond < 0.9 * rung.load,
  );
  if (behind.length > 0) {
    const loads = behind.map(({ load }) => load).join(", ");
    notes.push(`at ${loads} a second more came in than was answered: latency grows without end`);
  }
  return notes.map((note) => `           ${note}`);
}

function kneeLines({ knee, limits, settings, rungs }: LoadReport): string[] {
  if (rungs.length === 0) return [];
  const unit = settings.loop === "closed" ? "at once" : "a second";
  if (knee !== undefined) return [`best       ${knee.load} ${unit}: ${knee.reason}`];
  const limited = limits.firstTokenSeconds !== undefined || limits.wholeSeconds !== undefined;
  return [`best       none: no rung ${limited ? "keeps the limits" : "is sound"}`];
}

/** What a load test is about to do, for a person. */
export function settingsLines({
  target,
  settings,
  limits,
  client,
}: Pick<LoadReport, "target" | "settings" | "limits" | "client">): string[] {
  const { hourlyUsd, priceSource, emulated, instanceType } = target;
  const price = hourlyUsd === undefined ? "price not known" : `${dollars(hourlyUsd)} an hour`;
  const how =
    settings.loop === "closed"
      ? "closed loop: each client sends its next request when its last is answered"
      : `open loop, ${settings.arrivals ?? ""} arrivals: requests come when they are due, and wait at the cost of their latency`;
  const { firstTokenSeconds, wholeSeconds } = limits;
  const wanted = [
    ...(firstTokenSeconds === undefined ? [] : [`first token in ${timeText(firstTokenSeconds)}`]),
    ...(wholeSeconds === undefined ? [] : [`answer in ${timeText(wholeSeconds)}`]),
  ];
  return [
    `model      ${target.model} at ${target.address}${emulated ? ", emulated: no GPU is real here" : ""}`,
    `price      ${instanceType === undefined ? "" : `${instanceType}, `}${price}${priceSource === undefined ? "" : `, ${priceSource}`}`,
    `load       ${how}`,
    `prompts    ${settings.prompts}`,
    ...(wanted.length === 0 ? [] : [`limits     ${wanted.join(", ")}, at the 90th percentile`]),
    `bounds     ${settings.rungSeconds} s a rung, ${settings.maxSeconds} s and ${settings.maxRequests} requests in all, ${Math.round(settings.mostFailed * 100)} % failures`,
    `client     takes ${figure(client.ceilingPartsPerSecond)} parts/s at least${client.roundTripSeconds === undefined ? "" : `; a round trip is ${timeText(client.roundTripSeconds)}`}`,
  ];
}

/** What is wrong with the figures, or to be known of them. */
export function problemNotes(report: LoadReport): string[] {
  const ending = endings[report.ended];
  return [...noteLines(report), ...failureLines(report), ...(ending === "" ? [] : [ending])];
}

/** What a load test found, for a person. */
export function resultLines(report: LoadReport): string[] {
  const unit = report.settings.loop === "closed" ? "at once" : "a second";
  return [
    ...(report.rungs.length === 0 ? [] : table(report.rungs, unit)),
    ...problemNotes(report),
    ...kneeLines(report),
  ];
}
