import { parseArgs, type ParseArgsConfig } from "node:util";
import { OfflineError } from "../../offline-error.ts";

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true } as const;
const yes = { type: "boolean" } as const;

/** Flags that every command takes. */
const everywhere = {
  stack: { ...text, short: "s" },
  cwd: { ...text, short: "C" },
  "non-interactive": yes,
  color: text,
  verbose: { ...text, short: "v" },
  logflow: yes,
  logtostderr: yes,
  debug: { ...yes, short: "d" },
  "suppress-outputs": yes,
  "suppress-progress": yes,
  "config-file": text,
  json: { ...yes, short: "j" },
  "show-secrets": yes,
  yes: { ...yes, short: "y" },
  emoji: yes,
  "disable-integrity-checking": yes,
  help: { ...yes, short: "h" },
} as const;

/** Flags of preview, up, refresh and destroy. */
const updates = {
  "skip-preview": { ...yes, short: "f" },
  message: { ...text, short: "m" },
  "expect-no-changes": yes,
  refresh: yes,
  diff: yes,
  replace: texts,
  target: { ...texts, short: "t" },
  "target-dependents": yes,
  parallel: { ...text, short: "p" },
  "exec-agent": text,
  "exec-kind": text,
  "continue-on-error": yes,
  "run-program": text,
  "event-log": text,
  "clear-pending-creates": yes,
  "preview-only": yes,
  "exclude-protected": yes,
  remove: yes,
} as const;

const byCommand: Readonly<Record<string, NonNullable<ParseArgsConfig["options"]>>> = {
  preview: updates,
  up: updates,
  refresh: updates,
  destroy: updates,
  "stack init": { "no-select": yes, "secrets-provider": text },
  "stack rm": { force: yes, "preserve-config": yes },
  "stack export": { file: text },
  "stack import": { file: text, force: yes },
  "stack history": { "page-size": text, page: text },
  "stack ls": { all: { ...yes, short: "a" } },
  stack: {
    "show-name": yes,
    "show-ids": { ...yes, short: "i" },
    "show-urns": { ...yes, short: "u" },
  },
  "config set": { secret: yes, plaintext: yes, path: yes },
  "config set-all": { secret: texts, plaintext: texts, path: yes },
  "config get": { path: yes },
  "config rm": { path: yes },
  "config rm-all": { path: yes },
};

/** Flags and words of a command line. */
export interface CommandLine {
  readonly command: string;
  readonly words: readonly string[];
  text(flag: string): string | undefined;
  texts(flag: string): readonly string[];
  has(flag: string): boolean;
}

const aliases: Readonly<Record<string, string>> = { update: "up", down: "destroy", pre: "preview" };
const groups = new Set(["stack", "config", "plugin"]);

/** Splits a command line. @throws OfflineError naming a flag or command that this runner does not have */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [first = "", second = ""] = args;
  const name = aliases[first] ?? first;
  const grouped = groups.has(name) && second !== "" && !second.startsWith("-");
  const command = grouped ? `${name} ${second}` : name;
  const rest = args.slice(grouped ? 2 : 1);
  const options = { ...everywhere, ...byCommand[command] };
  let parsed;
  try {
    parsed = parseArgs({ args: [...rest], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new OfflineError(
      `pulumi ${command}: ${(error as Error).message}`,
      "docs/runner.md lists what this runner supports.",
    );
  }
  const values: Readonly<Record<string, unknown>> = parsed.values;
  return {
    command,
    words: parsed.positionals,
    text: (flag) => (typeof values[flag] === "string" ? values[flag] : undefined),
    texts: (flag) => (Array.isArray(values[flag]) ? (values[flag] as string[]) : []),
    has: (flag) => values[flag] === true,
  };
}

/** The help of a command: its flags. */
export function helpText(command: string): string {
  const flags = Object.keys({ ...everywhere, ...byCommand[command] });
  return `pulumi ${command}\n\nFlags:\n${flags.map((flag) => `      --${flag}`).join("\n")}\n`;
}
