import type { ConfigFields } from "./config-fields.ts";

/** An encoder: its layers and parameters; and what it adds to each layer of the decoder that reads it. */
export interface Encoder {
  readonly layers: number;
  readonly parameters: number;
  /** Cross-attention and its norm, in each decoder layer. */
  readonly crossParametersPerLayer: number;
  /** Parameters of the decoder that its own shape does not have. */
  readonly extraParameters: number;
}

/** Encoder of a T5 (https://arxiv.org/abs/1910.10683): no biases, one table of relative positions in each half. */
function t5Encoder(config: ConfigFields): Encoder {
  const hidden = config.neededCount("d_model");
  const heads = config.neededCount("num_heads");
  const width = heads * (config.count("d_kv") ?? 64);
  const gated = config.text("feed_forward_proj")?.startsWith("gated") === true;
  const layers = config.neededCount("num_layers");
  const attention = 4 * hidden * width;
  const mlp = (gated ? 3 : 2) * hidden * config.neededCount("d_ff");
  const positions = (config.count("relative_attention_num_buckets") ?? 32) * heads;
  return {
    layers,
    parameters: layers * (attention + mlp + 2 * hidden) + positions + hidden,
    crossParametersPerLayer: attention + hidden,
    extraParameters: positions,
  };
}

/** Encoder of BART, Whisper and their kin: biases everywhere but on Whisper's keys, learned positions. */
function bartEncoder(config: ConfigFields, whisper: boolean): Encoder {
  const hidden = config.neededCount("d_model");
  const layers = config.neededCount("encoder_layers");
  const width = config.neededCount("encoder_ffn_dim");
  const attention = 4 * (hidden * hidden + hidden) - (whisper ? hidden : 0);
  const mlp = 2 * hidden * width + width + hidden;
  const positions = whisper
    ? config.neededCount("max_source_positions")
    : (config.count("max_position_embeddings") ?? 1024) + 2;
  const mels = config.count("num_mel_bins") ?? 80;
  const convolutions = whisper ? 3 * mels * hidden + 3 * hidden * hidden + 2 * hidden : 0;
  return {
    layers,
    parameters:
      layers * (attention + mlp + 4 * hidden) + positions * hidden + 2 * hidden + convolutions,
    crossParametersPerLayer: attention + 2 * hidden,
    extraParameters: whisper ? -hidden * config.neededCount("decoder_layers") : 0,
  };
}

/** The encoder of a model that has one beside its decoder; undefined for a decoder alone. */
export function encoderOf(config: ConfigFields): Encoder | undefined {
  const modelType = config.text("model_type") ?? "";
  if (/^(u?m)?t5$/.test(modelType)) return t5Encoder(config);
  if (config.flag("is_encoder_decoder") !== true) return undefined;
  return bartEncoder(config, modelType === "whisper");
}
