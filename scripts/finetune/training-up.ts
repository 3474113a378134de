import type { TrainingJobPlan } from "../../components/sagemaker-training/training-job-plan.ts";
import { UserError } from "../../components/user-error.ts";
import type { EndpointSettings, HostSettings } from "../../stacks/parse-settings.ts";
import { findEngine, type EngineChoice } from "../adapters/engine.ts";
import type { LocalCloud } from "../adapters/local-cloud.ts";
import { makeStack, openStack } from "../adapters/open-stack.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { runOperation } from "../adapters/run-operation.ts";
import { writeStackConfig, type StackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { destroyStack } from "../teardown/destroy-stack.ts";
import { readOutputs } from "../stack/stack-outputs.ts";
import type { JobFolder } from "./host-job.ts";

/** A job that is to run. */
export interface AskedTraining {
  readonly plan: TrainingJobPlan;
  readonly settings: HostSettings | EndpointSettings;
  readonly job: JobFolder;
  readonly sourceUri: string;
  readonly checkpointsUri: string;
  readonly baseUri: string | undefined;
  readonly minutes: number;
}

/** How it is brought up. */
interface Bringing {
  readonly options: { readonly engine: EngineChoice };
  readonly cloud: LocalCloud | undefined;
  readonly terminal: Terminal;
  /** A job of the stack runs that its state does not know, since its `up` was cut off. */
  readonly adopts: boolean;
}

/** Whether a job of the environment stands in a network of the account. */
export function standsInVpc(settings: HostSettings | EndpointSettings): boolean {
  const groups = settings.target === "sagemaker" ? settings.securityGroupIds : undefined;
  return settings.subnetIds !== undefined && groups !== undefined;
}

/** The stack's file. Its network and its key are those of the endpoint, which has both. */
function configOf({ plan, settings, job, ...rest }: AskedTraining): StackConfig {
  const { region, env, owner, maxAgeHours, subnetIds } = settings;
  const own = settings.target === "sagemaker" ? settings : undefined;
  const inVpc = standsInVpc(settings);
  return {
    "aws:region": region,
    "berth:target": "training",
    "berth:env": env,
    "berth:owner": owner,
    "berth:tags": settings.tags,
    "berth:model": plan.modelId,
    "berth:leaseHours": plan.hours,
    "berth:maxAgeHours": Math.max(maxAgeHours, plan.hours),
    "berth:image": plan.image,
    "berth:instanceType": plan.instanceType,
    "berth:instances": plan.instances,
    "berth:volumeGiB": plan.volumeGiB,
    "berth:spot": plan.spot,
    "berth:keepWarmMinutes": plan.keepWarmMinutes,
    "berth:hourlyUsd": plan.hourlyUsd ?? 0,
    "berth:sourceUri": rest.sourceUri,
    "berth:checkpointsUri": rest.checkpointsUri,
    "berth:baseUri": rest.baseUri,
    "berth:sharedStorage": plan.sharedStorage,
    "berth:baseModel": job.baseModel,
    "berth:syncMinutes": rest.minutes,
    "berth:subnetIds": inVpc ? subnetIds : undefined,
    "berth:securityGroupIds": inVpc ? own?.securityGroupIds : undefined,
    "berth:kmsKeyArn": own?.kmsKeyArn,
    "berth:volumeKmsKeyArn": plan.localNvme ? undefined : own?.kmsKeyArn,
    "berth:weightsKmsKeyArn": rest.baseUri === undefined ? undefined : own?.weightsKmsKeyArn,
    "berth:permissionsBoundaryArn": settings.permissionsBoundaryArn,
  };
}

/**
 * Brings a job up as a stack of its own. What an earlier run of the same folder left is taken down first, so that each run has a
 * lease, a role and a deadline of its own; its checkpoints are in no stack, and stay.
 *
 * @returns the job's name at SageMaker
 */
export async function bringUpTraining(
  asked: AskedTraining,
  { options, cloud, terminal, adopts }: Bringing,
): Promise<string> {
  const { stack: name } = asked.plan;
  const engine = await findEngine(options.engine);
  const before = await openStack({ stack: name, engine, cloud });
  if (before !== undefined && !adopts) {
    const { resources } = ((await before.exportStack()).deployment ?? {}) as {
      resources?: readonly unknown[];
    };
    if ((resources ?? []).length > 0) {
      await destroyStack({ engine, stack: before }, name, terminal);
    }
  }
  if (!adopts) await writeStackConfig(stackFilePath(name), configOf(asked));
  const stack = await makeStack({ stack: name, engine, cloud });
  terminal.say(`up "${name}" with the ${engine.name} engine ${engine.version}`);
  const report = await runOperation({
    name: "up",
    terminal,
    next: "The same command goes on.",
    work: (hooks) => stack.up({ ...hooks, color: "never" }),
  });
  const { trainingJob } = readOutputs(report.result.outputs);
  if (trainingJob !== undefined) return trainingJob;
  throw new UserError(`The stack "${name}" did not say which job it made.`, {
    hint: `Look at it with: pulumi stack output -s ${name}`,
  });
}
