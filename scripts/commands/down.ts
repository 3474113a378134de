import { z } from "zod";
import { accountOf } from "../adapters/account.ts";
import { isClean, makeReceipt, receiptLines, type Receipt } from "../adapters/receipt.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import { runOperation } from "../adapters/run-operation.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { StepRecord } from "../adapters/step-progress.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, type OpenedStack, type StackOptions } from "../deployment.ts";
import { exitCode } from "../exit-code.ts";

/** What of a checkpoint is read here. */
const stateSchema = z.looseObject({
  resources: z
    .array(
      z.looseObject({
        type: z.string(),
        outputs: z.looseObject({ runId: z.string().optional() }).optional(),
      }),
    )
    .nullish(),
});

async function destroy(
  { engine, stack }: OpenedStack,
  env: string,
  terminal: Terminal,
): Promise<readonly StepRecord[]> {
  terminal.say(`down "${env}" with the ${engine.name} engine ${engine.version}`);
  const { steps, seconds } = await runOperation({
    name: "down",
    terminal,
    work: (hooks) => stack.destroy({ ...hooks, color: "never" }),
  });
  terminal.say("", `done       ${steps.length} steps in ${seconds.toFixed(1)} s`);
  return steps;
}

interface Deployment {
  readonly stack: string;
  readonly runId: string | undefined;
  readonly region: string;
  readonly cloud: LocalCloud | undefined;
}

function receiptOf({ stack, runId, region, cloud }: Deployment): Promise<Receipt> {
  const patience = { attempts: 6, pauseMs: cloud === undefined ? 5000 : 500 };
  return makeReceipt({ ...accountOf(stack, region, cloud), runId }, patience);
}

/** The run id in the stack's state, where it is even after an `up` that failed; undefined when there is none. */
async function runIdOf({ stack }: OpenedStack): Promise<string | undefined> {
  const deployment: unknown = (await stack.exportStack()).deployment;
  return stateSchema.parse(deployment).resources?.find(({ type }) => type === "berth:index:Lease")
    ?.outputs?.runId;
}

/** `berth down`: removes everything of the stack, then asks the account what is left. */
export async function runDown(options: StackOptions, terminal: Terminal): Promise<number> {
  const region = regionOfStack(options.env);
  const cloud = cloudOf(options.env);
  const opened = await findDeployment(options, cloud);
  if (opened === undefined) terminal.say(`There is no stack "${options.env}" in this backend.`);
  const runId = opened === undefined ? undefined : await runIdOf(opened);
  const steps = opened === undefined ? [] : await destroy(opened, options.env, terminal);
  const receipt = await receiptOf({ stack: options.env, runId, region, cloud });
  terminal.say(...receiptLines(receipt));
  terminal.result({ destroyed: steps, receipt, clean: isClean(receipt) });
  return isClean(receipt) ? exitCode.ok : exitCode.leftBehind;
}
