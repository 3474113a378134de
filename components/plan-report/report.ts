import type { LongestContext } from "./longest-context.ts";
import type { Placement, Plan, Rejection } from "../plan.ts";
import type { Energy } from "../pricing/energy.ts";
import type { WeightsDelivery } from "../pricing/weights-delivery.ts";
import type { AroundCost, HourlyParts } from "../pricing/rung-cost.ts";
import type { Range } from "../range.ts";
import type { MemoryDemand } from "../sizing/memory-part.ts";
import type { SoftwareStack } from "../sizing/software-stack.ts";
import type { SizingEngine, Task } from "../sizing/workload.ts";
import type { ImageSpeed } from "../throughput/image-speed.ts";
import type { TrainingFramework } from "../sizing/parallel/training-layout.ts";
import type { ComparedRule } from "./compared-rules.ts";
import type { ClusterStep } from "../throughput/cluster-step.ts";
import type { ImageTrainingSpeed } from "../throughput/image-training-speed.ts";
import type { ServingSpeed } from "../throughput/serving-speed.ts";
import type { TrainingTime } from "../throughput/training-time.ts";

/** The same GPUs as a SageMaker endpoint. */
export interface SagemakerOffer {
  readonly instanceType: string;
  /** Real-time hosting, USD an hour. */
  readonly hourlyUsd: number;
  readonly priceAsOf: string;
  /**
   * Hours a month that the endpoint may be up before the EC2 host that runs all month is cheaper; undefined where the
   * endpoint is not dearer an hour.
   */
  readonly breakEvenHoursAMonth: number | undefined;
}

/** As many sequences at once as the memory holds. */
export interface FullLoad {
  readonly concurrency: number;
  readonly speed: ServingSpeed;
  readonly perMillionTokensUsd: Range;
}

/** How a training is laid out over hosts and GPUs, and what one step of it takes. */
export interface LayoutReport {
  readonly framework: TrainingFramework;
  readonly nodes: number;
  readonly gpusPerNode: number;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  readonly dataParallel: number;
  /** GPUs that share out the tokens of one sequence. */
  readonly contextParallel: number;
  /** GPUs that share out the experts of a layer. */
  readonly expertParallel: number;
  /** Groups of layers of each pipeline stage; 1 is no interleaving. */
  readonly virtualStages: number;
  /** Embedding and output head count as a layer each when layers are dealt out over the stages. */
  readonly tablesAsLayers: boolean;
  /** How states are shared out over the data-parallel GPUs; Megatron-LM's distributed optimizer is ZeRO 1. */
  readonly sharding: string;
  readonly gradientCheckpointing: boolean;
  readonly microBatch: number;
  /** Passes of one step on each GPU. */
  readonly passes: number;
  /** Sequences of one step of the optimiser. */
  readonly globalBatch: number;
  /** Of one host; undefined where it is not known. */
  readonly networkGbps: number | undefined;
  /** Undefined on one host but for Megatron-LM, whose time follows from the share of the peak alone. */
  readonly step: ClusterStep | undefined;
}

/** A placement with all that is known of its price and speed. */
export interface Rung extends Placement {
  /** What each of its GPUs has to hold. */
  readonly demand: MemoryDemand;
  readonly hourly: HourlyParts;
  /** At the declared hours a month. */
  readonly monthlyUsd: number;
  /** Newest spot price that the catalogue has, USD an hour; undefined where it has none. */
  readonly spotHourlyUsd: number | undefined;
  /** The same of the dearest zone. */
  readonly spotHighHourlyUsd: number | undefined;
  /** The day of that price, YYYY-MM-DD. */
  readonly spotAsOf: string | undefined;
  /** What spot was on a day, by a public table; shown, and nothing is decided by it. Undefined where a newer price is known. */
  readonly pastSpot:
    { readonly hourlyUsd: number; readonly asOf: string; readonly source: string } | undefined;
  /** A standard reservation with nothing upfront, USD an hour of the term; undefined where none is known. */
  readonly reserved:
    | {
        readonly oneYearHourlyUsd: number | undefined;
        readonly threeYearHourlyUsd: number | undefined;
        readonly asOf: string;
        readonly source: string;
      }
    | undefined;
  /** Undefined in training, for image models, and where the GPU's rates are not known. */
  readonly speed: ServingSpeed | undefined;
  /** Of an image model; undefined for others, and where its work is not known. */
  readonly imageSpeed: ImageSpeed | undefined;
  readonly perThousandImagesUsd: Range | undefined;
  readonly perMillionTokensUsd: Range | undefined;
  readonly fullLoad: FullLoad | undefined;
  /** Undefined in serving, and where the GPU's rate is not known. */
  readonly training: TrainingTime | undefined;
  /** Of an image model; undefined else, and where the work of a pass is not known. */
  readonly imageTraining:
    (ImageTrainingSpeed & { readonly perThousandImagesUsd: Range }) | undefined;
  /** Undefined in serving. */
  readonly layout: LayoutReport | undefined;
  readonly jobUsd: Range | undefined;
  readonly energy: Energy | undefined;
  readonly software: SoftwareStack | undefined;
  readonly sagemaker: SagemakerOffer | undefined;
  /** The same GPUs in a SageMaker training job; undefined in serving, and where its price is not known. */
  readonly sagemakerTraining:
    Pick<SagemakerOffer, "instanceType" | "hourlyUsd" | "priceAsOf"> | undefined;
}

