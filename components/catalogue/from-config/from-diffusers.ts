import type { Model } from "../model.ts";
import { ConfigFields } from "./config-fields.ts";
import {
  clipTextParameters,
  fluxParameters,
  sd3Parameters,
  t5EncoderParameters,
  unetParameters,
  vaeParameters,
} from "./diffusion-networks.ts";
import type { DiffusersFiles } from "./model-files.ts";
import { modelId, roundGiB } from "./model-id.ts";
import { countTensors } from "./tensors.ts";

type Component = NonNullable<Model["components"]>[number];

const formulas: Readonly<Record<string, (config: ConfigFields) => number>> = {
  UNet2DConditionModel: unetParameters,
  FluxTransformer2DModel: fluxParameters,
  SD3Transformer2DModel: sd3Parameters,
  AutoencoderKL: vaeParameters,
  CLIPTextModel: (config) => clipTextParameters(config, false),
  CLIPTextModelWithProjection: (config) => clipTextParameters(config, true),
  T5EncoderModel: t5EncoderParameters,
};

/** Parts of a pipeline that hold no weights. */
const weightless = /Tokenizer|Scheduler|FeatureExtractor|ImageProcessor|Processor/;

function roleOf(part: string): Component["role"] {
  if (/^(unet|transformer|prior|decoder)/.test(part)) return "denoiser";
  if (part.startsWith("text_encoder")) return "text-encoder";
  if (part.startsWith("image_encoder")) return "vision-encoder";
  return /^(vae|vqvae|vqgan)/.test(part) ? "vae" : "other";
}

interface Part {
  readonly component: Component;
  readonly counted: boolean;
  readonly bytes: number | undefined;
}

function readPart(
  files: DiffusersFiles,
  name: string,
  className: string,
  problems: string[],
): Part | undefined {
  const place = `${files.place}: ${name}`;
  const read = files.parts[name];
  if (read?.weights !== undefined) {
    const { parameters } = countTensors(read.weights.tensors, 4, undefined);
    const component = { name, role: roleOf(name), parameters };
    return { component, counted: true, bytes: read.weights.bytes };
  }
  const formula = Object.hasOwn(formulas, className) ? formulas[className] : undefined;
  if (formula === undefined) {
    problems.push(
      `${place}: a ${className} can only be counted from its .safetensors file, and there is none`,
    );
    return undefined;
  }
  if (read?.config === undefined) {
    problems.push(`${place}: has neither config.json nor a .safetensors file`);
    return undefined;
  }
  const parameters = formula(new ConfigFields(`${place}/config.json`, read.config, problems));
  return { component: { name, role: roleOf(name), parameters }, counted: false, bytes: undefined };
}

/** Names and classes of the parts that hold weights; a part may be switched off with null. */
function partsOf(index: ConfigFields): readonly (readonly [string, string])[] {
  return index.names().flatMap((name) => {
    if (name.startsWith("_")) return [];
    const className = index.texts(name, "quiet")?.[1];
    return className === undefined || weightless.test(className)
      ? []
      : [[name, className] as const];
  });
}

function imagePixels(files: DiffusersFiles, problems: string[]): number | undefined {
  const denoiser = files.parts["unet"] ?? files.parts["transformer"];
  const vae = files.parts["vae"]?.config;
  if (denoiser?.config === undefined || vae === undefined) return undefined;
  const side = new ConfigFields(files.place, denoiser.config, problems).count("sample_size");
  const levels = new ConfigFields(files.place, vae, problems).listLength("block_out_channels");
  return side === undefined || levels === undefined ? undefined : side * 2 ** (levels - 1);
}

/** A diffusion pipeline: each network counted by itself. What is wrong is added to `problems`. */
export function fromDiffusers(files: DiffusersFiles, problems: string[]): Model {
  const index = new ConfigFields(`${files.place}/model_index.json`, files.modelIndex, problems);
  const parts = partsOf(index).flatMap(([name, className]) => {
    const part = readPart(files, name, className, problems);
    return part === undefined ? [] : [part];
  });
  if (parts.length === 0) index.problem("names no part with weights");
  const parameters = parts.reduce((sum, { component }) => sum + component.parameters, 0);
  const bytes = parts.reduce((sum, part) => sum + (part.bytes ?? part.component.parameters * 2), 0);
  const counted = parts.every((part) => part.counted);
  const perParameter = parameters === 0 ? 2 : bytes / parameters;
  const pixels = imagePixels(files, problems);
  return {
    id: modelId(files.name),
    family: files.name,
    task: "image-generation",
    architecture: index.text("_class_name") ?? "diffusion pipeline",
    components: parts.map(({ component }) => component),
    ...(pixels === undefined ? {} : { imagePixels: pixels }),
    parameters: Math.max(1, parameters),
    parametersBasis: counted ? "counted-from-safetensors" : "formula-from-config",
    nativePrecision: perParameter > 3 ? "fp32" : "fp16",
    weightsGiB: roundGiB(bytes),
    kvType: "none",
    confidence: counted ? "high" : "medium",
    source: files.place,
  };
}
