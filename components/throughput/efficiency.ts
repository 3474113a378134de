import type { Range } from "../range.ts";

/**
 * Share of the memory bandwidth that decoding reaches. Llama 2 7B and 70B on A100-80GB: 0.56 to 0.73 of 2,039 GB/s at
 * 16 bit (https://github.com/pytorch-labs/gpt-fast, README); Qwen2.5 7B and 14B with vLLM 0.6.3: 0.72 once the time of a
 * layer is taken apart (https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html).
 */
export const bandwidthShare: Range = { low: 0.6, high: 0.85 };

/**
 * Milliseconds of a layer in each step that no bandwidth explains: launches, sampling, and the exchange between GPUs over
 * NVLink. From the same two tables: 0.01 to 0.12, largest for the smallest models.
 */
export const layerOverheadMs: Range = { low: 0.03, high: 0.12 };

/**
 * The same of transformers, which launches each kernel from Python: 1.0 for Falcon 7B, 1.3 for StarCoder, 1.9 to 2.2 for
 * Llama 3.1 8B and Qwen2.5 1.5B and 7B, whatever the precision and the batch (PyTorch 2.11, transformers 5.24, an H100;
 * measured with bench/sizing/measure on 2026-11-26).
 */
export const eagerLayerOverheadMs: Range = { low: 0.85, high: 2.3 };

/** Two exchanges of a layer over PCIe, milliseconds; assumed from its latency, for no table with a source was found. */
export const pcieLayerMs: Range = { low: 0.04, high: 0.2 };

/** Share of the dense peak that reading a prompt reaches: 0.48 to 0.72 in the Qwen2.5 table, 1 against 6,144 tokens. */
export const prefillShare: Range = { low: 0.35, high: 0.75 };

/**
 * Share of the dense peak that training reaches: 0.21 for GPT-3 as PaLM's authors count it, 0.46 for PaLM
 * (https://arxiv.org/abs/2204.02311, table 3), 0.52 for Megatron-LM (https://arxiv.org/abs/2104.04473). Quantised weights
 * are unpacked in every pass, for which a third is taken off: an assumption.
 */
export const trainingShare: Readonly<Record<"full" | "lora" | "qlora", Range>> = {
  full: { low: 0.2, high: 0.5 },
  lora: { low: 0.2, high: 0.5 },
  qlora: { low: 0.13, high: 0.33 },
};

/** What is left of a share when the GPUs exchange over PCIe; an assumption. */
export const pcieShare: Range = { low: 0.5, high: 0.9 };

/**
 * Share of the dense peak that a denoiser reaches in PyTorch, compiled or not: 0.14 for Stable Diffusion 1.5 in batches of 16
 * on a T4 to 0.33 on an A100 (docs/source/en/optimization/torch2.0.md of github.com/huggingface/diffusers), 0.37 for SDXL on
 * an A100 (https://github.com/fal-ai/stable-diffusion-benchmarks). TensorRT reaches 0.47 there, and is not meant.
 */
export const denoiserShare: Range = { low: 0.14, high: 0.4 };

/**
 * The same of its training: 0.22 and 0.24 for Stable Diffusion 2 at 256 and 512 pixels on 8 A100, with captions and latents
 * made before, and 1.4 times the time where they are not (README.md of github.com/mosaicml/diffusion); 0.14, or 0.21 if its
 * activations were made again, of LoRA for SDXL on an RTX 3090 (https://github.com/bmaltais/kohya_ss/issues/1730). Both ends
 * leave room beyond them, which is an assumption.
 */
export const denoiserTrainingShare: Range = { low: 0.1, high: 0.33 };

/** Milliseconds of a training step that its arithmetic does not explain; an assumption, from those of a pass. */
export const trainingOverheadMs: Range = { low: 10, high: 150 };

/** Milliseconds of a step that its arithmetic does not explain: 8 to 33 for one image on an A100, in the same tables. */
export const stepOverheadMs: Range = { low: 2, high: 33 };

/**
 * Share of the dense peak that a GPU reaches between its exchanges in Megatron-LM over NVLink. What is left once idle stages
 * are taken off: 0.44 to 0.55 in 2021 (https://arxiv.org/abs/2104.04473, table 1), 0.43 to 0.6 in 2022
 * (https://arxiv.org/abs/2205.05198, table 5) on A100, 0.38 to 0.45 of Llama 3 on H100 (https://arxiv.org/abs/2407.21783,
 * table 4).
 */
export const megatronShare: Range = { low: 0.36, high: 0.65 };

/**
 * The same of a mixture of experts, whose matrices are small and whose GPUs wait for the fullest expert: 0.17 to 0.28 of Qwen3
 * 235B on H100 (best_practice/Qwen3/readme.md of github.com/yanring/Megatron-MoE-ModelZoo), 0.15 and 0.1 of gpt-oss-120b on H100
 * and B200 with idle stages and the network in it (docs/performance-summary.md of github.com/NVIDIA-NeMo/Megatron-Bridge), up to
 * 0.44 of Mixtral 8x7B on H100 (megatron/core/transformer/moe/README.md of github.com/NVIDIA/Megatron-LM).
 */
export const megatronExpertShare: Range = { low: 0.16, high: 0.45 };

/**
 * Share of the network cards' rate that gradients and weights reach; an assumption on both ends, for no measured table of
 * EFA over several types was found.
 */
export const networkShare: Range = { low: 0.4, high: 0.9 };

/** The same of NVLink; an assumption. */
export const nvlinkShare: Range = { low: 0.5, high: 0.85 };
