import { writeFileSync } from "node:fs";
import { OfflineError } from "../../offline-error.ts";
import type { PropertyMap } from "../contract.ts";
import { keepAll, signatureKey, signatures, toPlain } from "../engine/property-marshal.ts";
import { toDeployment } from "./checkpoint.ts";
import type { CommandLine } from "./flags.ts";
import { shortName, type Workspace } from "./workspace.ts";

const stackName = /^[A-Za-z0-9_.-]{1,100}$/;

/** `pulumi stack init`. */
export function initStack(line: CommandLine, workspace: Workspace): string {
  const { backend, project } = workspace;
  const stack = shortName(line.words[0] ?? line.text("stack") ?? "");
  const provider = line.text("secrets-provider") ?? "passphrase";
  if (!stackName.test(stack))
    throw new OfflineError(
      `"${stack}" is no stack name: letters, digits, hyphens, underscores and periods.`,
    );
  if (provider !== "passphrase" && provider !== "default") {
    throw new OfflineError(
      `The secrets provider ${provider} is not supported: this runner has passphrase.`,
    );
  }
  if (backend.exists(project.name, stack))
    throw new OfflineError(`stack '${stack}' already exists`);
  workspace.settingsOf(stack).secrets();
  backend.write(project.name, stack, undefined);
  if (!line.has("no-select")) workspace.selection.set(stack);
  return `Created stack '${stack}'\n`;
}

/** `pulumi stack select`. */
export function selectStack(line: CommandLine, workspace: Workspace): string {
  const stack = shortName(line.words[0] ?? line.text("stack") ?? "");
  workspace.backend.read(workspace.project.name, stack);
  workspace.selection.set(stack);
  return "";
}

/** `pulumi stack rm`. */
export function removeStack(line: CommandLine, workspace: Workspace): string {
  const { backend, project } = workspace;
  const stack = shortName(line.words[0] ?? workspace.stack(line));
  const resources = backend.read(project.name, stack)?.resources ?? [];
  if (resources.length > 0 && !line.has("force")) {
    throw new OfflineError(
      `'${stack}' still has resources; removal rejected`,
      "Run `pulumi destroy` first, or give --force to forget them.",
    );
  }
  backend.remove(project.name, stack);
  if (!line.has("preserve-config")) workspace.settingsOf(stack).delete();
  if (workspace.selection.get() === stack) workspace.selection.set(undefined);
  return `Stack '${stack}' has been removed!\n`;
}

/** `pulumi stack ls`. */
export function listStacks(line: CommandLine, workspace: Workspace): string {
  const { backend, project, selection } = workspace;
  const current = selection.get();
  const rows = backend.stacks(project.name).map((name) => {
    const deployment = backend.read(project.name, name);
    const time = deployment?.manifest.time;
    return {
      name,
      current: name === current,
      ...(time === undefined ? {} : { lastUpdate: time }),
      updateInProgress: false,
      resourceCount: deployment?.resources?.length ?? 0,
    };
  });
  if (line.has("json")) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows
    .map((row) => `${row.name}${row.current ? "*" : ""}  ${row.resourceCount} resources\n`)
    .join("");
}

/** Outputs as JSON, secrets hidden or opened. */
export function outputsJson(
  outputs: PropertyMap | undefined,
  revealed: boolean,
): Record<string, unknown> {
  const open = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(open);
    if (typeof value !== "object" || value === null) return value;
    const map = value as Record<string, unknown>;
    if (map[signatureKey] === signatures.secret) return revealed ? open(map["value"]) : "[secret]";
    return Object.fromEntries(Object.entries(map).map(([key, element]) => [key, open(element)]));
  };
  return open(toPlain(outputs ?? {}, keepAll)) as Record<string, unknown>;
}

/** `pulumi stack output`. */
export function stackOutput(line: CommandLine, workspace: Workspace): string {
  const stack = workspace
    .snapshot(line)
    .resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const outputs = outputsJson(stack?.outputs, line.has("show-secrets"));
  const [name] = line.words;
  if (name !== undefined) {
    if (!(name in outputs))
      throw new OfflineError(`current stack does not have output property '${name}'`);
    const value = outputs[name];
    return line.has("json") || typeof value !== "string"
      ? `${JSON.stringify(value)}\n`
      : `${value}\n`;
  }
  if (line.has("json")) return `${JSON.stringify(outputs, null, 2)}\n`;
  return Object.entries(outputs)
    .map(([key, value]) => `${key}  ${JSON.stringify(value)}\n`)
    .join("");
}

/** `pulumi stack export`. */
export function exportStack(line: CommandLine, workspace: Workspace): string {
  const form = line.has("show-secrets") ? "plain" : "encrypted";
  const deployment = toDeployment(
    workspace.snapshot(line),
    workspace.settings(line).secrets(),
    form,
  );
  const text = `${JSON.stringify({ version: 3, deployment }, null, 4)}\n`;
  const file = line.text("file");
  if (file === undefined) return text;
  writeFileSync(file, text, { mode: 0o600 });
  return "";
}
