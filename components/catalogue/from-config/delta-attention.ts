import type { ConfigFields } from "./config-fields.ts";

/** What a recurrent layer keeps for a sequence, and what its mixing part weighs. */
interface DeltaLayer {
  /** Numbers. */
  readonly stateSize: number;
  readonly parameters: number;
}

/**
 * Kimi Delta Attention (https://arxiv.org/abs/2510.26692): what is forgotten has a gate for each channel, made by a narrow pair of
 * matrices, and what comes out has another, narrow or of full rank. The sizes stand in `linear_attn_config`, or in fields of their own
 * where transformers wrote the file.
 *
 * @returns undefined where the configuration has no such layers
 */
export function kimiDeltaAttention(config: ConfigFields): DeltaLayer | undefined {
  const section = config.section("linear_attn_config");
  if (section === undefined && !config.has("linear_num_heads")) return undefined;
  const fields = section ?? config;
  const hidden = config.neededCount("hidden_size");
  const heads = fields.neededCount("linear_num_heads", "num_heads");
  const dimension = fields.neededCount("linear_head_dim", "head_dim");
  const kernel = fields.count("short_conv_kernel_size", "linear_conv_kernel_dim") ?? 4;
  const width = heads * dimension;
  const narrow = hidden * dimension + dimension * width;
  const gate = fields.flag("use_full_rank_gate") === true ? hidden * width : narrow;
  const small = hidden * heads + heads + width + dimension;
  return {
    stateSize: width * dimension + 3 * width * (kernel - 1),
    parameters: 4 * hidden * width + 3 * width * kernel + narrow + gate + small,
  };
}

/** One word a layer where `linear_attn_config` numbers those with full attention, beginning at 1. */
export function deltaWords(config: ConfigFields, layers: number): readonly string[] | undefined {
  const full = config.section("linear_attn_config")?.counts("full_attn_layers");
  if (full === undefined) return undefined;
  return Array.from({ length: Math.min(layers, 10_000) }, (_, index) =>
    full.includes(index + 1) ? "full_attention" : "linear_attention",
  );
}
