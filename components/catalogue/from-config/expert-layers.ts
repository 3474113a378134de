import type { Model } from "../model.ts";
import type { ConfigFields } from "./config-fields.ts";
import { blockWords } from "./layer-kinds.ts";

/** Layers that a list of one word or number a layer says to have experts; undefined without such a list. */
function listedLayers(config: ConfigFields): number | undefined {
  const words = config.texts("mlp_layer_types");
  if (words !== undefined) return words.filter((word) => word !== "dense").length;
  const flags = config.counts("moe_layer_freq");
  if (flags !== undefined) return flags.filter((flag) => flag !== 0).length;
  const alone = blockWords(config)?.filter((word) => word === "moe").length;
  return alone === 0 ? undefined : alone;
}

/** Layers with experts: those that are listed; else all, all but the first few, or each n-th. */
function expertLayers(config: ConfigFields, layers: number): number {
  const listed = listedLayers(config);
  if (listed !== undefined) return Math.max(1, Math.min(layers, listed));
  const dense = config.countOrZero("first_k_dense_replace") ?? config.listLength("mlp_only_layers");
  if (dense !== undefined && dense > 0) return Math.max(1, layers - dense);
  const step = config.count(
    "interleave_moe_layer_step",
    "decoder_sparse_step",
    "expert_layer_period",
    "moe_layer_freq",
  );
  return Math.max(1, Math.floor(layers / (step ?? 1)));
}

/** Width of all shared experts of a layer together. */
function sharedWidth(config: ConfigFields, modelType: string, width: number): number | undefined {
  const own = config.countOrZero(
    "shared_expert_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "shared_intermediate_size",
  );
  if (own === 0) return undefined;
  if (own !== undefined || modelType === "llama4_text") return own ?? width;
  const shared = config.countOrZero("n_shared_experts", "num_shared_experts") ?? 0;
  return shared === 0 ? undefined : shared * width;
}

/** The mixture of experts of a decoder; undefined where it has none. */
export function expertsOf(
  config: ConfigFields,
  layers: number,
  modelType: string,
): Model["experts"] {
  const count = config.count("num_local_experts", "num_experts", "n_routed_experts");
  if (count === undefined || count === 1) return undefined;
  const perToken =
    config.count("num_experts_per_tok", "num_experts_per_token", "experts_per_token") ??
    config.count("moe_topk", "top_k_experts") ??
    1;
  if (perToken > count) config.problem(`num_experts_per_tok: ${perToken} of ${count} experts`);
  const own = config.count("moe_intermediate_size");
  const intermediateSize = own ?? config.neededCount("intermediate_size");
  const sharedIntermediateSize = sharedWidth(config, modelType, intermediateSize);
  const moeLayers = expertLayers(config, layers);
  const plain = own === undefined ? undefined : config.count("intermediate_size");
  const dense = config.count("intermediate_size_mlp", "dense_intermediate_size") ?? plain;
  return {
    count,
    perToken,
    intermediateSize,
    ...(sharedIntermediateSize === undefined ? {} : { sharedIntermediateSize }),
    layers: moeLayers,
    ...(moeLayers < layers && dense !== undefined ? { denseIntermediateSize: dense } : {}),
  };
}
