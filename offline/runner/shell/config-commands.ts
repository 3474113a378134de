import { OfflineError } from "../../offline-error.ts";
import { parseConfigPath, pathValue, type PathStep } from "./config-path.ts";
import type { CommandLine } from "./flags.ts";
import type { Workspace } from "./workspace.ts";

/** The setting that a command names: its full key, and with --path the way into it. */
function placeOf(
  line: CommandLine,
  workspace: Workspace,
  key: string,
): readonly [string, ...PathStep[]] {
  const { name } = workspace.project;
  if (line.has("path")) return parseConfigPath(key, name);
  return [key.includes(":") ? key : `${name}:${key}`];
}

function shown(value: { value: string; secret: boolean }, revealed: boolean): string {
  return value.secret && !revealed ? "[secret]" : value.value;
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
  const [key, ...path] = placeOf(line, workspace, line.words[0] ?? "");
  const settings = workspace.settings(line);
  let stored = settings.stored()[key];
  for (const step of path) stored = (stored as Record<PathStep, unknown> | undefined)?.[step];
  if (stored === undefined)
    throw new OfflineError(
      `configuration key '${[key, ...path].join(".")}' not found for stack '${workspace.stack(line)}'`,
    );
  const found = settings.open(stored);
  return line.has("json")
    ? `${JSON.stringify({ value: found.value, secret: found.secret })}\n`
    : `${found.value}\n`;
}

/** `pulumi config set`. */
export function setConfig(line: CommandLine, workspace: Workspace): string {
  const [key = "", value] = line.words;
  if (value === undefined) throw new OfflineError("config set needs a key and a value");
  const settings = workspace.settings(line);
  const typed = line.has("path") ? pathValue(value) : value;
  settings.set(placeOf(line, workspace, key), typed, line.has("secret"));
  settings.save();
  return "";
}

/** `pulumi config set-all`. */
export function setAllConfig(line: CommandLine, workspace: Workspace): string {
  const settings = workspace.settings(line);
  for (const [secret, pairs] of [
    [true, line.texts("secret")],
    [false, line.texts("plaintext")],
  ] as const) {
    for (const pair of pairs) {
      const at = pair.indexOf("=");
      if (at < 1) throw new OfflineError(`config set-all: "${pair}" is not key=value`);
      const value = pair.slice(at + 1);
      const typed = line.has("path") ? pathValue(value) : value;
      settings.set(placeOf(line, workspace, pair.slice(0, at)), typed, secret);
    }
  }
  settings.save();
  return "";
}

/** `pulumi config rm` and `rm-all`. */
export function removeConfig(line: CommandLine, workspace: Workspace): string {
  const settings = workspace.settings(line);
  for (const key of line.words) settings.remove(placeOf(line, workspace, key));
  settings.save();
  return "";
}
