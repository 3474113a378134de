import { writeFileSync } from "node:fs";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import type { Model } from "../../components/catalogue/model.ts";
import { explainLines } from "../../components/plan-report/explain-lines.ts";
import { makeReport, type OwnGpus } from "../../components/plan-report/make-report.ts";
import { reportLines, savingLines } from "../../components/plan-report/report-lines.ts";
import type { PlanReport } from "../../components/plan-report/report.ts";
import { NoPlacementError } from "../../components/sizing/no-placement-error.ts";
import { requestProblems, type PlanRequest } from "../../components/sizing/plan-request.ts";
import { UserError } from "../../components/user-error.ts";
import { parseSettings, planRequest, type Settings } from "../../stacks/parse-settings.ts";
import { readStackConfig, shownPath, type StackConfig } from "../adapters/stack-file.ts";
import { stackFilePath } from "../adapters/repository.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../exit-code.ts";
import { electricityOf, readFlags, type PlanOptions } from "../plan-flags.ts";

/** What a deployment needs and a plan does not, so that a plan can be made before anything is written. */
const notPlanned: StackConfig = {
  "aws:region": "us-east-1",
  "berth:owner": "nobody",
  "berth:sshCidr": "192.0.2.1/32",
  "berth:sshPublicKey": "ssh-ed25519 AAAA",
};

/**
 * Settings enough for a plan, from the stack's file where there is one.
 *
 * @throws UserError with every problem of the file
 */
function settingsToPlan(model: string | undefined, stack: string): Settings {
  const path = stackFilePath(stack);
  const file = readStackConfig(stack, path) ?? {};
  const given = model === undefined ? {} : { "berth:model": model };
  return parseSettings({
    stack,
    config: { ...notPlanned, ...file, ...given },
    place: shownPath(path),
  });
}

/** The model by its name, or the error that says which ones there are. */
function modelOf({ model, customModel }: PlanRequest, catalogue: Catalogue): Model | UserError {
  if (customModel !== undefined) return customModel;
  try {
    return findModel(model, catalogue);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/**
 * The request of a command line: the stack's file, and the flags over it.
 *
 * @throws UserError with every problem of the file, or else every problem of the command line at once
 */
function requestOf(
  words: string | undefined,
  options: PlanOptions,
  catalogue: Catalogue,
  others: readonly string[],
): PlanRequest {
  const settings = settingsToPlan(words, options.env);
  const flags = readFlags(options);
  const request: PlanRequest = { ...planRequest(settings), ...flags.request };
  const model = modelOf(request, catalogue);
  const known = model instanceof UserError ? undefined : model;
  const problems = [...flags.problems, ...others, ...requestProblems(request, known, catalogue)];
  if (problems.length === 0) {
    if (model instanceof UserError) throw model;
    return request;
  }
  const named = model instanceof UserError ? [model.message] : [];
  throw new UserError("This cannot be planned as asked.", {
    problems: [...named, ...problems].map((problem) => `command line: ${problem}`),
    hint: model instanceof UserError ? model.hint : "Change what is named above, and plan again.",
  });
}

async function ownGpus(options: PlanOptions): Promise<OwnGpus | undefined | UserError> {
  if (options.gpus === undefined && options.local !== true) return undefined;
  try {
    return await readOwnGpus(options);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function readOwnGpus(options: PlanOptions): Promise<OwnGpus> {
  const { defaultElectricityUsdPerKwh } =
    await import("../../components/own-machine/own-machine.ts");
  const electricityUsdPerKwh = electricityOf(options, defaultElectricityUsdPerKwh);
  if (options.gpus !== undefined) {
    const { parseOwnGpus } = await import("../../components/own-machine/card.ts");
    return { gpus: parseOwnGpus(options.gpus), electricityUsdPerKwh };
  }
  const { localGpus } = await import("../adapters/local-gpus.ts");
  return { gpus: localGpus(), electricityUsdPerKwh };
}

/** What an error says, as problems of a list of others. */
function problemsOf({ message, problems, hint }: UserError): readonly string[] {
  if (problems.length > 0) return problems;
  return [hint === undefined ? message : `${message} ${hint}`];
}

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
function checkHeld(report: PlanReport): void {
  if (report.ladder.length > 0 || report.own?.fits === true) return;
  const hint = ["Change one of these, or take fewer limits.", ...savingLines(report.saving)];
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

/** `berth plan [model]`: what would be deployed, why, what it costs and when it ends. No account and no network. */
export async function runPlan(
  model: string | undefined,
  options: PlanOptions,
  terminal: Terminal,
): Promise<number> {
  const catalogue = loadCatalogue();
  if (options.list === true) return listModels(catalogue, terminal);
  const own = await ownGpus(options);
  const others = own instanceof UserError ? problemsOf(own) : [];
  const request = requestOf(model, options, catalogue, others);
  const report = makeReport(request, catalogue, own instanceof UserError ? undefined : own);
  checkHeld(report);
  terminal.say(...reportLines(report));
  if (options.explain === true) terminal.say(...explainLines(report));
  if (options.html !== undefined) await writePage(report, options.html, terminal);
  terminal.result(report);
  return exitCode.ok;
}
