import { z } from "zod";

const priceSchema = z.strictObject({
  /** Linux, shared tenancy, USD an hour. */
  onDemandHourlyUsd: z.number().positive(),
  asOf: z.iso.date(),
});

/** Schema of one row of `data/instance-types.json`. */
export const instanceTypeSchema = z.strictObject({
  instanceType: z.string().regex(/^[a-z0-9-]+\.[a-z0-9]+$/),
  gpuModel: z.string(),
  /** Less than one for the types that rent a slice of a GPU. */
  gpuCount: z.number().positive(),
  gpuMemoryMiBApi: z.number().positive().optional(),
  cpuArchitecture: z.enum(["x86_64", "arm64"]),
  vcpus: z.int().positive(),
  memoryGiB: z.number().positive(),
  localNvmeGB: z.number().nonnegative().optional(),
  networkGbps: z.number().positive().optional(),
  currentGeneration: z.boolean().optional(),
  prices: z.record(z.string(), priceSchema).optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** An EC2 instance type with NVIDIA GPUs, and its price in each region that is known. */
export type InstanceType = Readonly<z.infer<typeof instanceTypeSchema>>;
