import type { Model } from "../catalogue/model.ts";
import { vllmRelease, vllmServes } from "../catalogue/vllm-release.ts";
import type { SizingEngine } from "./workload.ts";

/**
 * Architectures that transformers has and vLLM has not: never in its registry, or taken out of it
 * (`_PREVIOUSLY_SUPPORTED_MODELS` in vllm/model_executor/models/registry.py).
 */
const transformersAlone: ReadonlySet<string> = new Set([
  "GPTNeoForCausalLM",
  "MllamaForConditionalGeneration",
]);

/** What serves a model where nobody says otherwise: vLLM wherever it can. */
export function usualEngine(model: Model): SizingEngine {
  if (model.task === "image-generation") return "diffusers";
  if (model.engine !== undefined) return model.engine;
  return transformersAlone.has(model.architecture) ? "transformers" : "vllm";
}

/**
 * Why no engine here serves a model of the catalogue, though its memory is planned; undefined where one does. One that was read
 * from its own files is left to the engine.
 */
export function whyUnserved(model: Model): string | undefined {
  if (usualEngine(model) !== "vllm" || vllmServes(model.architecture)) return undefined;
  return `vLLM ${vllmRelease.version} has no code for ${model.architecture}, and transformers none without the model's own`;
}
