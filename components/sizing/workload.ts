/** What is wanted of a model. */
export type Task = "serve" | "finetune" | "train";

/** The program that holds the model in GPU memory when it is served. */
export type SizingEngine = "vllm" | "tgi" | "transformers" | "llama.cpp" | "diffusers";

/**
 * How the weights lie in memory. `native` is what the files hold; `int8` and `int4` are what is usual for the engine:
 * bitsandbytes' LLM.int8 and GPTQ or AWQ in groups of 128, and `q8_0` and `q4_k_m` for llama.cpp.
 */
export type WeightFormat =
  | "native"
  | "fp32"
  | "bf16"
  | "fp16"
  | "fp8"
  | "int8"
  | "gptq-int8"
  | "int4"
  | "awq-int4"
  | "nf4"
  | "nf4-double"
  | "mxfp4"
  | GgufFormat;

/** llama.cpp's file types; the k-quants mix formats over the tensors. */
export type GgufFormat =
  | "q8_0"
  | "q6_k"
  | "q5_k_m"
  | "q5_k_s"
  | "q5_0"
  | "q4_k_m"
  | "q4_k_s"
  | "q4_1"
  | "q4_0"
  | "iq4_xs"
  | "q3_k_l"
  | "q3_k_m"
  | "q3_k_s"
  | "q2_k";

/** How a number of the key-value cache is held. @default 16 bit */
export type KvFormat = "16-bit" | "fp32" | "fp8" | "q8_0" | "q4_0";

/** Over how many GPUs a served model is split. */
export interface ServingParallelism {
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
}

/** Over how many GPUs a training is split: data x tensor x pipeline of them in all. */
export interface TrainingParallelism extends ServingParallelism {
  readonly dataParallel: number;
}

/** Adapters that are served at once, and the highest rank among them. */
export interface ServedAdapters {
  readonly count: number;
  readonly rank: number;
}

/** What is asked of a server. */
export interface ServingWorkload {
  /** LoRA adapters that vLLM serves beside the model. @default none */
  readonly adapters?: ServedAdapters | undefined;
  readonly engine: SizingEngine;
  readonly precision: WeightFormat;
  /** Tokens of prompt and answer together, of one sequence; those of images in the prompt count as well. */
  readonly contextTokens: number;
  /** Sequences (or, for an image model, images) at once. */
  readonly concurrency: number;
  /** Tokens of the longest prompt, which an engine without chunked prefill takes in one go. @default contextTokens */
  readonly promptTokens?: number | undefined;
  /** @default 16 bit */
  readonly kvFormat?: KvFormat | undefined;
  /** Share of each GPU that the engine takes (vLLM's gpu_memory_utilization). @default the engine's own */
  readonly utilisation?: number | undefined;
  /** Tokens of one step (vLLM's max_num_batched_tokens, llama.cpp's n_ubatch). @default the engine's own */
  readonly batchedTokens?: number | undefined;
  /** False is vLLM's enforce_eager. @default true where the engine has graphs */
  readonly cudaGraphs?: boolean | undefined;
  /** False keeps the scores of every pair of tokens in memory. @default true */
  readonly flashAttention?: boolean | undefined;
  /** True when the engine keeps the logits of every token of the prompt. @default false */
  readonly promptLogits?: boolean | undefined;
  /** Memory of each GPU, MiB: from 70 GiB on vLLM takes larger steps. @default unknown, taken as large */
  readonly gpuMemoryMiB?: number | undefined;
  /** Pixels of an image that is made or read. @default the model's own, 1024 x 1024 where not known */
  readonly imageSize?: { readonly width: number; readonly height: number } | undefined;
  /** Decodes one image, or one tile, at a time. @default "none" */
  readonly vaeSaving?: "none" | "slicing" | "tiling" | undefined;
  /** Keeps one component of an image pipeline on the GPU at a time. @default false */
  readonly componentOffload?: boolean | undefined;
}

