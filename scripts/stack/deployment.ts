import type { Stack } from "@pulumi/pulumi/automation/index.js";
import type { Plan } from "../../components/plan.ts";
import { checkBudget } from "../../stacks/budget.ts";
import { acceptedWith, checkLicence, licencedModels } from "../../stacks/licence.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import type { Settings } from "../../stacks/parse-settings.ts";
import { accountOf } from "../adapters/account.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import { findEngine, type Engine, type EngineChoice } from "../adapters/engine.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import { makeStack, openStack } from "../adapters/open-stack.ts";
import { readStackConfig, readStackSettings, type StackConfig } from "../adapters/stack-file.ts";

/** What every command that touches a stack is told. */
export interface StackOptions {
  readonly env: string;
  readonly engine: EngineChoice;
  /** The gated licence that the user accepts with this command, by its name. */
  readonly acceptLicence?: string;
}

/** A stack that is about to be changed: settings checked, plan made, nothing touched yet. */
export interface Deployment {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly cloud: LocalCloud | undefined;
  /** Configuration that this command adds to the stack's file. */
  readonly extra: StackConfig;
}

/** What the emulated cloud decides: where machines listen, and where the demo's weights lie unless the stack says where its own do. */
export function localConfig(cloud: LocalCloud | undefined, stack: string): StackConfig {
  if (cloud === undefined) return {};
  const prefix = readStackConfig(stack)?.["berth:weightsPrefix"] ?? cloud.weightsPrefix;
  return {
    "berth:sshPort": cloud.machineSshPort,
    // Machines that are folders of this one share its loopback.
    ...(cloud.tier === "process" ? { "berth:serverPortStep": 1 } : {}),
    "berth:weightsBucket": cloud.weightsBucket,
    "berth:weightsPrefix": prefix,
  };
}

/**
 * Settings and plan of a stack.
 *
 * @param preview a gated model may be looked at without its licence
 * @throws UserError with every problem of the stack's file, or when its licence is not accepted
 */
export function planDeployment(options: StackOptions, preview: boolean): Deployment {
  const cloud = cloudOf(options.env);
  const local = localConfig(cloud, options.env);
  const settings = readStackSettings(options.env, local);
  const plan = makeStackPlan(settings);
  const served = licencedModels(plan);
  const names = acceptedWith(settings.acceptLicence, options.acceptLicence, served);
  const acceptLicence = names ?? settings.acceptLicence;
  for (const model of served) checkLicence({ acceptLicence }, model, preview);
  checkBudget(settings, plan);
  const extra = names === undefined ? local : { ...local, "berth:acceptLicence": names.join(", ") };
  return { settings: { ...settings, acceptLicence }, plan, cloud, extra };
}

/**
 * Asks who is asking, before anything is made; nothing of a machine that is there already, or of the emulated cloud.
 *
 * @returns a line that says which account it would be
 * @throws UserError when the credentials are missing, have expired or are not taken
 */
export async function accountLines({
  settings: { stack, region, target },
  cloud,
}: {
  readonly settings: Pick<Settings, "stack" | "region" | "target">;
  readonly cloud: LocalCloud | undefined;
}): Promise<readonly string[]> {
  if (cloud !== undefined || target === "existing-host") return [];
  const account = await checkCredentials(accountOf(stack, region, cloud));
  return [`account    ${account} in ${region}`];
}

/** A stack in its backend, and the engine that runs it. */
export interface OpenedStack {
  readonly engine: Engine;
  readonly stack: Stack;
}

/** Opens the deployment's stack, made where it is not there yet, with the configuration that the command adds. */
export async function openDeployment(
  options: StackOptions,
  { cloud, extra }: Deployment,
): Promise<OpenedStack> {
  const engine = await findEngine(options.engine);
  const stack = await makeStack({ stack: options.env, engine, cloud }, extra);
  return { engine, stack };
}

/** Opens a stack that has to be there already; undefined when it is not. */
export async function findDeployment(
  options: StackOptions,
  cloud: LocalCloud | undefined,
): Promise<OpenedStack | undefined> {
  const engine = await findEngine(options.engine);
  const stack = await openStack({ stack: options.env, engine, cloud });
  return stack === undefined ? undefined : { engine, stack };
}
