import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "../../provider/detached-step.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findTrainingJob, TrainingLog, type TrainingJobView } from "../adapters/training-jobs.ts";
import { ProvisioningError } from "../cli/command-error.ts";

/** What following a job takes. */
interface Following {
  readonly terminal: Terminal;
  /** In the emulated cloud a job may be over in a second. */
  readonly isLocal: boolean;
}

/**
 * Follows a job to its end: each step that SageMaker takes it through, and each line of its containers.
 *
 * @throws ProvisioningError when it failed, with SageMaker's reason and its last lines
 */
export async function followTraining(
  scope: AccountScope,
  name: string,
  { terminal, isLocal }: Following,
): Promise<TrainingJobView> {
  const log = new TrainingLog(scope, name);
  const lines: string[] = [];
  const pauseMs = isLocal ? 500 : 10_000;
  let told = "";
  for (;;) {
    const view = await findTrainingJob(scope, name);
    if (view === undefined) throw new ProvisioningError(`There is no training job ${name}.`, []);
    if (view.step !== told) terminal.say(`  ${view.step}`);
    told = view.step;
    const over = view.status !== "InProgress" && view.status !== "Stopping";
    // What containers said last reaches CloudWatch a moment after their end.
    if (over) await sleep(pauseMs);
    for (const line of await log.next()) {
      lines.push(line);
      if (line.trim() !== "") terminal.say(line);
    }
    if (over) {
      if (view.status !== "Failed") return view;
      throw new ProvisioningError(`The training failed: ${view.failure ?? "no reason is told"}.`, [
        lastLines(lines),
      ]);
    }
    await sleep(pauseMs);
  }
}

/** How a job came to its end, and how it is gone on with. */
export function trainingEnd(
  { step }: TrainingJobView,
  finished: boolean,
  { again }: { readonly again: string },
): readonly string[] {
  if (finished) return ["finished   the result is in S3"];
  const why =
    step === "MaxRuntimeExceeded"
      ? "its time was up"
      : step === "MaxWaitTimeExceeded"
        ? "it waited for spot capacity, or lost it, for as long as it may"
        : "before its end";
  const more = step === "MaxWaitTimeExceeded" ? "; --on-demand does not wait for spot" : "";
  return [`stopped    ${why}; the same start goes on from its newest checkpoint${more}: ${again}`];
}
