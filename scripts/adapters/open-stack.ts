import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  LocalWorkspace,
  StackAlreadyExistsError,
  StackNotFoundError,
  type ConfigMap,
  type LocalProgramArgs,
  type LocalWorkspaceOptions,
  type Stack,
} from "@pulumi/pulumi/automation/index.js";
import { UserError } from "../../components/user-error.ts";
import { withLock } from "../../processes/lock-folder.ts";
import { checkPassphrase, engineEnvironment, type Engine } from "./engine.ts";
import type { LocalCloud } from "./local-cloud.ts";
import { ownFolder, repository } from "./repository.ts";
import type { StackConfig } from "./stack-file.ts";
import { isExistingHost } from "./stack-target.ts";

/** What opening a stack takes. */
export interface StackRequest {
  readonly stack: string;
  readonly engine: Engine;
  readonly cloud: LocalCloud | undefined;
}

interface Opening {
  readonly args: LocalProgramArgs;
  readonly options: LocalWorkspaceOptions;
}

async function openingOf(request: StackRequest): Promise<Opening> {
  const { stack, engine, cloud } = request;
  checkReach(request);
  checkPassphrase(stack, process.env);
  const options = {
    workDir: repository,
    pulumiCommand: engine.command,
    envVars: await engineEnvironment(cloud),
  };
  return { args: { stackName: stack, workDir: repository }, options };
}

/**
 * Opens a stack in its backend; undefined when it is not there.
 *
 * @throws UserError when the passphrase is missing, or the engine cannot reach the account
 */
export async function openStack(request: StackRequest): Promise<Stack | undefined> {
  const { args, options } = await openingOf(request);
  try {
    return await LocalWorkspace.selectStack(args, options);
  } catch (error) {
    if (error instanceof StackNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Opens a stack, made where it is not there yet, and adds to its configuration.
 * Two commands at once take turns: each would write the stack's file with a salt of its own, and lose the other's.
 *
 * @throws UserError when the passphrase is missing, or the engine cannot reach the account
 */
export async function makeStack(request: StackRequest, config: StackConfig = {}): Promise<Stack> {
  const { args, options } = await openingOf(request);
  await mkdir(ownFolder, { recursive: true });
  return withLock(join(ownFolder, `opening-${request.stack}`), async () => {
    const stack = await LocalWorkspace.createOrSelectStack(args, options).catch(
      (error: unknown) => {
        // Another machine made it in between.
        if (!(error instanceof StackAlreadyExistsError)) throw error;
        return LocalWorkspace.selectStack(args, options);
      },
    );
    const values = Object.entries(config).map(([key, value]) => [key, { value: String(value) }]);
    // At once, since each call starts the engine.
    if (values.length > 0) await stack.setAllConfig(Object.fromEntries(values) as ConfigMap);
    return stack;
  });
}

function checkReach({ stack, engine, cloud }: StackRequest): void {
  if (engine.name === "pulumi" || cloud !== undefined) return;
  // A machine that is there already needs no plugin but berth's own.
  if (process.env["AWS_ENDPOINT_URL"] !== undefined || isExistingHost(stack)) return;
  throw new UserError(`"${stack}" needs the Pulumi CLI, and there is none on the PATH.`, {
    hint: "Install it (https://www.pulumi.com/docs/iac/download-install/). The engine that comes with berth serves the emulated cloud only: --env local.",
  });
}
