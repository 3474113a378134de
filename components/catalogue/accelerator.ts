import { z } from "zod";

/** Schema of one row of `data/gpus.json`. */
export const acceleratorSchema = z.strictObject({
  model: z.string(),
  architecture: z.string(),
  computeCapability: z.string(),
  /** As the EC2 API reports it; not what a program can use. */
  memoryMiBApi: z.number().positive().optional(),
  /** Total that nvidia-smi reports; what fit is checked against. */
  memoryMiBUsable: z.number().positive().optional(),
  memoryBandwidthGBs: z.number().positive().optional(),
  supportsBf16: z.boolean().optional(),
  supportsFp8: z.boolean().optional(),
  source: z.string(),
});

/** A GPU model. */
export type Accelerator = Readonly<z.infer<typeof acceleratorSchema>>;

/**
 * Memory of one GPU that a fit is checked against, MiB: what nvidia-smi reports, else the API's figure less 3 %, which is
 * under every measured difference of the table but the T4's, whose own figure is known.
 */
export function usableMemoryMiB(accelerator: Accelerator): number | undefined {
  const { memoryMiBUsable, memoryMiBApi } = accelerator;
  return memoryMiBUsable ?? (memoryMiBApi === undefined ? undefined : memoryMiBApi * 0.97);
}
