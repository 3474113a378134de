import type { LoadPrecision } from "./model-server/load-precision.ts";
import type { MemoryDemand } from "./sizing/memory-part.ts";

/** How the capacity is bought. */
export type Purchase = "on-demand" | "spot" | "capacity-block";

/** Which purchases a deployment's ladder may have, in this order. */
export const markets = ["on-demand", "spot", "spot-then-on-demand"] as const;

/** Those, and what can be planned alone: a Capacity Block is bought before anything is launched in it. */
export const plannedMarkets = [...markets, "capacity-block"] as const;

/** The program that serves the model on the host. */
export type ServingEngine = "vllm" | "llama.cpp" | "transformers" | "diffusers";

/** One instance type that holds the demand, with its price and where the price is from. */
export interface Placement {
  readonly instanceType: string;
  readonly region: string;
  /** Availability zones to try, in this order; empty takes those that the account has. */
  readonly zones: readonly string[];
  readonly purchase: Purchase;
  /** Hosts of the type that a training is laid out over. @default 1 */
  readonly nodes?: number | undefined;
  readonly gpuModel: string;
  /** Of one host. */
  readonly gpuCount: number;
  /** Usable memory of each GPU, MiB. */
  readonly gpuMemoryMiB: number;
  readonly cpuArchitecture: "x86_64" | "arm64";
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  /** 1 when a model is served. */
  readonly dataParallel: number;
  /** Whether its GPUs are joined by NVLink. */
  readonly nvlink: boolean;
  /** On-demand price of all its hosts; with spot the most that an hour can cost. */
  readonly hourlyUsd: number;
  /** Most that is paid for an hour on spot, USD; undefined leaves EC2's own limit, the on-demand price. */
  readonly spotMaxHourlyUsd?: number | undefined;
  /** On demand, where no more than {@link spotMaxHourlyUsd} is paid. */
  readonly onDemandHourlyUsd?: number | undefined;
  readonly priceAsOf: string;
  readonly priceSource: string;
  /** It starts. */
  readonly fits: boolean;
  /** It holds the asked context and concurrency with room to spare. */
  readonly comfortable: boolean;
}

/** What a refusal is about. */
export type RejectionKind =
  | "memory"
  | "tight"
  | "host-memory"
  | "software"
  | "interconnect"
  | "price"
  | "quota"
  | "not-launchable"
  | "no-price"
  | "not-asked"
  | "dearer"
  | "unknown";

/** A type that was looked at and not taken. */
export interface Rejection {
  readonly instanceType: string;
  readonly region: string;
  readonly hourlyUsd: number | undefined;
  readonly kind: RejectionKind;
  /** One sentence. */
  readonly reason: string;
}

/** What a deployment will be: made from data alone, before anything exists. */
export interface Plan {
  readonly modelId: string;
  readonly modelName: string;
  readonly huggingfaceRepo: string | undefined;
  readonly licence: string;
  readonly gated: boolean;
  readonly env: string;
  readonly engine: ServingEngine;
  readonly precision: string;
  /** What the engine makes of the files to have that precision. @default nothing: they hold it */
  readonly quantise?: LoadPrecision | undefined;
  readonly contextTokens: number;
  readonly concurrency: number;
  readonly demand: MemoryDemand;
  /** Size of the files to fetch, GiB. */
  readonly weightsGiB: number;
  readonly rootVolumeGiB: number;
  /** Cheapest first; `ladder[0]` is the choice, the others are tried in order when capacity lacks. Never empty. */
  readonly ladder: readonly [Placement, ...Placement[]];
  /** Cheaper types that were refused, and why. */
  readonly rejected: readonly Rejection[];
  /** Equal hosts that it is deployed on, each with the whole model. @default 1 */
  readonly hosts?: number | undefined;
  /** Instance, volume and public address of all hosts together, USD an hour. */
  readonly hourlyUsd: number;
  /** Hours until teardown; undefined means no deadline. */
  readonly leaseHours: number | undefined;
  /** `hourlyUsd` x `leaseHours`; undefined without a deadline. */
  readonly leaseUsd: number | undefined;
  /** The same at the dearest rung of the ladder. */
  readonly leaseMostUsd: number | undefined;
  /** Version (date) of the catalogue that decided. */
  readonly catalogueVersion: string;
}
