import type { ConfigFields } from "./config-fields.ts";
import { encoderOf } from "./encoder.ts";

function linear(from: number, to: number): number {
  return from * to + to;
}

function convolution(from: number, to: number, side = 3): number {
  return from * to * side * side + to;
}

/** Two convolutions with group norms; `time` is the width of the time embedding, where there is one. */
function residual(from: number, to: number, time: number | undefined): number {
  return (
    2 * from +
    convolution(from, to) +
    (time === undefined ? 0 : linear(time, to)) +
    2 * to +
    convolution(to, to) +
    (from === to ? 0 : convolution(from, to, 1))
  );
}

/** CLIP's text encoder, with its projection where the class has one. */
export function clipTextParameters(config: ConfigFields, projected: boolean): number {
  const hidden = config.neededCount("hidden_size");
  const width = config.neededCount("intermediate_size");
  const rows = config.neededCount("vocab_size") + (config.count("max_position_embeddings") ?? 77);
  const layer =
    4 * linear(hidden, hidden) + linear(hidden, width) + linear(width, hidden) + 4 * hidden;
  const projection = projected ? hidden * (config.count("projection_dim") ?? hidden) : 0;
  return rows * hidden + config.neededCount("num_hidden_layers") * layer + 2 * hidden + projection;
}

/** The encoder half of a T5 and its embedding. */
export function t5EncoderParameters(config: ConfigFields): number {
  const embedding = config.neededCount("vocab_size") * config.neededCount("d_model");
  return embedding + (encoderOf(config)?.parameters ?? 0);
}

function channelsOf(config: ConfigFields): readonly number[] {
  const channels = config.counts("block_out_channels");
  if (channels !== undefined && channels.length > 0) return channels;
  config.problem("block_out_channels: is missing");
  return [1];
}

/** A VAE with one attention in the middle of each half (https://arxiv.org/abs/2112.10752). */
export function vaeParameters(config: ConfigFields): number {
  const channels = channelsOf(config);
  const perBlock = config.count("layers_per_block") ?? 2;
  const latent = config.count("latent_channels") ?? 4;
  const image = config.count("in_channels") ?? 3;
  const first = channels[0] ?? 1;
  const last = channels.at(-1) ?? 1;
  const middle = 2 * residual(last, last, undefined) + 2 * last + 4 * linear(last, last);
  let encoder = convolution(image, first) + middle + 2 * last + convolution(last, 2 * latent);
  let decoder = convolution(latent, last) + middle + 2 * first + convolution(first, image);
  channels.forEach((to, level) => {
    const from = channels[Math.max(0, level - 1)] ?? to;
    encoder += residual(from, to, undefined) + (perBlock - 1) * residual(to, to, undefined);
    const above = channels[Math.min(channels.length - 1, level + 1)] ?? to;
    decoder += residual(above, to, undefined) + perBlock * residual(to, to, undefined);
    if (level < channels.length - 1) encoder += convolution(to, to);
    if (level > 0) decoder += convolution(to, to);
  });
  const before =
    config.flag("use_quant_conv") === false ? 0 : convolution(2 * latent, 2 * latent, 1);
  const after = config.flag("use_post_quant_conv") === false ? 0 : convolution(latent, latent, 1);
  return encoder + decoder + before + after;
}

function timeEmbedding(hidden: number): number {
  return linear(256, hidden) + linear(hidden, hidden);
}

function feedForward(hidden: number): number {
  return linear(hidden, 4 * hidden) + linear(4 * hidden, hidden);
}

/** The transformer of FLUX.1: blocks for image and text side by side, then blocks for both as one. */
export function fluxParameters(config: ConfigFields): number {
  const head = config.neededCount("attention_head_dim");
  const hidden = config.neededCount("num_attention_heads") * head;
  const image = config.neededCount("in_channels");
  const pooled =
    linear(config.neededCount("pooled_projection_dim"), hidden) + linear(hidden, hidden);
  const embeddings =
    linear(image, hidden) +
    linear(config.neededCount("joint_attention_dim"), hidden) +
    timeEmbedding(hidden) * (config.flag("guidance_embeds") === true ? 2 : 1) +
    pooled;
  const pair =
    2 * linear(hidden, 6 * hidden) +
    8 * linear(hidden, hidden) +
    4 * head +
    2 * feedForward(hidden);
  const single =
    linear(hidden, 3 * hidden) +
    linear(hidden, 4 * hidden) +
    linear(5 * hidden, hidden) +
    3 * linear(hidden, hidden) +
    2 * head;
  return (
    embeddings +
    config.neededCount("num_layers") * pair +
    config.neededCount("num_single_layers") * single +
    linear(hidden, 2 * hidden) +
    linear(hidden, config.count("out_channels") ?? image)
  );
}

