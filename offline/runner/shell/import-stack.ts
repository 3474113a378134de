import { readFileSync } from "node:fs";
import { OfflineError } from "../../offline-error.ts";
import type { Snapshot } from "../contract.ts";
import { fromDeployment, toDeployment, type Deployment } from "./checkpoint.ts";
import type { CommandLine } from "./flags.ts";
import { PassphraseSecrets } from "./passphrase.ts";
import type { Workspace } from "./workspace.ts";

function readDeployment(file: string | undefined): Deployment {
  let read: { readonly version?: number; readonly deployment?: Deployment };
  try {
    read = JSON.parse(readFileSync(file ?? 0, "utf8")) as typeof read;
  } catch (error) {
    throw new OfflineError(
      `The deployment cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "Give the file that `pulumi stack export` wrote with --file.",
    );
  }
  const { version, deployment } = read;
  if (version !== 3 || deployment === undefined) {
    throw new OfflineError(`The deployment's version ${String(version)} is not supported: 3 is.`);
  }
  return deployment;
}

/** What opens the deployment's secrets: each stack has a salt of its own, even under the same passphrase. */
function secretsOf(deployment: Deployment, own: PassphraseSecrets): () => PassphraseSecrets {
  const { type, state } = deployment.secrets_providers ?? {};
  const salt = state?.["salt"];
  if (type === undefined || salt === own.salt) return () => own;
  if (type === "passphrase" && typeof salt === "string") {
    let opened: PassphraseSecrets | undefined;
    return () => (opened ??= PassphraseSecrets.open(salt, process.env));
  }
  return () => {
    throw new OfflineError(
      `The deployment's secrets are encrypted by "${type}", which this runner does not have.`,
      "Export it with --show-secrets, and import that file.",
    );
  };
}

/** Refuses a deployment of another stack or project, whose resources this stack would take for its own. */
function checkOwner(snapshot: Snapshot, stack: string, project: string): void {
  const ours = `urn:pulumi:${stack}::${project}::`;
  const foreign = snapshot.resources.filter(({ urn }) => !urn.startsWith(ours));
  if (foreign.length === 0) return;
  throw new OfflineError(
    `${foreign.length} resources of the deployment are not of the stack ${stack} of ${project}, such as ${foreign[0]?.urn ?? ""}.`,
    "Select the stack that was exported, or give --force.",
  );
}

/** `pulumi stack import`: the file is checked as a whole before the state is touched. */
export function importStack(line: CommandLine, workspace: Workspace): string {
  const deployment = readDeployment(line.text("file"));
  const stack = workspace.stack(line);
  const { name: project } = workspace.project;
  const secrets = workspace.settings(line).secrets();
  const snapshot = fromDeployment(deployment, secretsOf(deployment, secrets));
  if (!line.has("force")) checkOwner(snapshot, stack, project);
  const { backend } = workspace;
  const release = backend.lock(project, stack);
  try {
    backend.backUp(project, stack);
    backend.write(project, stack, toDeployment(snapshot, secrets, "encrypted"));
  } finally {
    release();
  }
  return "Import complete.\n";
}
