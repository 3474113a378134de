/** Why a request has no whole answer. */
export const failureKinds = [
  "unreachable",
  "throttled",
  "client-error",
  "server-error",
  "redirect",
  "cut",
  "malformed",
  "empty",
  "timeout",
] as const;

/**
 * `unreachable`: no connection, or it broke before the answer began. `throttled`: status 429, or SageMaker's name for it.
 * `client-error`, `server-error`: the other 4xx and 5xx, and an error in the stream. `cut`: the stream ended in the middle.
 * `malformed`: what came is no stream of events in OpenAI's form. `empty`: an answer without a token. `timeout`: not whole
 * in the time that a request has.
 */
export type FailureKind = (typeof failureKinds)[number];

/** What one request of a load test showed; times in seconds, from the moment when it was due. */
export interface RequestSample {
  /** Undefined when it was answered. */
  readonly failure: FailureKind | undefined;
  /** What the server said to it, where it failed. */
  readonly detail: string | undefined;
  readonly firstTokenSeconds: number | undefined;
  readonly lastTokenSeconds: number | undefined;
  /** Until the stream had ended. */
  readonly wholeSeconds: number;
  /** Between two parts of the answer, the longest. */
  readonly longestGapSeconds: number;
  /** By the server's count; undefined where it gives none. */
  readonly promptTokens: number | undefined;
  /** By the server's count, else the parts of the stream. */
  readonly answerTokens: number;
  readonly countedBy: "server" | "parts";
  /** Share of its answer that came while the rung was measured, 0 to 1. */
  readonly windowShare: number;
  /** Whether its first token came while the rung was measured. */
  readonly begunInWindow: boolean;
}

/** What the requests of one rung showed. */
export interface RungSamples {
  /** Requests under way at once (closed loop), or that arrive a second (open loop). */
  readonly load: number;
  readonly samples: readonly RequestSample[];
  /** Parts that came in the window for requests that were broken off when the test was ended. */
  readonly stoppedParts: number;
  /** How long tokens were counted, seconds: while all clients were at work. */
  readonly windowSeconds: number;
  /** Requests still under way at the end of the window. */
  readonly underWay: number;
  /** Parts of answers that came in the window, of all requests. */
  readonly partsInWindow: number;
  /** Share of the window in which this client's thread was busy, 0 to 1. */
  readonly clientBusy: number;
}
