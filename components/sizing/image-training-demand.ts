import type { Model } from "../catalogue/model.ts";
import { partOf, readable } from "./mebibytes.ts";
import { demandOf, type MemoryDemand, type MemoryPart } from "./memory-part.ts";
import type { TrainingWorkload } from "./workload.ts";

const gibi = 1024 ** 3;
const single = { dataParallel: 1, tensorParallel: 1, pipelineParallel: 1 } as const;
/** Of the GPU, as of every training. */
const trainingShare = 0.95;
/** Rank of the adapters where none is asked for. */
const defaultRank = 16;

/** A denoiser whose training was measured. */
interface Denoiser {
  readonly name: string;
  /** It is known by its size: what is trained further has another name and the same network. */
  readonly parameters: number;
  /** GiB for each megapixel of a batch, with every activation kept. */
  readonly activationsGiB: number;
  /** Of adapters on query, key, value and output of its attention, for each rank. */
  readonly adapterParametersPerRank: number;
}

/** bench/sizing/references/h100-train-images.json: 34 trainings, of which a quarter chose none of these figures. */
const denoisers: readonly Denoiser[] = [
  {
    name: "Stable Diffusion 1",
    parameters: 859_520_964,
    activationsGiB: 4.5,
    adapterParametersPerRank: 199_296,
  },
  {
    name: "Stable Diffusion 2",
    parameters: 865_910_724,
    activationsGiB: 4.5,
    adapterParametersPerRank: 207_488,
  },
  {
    name: "Stable Diffusion 3 medium",
    parameters: 2_028_328_000,
    activationsGiB: 6.1,
    adapterParametersPerRank: 294_912,
  },
  {
    name: "Stable Diffusion XL",
    parameters: 2_567_463_684,
    activationsGiB: 7,
    adapterParametersPerRank: 1_451_520,
  },
];

/**
 * GiB for each megapixel with checkpoints, whatever the network: what the VAE takes to encode the batch. And what the
 * allocator then holds in blocks of sizes that come no more; else a share of all.
 */
const checkpointed = { activationsGiB: 1.5, holesGiB: 0.65 } as const;
const holesShare = 0.03;
/** Activations that are left when all gradients are there, as a share of the states. */
const lastLayersShare = 0.025;
/** From here on a text encoder is a T5, whose captions are made before; the largest CLIP has 0.7 billion. */
const t5Parameters = 2e9;
/** CUDA context and libraries: 764 to 792 MiB on an H100, less on smaller GPUs. */
const context = { mib: 700, lowMiB: 300, highMiB: 1200 };

function partsOf({ components = [] }: Model, roles: readonly string[]) {
  return components.filter(({ role }) => roles.includes(role));
}

function sum(counts: readonly { readonly parameters: number }[]): number {
  return counts.reduce((total, { parameters }) => total + parameters, 0);
}

function denoiserOf(model: Model): Denoiser | undefined {
  const parameters = sum(partsOf(model, ["denoiser"]));
  return denoisers.find((known) => Math.abs(parameters / known.parameters - 1) < 0.003);
}

/** Pixels of each image that is learned from. */
export function imageSizeOf(
  { imagePixels = 1024 }: Model,
  { imageSize }: TrainingWorkload,
): { readonly width: number; readonly height: number } {
  return imageSize ?? { width: imagePixels, height: imagePixels };
}

/** Why no training of the model is sized so, all of it; empty when it is. */
export function imageTrainingProblems(
  model: Model,
  { method, precision, optimizer }: TrainingWorkload,
): readonly string[] {
  const problems: string[] = [];
  const names = denoisers.map(({ name }) => name).join(", ");
  if (denoiserOf(model) === undefined) {
    problems.push(`task: no training of its denoiser was measured; those of ${names} were`);
  }
  if (method === "qlora") {
    problems.push("method: qlora of an image model was not measured; take lora or full");
  }
  if (precision !== "amp") {
    problems.push(`trainingPrecision: ${precision} was not measured for image models; take amp`);
  }
  if (optimizer !== "adamw" && optimizer !== "adamw-8bit") {
    problems.push(
      `optimizer: ${optimizer} was not measured for image models; take adamw or adamw-8bit`,
    );
  }
  return problems;
}

