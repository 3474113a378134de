import { counted } from "../../components/counted.ts";
import type { Change, PreviewedCost } from "../../components/cost/previewed-cost.ts";
import { usd } from "../../components/plan-text.ts";
import type { Plan } from "../../components/plan.ts";
import type { StepRecord } from "../adapters/step-progress.ts";
import { commentMarker } from "./ci-workflow.ts";

/** What a preview came to. */
export interface Previewed {
  readonly stack: string;
  readonly plan: Plan;
  readonly cost: PreviewedCost;
  readonly steps: readonly Pick<StepRecord, "operation" | "type" | "name">[];
}

/** GitHub refuses a comment of more than 65,536 characters; so many resources stay well below. */
const shownSteps = 200;

/** Operations that take something away that is there. */
const removing = ["delete", "replace", "create-replacement", "delete-replaced"];

/** Text as code in one line, whatever is in it. */
function code(text: string): string {
  const plain = text.replaceAll(/[`|\r\n]/g, " ").trim();
  return plain === "" ? "-" : `\`${plain}\``;
}

/** Text in a block that nothing in it can close. */
function block(text: string): string {
  const runs = [...text.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = "`".repeat(Math.max(3, ...runs.map((length) => length + 1)));
  return `${fence}text\n${text}\n${fence}`;
}

function signed(amountUsd: number): string {
  if (amountUsd === 0) return "none";
  return `${amountUsd < 0 ? "-" : "+"}${usd(Math.abs(amountUsd))}`;
}

function headline({ runs, hourly, monthly }: PreviewedCost): string {
  if (!runs) return `${usd(hourly.afterUsd)} an hour; nothing of it runs now`;
  if (hourly.differenceUsd === 0 && (monthly?.differenceUsd ?? 0) === 0) return "costs the same";
  const month = monthly === undefined ? "" : `, ${signed(monthly.differenceUsd)} a month`;
  return `${signed(hourly.differenceUsd)} an hour${month}`;
}

function costRow(
  name: string,
  { beforeUsd, afterUsd, differenceUsd }: Change,
  most: string,
): string {
  return `| ${name} | ${usd(beforeUsd)} | ${most}${usd(afterUsd)} | ${signed(differenceUsd)} |`;
}

/** What runs has no month where an older version of berth brought it up. */
function monthRow(cost: PreviewedCost, most: string): string {
  const name = monthName(cost);
  return cost.monthly === undefined
    ? `| ${name} | not recorded | ${most}${usd(cost.month.usd)} | |`
    : costRow(name, cost.monthly, most);
}

function monthName({ month: { basis, hours } }: PreviewedCost): string {
  if (basis === "always") return `a month, all ${hours} h`;
  return basis === "one-lease"
    ? `a month, one lease of ${hours} h`
    : `a month, ${hours} office hours`;
}

function costTable(cost: PreviewedCost): readonly string[] {
  const most = cost.atMost ? "at most " : "";
  return [
    "| | now | then | difference |",
    "| :-- | --: | --: | --: |",
    costRow("an hour", cost.hourly, most),
    monthRow(cost, most),
    `| weights fetched, once | | ${usd(cost.once.syncUsd)} | |`,
  ];
}

function planLine({ ladder, leaseHours, leaseUsd, modelId }: Plan): string {
  const [{ instanceType, gpuCount, gpuModel, purchase, region, priceAsOf }] = ladder;
  const end =
    leaseHours === undefined || leaseUsd === undefined
      ? "without an end"
      : `for ${leaseHours} h, ${usd(leaseUsd)} at most`;
  return `${code(modelId)} on ${code(instanceType)} (${gpuCount === 0 ? "CPU" : `${gpuCount} x ${gpuModel}`}, ${purchase}, ${region}), ${end}; prices of ${priceAsOf}.`;
}

function changeLines({ steps }: Previewed): readonly string[] {
  if (steps.length === 0) return ["No resource changes."];
  const counts = Object.entries(Object.groupBy(steps, ({ operation }) => operation));
  const summary = counts.map(([operation, of = []]) => `${of.length} ${operation}`).join(", ");
  const gone = steps.filter(({ operation }) => removing.includes(operation));
  const rest = steps.length - shownSteps;
  return [
    ...(gone.length === 0
      ? []
      : [
          "> [!WARNING]",
          `> This removes or replaces ${counted(gone.length, "resource")}: ${gone
            .slice(0, 10)
            .map(({ name }) => code(name))
            .join(", ")}${gone.length > 10 ? ", ..." : ""}.`,
          "",
        ]),
    `<details><summary>${counted(steps.length, "resource")}: ${summary}</summary>`,
    "",
    "| | resource | type |",
    "| :-- | :-- | :-- |",
    ...steps
      .slice(0, shownSteps)
      .map(({ operation, name, type }) => `| ${operation} | ${code(name)} | ${code(type)} |`),
    ...(rest > 0 ? ["", `and ${rest} more.`] : []),
    "",
    "</details>",
  ];
}

/** A preview as a comment on a pull request: the difference first, then what it is made of; pure. */
export function previewMarkdown(previewed: Previewed): string {
  const { stack, plan, cost } = previewed;
  const lines = [
    commentMarker(stack),
    `### berth ${code(stack)}: ${headline(cost)}`,
    "",
    ...costTable(cost),
    "",
    planLine(plan),
    "",
    ...changeLines(previewed),
  ];
  return `${lines.join("\n")}\n`;
}

/** A preview that failed, as the same comment: so a budget that holds it is read where it matters. */
export function failedPreviewMarkdown(stack: string, explanation: string): string {
  const lines = [
    commentMarker(stack),
    `### berth ${code(stack)}: the preview failed`,
    "",
    block(explanation.slice(0, 20_000)),
  ];
  return `${lines.join("\n")}\n`;
}
