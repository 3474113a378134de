import { z } from "zod";

const capability = z.string().regex(/^\d+\.\d$/);

/** Schema of one row of `data/cuda.json`. A field left out is not known. */
export const cudaReleaseSchema = z.strictObject({
  /** "12.8". */
  toolkit: z.string().regex(/^\d+\.\d+$/),
  /** "12.8 Update 1". */
  release: z.string(),
  /** Driver that comes with this release; newer ones run it too. */
  minLinuxDriver: z.string().optional(),
  driverBranch: z.int().positive().optional(),
  /**
   * Oldest driver that runs programs of this major release
   * (https://docs.nvidia.com/deploy/cuda-compatibility/, minor version compatibility).
   */
  minLinuxDriverMinorCompatible: z.string().optional(),
  /** Branch where the next major release begins; newer drivers still run this one. */
  maxDriverBranchMinorCompatible: z.int().positive().optional(),
  minComputeCapability: capability.optional(),
  maxComputeCapability: capability.optional(),
  /** Ubuntu releases that NVIDIA's images of it are made for. */
  ubuntuReleases: z.array(z.string()).optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** A release of the CUDA toolkit: the drivers and GPUs that run it. */
export type CudaRelease = Readonly<z.infer<typeof cudaReleaseSchema>>;

/** Schema of one row of `data/pytorch.json`. A field left out is not known. */
export const pytorchReleaseSchema = z.strictObject({
  version: z.string().regex(/^\d+\.\d+$/),
  firstStable: z.iso.date().optional(),
  /** CUDA releases that there are wheels for. */
  cudaBuilds: z.array(z.string()),
  /** The build that `pip install torch` gives on Linux x86_64. */
  defaultCudaBuild: z.string().optional(),
  pythonVersions: z.array(z.string()),
  /**
   * Compute capabilities compiled into each build for Linux x86_64. A GPU runs code of its own capability or of a lower
   * minor of the same major: 8.6 on 8.9.
   */
  computeCapabilities: z.record(z.string(), z.array(capability)).optional(),
  /** Builds that carry PTX of their newest capability, which newer GPUs can compile. */
  ptxBuilds: z.array(z.string()).optional(),
  cudnn: z.string().optional(),
  /** Why plans and `"newest"` do not take it yet; by its version it is taken. */
  heldBack: z.string().optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** A release of PyTorch: its CUDA builds, and the GPUs that each is compiled for. */
export type PytorchRelease = Readonly<z.infer<typeof pytorchReleaseSchema>>;