/** The transformer of Stable Diffusion 3 and 3.5 (https://arxiv.org/abs/2403.03206). */
export function sd3Parameters(config: ConfigFields): number {
  const head = config.neededCount("attention_head_dim");
  const hidden = config.neededCount("num_attention_heads") * head;
  const layers = config.neededCount("num_layers");
  const patch = config.count("patch_size") ?? 2;
  const normed = config.text("qk_norm") === undefined ? 0 : head;
  const pooled =
    linear(config.neededCount("pooled_projection_dim"), hidden) + linear(hidden, hidden);
  const dual = config.listLength("dual_attention_layers") ?? 0;
  const block =
    2 * linear(hidden, 6 * hidden) +
    8 * linear(hidden, hidden) +
    4 * normed +
    2 * feedForward(hidden);
  // The last block gives no text on: its text side has a shorter modulation, no output and no feed-forward.
  const saved =
    linear(hidden, 6 * hidden) -
    linear(hidden, 2 * hidden) +
    linear(hidden, hidden) +
    feedForward(hidden);
  const second = linear(hidden, 3 * hidden) + 4 * linear(hidden, hidden) + 2 * normed;
  return (
    convolution(config.neededCount("in_channels"), hidden, patch) +
    timeEmbedding(hidden) +
    pooled +
    linear(config.neededCount("joint_attention_dim"), hidden) +
    layers * block -
    saved +
    dual * second +
    linear(hidden, 2 * hidden) +
    linear(hidden, patch * patch * (config.count("out_channels") ?? 16))
  );
}

interface Level {
  readonly channels: number;
  readonly attends: boolean;
  readonly depth: number;
}

function spatialTransformer({ channels, attends, depth }: Level, context: number): number {
  if (!attends) return 0;
  const square = channels * channels;
  const selfAttention = 3 * square + linear(channels, channels);
  const crossAttention = square + 2 * context * channels + linear(channels, channels);
  const gated = linear(channels, 8 * channels) + linear(4 * channels, channels);
  const block = 6 * channels + selfAttention + crossAttention + gated;
  return 2 * channels + 2 * linear(channels, channels) + depth * block;
}

function levelsOf(config: ConfigFields): readonly Level[] {
  const kinds = config.texts("down_block_types");
  const depths = config.counts("transformer_layers_per_block");
  const depth = depths === undefined ? (config.count("transformer_layers_per_block") ?? 1) : 1;
  return channelsOf(config).map((channels, index) => ({
    channels,
    attends: kinds?.[index]?.startsWith("CrossAttn") ?? false,
    depth: depths?.[index] ?? depth,
  }));
}

function upPath(levels: readonly Level[], perBlock: number, context: number, time: number): number {
  let sum = 0;
  let from = levels.at(-1)?.channels ?? 1;
  for (let index = levels.length - 1; index >= 0; index -= 1) {
    const level = levels[index];
    if (level === undefined) continue;
    const to = level.channels;
    const beneath = levels[Math.max(0, index - 1)]?.channels ?? to;
    for (let layer = 0; layer <= perBlock; layer += 1) {
      const skipped = layer === perBlock ? beneath : to;
      sum += residual((layer === 0 ? from : to) + skipped, to, time);
      sum += spatialTransformer(level, context);
    }
    if (index > 0) sum += convolution(to, to);
    from = to;
  }
  return sum;
}

/** The U-Net of Stable Diffusion 1, 2 and XL. */
export function unetParameters(config: ConfigFields): number {
  const levels = levelsOf(config);
  const perBlock = config.count("layers_per_block") ?? 2;
  const context = config.neededCount("cross_attention_dim");
  const first = levels[0]?.channels ?? 1;
  const time = 4 * first;
  const added = config.count("projection_class_embeddings_input_dim");
  const last = levels.at(-1) ?? { channels: 1, attends: true, depth: 1 };
  let sum =
    convolution(config.count("in_channels") ?? 4, first) + linear(first, time) + linear(time, time);
  if (added !== undefined) sum += linear(added, time) + linear(time, time);
  let from = first;
  levels.forEach((level, index) => {
    sum +=
      residual(from, level.channels, time) +
      (perBlock - 1) * residual(level.channels, level.channels, time);
    sum += perBlock * spatialTransformer(level, context);
    if (index < levels.length - 1) sum += convolution(level.channels, level.channels);
    from = level.channels;
  });
  sum += 2 * residual(last.channels, last.channels, time);
  sum += spatialTransformer({ ...last, attends: true }, context);
  sum += upPath(levels, perBlock, context, time);
  return sum + 2 * first + convolution(first, config.count("out_channels") ?? 4);
}
