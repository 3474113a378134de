import type { Measured } from "../../../components/load-report/load-report.ts";
import type { RequestSample, RungSamples } from "../../../components/load-report/request-sample.ts";

/** A request that was answered, but for what is said. */
export function sampleOf(change: Partial<RequestSample>): RequestSample {
  return {
    failure: undefined,
    detail: undefined,
    firstTokenSeconds: 0.1,
    lastTokenSeconds: 1,
    wholeSeconds: 1,
    longestGapSeconds: 0.2,
    promptTokens: 20,
    answerTokens: 10,
    countedBy: "server",
    windowShare: 1,
    begunInWindow: true,
    ...change,
  };
}

/** A rung of one second. */
export function rungOf(load: number, samples: readonly RequestSample[]): RungSamples {
  return {
    load,
    samples,
    windowSeconds: 1,
    underWay: 0,
    partsInWindow: 10,
    stoppedParts: 0,
    clientBusy: 0.1,
  };
}

/** A whole load test of four rungs, the last with a failure. */
export function measured(change: Partial<Measured> = {}): Measured {
  const rung = (load: number, seconds: number) =>
    rungOf(
      load,
      Array.from({ length: load * 10 }, (_, index) =>
        sampleOf({ wholeSeconds: seconds * (1 + index / 100), firstTokenSeconds: seconds / 10 }),
      ),
    );
  const failed = sampleOf({ failure: "server-error", detail: "status 500: out of memory" });
  const last = rung(8, 3);
  return {
    at: "2026-11-01T12:00:00Z",
    target: {
      kind: "host",
      address: "192.0.2.7, through SSH",
      model: "llama-3.1-8b",
      instanceType: "g6.xlarge",
      hourlyUsd: 2,
      priceSource: "by the prices of 2026-08-21",
      emulated: false,
    },
    settings: {
      loop: "closed",
      arrivals: undefined,
      prompts: "random words",
      seed: 1,
      warmUpRequests: 3,
      rungSeconds: 1,
      requestSeconds: 60,
      maxSeconds: 600,
      maxRequests: 5000,
      mostFailed: 0.1,
    },
    limits: { firstTokenSeconds: 0.25, wholeSeconds: undefined },
    client: { ceilingPartsPerSecond: 50_000, roundTripSeconds: 0.02 },
    ended: "done",
    samples: [
      rung(1, 1),
      rung(2, 1.1),
      rung(4, 1.2),
      { ...last, samples: [...last.samples, failed] },
    ],
    estimate: (_prompt, _answer, concurrency) => ({
      tokensPerSecond: { low: 50, high: 90 },
      totalTokensPerSecond: { low: 60 * concurrency, high: 140 * concurrency },
      firstTokenSeconds: { low: 0.05, high: 0.2 },
      requestSeconds: { low: 0.7, high: 1.4 },
    }),
    ...change,
  };
}
