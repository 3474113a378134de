import { z } from "zod";
import { failureKinds } from "./request-sample.ts";

const amount = z.number().nonnegative();
const quantile = z.strictObject({
  value: amount,
  low: amount.optional().describe("Lower bound, 95 %; left out where there are too few requests."),
  high: amount.optional().describe("Upper bound, 95 %; left out where there are too few requests."),
});
const spread = z.strictObject({ p50: quantile, p90: quantile, p99: quantile });
const range = z.strictObject({ low: amount, high: amount });

const rung = z.strictObject({
  load: amount.describe("Requests at once (closed loop), or that arrive a second (open loop)."),
  requests: z.int().nonnegative(),
  failures: z.partialRecord(z.enum(failureKinds), z.int().positive()),
  failedShare: z.number().min(0).max(1),
  windowSeconds: amount.describe("How long tokens were counted."),
  underWay: z.int().nonnegative().describe("Requests under way when that ended."),
  firstTokenSeconds: spread.optional(),
  perTokenSeconds: spread.optional().describe("(last token - first token) / (tokens - 1)."),
  wholeSeconds: spread.optional(),
  longestGapSeconds: spread.optional().describe("The longest wait between two parts of an answer."),
  requestsPerSecond: amount,
  promptTokensPerSecond: amount.optional(),
  answerTokensPerSecond: amount,
  meanPromptTokens: amount.optional(),
  meanAnswerTokens: amount,
  countedBy: z.enum(["server", "parts", "both"]).describe("Who counted the answer tokens."),
  partsPerSecond: amount,
  clientBusy: z
    .number()
    .min(0)
    .max(1)
    .describe("Share of the time that the client's thread was busy."),
  clientBound: z.boolean().describe("Whether the client may have been the limit."),
  perMillionAnswerTokensUsd: amount.optional(),
  perMillionTokensUsd: amount.optional().describe("Over prompt and answer tokens alike."),
  planned: z
    .strictObject({
      answerTokensPerSecond: range,
      perMillionAnswerTokensUsd: range,
      ratio: amount.describe("Measured tokens a second by the middle of the estimate."),
    })
    .optional(),
});

/** What `berth bench --json` prints; a field that is not known is left out. */
export const loadReportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  at: z.iso.datetime(),
  target: z.strictObject({
    kind: z.enum(["host", "endpoint", "url"]),
    address: z.string(),
    model: z.string(),
    instanceType: z.string().optional(),
    hourlyUsd: amount.optional(),
    priceSource: z.string().optional(),
    emulated: z.boolean().describe("In the emulated cloud, where no GPU is real."),
  }),
  settings: z.strictObject({
    loop: z.enum(["closed", "open"]),
    arrivals: z.enum(["even", "poisson"]).optional(),
    prompts: z.string(),
    seed: z.int(),
    warmUpRequests: z.int(),
    rungSeconds: amount,
    requestSeconds: amount,
    maxSeconds: amount,
    maxRequests: z.int(),
    mostFailed: amount,
  }),
  limits: z.strictObject({ firstTokenSeconds: amount.optional(), wholeSeconds: amount.optional() }),
  client: z.strictObject({
    ceilingPartsPerSecond: amount.describe("Parts of answers that the client takes, at least."),
    roundTripSeconds: amount.optional().describe("Of a small request; it is in every latency."),
  }),
  rungs: z.array(rung),
  knee: z.strictObject({ load: amount, reason: z.string() }).optional(),
  ended: z.enum(["done", "max-seconds", "max-requests", "deadline", "failures", "interrupted"]),
  complaints: z.array(z.string()).describe("What failed requests were told, each once."),
});

/** The same as a JSON Schema, as `docs/bench.schema.json` holds it. */
export function loadJsonSchema(): object {
  return z.toJSONSchema(loadReportSchema);
}
