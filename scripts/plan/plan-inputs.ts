import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import type { Model } from "../../components/catalogue/model.ts";
import type { OwnGpus } from "../../components/plan-report/make-report.ts";
import { requestProblems, type PlanRequest } from "../../components/sizing/plan-request.ts";
import { UserError } from "../../components/user-error.ts";
import { parseSettings, planRequest, type Settings } from "../../stacks/parse-settings.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { readStackConfig, shownPath, type StackConfig } from "../adapters/stack-file.ts";
import { byFlag } from "./flag-problems.ts";
import { electricityOf, readFlags, type PlanOptions } from "./plan-flags.ts";

/** What a plan is made from. */
export interface PlanInputs {
  /** Of the stack's file, with the target that the command line asks for. */
  readonly settings: Settings;
  readonly request: PlanRequest;
  readonly own: OwnGpus | undefined;
}

const targets: readonly string[] = ["ec2", "sagemaker", "existing-host"];

/** What a deployment needs and a plan does not, so that a plan can be made before anything is written. */
export const notPlanned: StackConfig = {
  "aws:region": "us-east-1",
  "berth:owner": "nobody",
  "berth:sshCidr": "192.0.2.1/32",
  "berth:sshPublicKey": "ssh-ed25519 AAAA",
  "berth:weightsBucket": "not-planned",
};

/** Of the stack's file, and with the target of the command line where that names one. */
interface PlannedSettings {
  readonly settings: Settings;
  readonly aimed: () => Settings;
}

/**
 * Settings enough for a plan, from the stack's file where there is one.
 *
 * @throws UserError with every problem of the file; `aimed` one with those of the target that is asked for
 */
function settingsToPlan(
  model: string | undefined,
  { env: stack, target }: Pick<PlanOptions, "env" | "target">,
): PlannedSettings {
  const path = stackFilePath(stack);
  const file = readStackConfig(stack, path) ?? {};
  const given = model === undefined ? {} : { "berth:model": model };
  const config = { ...notPlanned, ...file, ...given };
  // The file by itself first, so that what is wrong in it is not blamed on the command line.
  const settings = parseSettings({ stack, config, place: shownPath(path) });
  const aimed = () => {
    if (target === undefined) return settings;
    if (!targets.includes(target)) {
      throw new UserError(`--target: "${target}"; there are ${targets.join(", ")}`);
    }
    return parseSettings({
      stack,
      config: { ...config, "berth:target": target },
      place: "command line",
    });
  };
  return { settings, aimed };
}

/** The value, or the user's error in making it, so that it can be told with others. */
async function attempt<T>(work: () => T | Promise<T>): Promise<T | UserError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function customModel({ config }: PlanOptions): Promise<Model | undefined> {
  if (config === undefined) return undefined;
  const { readModel } = await import("../adapters/model-folder.ts");
  return readModel(config);
}

async function ownGpus(options: PlanOptions): Promise<OwnGpus | undefined> {
  if (options.gpus === undefined && options.local !== true) return undefined;
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
function problemsOf(value: unknown): readonly string[] {
  if (!(value instanceof UserError)) return [];
  const { message, problems, hint } = value;
  if (problems.length > 0) return problems;
  return [hint === undefined ? message : `${message} ${hint}`];
}

/**
 * The request of a command line: the stack's file, and the flags over it.
 *
 * @throws UserError with every problem of the file, or else every problem of the command line at once
 */
export async function readPlanInputs(
  word: string | undefined,
  options: PlanOptions,
  catalogue: Catalogue,
): Promise<PlanInputs> {
  const custom = await attempt(() => customModel(options));
  const own = await attempt(() => ownGpus(options));
  const planned = settingsToPlan(
    word ?? (options.config === undefined ? undefined : "custom"),
    options,
  );
  const aimed = await attempt(planned.aimed);
  const settings = aimed instanceof UserError ? planned.settings : aimed;
  const flags = readFlags(options);
  const request = { ...planRequest(settings), ...flags.request };
  const named =
    options.config === undefined ? () => findModel(request.model, catalogue) : () => custom;
  const model = await attempt(named);
  const known = model instanceof UserError ? undefined : model;
  const others = [
    ...problemsOf(own),
    ...problemsOf(aimed),
    ...flags.problems,
    ...requestProblems(request, known, catalogue).map((problem) => byFlag(problem, options)),
  ];
  // Alone, the model's error keeps its own words and its advice.
  if (model instanceof UserError && others.length === 0) throw model;
  const problems = [...problemsOf(model), ...others];
  if (problems.length > 0 || model instanceof UserError || own instanceof UserError) {
    throw new UserError("This cannot be planned as asked.", {
      problems,
      hint: "Change what is named above, and plan again.",
    });
  }
  const customised = options.config === undefined ? {} : { customModel: model };
  return { settings, request: { ...request, ...customised }, own };
}
