import type { Model } from "../catalogue/model.ts";
import { UserError } from "../user-error.ts";
import type { KvFormat, ServingParallelism, SizingEngine } from "./workload.ts";

/** Of the 16-bit size; llama.cpp's q8_0 is 34 bytes for 32 numbers, q4_0 18. */
const formatFactor = { "16-bit": 1, fp32: 2, fp8: 0.5, q8_0: 34 / 64, q4_0: 18 / 64 } as const;

/** Tokens that a cache is handed out in; 1 where the engine takes what it needs. */
const blockTokens = { vllm: 16, tgi: 16, "llama.cpp": 256, transformers: 1, diffusers: 1 } as const;

/** Tokens of one image in a model that attends to it from layers of their own: four tiles of 1,601 (Llama 3.2 Vision). */
const crossTokens = 4 * 1601;

/** Bytes of an image in cross-attention layers, 16 bit: a sequence takes them however long it is. */
function crossBytes({ crossAttentionLayers = 0, kvHeads = 0, headDimension = 0 }: Model): number {
  return crossAttentionLayers * crossTokens * 2 * kvHeads * headDimension * 2;
}

/**
 * Models whose own code in transformers is older than its cache objects: each step returns all of the cache anew, while the
 * caller holds the one before. Qwen's tables of Qwen 1 show one more copy from 7 billion parameters up (0.85 to 1.18).
 */
const tupleCaches: ReadonlySet<string> = new Set(["QWenLMHeadModel"]);

/** How many caches of the model live at once. */
export function cacheCopies({ architecture }: Model, engine: SizingEngine): number {
  return engine === "transformers" && tupleCaches.has(architecture) ? 2 : 1;
}

/** Bytes of one token in the layers with full attention and in those with a window, 16 bit. */
function tokenBytes(model: Model): { readonly full: number; readonly windowed: number } {
  const { kvBytesPerToken, layers, kvHeads, headDimension } = model;
  if (kvBytesPerToken !== undefined) {
    return { full: kvBytesPerToken, windowed: model.kvLocalBytesPerToken ?? 0 };
  }
  if (layers === undefined || kvHeads === undefined || headDimension === undefined) {
    throw new UserError(`The catalogue does not know the key-value cache of ${model.id}.`, {
      hint: "Choose another model, or look for a newer catalogue.",
    });
  }
  return { full: 2 * layers * kvHeads * headDimension * 2, windowed: 0 };
}

/**
 * Bytes of the key-value cache for that many tokens of one sequence, over all layers. The state of recurrent layers is what it
 * is whatever format the cache has: vLLM and llama.cpp keep it in 32 bit beside a cache of 8.
 *
 * @throws UserError when the catalogue does not know the cache of the model
 */
export function kvCacheBytes(
  model: Model,
  tokens: number,
  engine: SizingEngine = "vllm",
  format?: KvFormat,
): number {
  const block = blockTokens[engine];
  const rounded = Math.ceil(tokens / block) * block;
  // The cache of transformers keeps every token of every layer, whatever the window.
  const window = engine === "transformers" ? rounded : (model.kvWindowTokens ?? rounded);
  const { full, windowed } = tokenBytes(model);
  const keys = crossBytes(model) + full * rounded + windowed * Math.min(rounded, window);
  return (model.stateBytesPerSequence ?? 0) + keys * kvFormatFactor(format);
}

/**
 * Bytes that the layers with a window take beyond it while an engine reads a prompt in steps: vLLM sets aside window - 1 +
 * step tokens a sequence, no more than the context (`SlidingWindowSpec.max_memory_usage_bytes`).
 */
export function windowStepBytes(model: Model, tokens: number, stepTokens: number): number {
  const past = tokens - (model.kvWindowTokens ?? tokens);
  return tokenBytes(model).windowed * Math.max(0, Math.min(stepTokens, past));
}

/**
 * Share of the cache that one GPU holds. A latent (MLA) cache is whole on each GPU of a tensor-parallel group, and a head is
 * never divided: with more GPUs than heads each holds a whole one, by the fewer of full and windowed layers where they differ.
 * Pipeline stages divide the layers.
 */
export function kvShare(model: Model, parallelism: ServingParallelism): number {
  const { tensorParallel, pipelineParallel } = parallelism;
  const { layers = 1, kvHeads = 1, kvGlobalHeads = kvHeads } = model;
  const heads = Math.min(kvHeads, kvGlobalHeads);
  const ofHeads = model.kvType === "mla" ? 1 : Math.ceil(heads / tensorParallel) / heads;
  return ofHeads * (Math.ceil(layers / pipelineParallel) / layers);
}

/** What one number of the cache takes, as a factor of 16 bit. */
export function kvFormatFactor(format: KvFormat | undefined): number {
  return formatFactor[format ?? "16-bit"];
}
