import type { ConfigFields } from "./config-fields.ts";

interface Tower {
  readonly hidden: number;
  readonly layers: number;
  readonly intermediate: number;
  /** Numbers of one patch: channels x side x side x frames. */
  readonly patch: number;
}

/** Parameters of the vision part: its encoder, and what leads into the language model. */
export interface VisionParameters {
  readonly encoder: number;
  readonly projector: number;
}

function linear(from: number, to: number, bias: boolean): number {
  return from * to + (bias ? to : 0);
}

/** Attention with four square matrices, and an MLP with two or three. */
function block(
  { hidden, intermediate }: Tower,
  form: {
    readonly matrices: 2 | 3;
    readonly attentionBias: boolean;
    readonly mlpBias: boolean;
    readonly normBias: boolean;
  },
): number {
  const up = (form.matrices - 1) * linear(hidden, intermediate, form.mlpBias);
  return (
    4 * linear(hidden, hidden, form.attentionBias) +
    up +
    linear(intermediate, hidden, form.mlpBias) +
    2 * hidden * (form.normBias ? 2 : 1)
  );
}

const clipBlock = { matrices: 2, attentionBias: true, mlpBias: true, normBias: true } as const;

function towerOf(config: ConfigFields): Tower {
  // In Qwen2-VL hidden_size is the width of the language model.
  const hidden = config.neededCount("embed_dim", "vt_hidden_size", "hidden_size");
  const channels = config.count("num_channels", "in_channels", "in_chans") ?? 3;
  const side = config.count("patch_size", "spatial_patch_size") ?? 14;
  return {
    hidden,
    layers: config.neededCount("num_hidden_layers", "vt_num_hidden_layers", "depth"),
    intermediate: config.count("intermediate_size", "vt_intermediate_size") ?? 4 * hidden,
    patch: channels * side * side * (config.count("temporal_patch_size") ?? 1),
  };
}

function patchesOf(config: ConfigFields): number {
  const side = config.count("image_size") ?? 224;
  return Math.floor(side / (config.count("patch_size") ?? 14)) ** 2;
}

/** Four neighbouring patches made into one token of the language model. */
function merger(width: number, norm: number, textHidden: number): number {
  return norm + linear(width, width, true) + linear(width, textHidden, true);
}

function qwen25(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const form = { matrices: 3, attentionBias: true, mlpBias: true, normBias: false } as const;
  const width = hidden * (config.count("spatial_merge_size") ?? 2) ** 2;
  return {
    encoder: patch * hidden + layers * block(tower, form),
    projector: merger(width, hidden, textHidden),
  };
}

function qwen2(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const width = hidden * (config.count("spatial_merge_size") ?? 2) ** 2;
  return {
    encoder: patch * hidden + layers * block(tower, clipBlock),
    projector: merger(width, 2 * hidden, textHidden),
  };
}

function qwen3(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const width = hidden * (config.count("spatial_merge_size") ?? 2) ** 2;
  const stacked = config.listLength("deepstack_visual_indexes") ?? 0;
  const positions = (config.count("num_position_embeddings") ?? 2304) * hidden;
  return {
    encoder: linear(patch, hidden, true) + positions + layers * block(tower, clipBlock),
    projector:
      merger(width, 2 * hidden, textHidden) + stacked * merger(width, 2 * width, textHidden),
  };
}

function siglip(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const positions = patchesOf(config) * hidden;
  return {
    encoder:
      linear(patch, hidden, true) + positions + layers * block(tower, clipBlock) + 2 * hidden,
    projector: hidden * textHidden + hidden,
  };
}

function pixtral(_config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const form = { matrices: 3, attentionBias: false, mlpBias: false, normBias: false } as const;
  return {
    encoder: patch * hidden + hidden + layers * block(tower, form),
    projector: hidden + 4 * hidden * hidden + hidden * textHidden + textHidden * textHidden,
  };
}

function clip(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const positions = (patchesOf(config) + 1) * hidden;
  return {
    encoder: patch * hidden + hidden + positions + layers * block(tower, clipBlock) + 4 * hidden,
    projector: linear(hidden, textHidden, true) + linear(textHidden, textHidden, true),
  };
}

function llama4(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch, intermediate } = tower;
  const into = config.count("projector_input_dim") ?? 4096;
  const out = config.count("vision_output_dim", "projector_output_dim") ?? 4096;
  const positions = (patchesOf(config) + 1) * hidden;
  const ends = patch * hidden + hidden + positions + 4 * hidden;
  return {
    encoder: ends + layers * block(tower, clipBlock) + intermediate * into + into * out,
    projector: out * textHidden,
  };
}

/** MoonViT (https://github.com/huggingface/transformers/blob/main/src/transformers/models/kimi_k25/modeling_kimi_k25.py). */
function kimi(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const [high = 64, wide = 64] = [
    config.count("init_pos_emb_height"),
    config.count("init_pos_emb_width"),
  ];
  const [rows = 2, columns = 2] = config.counts("merge_kernel_size") ?? [];
  const ends = linear(patch, hidden, true) + high * wide * hidden + 2 * hidden;
  return {
    encoder: ends + layers * block(tower, clipBlock),
    projector: merger(hidden * rows * columns, 2 * hidden, textHidden),
  };
}

function mllama(config: ConfigFields, tower: Tower, textHidden: number): VisionParameters {
  const { hidden, layers, patch } = tower;
  const globalLayers = config.count("num_global_layers") ?? 8;
  const tiles = config.count("max_num_tiles") ?? 4;
  const ratios = (config.listLength("supported_aspect_ratios") ?? 8) + 1;
  const positions = patchesOf(config) + 1;
  const form = { ...clipBlock, attentionBias: false } as const;
  const tables = positions * hidden + 1 + ratios * tiles * positions * hidden;
  const tileTables = 2 * (ratios * tiles * hidden + 1);
  const blocks = (layers + globalLayers) * block(tower, form) + 2 * globalLayers;
  return {
    encoder: patch * hidden + hidden + tables + tileTables + 4 * hidden + blocks,
    projector: linear(config.count("vision_output_dim") ?? 6 * hidden, textHidden, true),
  };
}

const towers: readonly (readonly [RegExp, typeof clip])[] = [
  [/^qwen2_5_(vl|omni)/, qwen25],
  [/^qwen2_vl/, qwen2],
  [/^qwen3_(vl|5)/, qwen3],
  [/^(siglip_vision_model|gemma3)/, siglip],
  [/^(pixtral|mistral3)/, pixtral],
  [/^llama4/, llama4],
  [/^mllama/, mllama],
  [/^kimi_k25/, kimi],
];

/**
 * Parameters of a vision tower by its section of config.json; exact for the kinds above, those of a CLIP tower
 * (https://arxiv.org/abs/2103.00020) for another.
 */
export function visionParameters(
  config: ConfigFields,
  modelType: string,
  textHidden: number,
): VisionParameters & { readonly known: boolean } {
  const own = config.text("model_type") ?? "";
  const kind = towers.find(([pattern]) => pattern.test(own) || pattern.test(modelType));
  const count = kind?.[1] ?? clip;
  const known = kind !== undefined || own === "clip_vision_model";
  return { ...count(config, towerOf(config), textHidden), known };
}
