import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../../../components/canonical-json.ts";
import { usd } from "../../../components/plan-text.ts";
import type { RunningCost } from "../../stack/cost-lines.ts";
import { duration } from "../../stack/cost-lines.ts";
import type { Saved } from "../../save/save-files.ts";
import type { Remnant } from "../account-scope.ts";
import type { Receipt } from "./receipt.ts";
import type { Kept } from "../remove-by-tag.ts";
import { ownFolder } from "../repository.ts";
import type { StepRecord } from "../step-progress.ts";

/** What a teardown came to, from the first step to the account's last answer. */
export interface TeardownReport extends Receipt {
  /** RFC 3339. */
  readonly at: string;
  readonly runId: string | undefined;
  /** What the engine removed. */
  readonly destroyed: readonly StepRecord[];
  /** What no state knew any more, removed by its tag. */
  readonly removedByTag: readonly Remnant[];
  readonly kept: readonly Kept[];
  /** The run's cost until it was taken down; undefined when it had not got that far. */
  readonly cost: RunningCost | undefined;
  /** What was saved of the host before anything was removed. */
  readonly saved?: Saved | undefined;
}

/** A receipt on disk, and what proves that nobody changed it. */
export interface WrittenReceipt {
  /** Over the canonical JSON of the report, hexadecimal. */
  readonly sha256: string;
  readonly jsonFile: string;
  readonly pageFile: string;
}

/** SHA-256 over a report's canonical JSON. */
export function receiptHash(report: TeardownReport): string {
  return createHash("sha256").update(canonicalJson(report)).digest("hex");
}

function section(title: string, lines: readonly string[], none: string): readonly string[] {
  return [
    "",
    `## ${title}`,
    "",
    ...(lines.length === 0 ? [none] : lines.map((line) => `- ${line}`)),
  ];
}

/** The receipt as one page of Markdown. */
export function receiptPage(report: TeardownReport, sha256: string): string {
  const { stack, region, runId, at, asked, left, unanswered, destroyed, removedByTag } = report;
  const { kept, cost, saved } = report;
  const proven = left.length === 0 && unanswered.length === 0;
  const verdict = proven
    ? "Nothing is left."
    : `${left.length} left, ${unanswered.length} unanswered.`;
  const spent =
    cost === undefined
      ? "not known: it had no host yet"
      : `${usd(cost.soFarUsd)} for ${duration(cost.hours)} at ${usd(cost.hourlyUsd)} an hour (an estimate by the prices of its launch)`;
  return [
    `# Receipt of the teardown of "${stack}"`,
    "",
    `**${verdict}** ${at}, ${region}, run ${runId ?? "not known"}.`,
    "",
    `Cost of the run: ${spent}.`,
    ...(saved === undefined
      ? []
      : ["", `Saved first: ${saved.files} files (${saved.bytes} bytes) in ${saved.uri}.`]),
    ...section(
      "Removed by the engine",
      destroyed.map(({ name, ok }) => `${name}${ok ? "" : " (failed)"}`),
      "Nothing.",
    ),
    ...section(
      "Removed by tag, since no state knew it",
      removedByTag.map(({ service, kind, id }) => `${service} ${kind} ${id}`),
      "Nothing.",
    ),
    ...section(
      "Still there",
      kept.map(({ service, kind, id, reason }) => `${service} ${kind} ${id}: ${reason}`),
      "Nothing.",
    ),
    ...section("Asked", asked, "Nothing."),
    ...section(
      "Without an answer",
      unanswered.map(({ question, why }) => `${question}: ${why}`),
      "Nothing.",
    ),
    "",
    `SHA-256 over the canonical JSON (RFC 8785) of \`report\` in the file beside this one: \`${sha256}\``,
    "",
  ].join("\n");
}

/** Writes the receipt as JSON and as one page. */
export async function writeReceipt(
  report: TeardownReport,
  folder: string = join(ownFolder, "receipts"),
): Promise<WrittenReceipt> {
  const sha256 = receiptHash(report);
  await mkdir(folder, { recursive: true });
  const name = `${report.stack}-${report.at.replace(/[-:]/g, "")}`;
  const [jsonFile, pageFile] = [join(folder, `${name}.json`), join(folder, `${name}.md`)];
  await writeFile(jsonFile, `${JSON.stringify({ report, sha256 }, null, 2)}\n`);
  await writeFile(pageFile, receiptPage(report, sha256));
  return { sha256, jsonFile, pageFile };
}