/** How a model is trained. */
export interface TrainingWorkload {
  readonly method: "full" | "lora" | "qlora";
  /**
   * `fp32`; `amp` (16-bit arithmetic beside 32-bit weights or masters); `bf16` (nothing but 16 bit). Adapters of LoRA are
   * held in 32 bit but for `bf16`.
   */
  readonly precision: "fp32" | "amp" | "bf16";
  readonly optimizer: "adamw" | "adamw-8bit" | "adafactor" | "sgd";
  /** Tokens of one sequence, after packing. */
  readonly sequenceTokens: number;
  /** Sequences of one forward pass on one GPU. */
  readonly microBatch: number;
  /** Steps whose gradients are added up; it costs no memory. @default 1 */
  readonly gradientAccumulation?: number | undefined;
  readonly gradientCheckpointing: boolean;
  /** @default "none" */
  readonly sharding?: "none" | "zero-1" | "zero-2" | "zero-3" | "fsdp" | undefined;
  /** What lies in the host's memory. @default "none" */
  readonly offload?: "none" | "optimizer" | "optimizer-and-weights" | undefined;
  readonly lora?: LoraSettings | undefined;
  /** Of the frozen weights of QLoRA. @default "nf4-double" */
  readonly quantisation?: "nf4" | "nf4-double" | "int8" | "gptq-int8" | "int4" | undefined;
  /** @default true */
  readonly flashAttention?: boolean | undefined;
  /** The loss is made in pieces (chunked or fused cross entropy), so that the logits are never whole. @default false */
  readonly chunkedLoss?: boolean | undefined;
  /** Steps each weight as soon as its gradient is there, and keeps none. @default false */
  readonly optimizerInBackward?: boolean | undefined;
  /** Tensor parallelism splits the norms and dropouts by sequence too. @default true with tensor parallelism */
  readonly sequenceParallel?: boolean | undefined;
  /**
   * Sequences are cut or joined to one length. Lengths that differ leave holes in the allocator's memory, unless PyTorch
   * runs with `expandable_segments:True`. @default unknown: the holes count in the upper end of the range alone
   */
  readonly packing?: boolean | undefined;
  /** False is PyTorch's AdamW over all weights at once, which needs a copy of a moment for a step. @default true */
  readonly fusedOptimizer?: boolean | undefined;
  /** Pixels of an image that an image model learns from. @default the model's own */
  readonly imageSize?: { readonly width: number; readonly height: number } | undefined;
  /** The CLIP text encoders of an image model learn too, as its denoiser does. @default false */
  readonly trainTextEncoder?: boolean | undefined;
  /** Trained by Megatron-LM, with its distributed optimizer and sequence parallelism. @default Hugging Face's Trainer */
  readonly megatron?: MegatronSettings | undefined;
}

/** What Megatron-LM is told besides the sizes of its groups. */
export interface MegatronSettings {
  /** Groups of layers that each pipeline stage holds (`virtual_pipeline_model_parallel_size`); 1 is no interleaving. */
  readonly virtualStages: number;
  /**
   * Embedding and output head count as a layer each when layers are dealt out, so that the first and the last stage hold one
   * layer less (`account_for_embedding_in_pipeline_split`). @default false
   */
  readonly tablesAsLayers?: boolean | undefined;
  /** GPUs that share out the tokens of one sequence (`context_parallel_size`). @default 1 */
  readonly contextParallel?: number | undefined;
  /** GPUs that share out the experts of a layer, each of them whole (`expert_model_parallel_size`). @default 1 */
  readonly expertParallel?: number | undefined;
  /** Moments and 32-bit weights are shared out over the data-parallel GPUs. @default true */
  readonly distributedOptimizer?: boolean | undefined;
}

/** Which matrices are adapted, and how wide the adapters are. */
export interface LoraSettings {
  /** @default 16 */
  readonly rank: number;
  /** `attention` is q, k, v and o; `q-v` the paper's two; `all-linear` those and the feed-forward ones. */
  readonly targets: "q-v" | "qkv" | "attention" | "all-linear";
  /** Embedding and output head are trained whole as well. @default false */
  readonly trainEmbeddings?: boolean | undefined;
}
