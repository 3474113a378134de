import { z } from "zod";

const count = z.int().positive();

/** Layout of the numbers of a quantised checkpoint. */
const quantisationSchema = z.strictObject({
  method: z.enum([
    "fp8",
    "mxfp4",
    "nvfp4",
    "gptq",
    "awq",
    "bitsandbytes",
    "compressed-tensors",
    "gguf",
    "other",
  ]),
  /** Bits of a quantised weight alone. */
  bits: z.number().positive(),
  /** Weights that share a scale; without it, one scale for each row or tensor. */
  groupSize: count.optional(),
  /** Bits of a quantised weight with its share of scales and zero points. */
  bitsPerWeight: z.number().positive(),
  /** Parameters held so; the others are in 16 bit. Without it, every linear layer but the output head. */
  quantisedParameters: count.optional(),
});

/** Experts of a mixture. Widths are of the hidden layer between the matrices of the MLP. */
const expertsSchema = z.strictObject({
  count,
  /** Experts that a token passes through, shared ones aside. */
  perToken: count,
  /** Of one expert. */
  intermediateSize: count,
  /** Of all shared experts of a layer together. */
  sharedIntermediateSize: count.optional(),
  /** Layers with experts; the others are dense. */
  layers: count,
  /** Of the dense layers. */
  denseIntermediateSize: count.optional(),
});

/** Ranks and head sizes of multi-head latent attention (https://arxiv.org/abs/2405.04434). */
const latentAttentionSchema = z.strictObject({
  queryRank: count.optional(),
  latentRank: count,
  ropeDimension: z.int().nonnegative(),
  nopeDimension: count,
  valueDimension: count,
});

/** One network of several that make up the model. */
const componentSchema = z.strictObject({
  name: z.string(),
  role: z.enum([
    "language-model",
    "vision-encoder",
    "audio-encoder",
    "text-encoder",
    "projector",
    "denoiser",
    "vae",
    "other",
  ]),
  parameters: count,
});

/** The work of making one image at `imagePixels`. */
const denoisingSchema = z.strictObject({
  /** 10^12 operations of one pass of the denoiser, without the products of attention's scores where the source leaves them out. */
  teraOperationsPerPass: z.number().positive(),
  /** 2 with classifier-free guidance, 1 where guidance was distilled. */
  passesPerStep: z.int().min(1).max(2),
  /** What the pipeline takes by default. */
  steps: count,
  source: z.string(),
});

/** Another training of the same architecture, such as the one for chat: alike in all but its name, its files and what is said here. */
const variantSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.+-]*$/),
  huggingfaceRepo: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  /** Where it was trained on longer or shorter texts than the model. */
  maxContextTokens: count.optional(),
});

/** Schema of one row of `data/models.json`. Sizes in GiB or bytes as named; a field left out is not known, never zero. */
export const modelSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.+-]*$/),
  huggingfaceRepo: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/)
    .optional(),
  /** Other names that mean this model and no other. */
  aliases: z.array(z.string()).optional(),
  variants: z.array(variantSchema).optional(),
  family: z.string(),
  task: z.enum(["text-generation", "code", "multimodal", "image-generation"]),
  architecture: z.string(),
  /** The networks it is made of, where it is more than one. Their parameters add up to `parameters`. */
  components: z.array(componentSchema).optional(),
  /** Side of the square image that it is made for, pixels. */
  imagePixels: count.optional(),
  denoising: denoisingSchema.optional(),
  parameters: count.optional(),
  parametersBasis: z.string().optional(),
  activeParameters: count.optional(),
  /** Layers of the decoder, cross-attention layers included. */
  layers: count.optional(),
  /** Layers of the encoder, in models that have both. */
  encoderLayers: count.optional(),
  /** Layers that attend to the encoder or the image, and cache those tokens. */
  crossAttentionLayers: count.optional(),
  hiddenSize: count.optional(),
  attentionHeads: count.optional(),
  kvHeads: count.optional(),
  headDimension: count.optional(),
  /** Width of the MLP; of one expert in a mixture. */
  intermediateSize: count.optional(),
  /** Matrices of one MLP: 3 with a gate, 2 without. */
  mlpMatrices: z.int().min(2).max(3).optional(),
  experts: expertsSchema.optional(),
  vocabularySize: count.optional(),
  tiedEmbeddings: z.boolean().optional(),
  maxContextTokens: count.optional(),
  nativePrecision: z.string(),
  /** Layout of the native checkpoint where it is quantised. */
  quantisation: quantisationSchema.optional(),
  /** Files of the native precision, GiB. */
  weightsGiB: z.number().positive().optional(),
  kvType: z.string().optional(),
  /** Values cached for a token in each layer of latent attention: latent rank and rotary part together. */
  mlaLatentDimension: count.optional(),
  mla: latentAttentionSchema.optional(),
  kvGlobalLayers: z.int().nonnegative().optional(),
  kvLocalLayers: z.int().nonnegative().optional(),
  kvWindowTokens: count.optional(),
  /** Key and value heads of the global layers, where they are others than `kvHeads`. */
  kvGlobalHeads: count.optional(),
  /** Their dimension, where it is another than `headDimension`. */
  kvGlobalHeadDimension: count.optional(),
  /** Cache of one token in all global layers, 16 bit. */
  kvBytesPerToken: z.int().nonnegative().optional(),
  /** Cache of one token in all sliding-window layers, 16 bit. */
  kvLocalBytesPerToken: z.int().nonnegative().optional(),
  /** Fixed state of the recurrent layers for each sequence, bytes. */
  stateBytesPerSequence: count.optional(),
  /** Of 1, 2, 4 and 8, the counts of GPUs that the heads divide over. */
  tensorParallelSizes: z.array(count).optional(),
  kvNotes: z.string().optional(),
  licence: z.string().optional(),
  gated: z.boolean().optional(),
  commercialUse: z.enum(["yes", "no", "conditional"]).optional(),
  commercialNote: z.string().optional(),
  /** Short names of where licence and gating were read, `;` between them. Left out where that was not recorded. */
  licenceSource: z.string().optional(),
  confidence: z.enum(["high", "medium", "low"]),
  engine: z.enum(["vllm", "llama.cpp"]).optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** A model whose size and shape berth knows. */
export type Model = Readonly<z.infer<typeof modelSchema>>;
