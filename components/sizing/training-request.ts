import type { Model } from "../catalogue/model.ts";
import { captionTokens } from "./denoisers.ts";
import { frameworks, type TrainingFramework } from "./parallel/training-layout.ts";
import type { TrainingWorkload } from "./workload.ts";

/** What the user asks of a training; what is left out has a default by method. */
export interface TrainingRequest {
  /** @default "lora" for a fine-tuning, "full" for a training from nothing */
  readonly method?: string | undefined;
  /** @default "amp" for `full`, else "bf16" */
  readonly precision?: string | undefined;
  /** @default "adamw" */
  readonly optimizer?: string | undefined;
  /** @default 2048, or the model's own limit where that is less */
  readonly sequenceTokens?: number | undefined;
  /** Sequences of one pass on one GPU. @default 1 */
  readonly microBatch?: number | undefined;
  /** @default true */
  readonly gradientCheckpointing?: boolean | undefined;
  /** @default "fsdp" on several GPUs, "none" on one */
  readonly sharding?: string | undefined;
  /** @default "none" */
  readonly offload?: string | undefined;
  /** Rank of the adapters. @default 16 */
  readonly loraRank?: number | undefined;
  /** Pixels of an image of an image model. @default the model's own */
  readonly imageSize?: { readonly width: number; readonly height: number } | undefined;
  /** The text encoders of an image model learn as well; a T5 never does. @default false */
  readonly trainTextEncoder?: boolean | undefined;
  /** Tokens of the data set. @default 10 million for a fine-tuning, 20 for each parameter for a training */
  readonly datasetTokens?: number | undefined;
  /** Times that the data are seen. @default 3 for a fine-tuning, 1 for a training */
  readonly epochs?: number | undefined;
  /** Sequences of one step of the optimiser. @default 16 for a fine-tuning, about a million tokens for a training */
  readonly globalBatch?: number | undefined;
  /** `auto`, `hugging-face` or `megatron`. @default "auto", and Megatron-LM where the size of one of its groups is asked for */
  readonly framework?: string | undefined;
  /** GPUs of a tensor-parallel group of Megatron-LM. @default what is fastest */
  readonly tensorParallel?: number | undefined;
  /** Stages of its pipeline. @default what is fastest */
  readonly pipelineParallel?: number | undefined;
  /** GPUs that share out the tokens of one sequence. @default what is fastest, with 4,096 tokens or more on each */
  readonly contextParallel?: number | undefined;
  /** GPUs that share out the experts of a layer. @default what is fastest of those that NVLink joins */
  readonly expertParallel?: number | undefined;
}

/** How a training may be laid out. */
export interface LayoutWishes {
  readonly framework: "auto" | TrainingFramework;
  readonly tensorParallel: number | undefined;
  readonly pipelineParallel: number | undefined;
  readonly contextParallel?: number | undefined;
  readonly expertParallel?: number | undefined;
}

const known = {
  method: ["full", "lora", "qlora"],
  precision: ["fp32", "amp", "bf16"],
  optimizer: ["adamw", "adamw-8bit", "adafactor", "sgd"],
  sharding: ["none", "zero-1", "zero-2", "zero-3", "fsdp"],
  offload: ["none", "optimizer", "optimizer-and-weights"],
} as const satisfies Partial<Record<keyof TrainingWorkload, readonly string[]>>;

const counts = [
  "sequenceTokens",
  "microBatch",
  "loraRank",
  "datasetTokens",
  "globalBatch",
  "tensorParallel",
  "pipelineParallel",
  "contextParallel",
  "expertParallel",
] as const;

const frameworkNames: readonly LayoutWishes["framework"][] = ["auto", ...frameworks];

/** Whether the size of one of Megatron-LM's groups is asked for. */
function asksForGroups(request: TrainingRequest): boolean {
  const { tensorParallel, pipelineParallel, contextParallel, expertParallel } = request;
  const sizes = [tensorParallel, pipelineParallel, contextParallel, expertParallel];
  return sizes.some((size) => size !== undefined);
}

