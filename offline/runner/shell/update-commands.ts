import { appendFileSync } from "node:fs";
import { OfflineError } from "../../offline-error.ts";
import type { EngineEvent, UpdateKind, UpdateResult } from "../contract.ts";
import { runUpdate } from "../engine/update.ts";
import { FileStore } from "./backend.ts";
import { Display } from "./display.ts";
import type { CommandLine } from "./flags.ts";
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

function refuseUnconfirmed(line: CommandLine, kind: UpdateKind): void {
  if (kind === "preview" || line.has("yes") || line.has("preview-only")) return;
  throw new OfflineError(
    `--yes must be passed to ${line.command}: this runner does not ask.`,
    "Run `pulumi preview` to see what would change, then give --yes.",
  );
}

function sink(line: CommandLine, preview: boolean): (event: EngineEvent) => void {
  const log = line.text("event-log");
  const quiet = line.has("json") || line.has("suppress-progress");
  const display = new Display((text) => process.stdout.write(text), preview);
  return (event) => {
    if (log !== undefined) appendFileSync(log, `${JSON.stringify(event)}\n`);
    if (!quiet) display.show(event);
  };
}

function finish(line: CommandLine, kind: UpdateKind, result: UpdateResult): number {
  if (result.result === "failed") {
    process.stderr.write(`error: ${result.message ?? `${kind} failed`}\n`);
    return result.cancelled ? 130 : 255;
  }
  if (line.has("json")) {
    const { resourceChanges, durationSeconds } = result;
    process.stdout.write(
      `${JSON.stringify({ changeSummary: resourceChanges, duration: durationSeconds })}\n`,
    );
  } else if (!line.has("suppress-outputs") && result.outputs !== undefined && kind !== "destroy") {
    const outputs = Object.entries(outputsJson(result.outputs, line.has("show-secrets")));
    const lines = outputs.map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`);
    if (lines.length > 0) process.stdout.write(`\nOutputs:\n${lines.join("\n")}\n`);
  }
  return 0;
}

/** Runs preview, up, refresh or destroy. @returns the exit code */
export async function update(
  line: CommandLine,
  workspace: Workspace,
  kind: UpdateKind,
): Promise<number> {
  refuseUnconfirmed(line, kind);
  const { backend, project } = workspace;
  const stack = workspace.stack(line);
  const settings = workspace.settings(line);
  backend.read(project.name, stack);
  const secrets = settings.secrets();
  const previewOnly = line.has("preview-only");
  const preview = kind === "preview" || previewOnly;
  const release = preview ? () => undefined : backend.lock(project.name, stack);
  try {
    if (!preview) backend.backUp(project.name, stack);
    const parallel = line.text("parallel");
    const result = await runUpdate({
      kind,
      project,
      stack,
      config: settings.config(),
      store: new FileStore(backend, { project: project.name, stack }, secrets),
      parallel: parallel === undefined ? undefined : Number(parallel),
      targets: line.texts("target").length > 0 ? line.texts("target") : undefined,
      targetDependents: line.has("target-dependents"),
      replace: line.texts("replace"),
      continueOnError: line.has("continue-on-error"),
      refreshFirst: kind !== "refresh" && line.has("refresh"),
      runProgram: line.text("run-program") === "true",
      excludeProtected: line.has("exclude-protected"),
      expectNoChanges: line.has("expect-no-changes"),
      clearPendingCreates: line.has("clear-pending-creates"),
      previewOnly,
      emit: sink(line, preview),
      ...interrupts(),
    });
    if (kind === "destroy" && line.has("remove") && result.result === "succeeded") {
      backend.remove(project.name, stack);
      settings.delete();
    }
    return finish(line, kind, result);
  } finally {
    release();
  }
}
