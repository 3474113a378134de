import type { Model } from "../catalogue/model.ts";
import type { PlanRequest } from "./plan-request.ts";
import { usualEngine, whyUnserved } from "./usual-engine.ts";

const ofTokens = {
  context: "contextTokens",
  promptTokens: "promptTokens",
  answerTokens: "answerTokens",
} as const satisfies Readonly<Record<string, keyof PlanRequest>>;

/** What is asked of a server that this model has none of: tokens of one that makes images, and steps of one that does not. */
function wrongKind(request: PlanRequest, model: Model): readonly string[] {
  if (request.task !== undefined && request.task !== "serve") return [];
  if (model.task !== "image-generation") {
    return request.imageSteps === undefined
      ? []
      : [`imageSteps: says nothing of ${model.id}, which makes no images`];
  }
  return Object.entries(ofTokens)
    .filter(([, field]) => request[field] !== undefined)
    .map(([name]) => `${name}: says nothing of ${model.id}, which makes images of one prompt`);
}

function wrongShape(request: PlanRequest, model: Model): readonly string[] {
  const { contextTokens, promptTokens, answerTokens } = request;
  const limit = model.maxContextTokens;
  const context = contextTokens ?? limit;
  const typical = (promptTokens ?? 0) + (answerTokens ?? 0);
  return [
    ...(contextTokens !== undefined && limit !== undefined && contextTokens > limit
      ? [`context: ${contextTokens} tokens, and ${model.id} takes at most ${limit}`]
      : []),
    ...(context !== undefined && context >= 1 && typical > context
      ? [`promptTokens: ${typical} tokens of prompt and answer, and the context is ${context}`]
      : []),
  ];
}

/** What an engine cannot serve, and how a cache cannot be held by it. */
function wrongEngine(
  { engine, kvFormat, adapters, customModel }: PlanRequest,
  model: Model,
): readonly string[] {
  const usual = usualEngine(model);
  const unserved =
    engine === undefined || customModel !== undefined ? undefined : whyUnserved(model);
  if (unserved !== undefined) {
    return [`engine: ${unserved}; leave the engine out, and its memory is planned`];
  }
  const able = usual === "vllm" ? ["vllm", "transformers"] : [usual];
  const formats = { vllm: ["fp8"], "llama.cpp": ["q8_0", "q4_0"] };
  const serving = engine ?? usual;
  const held = serving === "vllm" || serving === "llama.cpp" ? formats[serving] : [];
  return [
    ...(engine === undefined || able.includes(engine)
      ? []
      : [`engine: ${engine} does not serve ${model.id}; ${able.join(" and ")} would`]),
    ...(kvFormat === undefined || kvFormat === "16-bit" || held.includes(kvFormat)
      ? []
      : [
          `kvCacheDtype: ${serving} holds its cache in ${["16 bit", ...held].join(", ")}, not ${kvFormat}`,
        ]),
    ...(adapters === undefined || serving === "vllm"
      ? []
      : [`adapters: ${serving} serves none beside a model; vllm does`]),
  ];
}

/** What the model cannot do of what is asked of its server; what is wrong by itself is told elsewhere. */
export function wrongServing(request: PlanRequest, model: Model): readonly string[] {
  return [
    ...wrongKind(request, model),
    ...wrongShape(request, model),
    ...wrongEngine(request, model),
  ];
}
