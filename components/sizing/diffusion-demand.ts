import type { Model } from "../catalogue/model.ts";
import { engineSettings } from "./engine-settings.ts";
import { partOf, readable } from "./mebibytes.ts";
import { demandOf, type MemoryDemand } from "./memory-part.ts";
import { runtimeParts } from "./serving-runtime.ts";
import { weightBytes } from "./weight-layout.ts";
import type { ServingWorkload } from "./workload.ts";

const single = { tensorParallel: 1, pipelineParallel: 1 } as const;
const gibi = 1024 ** 3;

/** What one GPU has to hold to make images with a pipeline of diffusers. */
export function diffusionDemand(model: Model, workload: ServingWorkload): MemoryDemand {
  const { precision, concurrency } = workload;
  const weights = weightBytes(model, precision === "native" ? "fp16" : precision);
  const { width, height } = workload.imageSize ?? { width: 1024, height: 1024 };
  const megapixels = (width * height) / 1e6;
  const images =
    workload.vaeSaving === undefined || workload.vaeSaving === "none" ? concurrency : 1;
  const work = (1.5 + 4 * images * megapixels) * gibi;
  return demandOf({
    parts: [
      partOf(
        "weights",
        weights,
        { below: 0.01, above: 0.02 },
        `${readable(weights)} of components`,
      ),
      partOf(
        "image-decode",
        work,
        { below: 0.5, above: 0.3 },
        `${concurrency} of ${width} x ${height}`,
      ),
      ...runtimeParts(workload, single),
    ],
    parallelism: single,
    utilisation: workload.utilisation ?? engineSettings.diffusers.utilisation,
  });
}
