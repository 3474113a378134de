import { z } from "zod";

const hostingPriceSchema = z.strictObject({
  /** Real-time hosting, USD an hour. */
  hostingHourlyUsd: z.number().positive(),
  /** A training job, USD an hour. */
  trainingHourlyUsd: z.number().positive().optional(),
  asOf: z.iso.date(),
  /** Where it is from, when that is not the row's own source. */
  source: z.string().optional(),
});

/** Schema of one row of `data/sagemaker-types.json`. */
export const sagemakerTypeSchema = z.strictObject({
  instanceType: z.string().regex(/^ml\.[a-z0-9-]+\.[a-z0-9]+$/),
  /** The EC2 type with the same hardware. */
  ec2InstanceType: z.string(),
  /**
   * Whether the hosting API takes it (`ProductionVariantInstanceType`). That list is one for all regions: the quota of the
   * account decides beside it.
   */
  hosting: z.boolean(),
  prices: z.record(z.string(), hostingPriceSchema).optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** A SageMaker instance type with NVIDIA GPUs, whether endpoints may use it, and its price where that is known. */
export type SagemakerType = Readonly<z.infer<typeof sagemakerTypeSchema>>;
