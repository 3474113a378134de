import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { UserError } from "../../components/user-error.ts";
import type { LocalCloud } from "./local-cloud.ts";
import { ownFolder, repository } from "./repository.ts";
import { readStackSecretsProvider } from "./stack-file.ts";

/** Which engine is asked for; `auto` is the Pulumi CLI where it is installed, else the one that comes with berth. */
export type EngineChoice = "auto" | "pulumi" | "offline";

/** The engine that runs the program. */
export interface Engine {
  readonly name: "pulumi" | "offline";
  readonly version: string;
  readonly command: PulumiCommand;
}

const offlineRoot = join(repository, "offline", "runner", "shell");
const offlineAwsPlugin = join(repository, "offline", "aws-plugin");

async function onPath(name: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    const found = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/**
 * Finds the engine.
 *
 * @throws UserError when the Pulumi CLI is asked for, or needed, and is not installed
 */
export async function findEngine(
  choice: EngineChoice,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Engine> {
  const installed = choice !== "offline" && (await onPath("pulumi", environment["PATH"] ?? ""));
  if (choice === "pulumi" && !installed) {
    throw new UserError("There is no `pulumi` on the PATH.", {
      hint: "Install it (https://www.pulumi.com/docs/iac/download-install/), or leave --engine out.",
    });
  }
  const name = installed ? "pulumi" : "offline";
  const command = await PulumiCommand.get(
    installed ? {} : { root: offlineRoot, skipVersionCheck: true },
  );
  return { name, version: command.version?.toString() ?? "unknown", command };
}

/**
 * Holds an operation that would have nothing to encrypt the state's secrets with.
 *
 * @throws UserError saying what to set
 */
export function checkPassphrase(stack: string, environment: NodeJS.ProcessEnv): void {
  const given = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (given.some((name) => environment[name] !== undefined)) return;
  const provider = readStackSecretsProvider(stack);
  if (provider !== undefined && provider !== "passphrase") return;
  throw new UserError("PULUMI_CONFIG_PASSPHRASE is not set.", {
    hint: "It encrypts the secrets in the state, and every later command needs the same one: export PULUMI_CONFIG_PASSPHRASE=..., or name a file in PULUMI_CONFIG_PASSPHRASE_FILE.",
  });
}

/** What the engine finds its backend by, and in an emulated cloud its account and provider. */
export async function engineEnvironment(
  cloud: LocalCloud | undefined,
): Promise<Record<string, string>> {
  const state = join(ownFolder, "state");
  const backend = process.env["PULUMI_BACKEND_URL"];
  if (backend === undefined) await mkdir(state, { recursive: true });
  const common = {
    PULUMI_BACKEND_URL: backend ?? `file://${state}`,
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  if (cloud === undefined) return common;
  const path = `${offlineAwsPlugin}${delimiter}${process.env["PATH"] ?? ""}`;
  return { ...common, ...cloud.environment, PATH: path };
}
