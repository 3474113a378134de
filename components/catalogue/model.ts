import { z } from "zod";

/** Schema of one row of `data/models.json`. Sizes in GiB or bytes as named; a field left out is not known, never zero. */
export const modelSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.+-]*$/),
  huggingfaceRepo: z.string().optional(),
  family: z.string(),
  task: z.enum(["text-generation", "code", "multimodal", "image-generation"]),
  architecture: z.string(),
  parameters: z.int().positive().optional(),
  parametersBasis: z.string().optional(),
  activeParameters: z.int().positive().optional(),
  layers: z.int().positive().optional(),
  hiddenSize: z.int().positive().optional(),
  attentionHeads: z.int().positive().optional(),
  kvHeads: z.int().positive().optional(),
  headDimension: z.int().positive().optional(),
  intermediateSize: z.int().positive().optional(),
  vocabularySize: z.int().positive().optional(),
  tiedEmbeddings: z.boolean().optional(),
  maxContextTokens: z.int().positive().optional(),
  nativePrecision: z.string(),
  /** Files of the native precision, GiB. */
  weightsGiB: z.number().positive().optional(),
  kvType: z.string().optional(),
  kvGlobalLayers: z.int().nonnegative().optional(),
  kvLocalLayers: z.int().nonnegative().optional(),
  kvWindowTokens: z.int().positive().optional(),
  /** Cache of one token in all global layers, 16 bit. */
  kvBytesPerToken: z.int().nonnegative().optional(),
  /** Cache of one token in all sliding-window layers, 16 bit. */
  kvLocalBytesPerToken: z.int().nonnegative().optional(),
  /** Of 1, 2, 4 and 8, the counts of GPUs that the heads divide over. */
  tensorParallelSizes: z.array(z.int().positive()).optional(),
  licence: z.string().optional(),
  gated: z.boolean().optional(),
  commercialUse: z.enum(["yes", "no", "conditional"]).optional(),
  commercialNote: z.string().optional(),
  confidence: z.enum(["high", "medium", "low"]),
  engine: z.enum(["vllm", "llama.cpp"]).optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** A model that berth knows by name. */
export type Model = Readonly<z.infer<typeof modelSchema>>;
