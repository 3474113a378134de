import { inverse, type Range } from "../range.ts";
import { denoiserTrainingShare, trainingOverheadMs } from "./efficiency.ts";

/** A step of a denoiser's training. */
export interface ImageTrainingWork {
  /** 10^12 operations of one pass of the denoiser over one image of that size. */
  readonly teraOperationsPerPass: number;
  readonly method: "full" | "lora";
  /** Activations are made a second time in the backward pass. */
  readonly gradientCheckpointing: boolean;
  /** Images of one step. */
  readonly images: number;
}

/** How long a step takes. */
export interface ImageTrainingSpeed {
  readonly stepSeconds: Range;
  readonly imagesPerHour: Range;
}

/**
 * Forward once, backward twice (once beside frozen weights), and forward again with checkpoints, at the share of the peak that
 * was published with the VAE's and the text encoders' work in it; and some time for the launches.
 *
 * @param tflops dense 16-bit peak of the GPU, 10^12 operations a second
 */
export function imageTrainingSpeed(work: ImageTrainingWork, tflops: number): ImageTrainingSpeed {
  const { teraOperationsPerPass, method, gradientCheckpointing, images } = work;
  const passes = (method === "full" ? 3 : 2) + (gradientCheckpointing ? 1 : 0);
  const operations = teraOperationsPerPass * passes * images;
  const { low, high } = denoiserTrainingShare;
  const stepSeconds = {
    low: operations / (tflops * high) + trainingOverheadMs.low / 1000,
    high: operations / (tflops * low) + trainingOverheadMs.high / 1000,
  };
  return { stepSeconds, imagesPerHour: inverse(stepSeconds, 3600 * images) };
}
