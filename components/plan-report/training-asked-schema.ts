import { z } from "zod";

/** A training as it was asked for. */
export const trainingAskedSchema = z.strictObject({
  method: z.string(),
  precision: z.string(),
  optimizer: z.string(),
  sequenceTokens: z.int().positive().optional(),
  microBatch: z.int().positive(),
  gradientCheckpointing: z.boolean(),
  datasetTokens: z.number().positive().optional(),
  epochs: z.number().positive().optional(),
  imageSize: z
    .strictObject({ width: z.int().positive(), height: z.int().positive() })
    .optional()
    .describe("Of an image model, which has no tokens."),
  trainTextEncoder: z
    .boolean()
    .optional()
    .describe("Of an image model: whether its text encoders learn as well."),
});
