import { loadCatalogue } from "../../components/catalogue/load.ts";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { stackPlanLines } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { parseSettings, type Settings } from "../../stacks/parse-settings.ts";
import { readStackConfig, shownPath, type StackConfig } from "../adapters/stack-file.ts";
import { stackFilePath } from "../adapters/repository.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../exit-code.ts";

/** Flags of `berth plan`; each wins over the stack's file. */
export interface PlanOptions {
  readonly env: string;
  readonly region?: string;
  readonly target?: string;
  readonly context?: string;
  readonly concurrency?: string;
  readonly precision?: string;
  readonly types?: string;
  readonly gpus?: string;
  readonly leaseHours?: string;
  readonly spot?: boolean;
  readonly list?: boolean;
}

/** What a deployment needs and a plan does not, so that a plan can be made before anything is written. */
const notPlanned: StackConfig = {
  "aws:region": "us-east-1",
  "berth:owner": "nobody",
  "berth:sshCidr": "192.0.2.1/32",
  "berth:sshPublicKey": "ssh-ed25519 AAAA",
  "berth:weightsBucket": "not-planned",
};

function flagsAsConfig(model: string | undefined, options: PlanOptions): StackConfig {
  const values = {
    "berth:model": model,
    "aws:region": options.region,
    "berth:target": options.target,
    "berth:context": options.context,
    "berth:concurrency": options.concurrency,
    "berth:precision": options.precision,
    "berth:instanceTypes": options.types,
    "berth:gpuCount": options.gpus,
    "berth:leaseHours": options.leaseHours,
    "berth:spot": options.spot,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/**
 * Settings enough for a plan: the stack's file where there is one, and the flags over it.
 *
 * @throws UserError with every problem of the file, or else every problem of the flags
 */
export function settingsToPlan(model: string | undefined, options: PlanOptions): Settings {
  const { env: stack } = options;
  const path = stackFilePath(stack);
  const file = readStackConfig(stack, path) ?? {};
  const flags = flagsAsConfig(model, options);
  const modelGiven = "berth:model" in flags ? { "berth:model": flags["berth:model"] } : {};
  const checked = { ...notPlanned, ...file, ...modelGiven };
  // The file by itself first, so that what is wrong in it is not blamed on the command line.
  parseSettings({ stack, config: checked, place: shownPath(path) });
  return parseSettings({ stack, config: { ...checked, ...flags }, place: "command line" });
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

/** `berth plan [model]`: what would be deployed, why, what it costs and when it ends. No account and no network. */
export function runPlan(
  model: string | undefined,
  options: PlanOptions,
  terminal: Terminal,
): number {
  const catalogue = loadCatalogue();
  if (options.list === true) return listModels(catalogue, terminal);
  const plan = makeStackPlan(settingsToPlan(model, options), catalogue);
  terminal.say(...stackPlanLines(plan));
  terminal.result(plan);
  return exitCode.ok;
}
