import { existsSync, rmSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { makeReport } from "../../components/plan-report/make-report.ts";
import { savingLines } from "../../components/plan-report/report-lines.ts";
import { middle } from "../../components/range.ts";
import { decide, type Decision } from "../../components/sizing/decide.ts";
import { NoPlacementError } from "../../components/sizing/no-placement-error.ts";
import type { PlanRequest } from "../../components/sizing/plan-request.ts";
import {
  finetunePlan,
  type FinetunePlan,
  type FinetuneWishes,
} from "../../components/training/finetune-plan.ts";
import { jobFolder } from "../../components/training/job-folder.ts";
import { jobLines } from "../../components/training/job-text.ts";
import { counted } from "../../components/counted.ts";
import { UserError } from "../../components/user-error.ts";
import type { Terminal } from "../adapters/terminal.ts";
import {
  checkDataset,
  type DatasetQuestion,
  type DatasetReport,
} from "../dataset/check-dataset.ts";
import { datasetLines } from "../dataset/dataset-text.ts";
import { DatasetWriter } from "../dataset/write-dataset.ts";
import { exitCode } from "../cli/exit-code.ts";
import {
  jobPrograms,
  refuseChanges,
  refuseForeignFolder,
  writeJobFiles,
} from "../finetune/job-folder-files.ts";
import type { PlanOptions } from "../plan/plan-flags.ts";
import { readPlanInputs } from "../plan/plan-inputs.ts";
import {
  datasetQuestion,
  FlagNumbers,
  refuseFlags,
  unusableHint,
  type DatasetFlags,
} from "./dataset.ts";

interface FinetuneOptions extends PlanOptions, DatasetFlags {
  readonly data?: string;
  readonly out?: string;
  readonly base?: string;
  readonly globalBatch?: string;
  readonly learningRate?: string;
  readonly checkpointMinutes?: string;
  readonly force?: boolean;
}

/** What is asked, read and found right. */
interface Asked {
  readonly request: PlanRequest;
  readonly wishes: FinetuneWishes;
  readonly question: DatasetQuestion;
  readonly folder: string;
  readonly force: boolean;
}

/** Where the model lies: as the user says, or the folder that its configuration was read from. */
function baseOf({ base, config }: FinetuneOptions): string | undefined {
  if (base !== undefined) return existsSync(base) ? resolve(base) : base;
  if (config === undefined || !existsSync(config)) return undefined;
  return statSync(config).isDirectory() ? resolve(config) : undefined;
}

function wishesOf(options: FinetuneOptions, numbers: FlagNumbers): Omit<FinetuneWishes, "seed"> {
  const rate = (n: number) => n > 0 && n < 1;
  const minutes = (n: number) => n > 0 && n <= 1440;
  return {
    baseModel: baseOf(options),
    globalBatch: numbers.count("global-batch", options.globalBatch),
    fixedMicroBatch: options.batch !== undefined,
    learningRate: numbers.read("learning-rate", options.learningRate, rate, "above 0 and below 1"),
    checkpointMinutes: numbers.read(
      "checkpoint-minutes",
      options.checkpointMinutes,
      minutes,
      "above 0, at most 1440",
    ),
  };
}

async function readAsked(
  model: string | undefined,
  options: FinetuneOptions,
  { catalogue, terminal }: { readonly catalogue: Catalogue; readonly terminal: Terminal },
): Promise<Asked> {
  const numbers = new FlagNumbers();
  const wishes = wishesOf(options, numbers);
  const { data = "" } = options;
  const question = datasetQuestion(data, options, { numbers, terminal });
  if (data === "")
    numbers.problems.push(
      "--data: is missing; give a .jsonl or .txt file, such as examples/finetune/support.jsonl",
    );
  refuseFlags(numbers);
  const { request } = await readPlanInputs(model, { ...options, task: "finetune" }, catalogue);
  const { model: found, job } = decide({ ...request, budgetUsd: undefined }, catalogue);
  if (job.task === "serve") throw new Error("a fine-tuning is planned as one");
  if (found.task === "image-generation") {
    throw new UserError(`berth writes no training program for ${found.id}, which makes images.`, {
      hint: `What it takes is told by: berth plan ${found.id} --task finetune`,
    });
  }
  const maxTokens = job.workload.sequenceTokens;
  return {
    request,
    wishes: { ...wishes, seed: question.seed },
    question: { ...question, maxTokens, parameters: found.parameters },
    folder: resolve(options.out ?? join("finetune", found.id)),
    force: options.force ?? false,
  };
}

/** @throws NoPlacementError when nothing holds it */
function decideHeld(request: PlanRequest, catalogue: Catalogue): Decision {
  const decision = decide(request, catalogue);
  if (decision.ladder.length > 0) return decision;
  const { gpuCount, env } = request;
  const narrowed =
    gpuCount === undefined
      ? []
      : [
          `Types with ${counted(gpuCount, "GPU")} were looked at (${env}); --gpu-count takes others.`,
        ];
  const { saving } = makeReport(request, catalogue);
  const hint = [...narrowed, "Change one of these, or take fewer limits.", ...savingLines(saving)];
  throw new NoPlacementError(
    `a fine-tuning of ${decision.model.id} as asked`,
    decision.rejected,
    hint.join("\n  "),
  );
}

function planOf(asked: Asked, catalogue: Catalogue, data?: DatasetReport): FinetunePlan {
  const { request, wishes } = asked;
  const training =
    data === undefined
      ? request.training
      : { ...request.training, datasetTokens: Math.max(1, Math.round(middle(data.trainTokens))) };
  // Without the data there is no price of the job yet to hold against a budget.
  const budgetUsd = data === undefined ? undefined : request.budgetUsd;
  const decision = decideHeld({ ...request, training, budgetUsd }, catalogue);
  return finetunePlan(decision, wishes, catalogue);
}

/** Writes the folder: the data beside their places first, and nothing in its place before all of it is right. */
async function writeFolder(
  asked: Asked,
  catalogue: Catalogue,
  tell: (report: DatasetReport) => void,
): Promise<{ plan: FinetunePlan; report: DatasetReport }> {
  const { folder, question, force } = asked;
  const parts = { train: "data/train.jsonl", validation: "data/validation.jsonl" };
  const places = { train: join(folder, parts.train), validation: join(folder, parts.validation) };
  const fresh = !existsSync(folder);
  await mkdir(join(folder, "data"), { recursive: true }).catch((cause: unknown) => {
    // On a file system that is read-only Node says that a folder is missing.
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${folder} cannot be made: ${why}`, {
      hint: "Name a folder that you may write to, with --out.",
      cause,
    });
  });
  const writer = new DatasetWriter(places);
  try {
    const report = await checkDataset(question, writer);
    tell(report);
    if (!report.usable) {
      throw new UserError(`${question.path} cannot be trained on.`, { hint: unusableHint });
    }
    const plan = planOf(asked, catalogue, report);
    const files = jobFolder(plan, report, jobPrograms());
    const written = await writer.close();
    if (!force) await refuseChanges(folder, files, written);
    await writer.keep();
    writeJobFiles(folder, files);
    return { plan, report };
  } catch (error) {
    await writer.discard();
    if (fresh) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** `berth finetune <model> --data <file>`: a folder that trains the model on the data, sized and priced. */
export async function runFinetune(
  model: string | undefined,
  options: FinetuneOptions,
  terminal: Terminal,
): Promise<number> {
  const catalogue = loadCatalogue();
  const asked = await readAsked(model, options, { catalogue, terminal });
  refuseForeignFolder(asked.folder);
  // Before a large file is read: a job that no machine holds needs no data.
  planOf(asked, catalogue);
  const { plan, report } = await writeFolder(asked, catalogue, (data) => {
    terminal.say(...datasetLines(data));
  });
  terminal.say(
    ...jobLines(plan),
    `written    ${asked.folder}: README.md says how it is run by hand`,
    `next       npm run berth -- train start ${asked.folder} --env <stack>: on its GPU host, or with --target sagemaker as a job`,
  );
  terminal.result({ folder: asked.folder, plan, data: report });
  return exitCode.ok;
}
