import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { openHttpTarget } from "./http-target.ts";
import { LoadBudget } from "./load-budget.ts";
import { closedLoop } from "./loops.ts";
import { RungRun } from "./rung-run.ts";
import { syntheticWorkload } from "./workload.ts";

const clients = 16;
const answerTokens = 200;

/**
 * Parts of answers that this client takes a second from a server in a thread of this process that answers at once: at
 * least so many, for that server may be the slower one.
 */
export async function measureClientCeiling(seconds = 0.8): Promise<number> {
  const server = new Worker(new URL("./instant-server.mjs", import.meta.url));
  const [port] = (await once(server, "message")) as [number];
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const asked = {
    model: "instant",
    form: "completion",
    token: undefined,
    ignoreEos: false,
  } as const;
  const target = openHttpTarget({ baseUrl, ...asked });
  const budget = new LoadBudget(seconds * 5, Infinity, undefined);
  const workload = syntheticWorkload({
    promptTokens: { least: 8, most: 8 },
    answerTokens: { least: answerTokens, most: answerTokens },
    seed: 1,
  });
  try {
    const rung = new RungRun(
      { target, workload, budget, requestSeconds: 10, mostFailed: 0 },
      clients,
      seconds,
    );
    await closedLoop(rung, clients);
    const { partsInWindow, windowSeconds } = rung.finish();
    return partsInWindow / windowSeconds;
  } finally {
    budget.close();
    target.close();
    await server.terminate();
  }
}
