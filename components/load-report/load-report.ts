import { perMillionTokensUsd } from "../pricing/rung-cost.ts";
import { middle, type Range } from "../range.ts";
import type { ServingSpeed } from "../throughput/serving-speed.ts";
import { findKnee, type Knee, type LatencyLimits } from "./knee.ts";
import type { RungSamples } from "./request-sample.ts";
import { rungFigures, type RungFigures } from "./rung-figures.ts";

/** What was asked. */
export interface MeasuredTarget {
  readonly kind: "host" | "endpoint" | "url";
  /** Its address, or the endpoint's name. */
  readonly address: string;
  readonly model: string;
  readonly instanceType: string | undefined;
  /** What an hour of it costs; undefined where nobody said. */
  readonly hourlyUsd: number | undefined;
  /** Where that price is from. */
  readonly priceSource: string | undefined;
  /** Whether it runs in the emulated cloud, where no GPU is real. */
  readonly emulated: boolean;
}

/** How it was asked. */
export interface LoadSettings {
  /** `closed`: so many clients, each waiting for its answer. `open`: so many requests a second, come what may. */
  readonly loop: "closed" | "open";
  /** Of an open loop. */
  readonly arrivals: "even" | "poisson" | undefined;
  /** Where the prompts are from. */
  readonly prompts: string;
  readonly seed: number;
  readonly warmUpRequests: number;
  readonly rungSeconds: number;
  readonly requestSeconds: number;
  readonly maxSeconds: number;
  readonly maxRequests: number;
  /** Above this share of failures the test ends, 0 to 1. */
  readonly mostFailed: number;
}

/** What the planner says of the same load. */
export interface PlannedRung {
  readonly answerTokensPerSecond: Range;
  readonly perMillionAnswerTokensUsd: Range;
  /** Measured tokens a second by the middle of the estimate: above 1 the planner was too careful. */
  readonly ratio: number;
}

/** A rung with its price. */
export interface ReportedRung extends RungFigures {
  /** All of the hour's price on the answers, as the plan counts it. */
  readonly perMillionAnswerTokensUsd: number | undefined;
  /** The same, over prompt and answer tokens alike. */
  readonly perMillionTokensUsd: number | undefined;
  readonly planned: PlannedRung | undefined;
}

/** What a load test found. */
export interface LoadReport {
  readonly schemaVersion: 1;
  /** When it ended, RFC 3339. */
  readonly at: string;
  readonly target: MeasuredTarget;
  readonly settings: LoadSettings;
  readonly limits: LatencyLimits;
  readonly client: {
    /** Parts of answers that this client takes a second, at least. */
    readonly ceilingPartsPerSecond: number;
    /** A small request there and back; it is in every latency. */
    readonly roundTripSeconds: number | undefined;
  };
  readonly rungs: readonly ReportedRung[];
  readonly knee: Knee | undefined;
  readonly ended: "done" | "max-seconds" | "max-requests" | "deadline" | "failures" | "interrupted";
  /** What failed requests were told, each once. */
  readonly complaints: readonly string[];
}

/** The planner's speed for requests of this shape; undefined where it has none. */
export type Estimate = (
  promptTokens: number,
  answerTokens: number,
  concurrency: number,
) => ServingSpeed | undefined;

/** What a report is made from. */
export interface Measured extends Pick<
  LoadReport,
  "at" | "target" | "settings" | "limits" | "client" | "ended"
> {
  readonly samples: readonly RungSamples[];
  readonly estimate: Estimate;
}

function usdPerMillion(hourlyUsd: number | undefined, tokensPerSecond: number | undefined) {
  if (hourlyUsd === undefined || tokensPerSecond === undefined || tokensPerSecond <= 0) {
    return undefined;
  }
  return (hourlyUsd / 3600 / tokensPerSecond) * 1e6;
}

function plannedRung(figures: RungFigures, hourlyUsd: number, estimate: Estimate) {
  const { meanPromptTokens, meanAnswerTokens, load, answerTokensPerSecond } = figures;
  if (meanPromptTokens === undefined || meanAnswerTokens === 0) return undefined;
  const speed = estimate(meanPromptTokens, meanAnswerTokens, load)?.totalTokensPerSecond;
  if (speed === undefined) return undefined;
  return {
    answerTokensPerSecond: speed,
    perMillionAnswerTokensUsd: perMillionTokensUsd(hourlyUsd, speed),
    ratio: answerTokensPerSecond / middle(speed),
  };
}

function reportedRung(rung: RungSamples, { target, client, settings, estimate }: Measured) {
  const { hourlyUsd } = target;
  const figures = rungFigures(rung, client.ceilingPartsPerSecond);
  const { answerTokensPerSecond, promptTokensPerSecond } = figures;
  const both =
    promptTokensPerSecond === undefined ? undefined : answerTokensPerSecond + promptTokensPerSecond;
  // The planner knows how many are served at once, which an open loop does not set.
  const comparable = settings.loop === "closed" && hourlyUsd !== undefined;
  return {
    ...figures,
    perMillionAnswerTokensUsd: usdPerMillion(hourlyUsd, answerTokensPerSecond),
    perMillionTokensUsd: usdPerMillion(hourlyUsd, both),
    planned: comparable ? plannedRung(figures, hourlyUsd, estimate) : undefined,
  };
}

/** As many complaints are kept. */
const complaintsKept = 8;

function complaintsOf(samples: readonly RungSamples[]): string[] {
  const all = samples.flatMap((rung) =>
    rung.samples.flatMap(({ failure, detail }) =>
      failure === undefined ? [] : [`${failure}: ${detail ?? "?"}`],
    ),
  );
  return [...new Set(all)].slice(0, complaintsKept);
}

/** The report of a load test. Pure. */
export function loadReport(measured: Measured): LoadReport {
  const { at, target, settings, limits, client, ended, samples } = measured;
  const rungs = samples
    .filter((rung) => rung.samples.length > 0 || rung.stoppedParts > 0)
    .map((rung) => reportedRung(rung, measured));
  const knee = findKnee(rungs, limits);
  const complaints = complaintsOf(samples);
  return { schemaVersion: 1, at, target, settings, limits, client, rungs, knee, ended, complaints };
}
