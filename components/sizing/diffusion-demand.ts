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
 * GiB that a pipeline works with: workspaces whatever the image, and for each megapixel of an image what the VAE decodes
 * with or what the denoiser holds of it. A tile of the VAE is a fourth of a megapixel.
 */
const work = { fixed: 1.5, decoded: 3.3, held: 1.2, tileMegapixels: 0.25 } as const;

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

function imagePart(model: Model, workload: ServingWorkload): MemoryPart {
  const side = model.imagePixels ?? 1024;
  const { width, height } = workload.imageSize ?? { width: side, height: side };
  const megapixels = (width * height) / 1e6;
  const { concurrency, vaeSaving = "none" } = workload;
  const decoded = vaeSaving === "none" ? concurrency : 1;
  const ofDecoder =
    vaeSaving === "tiling" ? Math.min(megapixels, work.tileMegapixels) : megapixels * decoded;
  const held = megapixels * (concurrency - (vaeSaving === "tiling" ? 0 : decoded));
  const bytes = (work.fixed + work.decoded * ofDecoder + work.held * held) * gibi;
  const why = `${concurrency} of ${width} x ${height}, ${decoded} decoded at once`;
  return partOf("image-decode", bytes, { below: 0.6, above: 0.2 }, why);
}

/**
 * What one GPU has to hold to make images with a pipeline of diffusers: its components, and the decoding of the batch or
 * the denoiser, whichever needs more.
 */
export function diffusionDemand(model: Model, workload: ServingWorkload): MemoryDemand {
  return demandOf({
    parts: [
      weightsPart(model, workload),
      imagePart(model, workload),
      ...runtimeParts(workload, single),
    ],
    parallelism: single,
    utilisation: workload.utilisation ?? engineSettings.diffusers.utilisation,
  });
}
