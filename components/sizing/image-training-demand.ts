import type { Model } from "../catalogue/model.ts";
import {
  activationSpread,
  clipEncoders,
  componentsOf,
  denoiserNames,
  denoiserOf,
  encodingGiB,
  learnedMegapixels,
  parametersOf,
  textEncoderTraining,
  type Denoiser,
} from "./denoisers.ts";
import { partOf, readable } from "./mebibytes.ts";
import { demandOf, type MemoryDemand, type MemoryPart } from "./memory-part.ts";
import type { TrainingWorkload } from "./workload.ts";

const gibi = 1024 ** 3;
const single = { dataParallel: 1, tensorParallel: 1, pipelineParallel: 1 } as const;
/** Of the GPU, as of every training. */
const trainingShare = 0.95;
/** Rank of the adapters where none is asked for. */
const defaultRank = 16;

/** GiB for each megapixel that the allocator holds with checkpoints, in blocks of sizes that come no more; else a share of all. */
const checkpointHolesGiB = 0.65;
const holesShare = 0.03;
/** Activations that are left when all gradients are there, as a share of the states. */
const lastLayersShare = 0.025;
/** CUDA context and libraries: 764 to 792 MiB on an H100, less on smaller GPUs. */
const context = { mib: 700, lowMiB: 300, highMiB: 1200 };

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
  const denoiser = denoiserOf(model);
  if (denoiser === undefined) {
    problems.push(
      `task: no training of its denoiser was measured or counted; those of ${denoiserNames} were`,
    );
  }
  if (method === "qlora") {
    problems.push("method: qlora of an image model was not measured; take lora or full");
  }
  if (method === "full" && denoiser?.from === "counted") {
    problems.push(`method: full was not measured for ${denoiser.name}; take lora`);
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

/** The denoiser of a model that was checked. */
function checkedDenoiser(model: Model): Denoiser {
  const denoiser = denoiserOf(model);
  if (denoiser === undefined) throw new Error(`${model.id} is not checked for training`);
  return denoiser;
}

/** Parameters that are trained: those of denoiser and text encoders as it is asked, or of their adapters. */
export function trainedImageParameters(
  model: Model,
  { method, lora, trainTextEncoder = false }: TrainingWorkload,
): number {
  const denoiser = checkedDenoiser(model);
  if (method === "full") {
    const encoders = trainTextEncoder ? parametersOf(clipEncoders(model)) : 0;
    return parametersOf(componentsOf(model, ["denoiser"])) + encoders;
  }
  const ofEncoders = trainTextEncoder ? textEncoderTraining(model).adapterParametersPerRank : 0;
  return (denoiser.adapterParametersPerRank + ofEncoders) * (lora?.rank ?? defaultRank);
}

const exact = { below: 0.01, above: 0.03 };

/** Weights, gradients and moments in 32 bit, and what is frozen in 16. */
function stateParts(model: Model, workload: TrainingWorkload): readonly MemoryPart[] {
  const { method, optimizer, trainTextEncoder = false } = workload;
  const trained = trainedImageParameters(model, workload);
  const full = method === "full";
  const frozen = componentsOf(model, full ? ["vae"] : ["denoiser", "vae"]);
  const encoders = full && trainTextEncoder ? [] : clipEncoders(model);
  const held = (parametersOf(frozen) + parametersOf(encoders)) * 2;
  const moments = optimizer === "adamw" ? 8 : 2;
  const names = [...(full ? [] : ["denoiser"]), "VAE", ...(encoders.length === 0 ? [] : ["CLIP"])];
  const what = names.join(", ").replace(/, (?=[^,]*$)/, " and ");
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
function activationBytes(model: Model, workload: TrainingWorkload): number {
  const denoiser = checkedDenoiser(model);
  const { activationsGiB, checkpointsGiB = 0 } = denoiser;
  const { gradientCheckpointing, microBatch, trainTextEncoder = false } = workload;
  const { width, height } = imageSizeOf(model, workload);
  const pixels = width * height;
  const megapixels = learnedMegapixels(denoiser, { images: microBatch, pixels });
  const encoding = (encodingGiB * microBatch * pixels) / 1e6;
  const kept = gradientCheckpointing
    ? Math.max(encoding, checkpointsGiB * megapixels)
    : activationsGiB * megapixels;
  const captions = trainTextEncoder ? microBatch * textEncoderTraining(model).captionBytes : 0;
  const pass = kept * gibi + captions;
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
  const activations = activationBytes(model, workload);
  const allocated = states.reduce((total, { mib }) => total + mib, 0) * 1024 ** 2 + activations;
  const blocks = workload.gradientCheckpointing ? checkpointHolesGiB * megapixels * gibi : 0;
  const holes = allocated * holesShare + blocks;
  const why = `${workload.microBatch} of ${width} x ${height}${workload.gradientCheckpointing ? ", with checkpoints" : ""}`;
  const parts = [
    ...states,
    partOf("activations", activations, activationSpread(checkedDenoiser(model)), why),
    partOf("fragmentation", holes, { below: 0.9, above: 1 }, "blocks that the allocator holds"),
    { name: "runtime", ...context, why: "CUDA context and libraries" } as const,
  ];
  return demandOf({ parts, parallelism: single, utilisation: trainingShare, wholeRange: true });
}
