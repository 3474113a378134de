import { z } from "zod";

/** Schema of one row of `data/gpus.json`. A field left out is not known, never zero or false. */
export const acceleratorSchema = z.strictObject({
  model: z.string(),
  architecture: z.string(),
  /** CUDA compute capability, such as "8.6". */
  computeCapability: z.string().regex(/^\d+\.\d$/),
  /** EC2 families that carry it. */
  awsFamilies: z.array(z.string()).optional(),
  memoryType: z.string().optional(),
  /** The figure on the box, in the maker's GB. */
  memoryGBNominal: z.number().positive().optional(),
  /** As the EC2 API reports it; not what a program can use. */
  memoryMiBApi: z.number().positive().optional(),
  /** Total that nvidia-smi reports; what fit is checked against. */
  memoryMiBUsable: z.number().positive().optional(),
  memoryBandwidthGBs: z.number().positive().optional(),
  /** Dense tensor-core peaks, without sparsity, in 10^12 operations a second. */
  fp16Tflops: z.number().positive().optional(),
  bf16Tflops: z.number().positive().optional(),
  fp8Tflops: z.number().positive().optional(),
  int8Tops: z.number().positive().optional(),
  supportsFp16: z.boolean().optional(),
  supportsBf16: z.boolean().optional(),
  supportsFp8: z.boolean().optional(),
  supportsInt8: z.boolean().optional(),
  supportsFp4: z.boolean().optional(),
  /** First CUDA toolkit that builds for it. */
  minCudaToolkit: z.string().optional(),
  /** Last CUDA toolkit that builds for it, where support has ended. */
  lastCudaToolkit: z.string().optional(),
  /** Oldest Linux driver that is known to name it, on the cautious side; `minDriverBasis` says how it is known. */
  minLinuxDriver: z.string().optional(),
  minDriverBranch: z.int().positive().optional(),
  minDriverBasis: z.string().optional(),
  /** Which of NVIDIA's kernel modules drives it. */
  kernelModule: z.string().optional(),
  /** Of the board, both directions together; zero without NVLink. */
  nvlinkGBs: z.number().nonnegative().optional(),
  /** Whether EC2's hosts join the GPUs over NVSwitch, which needs `nvidia-fabricmanager` in the guest. */
  nvswitch: z.boolean().optional(),
  source: z.string(),
  notes: z.string().optional(),
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
