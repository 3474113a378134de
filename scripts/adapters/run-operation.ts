import {
  CommandError,
  ConcurrentUpdateError,
  type EngineEvent,
} from "@pulumi/pulumi/automation/index.js";
import { UserError } from "../../components/user-error.ts";
import { InterruptedError, ProvisioningError } from "../cli/command-error.ts";
import { StepProgress, type StepRecord } from "./step-progress.ts";
import type { Terminal } from "./terminal.ts";

/** How the engine is listened to and stopped. */
export interface OperationHooks {
  readonly onEvent: (event: EngineEvent) => void;
  readonly signal: AbortSignal;
}

/** What came of an operation. */
export interface OperationReport<T> {
  readonly result: T;
  readonly steps: readonly StepRecord[];
  readonly warnings: readonly string[];
  readonly seconds: number;
}

/** What is run. */
export interface Operation<T> {
  /** For messages: `up`, `down`, `preview`. */
  readonly name: string;
  readonly terminal: Terminal;
  /** For the message of a failure. @default how an `up` is gone on with; nothing for others */
  readonly next?: string;
  readonly work: (hooks: OperationHooks) => Promise<T>;
}

const upAgain = 'Run it again to go on, or "down" to remove what was made.';

/** What the Automation API puts around the engine's own words, among them its command line with all its flags. */
const wrapping =
  /^(code: |stdout:|stderr:)\s*-?\d*$|^(stderr: |err\?: |Error: )*Command failed with exit code/;

/** The last lines that the command printed, each once, for a failure that no event explained. */
function lastWords(error: unknown): readonly string[] {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !wrapping.test(line))
    .map((line) => line.replace(/^(stderr: )?error: /, ""));
  return [...new Set(lines)].slice(-12);
}

/**
 * Runs an operation of the engine with its progress. The first Ctrl-C asks the engine to stop in order, and waits for it.
 *
 * @throws ProvisioningError when it fails, InterruptedError when it was stopped
 */
export async function runOperation<T>({
  name,
  terminal,
  work,
  next = name === "up" ? upAgain : "",
}: Operation<T>): Promise<OperationReport<T>> {
  const progress = new StepProgress(terminal, name === "preview");
  const interruption = listenForInterruption(terminal);
  const { stop } = interruption;
  try {
    const onEvent = (event: EngineEvent): void => {
      progress.take(event);
    };
    const result = await work({ onEvent, signal: stop.signal });
    const { steps, warnings, seconds } = progress;
    return { result, steps, warnings, seconds };
  } catch (error) {
    throw explained({ name, next }, error, progress, interruption.came());
  } finally {
    progress.close();
    interruption.forget();
  }
}

/** Hears Ctrl-C and hands it on to the engine. The listener stays: without one, a library of the engine ends this process. */
function listenForInterruption(terminal: Terminal) {
  const stop = new AbortController();
  let heard = 0;
  const listener = (signal: NodeJS.Signals): void => {
    heard += 1;
    if (heard === 1) terminal.complain("  stopping after the steps that are under way ...");
    // A terminal's Ctrl-C has reached the engine too, and it takes a second one for "at once".
    if (signal === "SIGTERM" || !process.stdin.isTTY) stop.abort();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, listener);
  const forget = (): void => {
    for (const signal of signals) process.off(signal, listener);
  };
  return { stop, forget, came: () => heard > 0 };
}

function explained(
  { name, next }: { readonly name: string; readonly next: string },
  error: unknown,
  progress: StepProgress,
  aborted: boolean,
): unknown {
  if (aborted) {
    return new InterruptedError(
      name === "down"
        ? 'Stopped. What was removed so far is recorded: "down" again goes on.'
        : `Stopped. What was made so far is recorded: "${name}" again goes on, "down" removes it.`,
    );
  }
  if (error instanceof ConcurrentUpdateError) {
    return new UserError("Somebody else works on this stack right now.", {
      problems: lastWords(error),
      hint: "Wait for them; if that process is dead: pulumi cancel.",
      cause: error,
    });
  }
  if (!(error instanceof CommandError)) return error;
  const failed = progress.steps.filter(({ ok }) => !ok).map((step) => step.name);
  const where = failed.length === 0 ? "" : ` at ${failed.join(", ")}`;
  const messages = progress.errors.length > 0 ? progress.errors : lastWords(error);
  return new ProvisioningError(
    `${name} failed after ${progress.seconds.toFixed(0)} s${where}. ${next}`.trimEnd(),
    messages,
    error,
  );
}