/** Parameters that are trained: the denoiser's, or those of its adapters. */
export function trainedImageParameters(model: Model, { method, lora }: TrainingWorkload): number {
  const denoiser = denoiserOf(model);
  if (denoiser === undefined) throw new Error(`${model.id} is not checked for training`);
  if (method === "full") return sum(partsOf(model, ["denoiser"]));
  return denoiser.adapterParametersPerRank * (lora?.rank ?? defaultRank);
}

const exact = { below: 0.01, above: 0.03 };
const usual = { below: 0.15, above: 0.15 };

/** Weights, gradients and moments in 32 bit, and what is frozen in 16. */
function stateParts(model: Model, workload: TrainingWorkload): readonly MemoryPart[] {
  const trained = trainedImageParameters(model, workload);
  const full = workload.method === "full";
  const frozen = partsOf(model, full ? ["vae"] : ["denoiser", "vae"]);
  const encoders = partsOf(model, ["text-encoder"]).filter(
    (each) => each.parameters < t5Parameters,
  );
  const held = (sum(frozen) + sum(encoders)) * 2;
  const moments = workload.optimizer === "adamw" ? 8 : 2;
  const what = full ? "VAE and CLIP" : "denoiser, VAE and CLIP";
  return [
    partOf("weights", held, exact, `${readable(held)} of ${what} in 16 bit, frozen`),
    partOf(
      full ? "weights" : "adapters",
      trained * 4,
      exact,
      `${trained} trained parameters x 4 bytes`,
    ),
    partOf("gradients", trained * 4, exact, "4 bytes of each"),
    partOf("optimizer", trained * moments, exact, `${moments} bytes of each`),
  ];
}

/**
 * What a pass needs beyond the states. While activations are largest no gradient of the denoiser is there yet, but 16-bit
 * copies of its weights are: of these and the gradients' room the larger counts, not both.
 */
function activationBytes(model: Model, workload: TrainingWorkload, megapixels: number): number {
  const each = workload.gradientCheckpointing
    ? checkpointed.activationsGiB
    : (denoiserOf(model)?.activationsGiB ?? 0);
  const pass = each * megapixels * gibi;
  if (workload.method !== "full") return pass;
  const trained = trainedImageParameters(model, workload);
  const gradients = trained * 4;
  const states = trained * (workload.optimizer === "adamw" ? 16 : 10);
  return Math.max(pass + trained * 2 - gradients, states * lastLayersShare);
}

/**
 * What one GPU has to hold to train the denoiser of an image model as the examples of diffusers do: in 16-bit arithmetic over
 * 32-bit weights, or adapters in 32 bit over weights in 16. Pure; {@link imageTrainingProblems} finds nothing wrong with it.
 */
export function imageTrainingDemand(model: Model, workload: TrainingWorkload): MemoryDemand {
  const { width, height } = imageSizeOf(model, workload);
  const megapixels = (workload.microBatch * width * height) / 1e6;
  const states = stateParts(model, workload);
  const activations = activationBytes(model, workload, megapixels);
  const allocated = states.reduce((total, { mib }) => total + mib, 0) * 1024 ** 2 + activations;
  const blocks = workload.gradientCheckpointing ? checkpointed.holesGiB * megapixels * gibi : 0;
  const holes = allocated * holesShare + blocks;
  const why = `${workload.microBatch} of ${width} x ${height}${workload.gradientCheckpointing ? ", with checkpoints" : ""}`;
  const parts = [
    ...states,
    partOf("activations", activations, usual, why),
    partOf("fragmentation", holes, { below: 0.9, above: 1 }, "blocks that the allocator holds"),
    { name: "runtime", ...context, why: "CUDA context and libraries" } as const,
  ];
  return demandOf({ parts, parallelism: single, utilisation: trainingShare, wholeRange: true });
}
