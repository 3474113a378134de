import { OfflineError } from "../../offline-error.ts";
import type { CommandLine } from "./flags.ts";
import type { Workspace } from "./workspace.ts";

function fullKey(key: string, project: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function shown(value: { value: string; secret: boolean }, revealed: boolean): string {
  return value.secret && !revealed ? "[secret]" : value.value;
}

function refusePaths(line: CommandLine): void {
  if (line.has("path")) {
    throw new OfflineError(
      `${line.command} --path is not supported by this runner.`,
      "Set the whole value, as JSON or in the stack's file.",
    );
  }
}

/** `pulumi config`: all settings. */
export function showConfig(line: CommandLine, workspace: Workspace): string {
  const revealed = line.has("show-secrets");
  const entries = [...workspace.settings(line).config()];
  if (!line.has("json")) {
    return entries.map(([key, value]) => `${key}  ${shown(value, revealed)}\n`).join("");
  }
  const json = entries.map(([key, { value, secret, object }]) => {
    const hidden = secret && !revealed;
    const fields = {
      ...(hidden ? {} : { value }),
      ...(object === true && !hidden ? { objectValue: JSON.parse(value) as unknown } : {}),
      secret,
    };
    return [key, fields] as const;
  });
  return `${JSON.stringify(Object.fromEntries(json), null, 2)}\n`;
}

/** `pulumi config get`. */
export function getConfig(line: CommandLine, workspace: Workspace): string {
  refusePaths(line);
  const key = fullKey(line.words[0] ?? "", workspace.project.name);
  const found = workspace.settings(line).config().get(key);
  if (found === undefined)
    throw new OfflineError(
      `configuration key '${key}' not found for stack '${workspace.stack(line)}'`,
    );
  return line.has("json")
    ? `${JSON.stringify({ value: found.value, secret: found.secret })}\n`
    : `${found.value}\n`;
}

/** `pulumi config set`. */
export function setConfig(line: CommandLine, workspace: Workspace): string {
  refusePaths(line);
  const [key = "", value] = line.words;
  if (value === undefined) throw new OfflineError("config set needs a key and a value");
  const settings = workspace.settings(line);
  settings.set(fullKey(key, workspace.project.name), value, line.has("secret"));
  settings.save();
  return "";
}

/** `pulumi config set-all`. */
export function setAllConfig(line: CommandLine, workspace: Workspace): string {
  refusePaths(line);
  const settings = workspace.settings(line);
  for (const [secret, pairs] of [
    [true, line.texts("secret")],
    [false, line.texts("plaintext")],
  ] as const) {
    for (const pair of pairs) {
      const at = pair.indexOf("=");
      if (at < 1) throw new OfflineError(`config set-all: "${pair}" is not key=value`);
      settings.set(fullKey(pair.slice(0, at), workspace.project.name), pair.slice(at + 1), secret);
    }
  }
  settings.save();
  return "";
}

/** `pulumi config rm` and `rm-all`. */
export function removeConfig(line: CommandLine, workspace: Workspace): string {
  refusePaths(line);
  const settings = workspace.settings(line);
  for (const key of line.words) settings.remove(fullKey(key, workspace.project.name));
  settings.save();
  return "";
}
