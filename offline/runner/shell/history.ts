import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OfflineError } from "../../offline-error.ts";
import type { ResourceChanges, UpdateKind, UpdateResult } from "../contract.ts";
import { writeDurably } from "./durable-file.ts";
import type { CommandLine } from "./flags.ts";
import type { StackSettings } from "./stack-settings.ts";
import type { Workspace } from "./workspace.ts";

/** One update as Pulumi keeps it (`UpdateInfo`, sdk/go/common/backend of pulumi/pulumi). */
interface UpdateRecord {
  readonly kind: "update" | "refresh" | "destroy";
  /** Unix time in seconds. */
  readonly startTime: number;
  readonly message: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Settings as they stand in the stack's file: secrets as `{ secure: <ciphertext> }`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly result: "succeeded" | "failed";
  /** Unix time in seconds. */
  readonly endTime: number;
  readonly resourceChanges: ResourceChanges;
}

/** The updates of one stack, in the folder where Pulumi's file backend keeps them. */
export class UpdateHistory {
  readonly #folder: string;
  readonly #stack: string;

  constructor(root: string, project: string, stack: string) {
    this.#folder = join(root, "history", project, stack);
    this.#stack = stack;
  }

  /** Adds an update, with the state that it led to. */
  add(record: UpdateRecord, stateFile: string): void {
    // Names count nanoseconds since 1970.
    const prefix = join(this.#folder, `${this.#stack}-${BigInt(Date.now()) * 1_000_000n}`);
    writeDurably(`${prefix}.history.json`, JSON.stringify(record));
    writeDurably(`${prefix}.checkpoint.json`, readFileSync(stateFile, "utf8"));
  }

  /** The latest first. */
  list(): readonly UpdateRecord[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(".history.json"))
      .toSorted()
      .toReversed()
      .map((name) => JSON.parse(readFileSync(join(this.#folder, name), "utf8")) as UpdateRecord);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Keeps a finished update; a disk that lacks the room for it is a warning, since the update itself is done. */
export function recordUpdate(
  line: CommandLine,
  workspace: Workspace,
  update: { kind: UpdateKind; startedAt: Date; result: UpdateResult },
): void {
  const { kind, startedAt, result } = update;
  if (kind === "preview") return;
  const stack = workspace.stack(line);
  const { backend, project } = workspace;
  const record: UpdateRecord = {
    kind: kind === "up" ? "update" : kind,
    startTime: Math.floor(startedAt.getTime() / 1000),
    message: line.text("message") ?? "",
    environment: {},
    config: workspace.settings(line).stored(),
    result: result.result,
    endTime: Math.floor(Date.now() / 1000),
    resourceChanges: result.resourceChanges,
  };
  try {
    backend.history(project.name, stack).add(record, backend.stateFile(project.name, stack));
  } catch (error) {
    process.stderr.write(`warning: no history of this update: ${(error as Error).message}\n`);
  }
}

function wholeNumber(line: CommandLine, flag: string, unset: number): number {
  const text = line.text(flag);
  if (text === undefined) return unset;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OfflineError(`--${flag} must be a whole number, and is "${text}"`);
}

/** A setting of a past update; one that the stack's passphrase no longer opens says so. */
function shownSetting(stored: unknown, settings: StackSettings, revealed: boolean): unknown {
  if (settings.isSecret(stored) && !revealed) return { secret: true };
  try {
    const { value, object, secret } = settings.open(stored);
    return {
      value,
      ...(object === true ? { objectValue: JSON.parse(value) as unknown } : {}),
      secret,
    };
  } catch {
    return { value: "ERROR_UNABLE_TO_DECRYPT", secret: true };
  }
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** `pulumi stack history`. */
export function showHistory(line: CommandLine, workspace: Workspace): string {
  const stack = workspace.stack(line);
  workspace.backend.read(workspace.project.name, stack);
  const size = wholeNumber(line, "page-size", 10);
  const page = Math.max(wholeNumber(line, "page", 1), 1);
  const all = workspace.backend.history(workspace.project.name, stack).list();
  const records = size === 0 ? all : all.slice((page - 1) * size, page * size);
  if (line.has("json")) {
    const settings = workspace.settings(line);
    const shown = (stored: unknown) => shownSetting(stored, settings, line.has("show-secrets"));
    const rows = records.map(({ config, startTime, endTime, ...rest }) => ({
      version: 0,
      ...rest,
      startTime: timeOf(startTime),
      endTime: timeOf(endTime),
      config: Object.fromEntries(Object.entries(config).map(([key, raw]) => [key, shown(raw)])),
    }));
    return `${JSON.stringify(rows, null, 2)}\n`;
  }
  if (records.length === 0) return "Stack has never been updated\n";
  return records.map(recordText).join("\n");
}

function recordText(record: UpdateRecord): string {
  const { kind, result, message, startTime, endTime, resourceChanges } = record;
  const changes = Object.entries(resourceChanges).map(([op, count]) => `${count} ${op}`);
  const rows = [
    `UpdateKind: ${kind}`,
    `Status: ${result}`,
    ...(message === "" ? [] : [`Message: ${message}`]),
    `Resources: ${changes.join(", ")}`,
    `Updated ${timeOf(startTime)}, took ${endTime - startTime} s`,
  ];
  return `${rows.join("\n")}\n`;
}
