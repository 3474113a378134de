import { spreadOf, type Spread } from "./quantile.ts";
import {
  failureKinds,
  type FailureKind,
  type RequestSample,
  type RungSamples,
} from "./request-sample.ts";

/** The figures of one rung of a load test. */
export interface RungFigures {
  /** Requests under way at once (closed loop), or that arrive a second (open loop). */
  readonly load: number;
  readonly requests: number;
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>;
  /** 0 to 1. */
  readonly failedShare: number;
  readonly windowSeconds: number;
  readonly underWay: number;
  /** Undefined where no request was answered. */
  readonly firstTokenSeconds: Spread | undefined;
  /** Between tokens after the first: (last token - first token) / (tokens - 1) of each request. */
  readonly perTokenSeconds: Spread | undefined;
  readonly wholeSeconds: Spread | undefined;
  readonly longestGapSeconds: Spread | undefined;
  readonly requestsPerSecond: number;
  /** Undefined where the server does not count them. */
  readonly promptTokensPerSecond: number | undefined;
  readonly answerTokensPerSecond: number;
  /** Of a request, on average. */
  readonly meanPromptTokens: number | undefined;
  readonly meanAnswerTokens: number;
  readonly countedBy: "server" | "parts" | "both";
  readonly partsPerSecond: number;
  readonly clientBusy: number;
  /** Whether this client may have been the bottleneck. */
  readonly clientBound: boolean;
}

/** A client that is busy for so much of the time delays what it measures. */
const busyShare = 0.85;
/** So near to what the client took of a server that answers at once. */
const ceilingShare = 0.7;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

function perToken({ firstTokenSeconds, lastTokenSeconds, answerTokens }: RequestSample): number[] {
  if (firstTokenSeconds === undefined || lastTokenSeconds === undefined) return [];
  return answerTokens < 2 ? [] : [(lastTokenSeconds - firstTokenSeconds) / (answerTokens - 1)];
}

function failuresOf(samples: readonly RequestSample[]): Partial<Record<FailureKind, number>> {
  const counts = failureKinds.map(
    (kind) => [kind, samples.filter(({ failure }) => failure === kind).length] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function countedBy(answered: readonly RequestSample[]): RungFigures["countedBy"] {
  const ways = new Set(answered.map((sample) => sample.countedBy));
  if (ways.size > 1) return "both";
  return ways.has("server") ? "server" : "parts";
}

/**
 * The figures of a rung. Rates count what came in the window alone; an answer that was still being made at its end counts
 * by the share that had come. Latencies are of every request that was answered, those that ended later included.
 *
 * @param ceilingPartsPerSecond what this client takes at most
 */
export function rungFigures(rung: RungSamples, ceilingPartsPerSecond: number): RungFigures {
  const { samples, windowSeconds, load, underWay, clientBusy } = rung;
  const answered = samples.filter(({ failure }) => failure === undefined);
  const prompts = answered.flatMap(({ promptTokens }) => promptTokens ?? []);
  const begun = answered.filter(({ begunInWindow }) => begunInWindow);
  const rate = (amounts: readonly number[]) => sum(amounts) / windowSeconds;
  const partsPerSecond = rung.partsInWindow / windowSeconds;
  return {
    load,
    requests: samples.length,
    failures: failuresOf(samples),
    failedShare: samples.length === 0 ? 0 : 1 - answered.length / samples.length,
    windowSeconds,
    underWay,
    firstTokenSeconds: spreadOf(answered.flatMap((sample) => sample.firstTokenSeconds ?? [])),
    perTokenSeconds: spreadOf(answered.flatMap(perToken)),
    wholeSeconds: spreadOf(answered.map((sample) => sample.wholeSeconds)),
    longestGapSeconds: spreadOf(answered.map((sample) => sample.longestGapSeconds)),
    requestsPerSecond: rate(answered.map(({ windowShare }) => windowShare)),
    promptTokensPerSecond:
      prompts.length === 0 || prompts.length < answered.length
        ? undefined
        : rate(begun.map(({ promptTokens }) => promptTokens ?? 0)),
    answerTokensPerSecond: rate([
      ...answered.map(({ answerTokens, windowShare: share }) => answerTokens * share),
      rung.stoppedParts,
    ]),
    meanPromptTokens: prompts.length === 0 ? undefined : mean(prompts),
    meanAnswerTokens: mean(answered.map(({ answerTokens }) => answerTokens)),
    countedBy: countedBy(answered),
    partsPerSecond,
    clientBusy,
    clientBound: clientBusy > busyShare || partsPerSecond > ceilingShare * ceilingPartsPerSecond,
  };
}
