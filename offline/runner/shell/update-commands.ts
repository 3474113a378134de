import type { EngineEvent, PropertyMap, UpdateKind, UpdateResult } from "../contract.ts";
import { runUpdate } from "../engine/update.ts";
import { FileStore } from "./backend.ts";
import { confirm, mustAsk } from "./confirm.ts";
import { Display } from "./display.ts";
import { openEventLog, type EventLog } from "./event-log.ts";
import type { CommandLine } from "./flags.ts";
import { recordUpdate } from "./history.ts";
import { PreviewDigest } from "./preview-digest.ts";
import { outputsJson } from "./stack-commands.ts";
import type { Workspace } from "./workspace.ts";

/** First Ctrl-C: what runs ends, nothing new begins. Second: all is killed. */
function interrupts(): { readonly signal: AbortSignal; readonly killSignal: AbortSignal } {
  const [gentle, hard] = [new AbortController(), new AbortController()];
  const interrupt = () => {
    if (gentle.signal.aborted) hard.abort();
    else {
      process.stderr.write("Interrupted: waiting for what is running to end; again to kill it.\n");
      gentle.abort();
    }
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return { signal: gentle.signal, killSignal: hard.signal };
}

/** What takes the events of one run, and says at its end what there is to say. */
interface Sink {
  readonly emit: (event: EngineEvent) => void;
  readonly finish: (result: UpdateResult) => void;
}

const toStdout = (text: string) => process.stdout.write(text);

function sinkOf(line: CommandLine, kind: UpdateKind, preview: boolean): Sink {
  if (line.has("json") && preview) {
    const digest = new PreviewDigest(false);
    return {
      emit: (event) => {
        digest.add(event);
      },
      finish: () => toStdout(digest.text()),
    };
  }
  if (line.has("json")) {
    return { emit: (event) => toStdout(`${JSON.stringify(event)}\n`), finish: () => undefined };
  }
  const display = new Display(toStdout, preview);
  const quiet = line.has("suppress-progress");
  return {
    emit: (event) => {
      if (!quiet) display.show(event);
    },
    finish: ({ result, outputs }) => {
      if (result === "failed" || outputs === undefined || kind === "destroy") return;
      if (!line.has("suppress-outputs")) showOutputs(outputs, line.has("show-secrets"));
    },
  };
}

function showOutputs(outputs: PropertyMap, revealed: boolean): void {
  const lines = Object.entries(outputsJson(outputs, revealed)).map(
    ([name, value]) => `    ${name}: ${JSON.stringify(value)}`,
  );
  if (lines.length > 0) toStdout(`\nOutputs:\n${lines.join("\n")}\n`);
}

function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`);
}

/** The exit code of a result; why it failed goes to stderr. */
function exitCode(kind: UpdateKind, result: UpdateResult): number {
  if (result.result === "succeeded") return 0;
  process.stderr.write(`error: ${result.message ?? `${kind} failed`}\n`);
  return result.cancelled ? 130 : 255;
}

/** Runs preview, up, refresh or destroy, after a preview and a question where nobody said yes. @returns the exit code */
export async function update(
  line: CommandLine,
  workspace: Workspace,
  kind: UpdateKind,
): Promise<number> {
  const ask = mustAsk(line, kind);
  const previewOnly = kind === "preview" || line.has("preview-only");
  const { backend, project } = workspace;
  const stack = workspace.stack(line);
  backend.read(project.name, stack);
  workspace.settings(line).secrets();
  const release = previewOnly ? () => undefined : backend.lock(project.name, stack);
  try {
    // An open log holds the process, so it opens last: what is refused before ends at once.
    const log = openEventLog(line.text("event-log"), warn);
    try {
      return await lockedUpdate(line, workspace, { kind, ask, previewOnly, log });
    } finally {
      await log.close();
    }
  } finally {
    release();
  }
}

interface LockedUpdate {
  readonly kind: UpdateKind;
  readonly ask: boolean;
  readonly previewOnly: boolean;
  readonly log: EventLog;
}

async function lockedUpdate(
  line: CommandLine,
  workspace: Workspace,
  { kind, ask, previewOnly, log }: LockedUpdate,
): Promise<number> {
  const { backend, project } = workspace;
  const stack = workspace.stack(line);
  const stop = interrupts();
  const run = (preview: boolean) => runOnce(line, workspace, { kind, preview, stop, log });
  if (ask) {
    const looked = await run(true);
    if (looked.result === "failed") return exitCode(kind, looked);
    if (!(await confirm(kind))) {
      process.stderr.write(`error: confirmation declined, not proceeding with the ${kind}\n`);
      return 255;
    }
  }
  if (!previewOnly) backend.backUp(project.name, stack);
  const startedAt = new Date();
  const result = await run(previewOnly);
  if (!previewOnly) recordUpdate(line, workspace, { kind, startedAt, result });
  if (kind === "destroy" && line.has("remove") && result.result === "succeeded") {
    backend.remove(project.name, stack);
    workspace.settings(line).delete();
  }
  return exitCode(kind, result);
}

/** One run of the engine: the preview of an update, or the update. */
async function runOnce(
  line: CommandLine,
  workspace: Workspace,
  run: { kind: UpdateKind; preview: boolean; stop: ReturnType<typeof interrupts>; log: EventLog },
): Promise<UpdateResult> {
  const { kind, preview, stop, log } = run;
  const { backend, project } = workspace;
  const stack = workspace.stack(line);
  const settings = workspace.settings(line);
  const sink = sinkOf(line, kind, preview);
  const parallel = line.text("parallel");
  const targets = line.texts("target");
  const result = await runUpdate({
    kind,
    project,
    stack,
    config: settings.config(),
    store: new FileStore(backend, { project: project.name, stack }, settings.secrets()),
    parallel: parallel === undefined ? undefined : Number(parallel),
    targets: targets.length > 0 ? targets : undefined,
    targetDependents: line.has("target-dependents"),
    replace: line.texts("replace"),
    continueOnError: line.has("continue-on-error"),
    refreshFirst: kind !== "refresh" && line.has("refresh"),
    runProgram: line.text("run-program") === "true",
    excludeProtected: line.has("exclude-protected"),
    expectNoChanges: line.has("expect-no-changes"),
    clearPendingCreates: line.has("clear-pending-creates"),
    previewOnly: preview && kind !== "preview",
    emit: (event) => {
      log.add(event);
      sink.emit(event);
    },
    ...stop,
  });
  sink.finish(result);
  return result;
}
