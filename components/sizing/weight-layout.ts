import type { Model } from "../catalogue/model.ts";
import { UserError } from "../user-error.ts";
import { isGguf, ggufBytes } from "./gguf-layout.ts";
import { bytesOfNative, embeddingParameters, parametersOf, shapeOf } from "./model-shape.ts";
import type { SizingEngine, WeightFormat } from "./workload.ts";

type LinearFormat = Exclude<WeightFormat, "native" | `q${string}` | `iq${string}`>;

/**
 * Bytes of one parameter of a linear layer. Quantised formats carry scales: GPTQ and AWQ a 16-bit scale and a zero point
 * for each group of 128; fp8 a 32-bit one for each block of 128 x 128 (https://github.com/deepseek-ai/DeepSeek-V3/blob/main/README_WEIGHTS.md);
 * NF4 a 32-bit one for each 64, or 0.127 bit with double quantisation (https://arxiv.org/abs/2305.14314, section 3);
 * MXFP4 one byte for each 32.
 */
const linearBytes = {
  fp32: 4,
  bf16: 2,
  fp16: 2,
  fp8: 1 + 4 / (128 * 128),
  int8: 1,
  "gptq-int8": 1 + (2 + 1) / 128,
  int4: 0.5 + (2 + 0.5) / 128,
  "awq-int4": 0.5 + (2 + 0.5) / 128,
  nf4: 0.5 + 4 / 64,
  "nf4-double": 0.5 + 0.127 / 8,
  mxfp4: 0.5 + 1 / 32,
} as const satisfies Record<LinearFormat, number>;

/** Formats that hold every parameter alike; the others leave embedding, head and norms in 16 bit. */
const plain: ReadonlySet<WeightFormat> = new Set(["fp32", "bf16", "fp16"]);

const gibi = 1024 ** 3;

/** Whether bitsandbytes holds the weights; PEFT's preparation then holds what is not quantised in 32 bit. */
export function isBitsandbytes(format: WeightFormat): boolean {
  return format === "nf4" || format === "nf4-double" || format === "int8";
}

/** Servers that hold files of 32 bit in 16 (`--dtype auto` of vLLM and TGI). */
const halving: ReadonlySet<SizingEngine> = new Set(["vllm", "tgi"]);

/** The precise format that the engine holds the weights in when it is asked for that precision. */
export function formatOf(
  { nativePrecision }: Model,
  precision: WeightFormat,
  engine: SizingEngine,
): WeightFormat {
  if (engine === "llama.cpp") {
    if (precision === "int8") return "q8_0";
    return precision === "int4" ? "q4_k_m" : precision;
  }
  const wide = precision === "native" && nativePrecision.startsWith("fp32");
  return wide && halving.has(engine) ? "fp16" : precision;
}

/** What a precision is called where the weights lie in memory: files of 32 bit are held in 16 by some servers. */
export function heldPrecision(model: Model, precision: WeightFormat, engine: SizingEngine): string {
  if (precision !== "native") return precision;
  // Image pipelines are loaded in 16 bit whatever their files hold.
  if (engine === "diffusers" && model.nativePrecision.startsWith("fp32")) return "fp16";
  const held = formatOf(model, precision, engine);
  return held === "native" ? model.nativePrecision : held;
}

/** Bytes of the files in native precision, from their size or the count of parameters. */
export function nativeWeightBytes(model: Model): number {
  if (model.weightsGiB !== undefined) return model.weightsGiB * gibi;
  return parametersOf(model) * bytesOfNative(model.nativePrecision);
}

/**
 * Bytes of the weights in that format.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function weightBytes(model: Model, format: WeightFormat): number {
  if (format === "native") return nativeWeightBytes(model);
  const parameters = parametersOf(model);
  if (isGguf(format)) return ggufBytes(shapeOf(model), format);
  if (plain.has(format)) return parameters * linearBytes[format];
  if (model.task === "image-generation") return parameters * linearBytes[format];
  if (model.vocabularySize === undefined && model.parameters === undefined) {
    throw new UserError(
      `The catalogue does not know the number of parameters of ${model.id}, and so the quantised size.`,
      { hint: "Take the native precision, or look for a newer catalogue." },
    );
  }
  const kept = Math.min(embeddingParameters(shapeOf(model)), parameters);
  return kept * 2 + (parameters - kept) * linearBytes[format];
}
