import { figure, timeText } from "../../components/plan-figures.ts";
import type { JobState } from "./host-job.ts";

/** How far a training is, and when it will be done by its pace. */
export function progressLine({ progress, running, finished }: JobState): string {
  const losses = progress.filter(({ loss }) => loss !== undefined);
  const [first, last] = [losses[0], losses.at(-1)];
  if (last === undefined || first === undefined) {
    return running ? "no step is done yet" : "nothing was run yet";
  }
  const checkpoint = progress.findLast((entry) => entry.checkpoint !== undefined)?.checkpoint;
  const kept = checkpoint === undefined ? "" : `, checkpoint of step ${checkpoint}`;
  const steps = last.step - first.step;
  const pace = steps > 0 ? (last.time - first.time) / steps : undefined;
  const left =
    pace === undefined || !running ? "" : `, ${timeText(pace * (last.steps - last.step))} left`;
  const end = finished === undefined ? (running ? "" : "; stopped") : "; finished";
  const loss = typeof last.loss === "number" ? figure(last.loss) : "NaN";
  return `step ${last.step} of ${last.steps}, loss ${loss}${left}${kept}${end}`;
}