/** What the answer was looked for: a server. */
export interface ServingRequest {
  readonly contextTokens: number;
  readonly concurrency: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** What the answer was looked for: a training. */
export interface TrainingAsked {
  readonly method: string;
  readonly precision: string;
  readonly optimizer: string;
  readonly microBatch: number;
  readonly gradientCheckpointing: boolean;
  /** This and the next two are undefined for an image model. */
  readonly sequenceTokens?: number | undefined;
  readonly datasetTokens?: number | undefined;
  readonly epochs?: number | undefined;
  /** Pixels; of an image model alone. */
  readonly imageSize?: { readonly width: number; readonly height: number } | undefined;
  /** Undefined for all but image models. */
  readonly trainTextEncoder?: boolean | undefined;
}

/** One thing to change so that less memory is needed, on top of those before it. */
export interface SavingRung {
  readonly name: string;
  readonly change: string;
  /** What it costs in time or quality. */
  readonly cost: string;
  readonly totalMiB: number;
  readonly savesMiB: number;
  readonly fits: boolean;
}

/** The steps until it fits the GPU that was asked for, or the largest that may be taken. */
export interface SavingLadder {
  /** Which GPUs the steps are tried on. */
  readonly machine: string;
  readonly usableMiB: number;
  readonly rungs: readonly SavingRung[];
}

/** Whether GPUs that somebody owns do instead. */
export interface OwnMachine {
  readonly gpus: readonly { readonly name: string; readonly usableMiB: number }[];
  readonly fits: boolean;
  readonly comfortable: boolean;
  readonly reason: string;
  readonly demand: MemoryDemand | undefined;
  /** Electricity of an hour at full board power, USD; undefined where the board power is not known. */
  readonly electricityHourlyUsd: number | undefined;
  readonly electricityUsdPerKwh: number;
  /** Where memory, power and price of the cards are from, and when they were read. */
  readonly source: string;
  /** The cheapest card to buy that holds it, and after how many rented hours it has paid for itself. */
  readonly buying:
    | {
        readonly name: string;
        readonly count: number;
        readonly listPriceUsd: number;
        readonly breakEvenHours: number | undefined;
      }
    | undefined;
}

/** The same server with its weights in fewer bits, where that is cheaper. */
export interface SmallerForm {
  /** As `--precision` takes it. */
  readonly precision: string;
  /** What it costs beside money, in words. */
  readonly loss: string;
  readonly instanceType: string;
  readonly region: string;
  readonly gpuModel: string;
  readonly gpuCount: number;
  /** What each GPU has to hold. */
  readonly gpuMiB: number;
  /** All of an hour. */
  readonly hourlyUsd: number;
}

/** The whole answer of `berth plan`. */
export interface PlanReport {
  readonly schemaVersion: 1;
  readonly task: Task;
  readonly modelId: string;
  readonly modelName: string;
  readonly huggingfaceRepo: string | undefined;
  readonly licence: string;
  readonly gated: boolean;
  readonly commercialUse: string | undefined;
  /** Undefined where the catalogue has no text of that name. */
  readonly licenceText:
    { readonly title: string; readonly url: string; readonly terms: string } | undefined;
  readonly parameters: number | undefined;
  readonly env: string;
  readonly engine: SizingEngine | undefined;
  readonly precision: string;
  readonly serving: ServingRequest | undefined;
  readonly trainingAsked: TrainingAsked | undefined;
  readonly weightsGiB: number;
  readonly rootVolumeGiB: number;
  readonly hostMemoryGiB: number | undefined;
  readonly ranking: { readonly by: "hour" | "job"; readonly tieBreak: string };
  /** Best first, as in {@link Plan}. Empty when only the own machine holds it. */
  readonly ladder: readonly Rung[];
  /** Every type that is not on the ladder, cheapest first. */
  readonly rejected: readonly Rejection[];
  readonly monthlyHours: number;
  readonly leaseHours: number | undefined;
  /** Hours of the lease at the first rung's price. */
  readonly leaseUsd: Plan["leaseUsd"];
  readonly leaseMostUsd: Plan["leaseMostUsd"];
  readonly around: AroundCost | undefined;
  /** Ways in which the weights can reach the first rung's host, the one that is taken first. Empty without a rung. */
  readonly weightsDelivery: readonly WeightsDelivery[];
  readonly own: OwnMachine | undefined;
  /** What other tools' rules say of the first rung. */
  readonly otherRules: readonly ComparedRule[];
  /** On the first rung, of one sequence alone; undefined for what is no server of text. */
  readonly longestContext: LongestContext | undefined;
  /** Cheaper in fewer bits; empty where a precision was asked for. */
  readonly smallerForms: readonly SmallerForm[];
  readonly saving: SavingLadder | undefined;
  /** What does not keep it from running, and may surprise; one sentence each. */
  readonly warnings: readonly string[];
  readonly catalogueVersion: string;
}
