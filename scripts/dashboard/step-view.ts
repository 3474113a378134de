import type { StepView } from "../../components/dashboard-page/dashboard-view.ts";
import type { HostProbe, HostStep, StackFacts } from "./readings.ts";

function hostStep({ name, state, code, lastLine, progress }: HostStep): StepView {
  const word =
    state === "running"
      ? "under way"
      : state === "gone"
        ? "cut off"
        : code === 0
          ? "done"
          : "failed";
  const share =
    progress === undefined || progress.total === 0 ? undefined : progress.ready / progress.total;
  const bytes =
    progress === undefined
      ? undefined
      : `${(progress.ready / 1e9).toFixed(2)} of ${(progress.total / 1e9).toFixed(2)} GB`;
  const detail =
    bytes ?? (state === "done" && code !== 0 ? `status ${code}: ${lastLine}` : lastLine);
  return { name, where: "host", state: word, detail, share };
}

/** What is under way and what was done: the engine's operations first, then the host's own steps. */
export function stackSteps(facts: StackFacts, host: HostProbe | undefined): readonly StepView[] {
  const engine = facts.pending.map(({ operation, name }): StepView => {
    return { name, where: "engine", state: "under way", detail: operation };
  });
  return [...engine, ...(host?.steps ?? []).map(hostStep)];
}
