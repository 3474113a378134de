import type { Model } from "../catalogue/model.ts";
import { parametersOf } from "./model-shape.ts";
import type { WeightFormat } from "./workload.ts";
import { weightBytes } from "./weight-layout.ts";

/** What the simple rules go by. */
export interface RuleQuestion {
  readonly model: Model;
  /** Of the weights as they are held. */
  readonly precision: WeightFormat;
  /** Of a server; 0 in training. */
  readonly contextTokens: number;
  readonly concurrency: number;
  /** Undefined in serving. */
  readonly method: "full" | "lora" | "qlora" | undefined;
  readonly gpus: number;
}

/** Another tool's way to the memory that a model takes. */
export interface OtherRule {
  readonly name: "weights x 1.2" | "accelerate" | "KAITO" | "hf-mem";
  /** Bytes of all GPUs together; undefined where the rule says nothing of it. */
  readonly bytes: (question: RuleQuestion) => number | undefined;
}

const gibi = 1024 ** 3;

/** Bytes of a parameter that the rules count with where it is not two, and its name does not say the bits. */
const plainBytes: ReadonlyMap<string, number> = new Map([
  ["fp32", 4],
  ["int8", 1],
  ["gptq-int8", 1],
  ["fp8", 1],
]);

/** What the name of a format says, without its scales: a half in 4 bit, and the bits of a GGUF type such as q8_0. */
function bytesOf(format: string): number {
  const gguf = /^i?q(\d)_/.exec(format)?.[1];
  if (gguf !== undefined) return Number(gguf) / 8;
  return format.includes("4") ? 0.5 : (plainBytes.get(format) ?? 2);
}

function plainWeights({ model, precision }: RuleQuestion): number {
  const named = precision === "native" ? model.nativePrecision : precision;
  return parametersOf(model) * bytesOf(named);
}

/** Key and value of every token in the layers that keep all of them, in 16 bit. */
export function cacheBytes({ model, contextTokens, concurrency }: RuleQuestion): number {
  return (model.kvBytesPerToken ?? 0) * contextTokens * concurrency;
}

/** Parameters x 16 bytes of AdamW, else the weights, and a fifth more. */
function timesOnePointTwo(question: RuleQuestion): number {
  const full = question.method === "full" ? 16 * parametersOf(question.model) : undefined;
  return (full ?? plainWeights(question)) * 1.2;
}

/** `accelerate estimate-memory`: the weights, and four times those for training with Adam, whatever is trained. */
function accelerate(question: RuleQuestion): number {
  return plainWeights(question) * (question.method === undefined ? 1 : 4);
}

/** Files x 1.02 and 5 % more, the cache, and 2.3 GiB of each GPU (https://github.com/kaito-project/kaito/pull/2139). */
function kaito(question: RuleQuestion): number | undefined {
  if (question.method !== undefined) return undefined;
  return plainWeights(question) * 1.07 + cacheBytes(question) + 2.3 * gibi * question.gpus;
}

/** The tensors of the files and the cache, no more (https://github.com/alvarobartt/hf-mem). */
function hfMem(question: RuleQuestion): number | undefined {
  if (question.method !== undefined) return undefined;
  return weightBytes(question.model, question.precision) + cacheBytes(question);
}

/** The rules that a plan is held against; each is what its tool publishes. */
export const otherRules: readonly OtherRule[] = [
  { name: "weights x 1.2", bytes: timesOnePointTwo },
  { name: "accelerate", bytes: accelerate },
  { name: "KAITO", bytes: kaito },
  { name: "hf-mem", bytes: hfMem },
];