function wrongFramework(request: TrainingRequest): readonly string[] {
  const { framework } = request;
  if (framework === undefined) return [];
  if (!frameworkNames.some((name) => name === framework)) {
    return [`framework: "${framework}"; there are ${frameworkNames.join(", ")}`];
  }
  return asksForGroups(request) && framework === "hugging-face"
    ? [
        "framework: groups of GPUs (tensor, context, expert, pipeline) are Megatron-LM's; take megatron, or leave it out",
      ]
    : [];
}

/** A request of a plan has two precisions: that of a server, and this one. */
function placeOf(name: string): string {
  return name === "precision" ? "trainingPrecision" : name;
}

/** Every problem of the request, with its place. */
export function wrongTraining(request: TrainingRequest = {}): readonly string[] {
  const names = Object.entries(known).flatMap(([name, values]) => {
    const value = request[name as keyof typeof known];
    return value === undefined || values.some((one) => one === value)
      ? []
      : [`${placeOf(name)}: "${value}"; there are ${values.join(", ")}`];
  });
  const numbers = counts.flatMap((name) => {
    const value = request[name];
    return value === undefined || (Number.isInteger(value) && value >= 1)
      ? []
      : [`${name}: ${value} is no whole number of 1 or more`];
  });
  const { epochs } = request;
  const wrongEpochs = epochs !== undefined && !(Number.isFinite(epochs) && epochs > 0);
  return [
    ...names,
    ...numbers,
    ...(wrongEpochs ? [`epochs: ${epochs} is not above 0`] : []),
    ...wrongFramework(request),
  ];
}

/** How the request lets a training be laid out; {@link wrongTraining} finds nothing wrong with it. */
export function layoutWishes(request: TrainingRequest): LayoutWishes {
  const { tensorParallel, pipelineParallel, contextParallel, expertParallel } = request;
  const { framework = "auto" } = request;
  const named = frameworkNames.find((name) => name === framework) ?? "auto";
  return {
    framework: asksForGroups(request) ? "megatron" : named,
    tensorParallel,
    pipelineParallel,
    contextParallel,
    expertParallel,
  };
}

function chosen<Name extends keyof typeof known>(
  name: Name,
  value: string | undefined,
): (typeof known)[Name][number] | undefined {
  const values: readonly (typeof known)[Name][number][] = known[name];
  return values.find((one) => one === value);
}

/** The workload of a request that {@link wrongTraining} finds nothing wrong with. */
export function trainingWorkload(
  request: TrainingRequest,
  { scratch, model }: { readonly scratch: boolean; readonly model: Model },
): TrainingWorkload {
  const method = chosen("method", request.method) ?? (scratch ? "full" : "lora");
  const images = model.task === "image-generation";
  const usualTokens = images ? captionTokens : Math.min(2048, model.maxContextTokens ?? 2048);
  const { sequenceTokens = usualTokens, microBatch = 1, loraRank } = request;
  const usualPrecision = images || method === "full" ? "amp" : "bf16";
  return {
    method,
    precision: chosen("precision", request.precision) ?? usualPrecision,
    optimizer: chosen("optimizer", request.optimizer) ?? "adamw",
    sequenceTokens,
    microBatch,
    gradientCheckpointing: request.gradientCheckpointing ?? true,
    sharding: chosen("sharding", request.sharding),
    offload: chosen("offload", request.offload),
    // TRL's trainer, which a fine-tuning runs under, never has the logits whole.
    chunkedLoss: !scratch,
    lora:
      loraRank === undefined
        ? undefined
        : { rank: loraRank, targets: images ? "attention" : "all-linear" },
    imageSize: request.imageSize,
    trainTextEncoder: images ? request.trainTextEncoder : undefined,
  };
}
