import { writeFileSync } from "node:fs";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { explainLines } from "../../components/plan-report/explain-lines.ts";
import { makeReport } from "../../components/plan-report/make-report.ts";
import { reportLines, savingLines } from "../../components/plan-report/report-lines.ts";
import type { PlanReport } from "../../components/plan-report/report.ts";
import { NoPlacementError } from "../../components/sizing/no-placement-error.ts";
import type { PlanRequest } from "../../components/sizing/plan-request.ts";
import { stackPlanLines } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { counted } from "../../components/counted.ts";
import { UserError } from "../../components/user-error.ts";
import { usd } from "../../components/plan-figures.ts";
import type { Settings } from "../../stacks/parse-settings.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";
import type { PlanOptions } from "../plan/plan-flags.ts";
import { readPlanInputs } from "../plan/plan-inputs.ts";

function listModels(catalogue: Catalogue, terminal: Terminal): number {
  const lines = catalogue.models.map(({ id, weightsGiB, gated, licence, task }) => {
    const size = weightsGiB === undefined ? "?" : weightsGiB.toFixed(1);
    const note = [licence ?? "licence unknown", ...(gated === true ? ["gated"] : []), task];
    return `${id.padEnd(32)} ${size.padStart(7)} GiB  ${note.join(", ")}`;
  });
  terminal.say(...lines, `${lines.length} models; catalogue of ${catalogue.version}`);
  terminal.result({ catalogueVersion: catalogue.version, models: catalogue.models });
  return exitCode.ok;
}

/** @throws NoPlacementError when neither the cloud nor the own machine holds it */
function checkHeld(report: PlanReport, { env, gpuCount }: PlanRequest): void {
  if (report.ladder.length > 0 || report.own?.fits === true) return;
  const narrowed =
    gpuCount === undefined
      ? []
      : [
          `Types with ${counted(gpuCount, "GPU")} were looked at (${env}); --gpu-count takes others, --env prod all.`,
        ];
  const hint = [
    ...narrowed,
    "Change one of these, or take fewer limits.",
    ...savingLines(report.saving),
  ];
  throw new NoPlacementError(
    `${report.modelId} as asked (${report.task}, ${report.precision})`,
    report.rejected,
    hint.join("\n  "),
  );
}

async function writePage(report: PlanReport, path: string, terminal: Terminal): Promise<void> {
  const { planPage } = await import("../../components/plan-page/plan-page.ts");
  try {
    writeFileSync(path, planPage(report));
  } catch (cause) {
    throw new UserError(`The page cannot be written to ${path}.`, {
      hint: "Give a file in a folder that is there and that you may write to.",
      cause,
    });
  }
  terminal.say("", `page       ${path}`);
}

/** What the stack's file makes of it: a report is of one host. */
export function hostsLines(settings: Settings, { ladder }: PlanReport): readonly string[] {
  const [chosen] = ladder;
  if (settings.target !== "ec2" || settings.hosts === 1 || chosen === undefined) return [];
  const { hosts } = settings;
  const together = usd(chosen.hourly.totalUsd * hosts);
  return [
    `hosts      ${hosts} of it by berth:hosts, ${together} an hour together; the prices above are of one`,
  ];
}

/** `berth plan [model]`: what would be deployed, why, what it costs and when it ends. No account and no network. */
export async function runPlan(
  model: string | undefined,
  options: PlanOptions,
  terminal: Terminal,
): Promise<number> {
  const catalogue = loadCatalogue();
  if (options.list === true) return listModels(catalogue, terminal);
  const { settings, request, own } = await readPlanInputs(model, options, catalogue);
  if (settings.target === "sagemaker") {
    const plan = makeStackPlan(settings, catalogue, request);
    terminal.say(...stackPlanLines(plan));
    terminal.result(plan);
    return exitCode.ok;
  }
  const report = makeReport(request, catalogue, own);
  checkHeld(report, request);
  terminal.say(...reportLines(report), ...hostsLines(settings, report));
  if (options.explain === true) terminal.say(...explainLines(report));
  if (options.html !== undefined) await writePage(report, options.html, terminal);
  terminal.result(report);
  return exitCode.ok;
}
