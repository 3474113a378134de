import { z } from "zod";

const priceSchema = z.strictObject({
  /** Linux, shared tenancy, USD an hour. */
  onDemandHourlyUsd: z.number().positive(),
  /** Newest price of the cheapest zone, USD an hour; it moves, and the on-demand price is its ceiling. */
  spotHourlyUsd: z.number().positive().optional(),
  /** The same of the dearest zone. */
  spotHighHourlyUsd: z.number().positive().optional(),
  /** The day of the spot price, where that is not the day of the price on demand. */
  spotAsOf: z.iso.date().optional(),
  asOf: z.iso.date(),
  /** Where it is from, when that is not the row's own source. */
  source: z.string().optional(),
});

/** Standard reservation, nothing paid upfront: every hour of the term is paid. */
const reservedSchema = z.strictObject({
  oneYearHourlyUsd: z.number().positive().optional(),
  threeYearHourlyUsd: z.number().positive().optional(),
  asOf: z.iso.date(),
  source: z.string(),
});

/** What spot was in a region on a day; it moves from hour to hour, so it is shown and never decided by. */
const pastSpotSchema = z.strictObject({
  hourlyUsd: z.number().positive(),
  asOf: z.iso.date(),
  source: z.string(),
});

/** A Capacity Block: whole days in advance (https://aws.amazon.com/ec2/capacityblocks/pricing/); AWS moves its price. */
const capacityBlockSchema = z.strictObject({
  hourlyUsd: z.number().positive(),
  asOf: z.iso.date(),
  source: z.string(),
});

/** Schema of one row of `data/instance-types.json`. A field left out is not known, never zero or false. */
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
  /** Baseline, summed over the network cards. */
  networkGbps: z.number().positive().optional(),
  /** What bursts reach ("up to"). */
  networkGbpsPeak: z.number().positive().optional(),
  /** Whether it can have an Elastic Fabric Adapter. */
  efa: z.boolean().optional(),
  /** Whether its GPUs are joined by NVLink. */
  nvlink: z.boolean().optional(),
  /** Whether the guest sees an NVSwitch, and so needs `nvidia-fabricmanager` of the driver's own version. */
  nvswitch: z.boolean().optional(),
  currentGeneration: z.boolean().optional(),
  prices: z.record(z.string(), priceSchema).optional(),
  /** By region. */
  reserved: z.record(z.string(), reservedSchema).optional(),
  /** By region. */
  pastSpot: z.record(z.string(), pastSpotSchema).optional(),
  /** By region. */
  capacityBlocks: z.record(z.string(), capacityBlockSchema).optional(),
  /** Regions whose price list was read in full and has no on-demand Linux price for it. */
  regionsWithoutOnDemand: z.array(z.string()).optional(),
  source: z.string(),
  notes: z.string().optional(),
});

/** An EC2 instance type with NVIDIA GPUs, and its price in each region that is known. */
export type InstanceType = Readonly<z.infer<typeof instanceTypeSchema>>;
