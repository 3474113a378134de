import type { Model } from "../catalogue/model.ts";

/**
 * Architectures whose attention transformers does not fuse, so that the scores of every pair of tokens are in memory: its
 * Gemma 2 and GPT-Neo have no other kernel than the eager one, and Falcon's single key-value head falls back to PyTorch's
 * plain one (transformers 5.24 and PyTorch 2.11 on an H100: 8 to 10.6 bytes a score, bench/sizing/references/h100-serving.json).
 */
const unfused: ReadonlySet<string> = new Set([
  "FalconForCausalLM",
  "Gemma2ForCausalLM",
  "GPTNeoForCausalLM",
]);

/** The workload with `flashAttention: false` where transformers has no fused kernel and nothing else was asked. */
export function withAttentionKernel<
  Workload extends { readonly flashAttention?: boolean | undefined },
>({ architecture }: Model, workload: Workload): Workload {
  return workload.flashAttention === undefined && unfused.has(architecture)
    ? { ...workload, flashAttention: false }
    : workload;
}
