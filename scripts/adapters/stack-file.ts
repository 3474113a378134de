import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseDocument } from "yaml";
import { parseSettings, type Settings } from "../../stacks/parse-settings.ts";
import { UserError } from "../../components/user-error.ts";
import { replaceFile } from "../../processes/replace-file.ts";
import { repository, stackFilePath } from "./repository.ts";

/** Values by full key, such as `berth:model`. */
export type StackConfig = Readonly<Record<string, unknown>>;

/** A path as a person reads it: from the root of the checkout. */
export function shownPath(path: string): string {
  return relative(repository, path);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function configOf(path: string, text: string): StackConfig {
  const document = parseDocument(text);
  const place = shownPath(path);
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, linePos }) => {
      const [start] = linePos ?? [];
      const at = start === undefined ? "" : `:${start.line}:${start.col}`;
      return `${place}${at}: ${message.split("\n")[0] ?? message}`;
    });
    throw new UserError(`${place} is not YAML.`, { problems, hint: "Correct the file." });
  }
  const content: unknown = document.toJS();
  const config = isRecord(content) ? (content["config"] ?? {}) : content === null ? {} : undefined;
  if (isRecord(config)) return config;
  throw new UserError(`${place} has no settings.`, {
    hint: 'They are keys and values below "config:".',
  });
}

/** Stacks that have a file in stacks/. */
export async function stackFiles(): Promise<readonly string[]> {
  const names = await readdir(join(repository, "stacks"));
  return names.flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []).toSorted();
}

/**
 * The configuration in a stack's file; undefined when there is no such file.
 *
 * @throws UserError with the line of each problem when the file is not YAML, or not a stack's
 */
export function readStackConfig(
  stack: string,
  path: string = stackFilePath(stack),
): StackConfig | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UserError(`${shownPath(path)} cannot be read.`, { cause: error });
  }
  return configOf(path, text);
}

/**
 * The checked settings of a stack that is to be deployed.
 *
 * @param extra values that win over the file's
 * @throws UserError when there is no file, or with every problem of it at once
 */
export function readStackSettings(stack: string, extra: StackConfig = {}): Settings {
  const path = stackFilePath(stack);
  const config = readStackConfig(stack, path);
  if (config === undefined) {
    throw new UserError(`There is no stack "${stack}": ${shownPath(path)} is missing.`, {
      hint: `Write it with: npm run berth -- init --env ${stack} --model <model> --ssh-cidr <your address>/32`,
    });
  }
  return parseSettings({ stack, config: { ...config, ...extra }, place: shownPath(path) });
}

/** Who encrypts the stack's secrets, as its file says; undefined when it does not, or cannot be read. */
export function readStackSecretsProvider(stack: string): string | undefined {
  try {
    const content: unknown = parseDocument(readFileSync(stackFilePath(stack), "utf8")).toJS();
    const provider = isRecord(content) ? content["secretsprovider"] : undefined;
    return typeof provider === "string" ? provider : undefined;
  } catch {
    return undefined;
  }
}

/** Sets values in a stack's file, made where it is not there, and removes those that are undefined; comments and all else in it stay. */
export function writeStackConfig(path: string, changes: StackConfig): Promise<void> {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // A new file.
  }
  const document = parseDocument(text.trim() === "" ? "config: {}\n" : text);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) document.deleteIn(["config", key]);
    else document.setIn(["config", key], value);
  }
  const config = document.get("config");
  if (typeof config === "object" && config !== null && "flow" in config) config.flow = false;
  return replaceFile(path, document.toString({ lineWidth: 0 }));
}

/** A configuration value as text: what it says when it is text or a number, JSON otherwise. */
export function configText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * The region of a stack, even when the rest of its file is broken: that must not keep anything from being taken down.
 *
 * @throws UserError when the file does not say it
 */
export function regionOfStack(stack: string): string {
  const region = readStackConfig(stack)?.["aws:region"];
  if (typeof region === "string") return region;
  throw new UserError(`The region of "${stack}" is not known.`, {
    hint: `Set aws:region in ${shownPath(stackFilePath(stack))}: that is where AWS is asked.`,
  });
}
