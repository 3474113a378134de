import type { Model } from "../catalogue/model.ts";
import type { Spread } from "./mebibytes.ts";

/** A denoiser whose training can be sized. */
export interface Denoiser {
  readonly name: string;
  /** It is known by its size: what is trained further has another name and the same network. */
  readonly parameters: number;
  /** GiB for each megapixel of a batch, with every activation kept. */
  readonly activationsGiB: number;
  /** The same with checkpoints, where that is more than the VAE takes. @default 0 */
  readonly checkpointsGiB?: number;
  /** Tokens of a caption that go through it beside those of the image, where they are not in the figures of a megapixel. */
  readonly captionTokens: number;
  /** Of adapters on query, key, value and output of its attention, for each rank. */
  readonly adapterParametersPerRank: number;
  /** `measured` on a GPU, or `counted` in its code, and then for adapters alone. */
  readonly from: "measured" | "counted";
}

/** What the VAE takes to encode a batch, GiB for each megapixel: with checkpoints, more than most networks do. */
export const encodingGiB = 1.5;

const usual: Spread = { below: 0.15, above: 0.15 };
/** On the networks that were measured, what was counted was 2 to 10 % below. */
const counted: Spread = { below: 0.15, above: 0.25 };

/**
 * Measured: bench/sizing/references/h100-train-images.json, 34 trainings, of which a quarter chose none of these figures. Counted:
 * what a pass keeps by the code of diffusers 0.42, x 1.06, which is what the measured ones had more
 * (bench/sizing/measure/count_images.py).
 */
const denoisers: readonly Denoiser[] = [
  {
    name: "Stable Diffusion 1",
    parameters: 859_520_964,
    activationsGiB: 4.5,
    captionTokens: 0,
    adapterParametersPerRank: 199_296,
    from: "measured",
  },
  {
    name: "Stable Diffusion 2",
    parameters: 865_910_724,
    activationsGiB: 4.5,
    captionTokens: 0,
    adapterParametersPerRank: 207_488,
    from: "measured",
  },
  {
    name: "Stable Diffusion 3 medium",
    parameters: 2_028_328_000,
    activationsGiB: 4.6,
    captionTokens: 333,
    adapterParametersPerRank: 294_912,
    from: "measured",
  },
  {
    name: "Stable Diffusion 3.5 medium",
    parameters: 2_243_171_520,
    activationsGiB: 8.2,
    captionTokens: 333,
    adapterParametersPerRank: 454_656,
    from: "counted",
  },
  {
    name: "Stable Diffusion XL",
    parameters: 2_567_463_684,
    activationsGiB: 7,
    captionTokens: 0,
    adapterParametersPerRank: 1_451_520,
    from: "measured",
  },
  {
    name: "Stable Diffusion 3.5 large",
    parameters: 8_056_627_520,
    activationsGiB: 15.6,
    captionTokens: 333,
    adapterParametersPerRank: 739_328,
    from: "counted",
  },
  {
    name: "FLUX.1",
    parameters: 11_901_408_320,
    activationsGiB: 21.5,
    checkpointsGiB: 1.75,
    captionTokens: 512,
    adapterParametersPerRank: 1_167_360,
    from: "counted",
  },
];

/** Names of all that can be sized. */
export const denoiserNames = denoisers.map(({ name }) => name).join(", ");

/** The parts of a pipeline that do so. */
export function componentsOf({ components = [] }: Model, roles: readonly string[]) {
  return components.filter(({ role }) => roles.includes(role));
}

/** Parameters of several. */
export function parametersOf(counts: readonly { readonly parameters: number }[]): number {
  return counts.reduce((total, { parameters }) => total + parameters, 0);
}

/** The denoiser of a model, by its size; undefined where its training was neither measured nor counted. */
export function denoiserOf(model: Model): Denoiser | undefined {
  const parameters = parametersOf(componentsOf(model, ["denoiser"]));
  return denoisers.find((known) => Math.abs(parameters / known.parameters - 1) < 0.003);
}

/** A token of an image stands for 16 x 16 pixels: the VAE makes one of 8 x 8, and a token has four of these. */
const pixelsOfToken = 256;

/** Megapixels of a batch, each token of its captions as the pixels that one of an image stands for. */
export function learnedMegapixels(
  denoiser: Denoiser,
  { images, pixels }: { readonly images: number; readonly pixels: number },
): number {
  return (images * (pixels + denoiser.captionTokens * pixelsOfToken)) / 1e6;
}

/** How far its activations may be off. */
export function activationSpread({ from }: Denoiser): Spread {
  return from === "measured" ? usual : counted;
}

/** A CLIP text encoder: its layers and their width. */
interface TextEncoder {
  readonly parameters: number;
  readonly layers: number;
  readonly hiddenSize: number;
}

/** By size, with and without the projection of its last layer. */
const textEncoders: readonly TextEncoder[] = [
  { parameters: 123_060_480, layers: 12, hiddenSize: 768 },
  { parameters: 340_387_840, layers: 23, hiddenSize: 1024 },
  { parameters: 694_659_840, layers: 32, hiddenSize: 1280 },
];

/** From here on a text encoder is a T5, whose captions are made before; the largest CLIP has 0.7 billion. */
const t5Parameters = 2e9;

/** The text encoders that are there in a training: those that are no T5. */
export function clipEncoders(model: Model) {
  return componentsOf(model, ["text-encoder"]).filter((each) => each.parameters < t5Parameters);
}

/** Parameters of adapters on the attention of the CLIP encoders for each rank, and bytes that a caption keeps in them. */
export function textEncoderTraining(model: Model): {
  readonly adapterParametersPerRank: number;
  readonly captionBytes: number;
} {
  const known = clipEncoders(model).flatMap(({ parameters }) => {
    const found = textEncoders.find((each) => Math.abs(parameters / each.parameters - 1) < 0.01);
    return found ?? [];
  });
  const sum = (of: (encoder: TextEncoder) => number) =>
    known.reduce((total, encoder) => total + of(encoder), 0);
  return {
    adapterParametersPerRank: sum(({ layers, hiddenSize }) => layers * 4 * 2 * hiddenSize),
    // 34 bytes of each token and width in a layer (https://arxiv.org/abs/2205.05198).
    captionBytes: sum(({ layers, hiddenSize }) => 34 * captionTokens * layers * hiddenSize),
  };
}

/** Of a caption that CLIP reads. */
export const captionTokens = 77;
