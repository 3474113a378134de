import type { Model } from "../catalogue/model.ts";
import { engineSettings } from "./engine-settings.ts";
import { partOf, readable } from "./mebibytes.ts";
import { demandOf, type MemoryDemand, type MemoryPart } from "./memory-part.ts";
import { runtimeParts } from "./serving-runtime.ts";
import { weightBytes } from "./weight-layout.ts";
import type { ServingWorkload } from "./workload.ts";

const single = { tensorParallel: 1, pipelineParallel: 1 } as const;
const gibi = 1024 ** 3;

/**
 * GiB for each megapixel of an image that the VAE decodes in 16 bit, or that the denoiser works on, and for workspaces
 * whatever the image; a tile of the VAE is a fourth of a megapixel. The allocator holds as much again in blocks of the sizes
 * before (bench/sizing/references/h100-images.json: seven pipelines at 512 to 1,024 pixels).
 */
const work = { fixed: 0.25, decoded: 2, denoised: 0.3, tileMegapixels: 0.25 } as const;

/** SDXL's VAE overflows in fp16, so diffusers decodes in 32 bit beside fp16 weights (`force_upcast`); not beside bf16. */
function decoderFactor(model: Model, { precision }: ServingWorkload): number {
  return precision === "fp16" && /UNet.*bigG/.test(model.architecture) ? 2 : 1;
}

/** The components' weights; of the largest one alone where the others wait in the host's memory. */
function weightsPart(model: Model, workload: ServingWorkload): MemoryPart {
  const format = workload.precision === "native" ? "fp16" : workload.precision;
  const all = weightBytes(model, format);
  const components = model.components ?? [];
  const total = components.reduce((sum, { parameters }) => sum + parameters, 0);
  const largest = Math.max(0, ...components.map(({ parameters }) => parameters));
  const alone = workload.componentOffload === true && total > 0;
  const bytes = alone ? (all * largest) / total : all;
  const why = `${readable(bytes)} of ${alone ? "the largest component" : "components"} in ${format}`;
  return partOf("weights", bytes, { below: 0.01, above: 0.02 }, why);
}

function imageParts(model: Model, workload: ServingWorkload): readonly MemoryPart[] {
  const side = model.imagePixels ?? 1024;
  const { width, height } = workload.imageSize ?? { width: side, height: side };
  const megapixels = (width * height) / 1e6;
  const { concurrency, vaeSaving = "none" } = workload;
  const atOnce = vaeSaving === "none" ? concurrency : 1;
  const decoded =
    vaeSaving === "tiling" ? Math.min(megapixels, work.tileMegapixels) : megapixels * atOnce;
  const decoding = work.decoded * decoderFactor(model, workload) * decoded;
  const denoising = work.denoised * megapixels * concurrency;
  const bytes = (work.fixed + Math.max(decoding, denoising)) * gibi;
  const why = `${concurrency} of ${width} x ${height}, ${atOnce} decoded at once`;
  const held = "blocks of other sizes that the allocator holds";
  return [
    partOf("image-decode", bytes, { below: 0.3, above: 0.3 }, why),
    partOf("fragmentation", bytes, { below: 0.7, above: 0.2 }, held),
  ];
}

/**
 * What one GPU has to hold to make images with a pipeline of diffusers: its components, and the decoding of the batch or
 * the denoiser, whichever needs more.
 */
export function diffusionDemand(model: Model, workload: ServingWorkload): MemoryDemand {
  return demandOf({
    parts: [
      weightsPart(model, workload),
      ...imageParts(model, workload),
      ...runtimeParts(workload, single),
    ],
    parallelism: single,
    utilisation: workload.utilisation ?? engineSettings.diffusers.utilisation,
  });
}
