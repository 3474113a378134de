import type { RungSamples } from "../../components/load-report/request-sample.ts";
import { UserError } from "../../components/user-error.ts";
import type { BenchRequest } from "./bench-options.ts";
import { closedLoop, openLoop } from "./loops.ts";
import { AnswerReader } from "./answer-reader.ts";
import { RequestFailure } from "./request-failure.ts";
import { RungRun, type LoadContext } from "./rung-run.ts";
import { seededRandom } from "./workload.ts";

/** A window shorter than this is not begun. */
const leastSeconds = 0.1;

/**
 * Sends requests one by one, so that the server has loaded and compiled what it does at first, and learns how many tokens
 * a word has.
 *
 * @throws UserError with the server's own words when one fails
 */
export async function warmUp(context: LoadContext, requests: number): Promise<void> {
  const { target, workload, budget, requestSeconds } = context;
  for (let turn = 0; turn < requests && budget.take(); turn += 1) {
    const request = workload.next();
    const reader = new AnswerReader(performance.now());
    const stop = new AbortController();
    const timer = setTimeout(() => {
      stop.abort();
    }, requestSeconds * 1000);
    const forget = budget.onEnd(() => {
      stop.abort();
    });
    try {
      await target.send(
        request,
        (piece) => {
          reader.feed(piece, performance.now());
        },
        stop.signal,
      );
      workload.learn(request, reader.sample(performance.now()).promptTokens);
    } catch (error) {
      if (budget.ended !== undefined) return;
      if (!(error instanceof RequestFailure)) throw error;
      const late = stop.signal.aborted ? `no whole answer in ${requestSeconds} s` : error.message;
      throw new UserError("The model did not answer the first requests, so nothing is measured.", {
        problems: [`${stop.signal.aborted ? "timeout" : error.kind}: ${late}`],
        hint: "berth status says whether it serves; --form chat asks a server that takes talks alone.",
        cause: error,
      });
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

/**
 * Climbs the ladder, rung by rung, until its end or until the budget's.
 *
 * @param reached is told of each rung when it begins
 */
export async function climb(
  context: LoadContext,
  { loads, settings }: Pick<BenchRequest, "loads" | "settings">,
  reached: (load: number) => void,
): Promise<readonly RungSamples[]> {
  const { budget } = context;
  const { loop, arrivals = "poisson", seed, rungSeconds } = settings;
  const random = seededRandom(seed);
  const rungs: RungSamples[] = [];
  for (const load of loads) {
    if (budget.ended !== undefined || budget.secondsLeft < leastSeconds) break;
    reached(load);
    const rung = new RungRun(context, load, Math.min(rungSeconds, budget.secondsLeft));
    if (loop === "closed") await closedLoop(rung, load);
    else await openLoop(rung, load, { arrivals, random });
    rungs.push(rung.finish());
  }
  return rungs;
}
