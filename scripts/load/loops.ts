import { Gate } from "../../provider/adapters/gate.ts";
import type { RequestFailure } from "./request-failure.ts";
import { RungRun } from "./rung-run.ts";

/** After a failure a client waits so long, doubled with each further one. */
const firstPauseMs = 100;
const longestPauseMs = 5000;
/** Connections at once at most; what is due beyond them waits, and its wait counts as latency. */
const mostUnderWay = 1000;

function pauseMs({ retryAfterSeconds }: RequestFailure, misses: number): number {
  if (retryAfterSeconds !== undefined) return retryAfterSeconds * 1000;
  return Math.min(longestPauseMs, firstPauseMs * 2 ** (misses - 1));
}

/** A closed loop: so many clients, each of which sends its next request when its last has been answered. */
export async function closedLoop(rung: RungRun, clients: number): Promise<void> {
  const client = async (): Promise<void> => {
    let misses = 0;
    while (rung.open && rung.context.budget.take()) {
      const failure = await rung.ask(performance.now());
      misses = failure === undefined ? 0 : misses + 1;
      if (failure !== undefined) await rung.pause(pauseMs(failure, misses));
    }
    // One client fewer is another load.
    rung.closeWindow();
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** When requests arrive: at even distances, or as from many people who know nothing of each other. */
export type Arrivals = "even" | "poisson";

/** An open loop: requests arrive so often, whether or not earlier ones have been answered. */
export async function openLoop(
  rung: RungRun,
  perSecond: number,
  { arrivals, random }: { readonly arrivals: Arrivals; readonly random: () => number },
): Promise<void> {
  const gate = new Gate(mostUnderWay);
  const sent: Promise<unknown>[] = [];
  const beganMs = performance.now();
  const endMs = beganMs + rung.windowSeconds * 1000;
  for (let dueMs = beganMs; dueMs < endMs && rung.open;) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await rung.pause(waitMs);
    if (!rung.context.budget.take()) break;
    const due = dueMs;
    sent.push(gate.run(() => rung.ask(due)));
    const gap = arrivals === "even" ? 1 : -Math.log(1 - random());
    dueMs += (gap / perSecond) * 1000;
  }
  if (rung.context.budget.ended === "max-requests") rung.closeWindow();
  await rung.pause(endMs - performance.now());
  await Promise.all(sent);
}
